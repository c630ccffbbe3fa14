"""What a Markdown page promises: the code in it, so that tests can hold it to that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Example", "Row", "examples_of", "rows_of"]

_HEADING = re.compile(r"^## (.+)$")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code, by the heading it stands under."""

    heading: str
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of two columns: code in the left one, and in the right, if any."""

    heading: str
    left: tuple[str, ...]
    right: tuple[str, ...]


def examples_of(page: Path, language: str = "python") -> list[Example]:
    """List a page's blocks of a language; those under one heading are one after another."""
    found: dict[str, str] = {}
    heading, lines, is_code = "", [""], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.match(line):
            heading = match.group(1)
        elif line == f"```{language}":
            is_code, lines = True, []
        elif line == "```" and is_code:
            is_code = False
            found[heading] = found.get(heading, "") + "\n".join(lines) + "\n\n"
        elif is_code:
            lines.append(line)
    return [Example(heading, code) for heading, code in found.items()]


def rows_of(page: Path) -> list[Row]:
    """List the rows of a page's tables, without their heads."""
    rows = []
    heading = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.match(line):
            heading = match.group(1)
        elif line.startswith("| ") and not line.startswith("| ---"):
            left, right = line.strip("| ").split(" | ")
            if codes := tuple(_CODE.findall(left)):
                rows.append(Row(heading, codes, tuple(_CODE.findall(right))))
    return rows
