"""What must hold for the repository as a whole, so that no reviewer has to remember it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE_ROOTS = ("schema", "writer", "ingest", "dashboard")
GENERATED = re.compile(r"_pb2\.pyi?$|/vendor/|/__pycache__/|/\.")
CODE = (".py", ".pyi", ".js", ".css", ".proto", ".c", ".h", ".sh")
TEXT = (*CODE, ".md", ".toml", ".yml", ".yaml", ".json", ".txt")
MOST_LINES = 450
"""A file that needs more is about two things."""

TRAINING_MAY_LOAD = {"orgboard", "orgboard_schema", "google", "google_crc32c"}
SETTING = re.compile(r"\bORGBOARD_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
SHOWN_BY = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
NAMED_PATH = re.compile(r"`((?:schema|writer|ingest|dashboard|tests|\.ci)/[\w./-]*)`")


def _files(suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Find our own files: not generated, not vendored, not a cache."""
    for root in (*SOURCE_ROOTS, "tests", ".ci"):
        for path in sorted((REPOSITORY / root).rglob("*")):
            inside = f"/{path.relative_to(REPOSITORY / root)}"
            if path.is_file() and path.suffix in suffixes and not GENERATED.search(inside):
                yield path
    yield from sorted(path for path in REPOSITORY.glob("*.*") if path.suffix in suffixes)


def _modules() -> Iterator[Path]:
    return (path for path in _files((".py",)) if path.relative_to(REPOSITORY).parts[0] != "tests")


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _loaded_after(statement: str) -> set[str]:
    """Name the top-level modules that a fresh process has after `statement`."""
    script = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd="/"
    )
    return set(done.stdout.split())


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [linter, "--no-cache"], check=False, capture_output=True, text=True, cwd=REPOSITORY
    )

    assert done.returncode == 0, done.stdout


def test_a_training_process_loads_the_sdk_its_checksum_and_nothing_else() -> None:
    bare = _loaded_after("pass")

    loaded = _loaded_after("from orgboard import SummaryWriter") - bare

    assert "orgboard" in loaded
    assert loaded - set(sys.stdlib_module_names) <= TRAINING_MAY_LOAD


def test_every_folder_of_modules_is_a_package() -> None:
    # Without __init__.py a folder works too, but no tool follows the imports in it.
    bare = {
        _name(path.parent)
        for path in _modules()
        if path.parent.parent != REPOSITORY and not (path.parent / "__init__.py").is_file()
    }

    assert bare == set()


def test_every_module_says_what_it_is_and_what_it_offers() -> None:
    faults = []
    for path in _modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            faults.append(f"{_name(path)} has no docstring")
        assigned = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        is_entry = path.name in ("__init__.py", "__main__.py") or "migrations" in path.parts
        if not is_entry and "__all__" not in assigned:
            faults.append(f"{_name(path)} has no __all__")

    assert faults == []


def test_no_file_is_too_long_to_be_about_one_thing() -> None:
    lengths = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _files(CODE)
    }

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_names_a_place_that_only_one_machine_has() -> None:
    places = (f"{REPOSITORY}/", f"{Path.home()}/")

    named = [
        f"{_name(path)}: {place}"
        for path in _files(TEXT)
        for place in places
        if place in path.read_text(encoding="utf-8")
    ]

    assert named == []


def test_every_path_that_a_document_names_exists() -> None:
    missing = []
    for document in _files((".md",)):
        text = document.read_text(encoding="utf-8")
        linked = (document.parent / target for target in LINK.findall(text))
        named = (REPOSITORY / target for target in NAMED_PATH.findall(text))
        missing += [f"{_name(document)}: {path}" for path in (*linked, *named) if not path.exists()]

    assert missing == []


@pytest.mark.parametrize(("name", "least"), [("COMPARED.md", 40), ("SECURITY.md", 20)])
def test_every_row_of_a_table_names_tests_that_there_are(name: str, least: int) -> None:
    document = (REPOSITORY / "dashboard" / name).read_text(encoding="utf-8")
    head = re.compile(r"\| (?!---|what|wish \||threat \|)")
    rows = [line for line in document.splitlines() if head.match(line)]

    faults = []
    for row in rows:
        what, *_, last = [cell.strip() for cell in row.strip("|").split(" | ")]
        named = SHOWN_BY.findall(last)
        if not named and "**not yet**" not in last:
            faults.append(f"{what} is shown by nothing")
        for file, test in named:
            path = REPOSITORY / "tests" / "dashboard" / file
            if not path.is_file() or f"\ndef {test}(" not in path.read_text(encoding="utf-8"):
                faults.append(f"{what}: there is no {file}::{test}")

    assert len(rows) > least
    assert faults == []


@pytest.mark.parametrize("root", [*SOURCE_ROOTS, "tests"])
def test_every_top_folder_has_a_readme_of_one_screen(root: str) -> None:
    lines = (REPOSITORY / root / "README.md").read_text(encoding="utf-8").splitlines()

    assert 5 <= len(lines) <= 40


def test_the_readme_tells_every_setting_that_the_code_reads() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    scripts = [path for path in (REPOSITORY / ".ci").iterdir() if path.is_file()]

    read = {
        setting
        for path in [*_files((".py",)), *scripts]
        if path != Path(__file__)
        for setting in SETTING.findall(path.read_text(encoding="utf-8"))
    }

    assert read - set(SETTING.findall(readme)) == set()


def test_the_readme_tells_every_command() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    commands = {entry.name for entry in entry_points(group="orgboard.commands")}

    assert commands
    assert {name for name in commands if f"orgboard {name}" not in readme} == set()
