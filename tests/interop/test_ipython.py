"""`%load_ext orgboard` in the real IPython."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.frameworks import framework

InteractiveShell = framework("IPython.core.interactiveshell").InteractiveShell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give IPython with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "orgboard")
    yield shell
    shell.run_line_magic("unload_ext", "orgboard")
    # Its history is a thread of its own.
    shell.history_manager.end_session()


def test_without_the_server_the_magic_says_what_to_install(
    shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("orgboard", f"'{tmp_path}'")

    assert "pip install 'orgboard[server]'" in capsys.readouterr().out


def test_a_wrong_line_is_told_and_does_not_end_the_kernel(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("orgboard", "--height tall runs")
    shell.run_line_magic("orgboard", "'unclosed")

    said = capsys.readouterr().out
    assert "usage: %orgboard LOGDIR" in said or "usage: %orgboard [--height" in said
    assert "No closing quotation" in said
