"""What the island draws of a figure is what Plotly would draw of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from orgboard_dashboard import charts

pytestmark = pytest.mark.browser

ASSETS = Path(charts.__file__).parents[1] / "assets"
SCRIPTS = (
    *(
        "dom",
        "smooth",
        "palette",
        "words",
        "figure",
        "ranges",
        "axes",
        "axesview",
        "groups",
        "state",
        "format",
    ),
    *("ticks", "curves", "draw"),
)
SIZE = {"width": 420, "height": 220}

UNLIKE = 96
"""By so much a channel of a pixel differs where one of two pictures has a line and the other none;
edges of the same line are smoothed a little differently."""

CURVES = """() => {
    const x = Float64Array.from({ length: 60 }, (_, i) => i);
    const line = (run, color, of, more) => ({
        run, name: run, color, x, y: x.map(of), n: 60, shown: 60, nonfinite: 0, marks: [], ...more,
    });
    const curve = (i) => 2 * Math.exp(-i / 20) + 0.3 * Math.sin(i * 1.7);
    const spike = (at, value) => (i) => (i === at ? value : curve(i));
    const mark = (value, i) => ({ x: 29 * i, step: 29 * i, value });
    const around = (by) => x.map((i) => curve(i) + by);
    const gaps = (i) => (i % 20 > 15 ? NaN : curve(i));
    return {
        noisy: [line("a", 0, curve), line("b", 11, (i) => 1.5 * curve(i + 9))],
        gaps: [line("a", 2, gaps), line("b", 13, (i) => gaps(i + 5) + 1)],
        spikes: [line("a", 0, spike(30, 1e7)), line("b", 2, spike(9, -1e7))],
        sunk: [line("a", 0, (i) => curve(i) - 0.1)],
        marked: [line("a", 3, curve, { marks: ["NaN", "Infinity", "-Infinity"].map(mark) })],
        lonely: [line("a", 4, curve), { ...line("b", 5, curve), x: [30], y: [1.5] }],
        banded: [line("a", 1, curve, { low: around(-0.4), high: around(0.5), members: 3 })],
    };
}"""

DRAW = """async ([name, query, size]) => {
    const view = ob.decodeView(query);
    const { data, ranges } = ob.groupFigure((CURVES)()[name], view, "tag");
    const [ours, theirs] = ["ours", "theirs"].map((id) => document.getElementById(id));
    ob.draw(ours, { data, ranges }, view);
    const axis = { zeroline: false, tickmode: "array", ticks: "", autorange: false };
    await Plotly.newPlot(theirs, data, {
        ...size, margin: { l: 46, r: 8, t: 8, b: 20 }, showlegend: false, hovermode: false,
        font: { family: "sans-serif", size: 10, color: "#6a6d73" },
        xaxis: { ...axis, ...ob.xAxisOf(ranges, view, size.width), showgrid: false },
        yaxis: { ...axis, ...ob.yAxisOf(ranges, view, size.height), gridcolor: "#eeede9" },
    }, { staticPlot: true });
}""".replace("CURVES", CURVES)


@pytest.fixture(scope="module")
def board(browser: Browser) -> Page:
    """Give a page with a place for our drawing and one for Plotly's."""
    page = browser.new_page()
    style = f"width: {SIZE['width']}px; height: {SIZE['height']}px"
    page.set_content(
        "<style>:root { --ob-font: sans-serif; --ob-mute: #6a6d73; --ob-grid: #eeede9 }"
        " .ob-plot:not(#x) { height: 220px; width: 420px }</style>"
        f"<div id=ours class=ob-plot style='{style}'></div><div id=theirs style='{style}'></div>"
    )
    page.add_style_tag(path=ASSETS / "charts.css")
    for name in SCRIPTS:
        page.add_script_tag(path=ASSETS / "ob" / f"{name}.js")
    page.add_script_tag(path=next((ASSETS / "vendor").glob("plotly-*.js")))
    return page


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("noisy", "s=0.6"),
        ("sunk", "s=0&lx=1&y=log"),
        ("noisy", "s=0.6&y=sym"),
        ("noisy", "s=0.6&x0=20&x1=40"),
        ("gaps", "s=0"),
        ("spikes", "s=0"),
        ("marked", "s=0.6"),
        ("lonely", "s=0.6"),
        ("banded", "s=0&gb=minmax"),
    ],
)
def test_it_looks_as_plotly_draws_it(board: Page, name: str, query: str) -> None:
    board.evaluate(DRAW, [name, query, SIZE])

    ours, theirs = picture(board, "#ours"), picture(board, "#theirs")

    inked = (theirs.min(axis=2) < 200).sum()
    unlike = (np.abs(ours - theirs).max(axis=2) > UNLIKE).sum()
    assert inked > 500
    assert unlike < inked / 50


def picture(page: Page, selector: str) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(page.locator(selector).screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)
