"""The histograms page, through a real browser and a real server."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from orgboard_schema.types import TensorHistogram
from support.boards import scalars, values
from support.boxes import boxes_of
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser

STEPS = 80
"""More than a card draws."""
LEAP = 60


def normal(mean: float, std: float) -> TensorHistogram:
    """Make a histogram of about a thousand normal values in thirty buckets."""
    edges = np.linspace(mean - 4 * std, mean + 4 * std, 31)
    middle = (edges[1:] + edges[:-1]) / 2
    counts = np.round(1000 * np.exp(-(((middle - mean) / std) ** 2) / 2))
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return TensorHistogram("float64", tuple(rows))


@pytest.fixture(scope="module")
def trained(served: Served) -> str:
    """Give the histograms page of a project with two runs; a layer of the first one leaps."""
    for name in ("leaps", "stays"):
        grown = [
            normal(0.0, 30.0 if name == "leaps" and step >= LEAP else 0.5) for step in range(STEPS)
        ]
        served.board.log(
            name,
            [
                values("w/layer0", "histogram", [normal(0.1, 0.2)] * STEPS),
                values("w/layer1", "histogram", grown),
                values("w/layer2", "histogram", [normal(0.0, 1.0)] * STEPS),
                values("odd", "histogram", [_odd(), _odd()]),
                values(f"evil/{HOSTILE}", "histogram", [normal(0, 1)]),
                scalars("loss", [1.0, 2.0]),
            ],
            project="default/trained",
            logdir="/trained",
        )
    return f"{served.address}/p/default/trained/histograms"


def _odd() -> TensorHistogram:
    return TensorHistogram("float64", ((0.0, 1.0, 2.0), (3.0, 2.0, 4.0), (2.0, 3.0, -1.0)))


def card(page: Page, tag: str) -> Locator:
    return page.locator(f'.ob-card[data-tag="{tag}"]')


def drawn(page: Page, tag: str) -> Locator:
    """Wait for a card's picture, and give its shapes."""
    found = card(page, tag)
    found.scroll_into_view_if_needed()
    expect(found.locator(".ob-plot path").first).to_be_attached()
    return found.locator(".ob-plot path")


def only(served: Served, name: str) -> str:
    return f"sel={served.board.uids[name]}"


