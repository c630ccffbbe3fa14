"""`%load_ext orgboard` in the real IPython."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.frameworks import framework

capture = framework("IPython.utils.capture")
ipython_module = framework("orgboard.integrations.ipython")
InteractiveShell = framework("IPython.core.interactiveshell").InteractiveShell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give IPython with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "orgboard")
    yield shell
    shell.run_line_magic("unload_ext", "orgboard")
    # Its history is a thread of its own.
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_without_the_server_the_magic_says_what_to_install(
    shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("orgboard", f"'{tmp_path}'")

    assert "pip install 'orgboard[server]'" in capsys.readouterr().out


def test_in_a_notebook_the_board_is_a_frame_of_the_height_asked_for(shell: Any) -> None:
    class Shown:
        address = "http://127.0.0.1:7070"

    class Boards:
        def show(self, logdirs: list[str]) -> Shown:
            assert logdirs == ["runs a", "b"]
            return Shown()

    shell.kernel = object()
    shell.register_magic_function(ipython_module._magic_of(shell, Boards()), "line", "orgboard")

    with capture.capture_output() as captured:
        shell.run_line_magic("orgboard", "'runs a' b --height 300")

    assert captured.stdout == "orgboard is at http://127.0.0.1:7070\n"
    [frame] = captured.outputs
    assert 'src="http://127.0.0.1:7070"' in frame.data["text/html"]
    assert 'height="300"' in frame.data["text/html"]


def test_a_wrong_line_is_told_and_does_not_end_the_kernel(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("orgboard", "--height tall runs")
    shell.run_line_magic("orgboard", "'unclosed")

    said = capsys.readouterr().out
    assert "usage: %orgboard" in said
    assert "No closing quotation" in said
