"""The `orgboard` command itself: help, wrong names, missing extras, interrupted runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version

import pytest

from orgboard import _cli
from support.programs import run_orgboard


def _offer(monkeypatch: pytest.MonkeyPatch, **commands: str) -> None:
    """Let `orgboard` find exactly these commands."""
    entries = {name: EntryPoint(name, value, _cli.GROUP) for name, value in commands.items()}
    monkeypatch.setattr(_cli, "_commands", lambda: entries)


def shout(argv: Sequence[str]) -> int:
    """Stand for a subcommand: print the arguments and return their number."""
    sys.stdout.write(" ".join(argv).upper())
    return len(argv)


def needy(argv: Sequence[str]) -> int:
    """Stand for a subcommand whose database driver is missing."""
    raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")


def broken(argv: Sequence[str]) -> int:
    """Stand for a subcommand with a mistake in our own imports."""
    raise ModuleNotFoundError("No module named 'orgboard_schema.x'", name="orgboard_schema.x")


def interrupted(argv: Sequence[str]) -> int:
    """Stand for a subcommand that somebody stops with Ctrl-C."""
    raise KeyboardInterrupt


def test_help_tells_every_installed_command_in_one_line_each() -> None:
    installed = {entry.name for entry in entry_points(group=_cli.GROUP)}

    done = run_orgboard("--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert installed == _cli.SUMMARIES.keys()
    for name, summary in _cli.SUMMARIES.items():
        assert any(line.split() == [name, *summary.split()] for line in done.stdout.splitlines()), (
            name
        )


def test_help_imports_no_command() -> None:
    script = (
        "import sys; from orgboard._cli import main; main(['--help']); "
        "print([name for name in sys.modules if name.startswith(('orgboard_ingest', "
        "'orgboard_dashboard', 'orgboard_schema.commands', 'orgboard_schema.sql', 'sqlalchemy'))])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_is_that_of_the_distribution(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _cli.main([flag]) == 0
    assert capsys.readouterr().out == f"orgboard {version('orgboard')}\n"


def test_no_arguments_show_the_help_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    status = _cli.main([])

    printed = capsys.readouterr()
    assert (status, printed.out) == (2, "")
    assert printed.err.startswith("Usage: orgboard COMMAND")


def test_a_command_gets_the_arguments_after_its_name_and_decides_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _offer(monkeypatch, shout=f"{__name__}:shout")

    status = _cli.main(["shout", "one", "--two", "3"])

    assert (status, capsys.readouterr().out) == (3, "ONE --TWO 3")


def test_help_before_a_name_is_the_help_of_that_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _offer(monkeypatch, shout=f"{__name__}:shout")

    _cli.main(["help", "shout"])

    assert capsys.readouterr().out == "--HELP"


def test_an_unknown_name_gets_the_nearest_command_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = _cli.main(["ingets"])

    expected = "orgboard: there is no command 'ingets'; did you mean 'ingest'?\n"
    assert (status, capsys.readouterr().err) == (2, expected)


def test_a_name_near_to_nothing_is_sent_to_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    status = _cli.main(["zzzzz"])

    assert status == 2
    assert "'orgboard --help' lists them all" in capsys.readouterr().err


def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _offer(monkeypatch, needy=f"{__name__}:needy", serve="sqlalchemy_is_not_here:serve")

    statuses = _cli.main(["needy"]), _cli.main(["serve"])

    driver, server = capsys.readouterr().err.splitlines()
    assert statuses == (2, 2)
    assert "'psycopg'" in driver
    assert driver.endswith("pip install 'orgboard[postgres]'")
    assert server.endswith("pip install 'orgboard[server]'")


def test_a_mistake_in_our_own_imports_is_not_taken_for_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _offer(monkeypatch, broken=f"{__name__}:broken")

    with pytest.raises(ModuleNotFoundError):
        _cli.main(["broken"])


def test_an_interrupted_command_ends_as_a_shell_expects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _offer(monkeypatch, interrupted=f"{__name__}:interrupted")

    assert _cli.main(["interrupted"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_enough_causes_no_complaint() -> None:
    script = "import orgboard._cli as c, sys; c.HELP = 'x' * 2_000_000; sys.exit(c.main(['-h']))"
    # -E: with PYTHONUNBUFFERED in the environment, Python itself loses the error.
    child = subprocess.Popen(
        [sys.executable, "-E", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None

    child.stdout.read(10)
    child.stdout.close()
    _, complaint = child.communicate(timeout=30)

    assert (child.returncode, complaint) == (141, b"")