def test_the_page_has_a_tab_and_a_card_for_each_tag(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(trained.replace("/histograms", "/scalars"))
    page.locator("#ob-tabs").get_by_text("Histograms").click()

    drawn(page, "w/layer0")
    expect(page.locator(".ob-histcard")).to_have_count(5)
    expect(page.locator(".ob-histcard h3").filter(has_text="<img")).to_have_count(1)
    assert page.url.split("?")[0] == trained


def test_beside_the_run_panel_the_toolbar_is_one_row(page: Page, trained: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{trained}?hs=59")
    drawn(page, "w/layer0")

    page.get_by_label("Time axis").select_option(label="Relative")
    expect(page).to_have_url(re.compile("x=relative"))
    tops = [
        box["y"] + box["height"] / 2
        for box in boxes_of(page.get_by_role("toolbar").locator("> :visible"))
    ]

    assert len(tops) > 8
    assert max(tops) - min(tops) < 8


def test_a_card_says_how_many_of_how_many_and_how_the_spread_went(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}")

    drawn(page, "w/layer1")
    foot = card(page, "w/layer1").locator("footer")
    expect(foot).to_contain_text("50 of 80 steps")
    expect(foot).to_contain_text("at step 79; spread grew 60\u00d7")
    plot = card(page, "w/layer1").locator(".ob-plot")
    expect(plot).to_have_attribute("aria-label", re.compile(r"mean .*, std 30\.\d+ at step 79"))


@pytest.mark.parametrize(
    ("view", "name"), [("overlay", "Overlay"), ("dist", "Bands"), ("heat", "Heat")]
)
def test_each_view_is_chosen_drawn_and_kept_in_the_address(
    page: Page, served: Served, trained: str, view: str, name: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer1")
    before = drawn(page, "w/layer1").first.get_attribute("d")

    page.get_by_role("radio", name=name).click()

    expect(page).to_have_url(re.compile(f"hv={view}"))
    expect(card(page, "w/layer1").locator(".ob-plot path").first).not_to_have_attribute(
        "d", before or ""
    )
    page.reload()
    drawn(page, "w/layer1")
    expect(page.get_by_role("radio", name=name)).to_have_attribute("aria-checked", "true")


def test_ridges_have_the_areas_of_what_was_logged(page: Page, served: Served, trained: str) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer2")
    drawn(page, "w/layer2")

    logged = sum(row[2] for row in normal(0.0, 1.0).buckets)
    assert _sums(page) == pytest.approx([logged] * 50)


def test_the_pointer_tells_the_exact_bucket_and_marks_the_step_in_all_cards(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&hv=heat&t=layer")
    for tag in ("w/layer0", "w/layer2"):
        drawn(page, tag)

    card(page, "w/layer2").locator(".ob-stage").hover()

    tip = page.locator(".ob-tip .ob-bucket")
    expect(tip).to_be_visible()
    told = dict(re.findall(r"(step|bucket|count)\t(.+)", tip.inner_text()))
    low, high = (float(end.replace("\u2212", "-")) for end in told["bucket"].split(" to "))
    rows = normal(0.0, 1.0).buckets
    assert any((low, high) == pytest.approx(row[:2], rel=1e-8, abs=1e-12) for row in rows)
    count = next(row[2] for row in rows if row[0] == pytest.approx(low, rel=1e-8, abs=1e-12))
    assert told["count"].replace("\u2009", "").startswith(f"{count:.0f} of")
    for tag in ("w/layer0", "w/layer2"):
        expect(card(page, tag).locator(".ob-cursor")).to_be_visible()


def test_the_slider_marks_a_step_in_every_card_by_the_keyboard(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'stays')}&hv=overlay&t=layer2")
    drawn(page, "w/layer2")

    slider = page.get_by_role("slider", name="Step")
    slider.focus()
    slider.press("Home")

    expect(page).to_have_url(re.compile("hs=0"))
    expect(card(page, "w/layer2").locator("footer")).to_contain_text("at step 0")
    slider.press("End")
    expect(page).not_to_have_url(re.compile("hs="))


def test_two_runs_stand_side_by_side_or_over_one_another_at_a_step(
    page: Page, trained: str
) -> None:
    page.goto(f"{trained}?t=layer1")
    drawn(page, "w/layer1")

    texts = card(page, "w/layer1").locator(".ob-plot text")
    expect(texts.filter(has_text="leaps")).to_have_count(1)
    expect(texts.filter(has_text="stays")).to_have_count(1)
    page.get_by_role("radio", name="Overlay").click()
    expect(texts.filter(has_text="leaps")).to_have_count(0)
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.ob-histcard .ob-plot path[fill-opacity]')]
            .map((path) => path.getAttribute('stroke'))"""
    )
    assert len(set(colours)) == 2


def test_runs_of_a_group_are_named_by_it_and_have_its_colour(page: Page, trained: str) -> None:
    page.goto(f"{trained}?hv=overlay&g=re%3As%24&gl=each")
    shapes = drawn(page, "w/layer0")

    expect(card(page, "w/layer0")).to_contain_text("2 runs in 1 group, each in its group's colour")
    filled = shapes.evaluate_all(
        "found => found.map((one) => one.getAttribute('fill')).filter((fill) => fill !== 'none')"
    )
    card(page, "w/layer0").locator(".ob-stage").hover()
    told = page.locator(".ob-bucket")
    expect(told).to_contain_text(re.compile(r"run\s*s: (leaps|stays)"))
    page.get_by_role("radio", name="Offset").click()
    titles = card(page, "w/layer0").locator(".ob-plot text")
    expect(titles.filter(has_text=re.compile("^s: leaps$"))).to_have_count(1)
    expect(titles.filter(has_text=re.compile("^s: stays$"))).to_have_count(1)

    assert len(filled) == 2
    assert len(set(filled)) == 1


def test_a_group_is_one_histogram_or_those_of_its_runs(page: Page, trained: str) -> None:
    page.goto(f"{trained}?g=re%3As%24&t=layer2")
    drawn(page, "w/layer2")

    foot = card(page, "w/layer2").locator("footer")
    expect(foot).to_contain_text("the sum of 2 runs")
    sums = _sums(page)
    card(page, "w/layer2").locator(".ob-stage").hover()
    expect(page.locator(".ob-bucket")).to_contain_text("the sum of 2 of 2")
    page.get_by_role("radio", name="Runs").click()
    expect(foot).to_contain_text("2 runs in 1 group")
    expect(page).to_have_url(re.compile("gl=each"))
    expect(card(page, "w/layer2").locator(".ob-plot text").filter(has_text="s: ")).to_have_count(2)
    each = _sums(page)
    page.get_by_role("radio", name="Group", exact=True).click()
    expect(foot).to_contain_text("the sum of 2 runs")

    logged = sum(row[2] for row in normal(0.0, 1.0).buckets)
    assert sums == pytest.approx([2 * logged] * 50)
    assert each == pytest.approx([logged] * 50)
    expect(page).not_to_have_url(re.compile("gl="))


def test_the_panel_asks_of_curves_for_line_and_band_and_of_histograms_for_their_sum(
    page: Page, trained: str
) -> None:
    page.goto(trained.replace("/histograms", "/scalars") + "?g=re%3As%24")
    line = page.get_by_label("Line of a group")
    choice = page.get_by_role("radiogroup", name="What is drawn of a group")
    expect(line).to_be_visible()
    expect(choice).to_be_hidden()

    page.locator("#ob-tabs").get_by_text("Histograms").click()
    drawn(page, "w/layer0")

    expect(choice).to_be_visible()
    expect(line).to_be_hidden()


def test_without_groups_nobody_is_asked_what_to_draw_of_one(page: Page, trained: str) -> None:
    page.goto(f"{trained}?t=layer2")
    drawn(page, "w/layer2")

    expect(page.get_by_role("radiogroup", name="What is drawn of a group")).to_be_hidden()


def _sums(page: Page) -> list[float]:
    """Tell what the ridges of the first panel come to."""
    sums: list[float] = page.evaluate(
        """() => document.querySelector('.ob-histcard').card.picture.panels[0].rows
            .map(({bins}) => bins.reduce((sum, bin) => sum + bin, 0))"""
    )
    return sums


def test_all_cards_may_have_one_range_of_values(page: Page, served: Served, trained: str) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer")
    drawn(page, "w/layer0")
    drawn(page, "w/layer1")

    page.get_by_role("button", name="Range fitted").click()

    expect(page).to_have_url(re.compile("yr=-1"))
    ranges = page.evaluate(
        """() => [...document.querySelectorAll('.ob-histcard')]
            .map(({card}) => card.picture?.panels[0]?.value).filter(Boolean)
            .map(({low, high}) => [low, high])"""
    )
    assert len(ranges) > 1
    assert all(one == ranges[0] for one in ranges)


def test_what_cannot_be_drawn_is_told_on_the_card(page: Page, served: Served, trained: str) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=odd")

    drawn(page, "odd")
    expect(card(page, "odd").locator("footer")).to_contain_text(
        "4 buckets from step 0 cannot be drawn: edges that go back, a negative count"
    )


def test_the_map_shows_the_layer_that_leaps_and_leads_to_its_card(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer")
    drawn(page, "w/layer0")
    page.get_by_role("button", name="Layer map").click()

    words = page.locator(".ob-mapwords")
    expect(words).to_contain_text("5 layers, 80 steps")
    first = words.get_by_role("button").first
    expect(first).to_have_text("w/layer1")
    expect(words).to_contain_text("at step 60")
    expect(page).to_have_url(re.compile("hm=w1"))
    first.click()
    expect(page).to_have_url(re.compile("hs=60"))
    expect(card(page, "w/layer1")).to_be_focused()


def test_a_cell_of_the_map_is_told_and_opens_its_card(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer0&hm=std")
    expect(page.locator(".ob-mapwords")).to_contain_text("5 layers")
    place = page.evaluate(
        """() => {
            const map = document.querySelector('.ob-mapcanvas');
            const rows = [...document.querySelectorAll('.ob-mapwords button')];
            return {width: map.clientWidth, first: rows[0].textContent};
        }"""
    )
    assert place["first"] == "w/layer1"

    page.locator(".ob-mapcanvas").hover(position={"x": place["width"] - 4, "y": 8})

    expect(page.locator(".ob-tip")).to_contain_text("79")
    page.locator(".ob-mapcanvas").click(position={"x": place["width"] - 4, "y": 8})
    expect(page).to_have_url(re.compile("hs=79"))
    expect(page.locator(".ob-histcard:focus")).to_have_count(1)


def test_two_runs_are_compared_in_the_map(page: Page, served: Served, trained: str) -> None:
    page.goto(f"{trained}?hm=js")
    expect(page.locator(".ob-mapwords")).to_contain_text("5 layers")

    run = page.get_by_label("Run", exact=True)
    run.select_option(label="leaps")
    page.get_by_label("Compared with").select_option(label="stays, same step")

    expect(page).to_have_url(re.compile(r"hm=js,\w+,\w+"))
    first = page.locator(".ob-mapwords").get_by_role("button").first
    expect(first).to_have_text("w/layer1")


def test_a_card_is_saved_as_a_picture_and_with_its_exact_buckets(
    page: Page, served: Served, trained: str, tmp_path: Path
) -> None:
    page.goto(f"{trained}?{only(served, 'stays')}&t=layer2")
    drawn(page, "w/layer2")

    saved = {form: _saved(page, form, tmp_path) for form in ("PNG", "SVG", "CSV", "JSON")}

    assert saved["PNG"].startswith(b"\x89PNG")
    assert b"<svg" in saved["SVG"]
    assert b"w/layer2" in saved["SVG"]
    rows = list(csv.DictReader(saved["CSV"].decode().splitlines()))
    logged = normal(0.0, 1.0).buckets
    assert len(rows) == STEPS * len(logged)
    first = [tuple(float(row[of]) for of in ("left", "right", "count")) for row in rows[:30]]
    assert first == list(logged)
    lines: list[Any] = [json.loads(line) for line in saved["JSON"].splitlines()]
    assert len(lines) == STEPS


def _saved(page: Page, form: str, folder: Path) -> bytes:
    page.get_by_label("More about w/layer2", exact=True).press("Enter")
    with page.expect_download() as download:
        page.locator(".ob-pop").get_by_role("button", name=re.compile(f"^{form}")).press("Enter")
    path = folder / form
    download.value.save_as(path)
    return path.read_bytes()


def test_the_spread_of_a_layer_is_a_curve_on_the_scalars_page(
    page: Page, served: Served, trained: str
) -> None:
    page.goto(f"{trained}?{only(served, 'leaps')}&t=layer1")
    drawn(page, "w/layer1")

    page.get_by_label("More about w/layer1", exact=True).press("Enter")
    page.get_by_role("button", name="Mean and spread").press("Enter")

    chart = page.locator('.ob-charts .ob-card[data-tag="hist:w/layer1:mean; hist:w/layer1:std"]')
    expect(chart.locator(".scatterlayer .trace").first).to_be_attached()


def test_new_histograms_come_while_the_page_is_open(
    page: Page, served: Served, trained: str
) -> None:
    tag = "live/w"
    served.board.log(
        "grows",
        [values(tag, "histogram", [normal(0, 1)])],
        project="default/growing",
        logdir="/growing",
    )
    page.goto(f"{served.address}/p/default/growing/histograms")
    drawn(page, tag)
    expect(card(page, tag).locator("footer")).to_contain_text("1 step")

    served.board.log(
        "grows",
        [values(tag, "histogram", [normal(0, 2)], step=[1])],
        project="default/growing",
        logdir="/growing",
    )

    expect(card(page, tag).locator("footer")).to_contain_text("2 steps", timeout=15_000)


def test_new_histograms_come_into_a_groups_sum_while_the_page_is_open(
    page: Page, served: Served
) -> None:
    for n in (0, 1):
        logged = [values("w", "histogram", [normal(0, 1)])]
        served.board.log(f"g-s{n}", logged, project="default/group", logdir="/group")
    page.goto(f"{served.address}/p/default/group/histograms?g=re%3Ag")
    drawn(page, "w")
    expect(card(page, "w").locator("footer")).to_contain_text("the sum of 2 runs")

    more = [values("w", "histogram", [normal(0, 2)], step=[1])]
    served.board.log("g-s1", more, project="default/group", logdir="/group")

    foot = card(page, "w").locator("footer")
    expect(foot).to_contain_text("2 steps", timeout=15_000)
    expect(foot).to_contain_text("the sum of 2 runs, of fewer at some steps")
