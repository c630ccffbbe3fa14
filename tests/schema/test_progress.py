from __future__ import annotations

import io

from orgboard_schema.progress import Bar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_bar_redrawn_now_and_then_and_taken_away() -> None:
    now = [0.0]
    terminal = _Terminal()
    bar = Bar(terminal, lambda: now[0])

    for done in range(4):
        bar.show(f"step {done}", done, 4)
        now[0] += 0.06
    bar.clear()

    # Every second one came too soon after the one before.
    first, second = terminal.getvalue().split("\r")[1:3]
    assert first == "[" + "." * 24 + "]   0%  step 0"
    assert second == "[" + "#" * 12 + "." * 12 + "]  50%  step 2"
    assert terminal.getvalue().endswith("\r" + " " * len(second) + "\r")


def test_what_is_no_terminal_sees_nothing() -> None:
    stream = io.StringIO()
    bar = Bar(stream)

    bar.show("step", 1, 2)
    bar.clear()

    assert stream.getvalue() == ""
