"""The browser's functions give what Python's give."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from orgboard_dashboard import charts
from orgboard_dashboard.charts.palette import PALETTE, ink
from orgboard_dashboard.export.spelling import guarded
from orgboard_dashboard.queries.directions import guessed
from support.vectors import plain, read_vectors

pytestmark = pytest.mark.browser

SCRIPTS = Path(charts.__file__).parents[1] / "assets" / "ob"
KEYS = {
    "run_filter": "runFilter",
    "tag_filter": "tagFilter",
    "smoothing": "smoothing",
    "x_axis": "xAxis",
    "y_axis": "yAxis",
    "selected": "selected",
    "zoom": "zoom",
    "collapsed": "collapsed",
    "superseded": "superseded",
    "by_metric": "byMetric",
    "log_x": "logX",
    "y_range": "yRange",
    "section_ranges": "sectionRanges",
    "card_ranges": "cardRanges",
    "outliers_clipped": "outliersClipped",
    "smoothing_kind": "smoothingKind",
    "pinned": "pinned",
    "card_width": "cardWidth",
    "card_height": "cardHeight",
    "tip_order": "tipOrder",
    "selected_range": "selectedRange",
    "group_by": "groupBy",
    "group_line": "groupLine",
    "group_band": "groupBand",
    "charts": "charts",
    "baseline": "baseline",
    "compared": "compared",
    "columns": "columns",
    "sort": "sort",
    "value_columns": "valueColumns",
    "settings": "settings",
    "histograms": "histograms",
    "at_step": "atStep",
    "layer_map": "layerMap",
    "graph_run": "graphRun",
    "graph_tag": "graphTag",
    "graph_open": "graphOpen",
    "graph_moved": "graphMoved",
    "graph_node": "graphNode",
    "graph_color": "graphColor",
    "graph_trace": "graphTrace",
    "graph_aside": "graphAside",
    "graph_base": "graphBase",
    "graph_stats": "graphStats",
    "graph_side": "graphSide",
    "saved": "saved",
    "without": "without",
}
"""A view's words, in Python and in JavaScript."""

PURE = (
    "dom",
    "smooth",
    "palette",
    "figure",
    "ranges",
    "axes",
    "axesview",
    "groups",
    "state",
    "format",
    "ticks",
    "words",
    "histbins",
    "describe",
    "columns",
    "savetable",
)
"""Scripts that need no page."""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def script(browser: Browser) -> Run:
    """Give a function that runs JavaScript beside the island's pure scripts."""
    page: Page = browser.new_page()
    for name in PURE:
        page.add_script_tag(path=SCRIPTS / f"{name}.js")
    return page.evaluate


