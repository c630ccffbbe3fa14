"""A chart in words, and the words of the axes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from orgboard_dashboard import charts

pytestmark = pytest.mark.browser

SCRIPTS = Path(charts.__file__).parents[1] / "assets" / "ob"

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def script(browser: Browser) -> Run:
    """Give a function that runs JavaScript beside the island's pure scripts."""
    page: Page = browser.new_page()
    for name in ("format", "axes", "ranges", "ticks", "words", "describe"):
        page.add_script_tag(path=SCRIPTS / f"{name}.js")
    return page.evaluate


def line(values: list[float], **more: Any) -> dict[str, Any]:
    steps = list(range(0, 10 * len(values), 10))
    plain = {"n": len(values), "nonfinite": 0, "marks": [], "name": "r"}
    return {"y": values, "step": steps, **plain, **more}


def told(script: Run, tag: str, *lines: dict[str, Any]) -> str:
    words: str = script("([tag, lines]) => ob.describe(tag, lines)", [tag, list(lines)])
    return words


def test_a_fall_is_told_with_its_best_and_last(script: Run) -> None:
    assert told(script, "train/loss", line([4, 3, 1, 2])) == (
        "train/loss: 1 run, steps 0 to 30. r falls from 4.000, last 2.000; best 1.000 at step 20."
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, 3], "r rises from 1.000, last 3.000."),
        ([2, 2, 2], "r stays at 2.000."),
        ([5], "r is 5.000."),
        ([1, 3, 1, 3, 1, 3, 1], "r stays between 1.000 and 3.000, last 1.000."),
    ],
)
def test_where_a_line_goes_is_told(script: Run, values: list[float], words: str) -> None:
    assert told(script, "lr", line(values)).endswith(words)


def test_one_point_that_stands_out_is_told_and_noise_is_not(script: Run) -> None:
    calm = [1 + 0.01 * (i % 3) for i in range(40)]

    assert "spike" not in told(script, "lr", line(calm))
    assert "a spike of 9.000 at step 200" in told(script, "lr", line([*calm[:20], 9, *calm[21:]]))
    assert "a spike of \u22129.000 at step 200" in told(
        script, "lr", line([*calm[:20], -9, *calm[21:]])
    )


def test_a_step_of_a_schedule_is_no_spike(script: Run) -> None:
    assert "spike" not in told(script, "lr", line([0.1] * 20 + [0.01] * 20))


def test_what_is_not_finite_is_told(script: Run) -> None:
    mark = {"step": 12004, "value": "-Infinity", "x": 12004}

    assert told(script, "lr", line([1, 2], nonfinite=3, marks=[mark])).endswith(
        "; 3 \u2212∞ from step 12\u2009004."
    )
    assert "has no finite value; 1 NaN" in told(
        script, "lr", line([], n=1, nonfinite=1, marks=[{**mark, "value": "NaN"}])
    )


def test_many_lines_are_counted_and_none_is_said(script: Run) -> None:
    assert told(script, "lr", *[line([1, 2])] * 7).endswith("And 2 more runs.")
    assert told(script, "lr") == "lr: no points in the shown runs."


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ("step", "steps 1\u2009000 to 2\u2009000"),
        ("rstep", "1\u2009000 to 2\u2009000"),
        ("active", "17\u2009min to 33\u2009min"),
        ("m:epoch", "1\u2009000 to 2\u2009000"),
    ],
)
def test_a_stretch_is_written_as_its_axis_counts(script: Run, axis: str, words: str) -> None:
    assert script("(xAxis) => ob.xStretch([1000, 2000], {xAxis})", axis) == words


@pytest.mark.parametrize(
    ("low", "high", "rounded"),
    [
        (1234.56789, 2345.6789, [1234.6, 2345.7]),
        (0.123456789, 0.1234667, [0.123456789, 0.1234667]),
        (1.7e9, 1.7e9 + 7200, [1.7e9, 1.7e9 + 7200]),
    ],
)
def test_a_stretch_is_rounded_finer_than_a_pixel(
    script: Run, low: float, high: float, rounded: list[float]
) -> None:
    assert script("([low, high]) => ob.xRounded(low, high)", [low, high]) == rounded


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ([-3.1, 3.1], ["\u22121000", "\u2212100", "\u221210", "0", "10", "100", "1000"]),
        ([0.5, 2.5], ["10", "100"]),
    ],
)
def test_symlog_ticks_are_powers_to_both_sides(
    script: Run, ends: list[float], words: list[str]
) -> None:
    assert script("(ends) => ob.symTicks(...ends, 1, 8).ticktext", ends) == words


@pytest.mark.parametrize("kind", ["lin", "log", "sym"])
def test_a_level_leads_back_to_its_value(script: Run, kind: str) -> None:
    back = script(
        """(kind) => [0.003, 1, 7, 12345].map(ob.levelOf(kind, 0.1)).map(ob.valueOf(kind, 0.1))""",
        kind,
    )

    assert back == pytest.approx([0.003, 1, 7, 12345])
