"""What the log says of a path that somebody else chose."""

from __future__ import annotations

import pytest

from orgboard_ingest.complaints import printable


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("runs/café 1", "runs/café 1"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("caf\udce9", "caf\\udce9"),
        ("\0", "\\x00"),
    ],
)
def test_no_name_reaches_a_terminal_as_a_command(place: str, shown: str) -> None:
    assert printable(place) == shown