@pytest.mark.parametrize("case", read_vectors("smoothing"), ids=lambda case: case["name"])
def test_the_browser_smooths_as_python_does(script: Run, case: dict[str, Any]) -> None:
    smoothed = script(
        "([values, ...how]) => [...ob.smooth(Float64Array.from(values), ...how)]",
        [case["values"], case["weight"], case.get("kind", "ema"), case.get("x")],
    )

    assert smoothed == pytest.approx(case["smoothed"], rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("case", read_vectors("figures"), ids=lambda case: case["name"])
def test_the_browser_draws_what_python_draws(script: Run, case: dict[str, Any]) -> None:
    figure = script(
        """([lines, view, tag, unit]) => {
            ob.learn([{name: tag, best: null, unit}]);
            const {data, ...rest} = ob.figure(lines, view, tag);
            return {data: data.map((t) => ({...t, x: [...t.x], y: [...t.y]})), ...rest};
        }""",
        [case["lines"], case["view"], case.get("tag", "loss"), case.get("unit", "")],
    )

    assert plain(figure["data"]) == case["data"]
    assert figure["ranges"]["x"] == pytest.approx(case["ranges"]["x"])
    assert figure["clipped"] == case.get("clipped", 0)
    assert figure["title"] == case.get("title", "")
    assert figure["ranges"]["y"] == pytest.approx(case["ranges"]["y"])


@pytest.mark.parametrize("case", read_vectors("groups"), ids=lambda case: case["name"])
def test_the_browser_draws_groups_as_python_does(script: Run, case: dict[str, Any]) -> None:
    figure = script(
        """([lines, view]) => {
            const {data, ranges} = ob.groupFigure(lines, view, "loss");
            return {data: data.map((t) => ({...t, x: [...t.x], y: [...t.y]})), ranges};
        }""",
        [case["lines"], case["view"]],
    )

    assert plain(figure["data"]) == case["data"]
    assert figure["ranges"]["x"] == case["ranges"]["x"]
    assert figure["ranges"]["y"] == pytest.approx(case["ranges"]["y"])


@pytest.mark.parametrize("case", read_vectors("histograms"), ids=lambda case: case["name"])
def test_the_browser_puts_histograms_into_bins_as_python_does(
    script: Run, case: dict[str, Any]
) -> None:
    bins = script(
        """(c) => [...ob.rebin({left: c.left, right: c.right, count: c.count}, 0, c.count.length,
            Float64Array.from(c.edges))]""",
        case,
    )

    assert bins == pytest.approx(case["bins"])


@pytest.mark.parametrize("case", read_vectors("urls"), ids=lambda case: case["query"])
def test_the_browser_writes_and_reads_the_shared_addresses(
    script: Run, case: dict[str, Any]
) -> None:
    view = {KEYS[key]: value for key, value in case["view"].items()}

    assert script("(v) => ob.encodeView({...ob.decodeView(''), ...v})", view) == case["query"]
    assert script("(q) => ob.decodeView(q)", case["query"]) == {**untouched(script), **view}


@pytest.mark.parametrize("case", read_vectors("urls_odd"), ids=lambda case: case["query"])
def test_the_browser_reads_broken_addresses_as_python_does(
    script: Run, case: dict[str, Any]
) -> None:
    view = {KEYS[key]: value for key, value in case["view"].items()}

    assert script("(q) => ob.decodeView(q)", case["query"]) == {**untouched(script), **view}


def test_an_address_over_a_saved_view_says_whatever_is_otherwise(script: Run) -> None:
    queries = [case["query"] for case in read_vectors("urls") if "saved" not in case["view"]]

    wrong = script(
        """(queries) => queries.flatMap((state) => queries.filter((full) => {
            const written = ob.beyond(state, full, "aB3");
            const read = ob.decodeView(ob.layOver(state, written));
            const back = ob.encodeView({...read, saved: "", without: []});
            return read.saved !== "aB3" || back !== full;
        }).map((full) => [state, full]))""",
        queries,
    )

    assert len(queries) > 20
    assert wrong == []


@pytest.mark.parametrize(
    ("state", "full", "written"),
    [
        ("s=0.9&y=log", "s=0.9&y=log", "v=aB3"),
        ("s=0.9&y=log", "s=0.5&y=log&q=a", "v=aB3&s=0.5&q=a"),
        ("s=0.9&y=log", "", "v=aB3,s,y"),
        ("c=a&c=b&sel=", "c=a", "v=aB3,sel&c=a"),
        ("x0=1&x1=5", "x0=1&x1=9", "v=aB3&x1=9"),
    ],
)
def test_what_a_saved_view_says_is_not_said_again(
    script: Run, state: str, full: str, written: str
) -> None:
    assert script("([state, full]) => ob.beyond(state, full, 'aB3')", [state, full]) == written


def test_both_palettes_are_one(script: Run) -> None:
    looks = script("(n) => Array.from({length: n}, (_, i) => ob.ink(i))", 4 * len(PALETTE))

    assert looks == [{"color": ink(i).color, "dash": ink(i).dash} for i in range(4 * len(PALETTE))]
    chosen = ink("#123abc")
    assert script("(c) => ob.ink(c)", "#123abc") == {"color": chosen.color, "dash": chosen.dash}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("ob.count(1234567)", "1\u2009234\u2009567"),
        ("ob.short(41200)", "41.2k"),
        ("ob.short(999)", "999"),
        ("ob.short(-1500000)", "\u22121.5M"),
        ("ob.value(0.41234567)", "0.4123"),
        ("ob.value(NaN)", "NaN"),
        ("ob.value(-Infinity)", "\u2212∞"),
        ("ob.value(1.5e-7)", "1.500e-7"),
        ("ob.span(45)", "45\u2009s"),
        ("ob.span(5400)", "1.5\u2009h"),
        ("ob.ago(1000, 1002)", "now"),
        ("ob.ago(1000, 1120)", "2\u2009min ago"),
        ("ob.bytes(312)", "312 bytes"),
        ("ob.bytes(48104)", "48.1\u2009kB"),
        ("ob.plural(1, 'run')", "1 run"),
    ],
)
def test_numbers_and_times_are_written_for_people(script: Run, call: str, words: str) -> None:
    assert script(call) == words


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ([0.75, 5.2, "value"], ["1", "2", "3", "4", "5"]),
        ([0, 40000, "step", 4], ["0", "10k", "20k", "30k", "40k"]),
        ([0, 2, "step", 4], ["0", "1", "2"]),
        ([0, 7200, "relative", 4], ["0", "30\u2009min", "1\u2009h", "1.5\u2009h", "2\u2009h"]),
        ([-2, 1, "log"], ["0.01", "0.1", "1", "10"]),
        ([3, 3, "value"], ["3"]),
    ],
)
def test_ticks_are_round_and_few(script: Run, axis: list[Any], words: list[str]) -> None:
    assert script("(axis) => ob.ticks(...axis).ticktext", axis) == words


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("train/loss", "best 1.000 · r"),
        ("val/acc", "best 3.000 · r"),
        ("optim/lr", "last 2.000 · r"),
    ],
)
def test_a_card_says_what_matters(script: Run, tag: str, words: str) -> None:
    line = {"y": [3, 1, 2], "step": [0, 1, 2], "n": 30, "shown": 3, "nonfinite": 0, "name": "r"}

    assert script("([tag, line]) => ob.cardWords(tag, [line])", [tag, line]) == [
        words,
        "3 of 30 points",
    ]


def test_a_card_says_first_that_values_are_not_finite(script: Run) -> None:
    marks = [{"x": 7, "step": 12004, "value": "NaN"}]
    line = {"y": [1], "step": [0], "n": 3, "shown": 1, "nonfinite": 2, "name": "r", "marks": marks}

    left, _ = script("(line) => ob.cardWords('train/loss', [line])", line)

    assert left == "2 NaN from step 12\u2009004 · r"


def untouched(script: Run) -> dict[str, Any]:
    view: dict[str, Any] = script("() => ob.decodeView('')")
    return view


@pytest.mark.parametrize(
    "tag",
    [
        *("val/loss", "Loss", "closs", "val/acc", "top5", "top_5", "grad_norm", "a b f1", "err"),
        *("x" * 500 + "/loss", "acc/" + "\U0001f600" * 500, "x" * 250 + "/loss/" + "y" * 250),
    ],
)
def test_the_browser_judges_by_a_tag_which_way_is_better_as_python_does(
    script: Run, tag: str
) -> None:
    assert script("(tag) => ob.better(tag)", tag) == guessed(tag)


@pytest.mark.parametrize("name", ["=1+2", "+x", "-x", "@sum(a)", "\tx", "\rx", "a=b", "-1.5", "x"])
def test_a_saved_table_marks_as_text_what_python_does_and_no_number(script: Run, name: str) -> None:
    run = {"hparams": {"text": name, "number": -1.5}, "metrics": {}}
    text = script("(run) => ob.tableCsv(['hp:text', 'hp:number'], [run])", run)

    _, row = csv.reader(io.StringIO(text, newline=""))
    assert row == [guarded(name), "-1.5"]
