"""The scalars page, through a real browser and a real server."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from support.boards import scalars
from support.boxes import box_of
from support.cards import card_of, ready
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser

DRAWN = ".ob-card:has(.scatterlayer .trace)"


def test_curves_are_drawn_and_say_how_much_of_them(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))

    card = card_of(page, "train/loss")
    expect(card.locator(".scatterlayer .trace path.js-line").first).to_be_attached()
    expect(card.locator("footer")).to_contain_text(re.compile(r"of 6\s500 points"))
    expect(card_of(page, "val/loss").locator("footer")).to_contain_text("500 points")


def test_a_single_high_point_is_drawn_whatever_is_left_out(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?s=0"))
    expect(lines(page, "train/loss").first).to_be_attached()

    heights = page.evaluate(
        """() => document.querySelector('[data-tag="train/loss"] .ob-plot').data
            .map((trace) => Math.max(...trace.y))"""
    )

    assert max(heights) == 9


def test_cards_that_are_not_near_the_screen_are_neither_fetched_nor_drawn(
    page: Page, served: Served
) -> None:
    tags = [scalars(f"many/{i:03}", [1, 2, 3]) for i in range(80)]
    served.board.log("many", tags, project="default/many", logdir="/many")
    asked: list[Any] = []
    page.on("request", lambda request: asked.extend(cards_asked(request)))

    page.goto(f"{served.address}/p/default/many/scalars")
    ready(page)
    page.wait_for_load_state("load")

    expect(page.locator(".ob-card")).to_have_count(60)
    assert page.locator(DRAWN).count() < 40
    assert len(set(asked)) < 40


def test_the_tag_filter_keeps_what_matches_and_says_when_nothing_does(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.keyboard.press("/")
    page.keyboard.type("^train/l")
    expect(page.locator(".ob-card")).to_have_count(1)

    page.keyboard.type("zzz")
    expect(page.locator(".ob-empty")).to_contain_text("No tag matches ^train/lzzz")


def test_a_broken_tag_filter_is_explained_and_leaves_the_cards(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)
    cards = page.locator(".ob-card").count()

    page.get_by_label("Filter tags").fill("train/(")

    expect(page.get_by_role("alert").filter(has_text="Not a regular expression")).to_be_visible()
    expect(page.locator(".ob-card")).to_have_count(cards)


def test_the_run_filter_is_answered_by_the_server(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.get_by_label("Filter runs").fill("^cosine/[ab]$")
    expect(page.locator(".ob-row")).to_have_count(2)
    expect(page.locator(".ob-foot")).to_contain_text("2 of")

    page.get_by_label("Filter runs").fill("nothing like it")
    expect(page.locator(".ob-none")).to_contain_text("No run matches nothing like it.")

    page.get_by_label("Filter runs").fill("(")
    expect(page.locator(".ob-panel .ob-problem")).not_to_be_empty()


@pytest.mark.parametrize(
    ("button", "choice", "left"),
    [("left", "Show only this run", ["cosine/b"]), ("right", "Hide this run", ["cosine/a"])],
)
def test_a_run_is_picked_from_its_line(
    page: Page, served: Served, button: Literal["left", "right"], choice: str, left: list[str]
) -> None:
    both = ",".join(served.board.uids[name] for name in ("cosine/a", "cosine/b"))
    page.goto(served.page(f"scalars?t=train/loss&s=0&sel={both}"))
    line = page.locator(f".ob-card .trace.trace{served.board.uids['cosine/b']}__line .js-line")
    box = box_of(line)

    # Its first point is its highest: at the left, and on the top.
    page.mouse.click(box["x"] + 1, box["y"] + 1, button=button)
    page.get_by_role("menuitem", name=choice).click()

    for name in ("cosine/a", "cosine/b"):
        expect(page.get_by_label(f"Show {name}")).to_be_checked(checked=name in left)


def test_two_clicks_on_a_line_are_the_zoom_out_and_open_nothing(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/loss&s=0&x0=0&x1=900"))
    line = page.locator(f".ob-card .trace.trace{served.board.uids['cosine/b']}__line .js-line")
    box = box_of(line)

    page.mouse.dblclick(box["x"] + 2, box["y"] + 2)

    expect(page).not_to_have_url(re.compile("x0="))
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_run_that_is_unticked_leaves_the_charts(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?q=^cosine/[ab]$"))
    ready(page)
    expect(lines(page, "train/loss")).to_have_count(4)

    page.get_by_label("Show cosine/b").uncheck()

    expect(lines(page, "train/loss")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"sel={served.board.uids['cosine/a']}"))


def test_smoothing_moves_the_line_and_leaves_the_raw_one(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?s=0&t=val/loss"))
    ready(page)
    expect(lines(page, "val/loss")).to_have_count(1)

    slider = page.get_by_label("Smoothing")
    slider.fill("0.9")
    expect(lines(page, "val/loss")).to_have_count(2)
    before = lines(page, "val/loss").last.get_attribute("d")
    raw = lines(page, "val/loss").first.get_attribute("d")
    slider.fill("0.99")

    expect(lines(page, "val/loss").last).not_to_have_attribute("d", before or "")
    expect(lines(page, "val/loss").first).to_have_attribute("d", raw or "")
    expect(page).to_have_url(re.compile("s=0.99"))


def test_a_reload_shows_the_same(page: Page, served: Served) -> None:
    uid = served.board.uids["cosine/a"]
    page.goto(served.page(f"scalars?t=loss&s=0.85&x=wall&y=log&sel={uid}&c=val"))
    ready(page)
    page.reload()
    ready(page)

    expect(page.get_by_label("Filter tags")).to_have_value("loss")
    expect(page.get_by_label("Smoothing")).to_have_value("0.85")
    expect(page.get_by_role("radio", name="Wall")).to_be_checked()
    expect(page.get_by_role("radio", name="Log")).to_be_checked()
    expect(page.locator(".ob-row input:checked")).to_have_count(1)
    expect(page.locator(".ob-card")).to_have_count(1)


def test_zoom_fetches_finer_data_and_a_double_click_shows_all_again(
    page: Page, served: Served
) -> None:
    uid = served.board.uids["cosine/a"]
    page.goto(served.page(f"scalars?sel={uid}&t=train/loss"))
    ready(page)
    foot = card_of(page, "train/loss").locator("footer")
    expect(foot).to_contain_text(re.compile(r"of 5\s000 points"))

    # Below the curves lies what a stretch is selected on, as wide as they are.
    box = box_of(page.locator(".ob-strip"))
    middle = box["y"] - 80
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.52, middle, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.54, middle, steps=4)
    page.mouse.up()

    expect(page).to_have_url(re.compile("x0=.*x1="))
    expect(foot).to_have_text(re.compile(r"(1\d\d|20\d|21\d) points$"))
    steps = page.evaluate("() => [...document.querySelector('.ob-plot').data[0].x]")
    assert np.diff(steps).max() == 1

    page.mouse.dblclick(box["x"] + box["width"] * 0.5, middle)
    expect(foot).to_contain_text(re.compile(r"of 5\s000 points"))
    expect(page).not_to_have_url(re.compile("x0="))


def test_hover_tells_every_run_at_the_pointer_and_marks_the_place_in_all_cards(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?q=^cosine/[ab]$"))
    ready(page)
    expect(lines(page, "train/loss")).to_have_count(4)

    card_of(page, "train/loss").locator(".ob-stage").hover()

    tip = page.get_by_role("tooltip")
    expect(tip.locator("tbody tr")).to_have_count(2)
    expect(tip).to_contain_text("cosine/a")
    expect(page.locator(".ob-cursor:visible")).not_to_have_count(1)
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_values_that_are_not_finite_are_marked_and_told(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/grad"))
    ready(page)

    expect(card_of(page, "train/grad").locator("footer")).to_contain_text("2 NaN from step 1")
    expect(page.locator(".scatterlayer .point")).to_have_count(2)


def test_relative_time_and_log_axis_redraw_from_new_data(page: Page, served: Served) -> None:
    uid = served.board.uids["cosine/a"]
    page.goto(served.page(f"scalars?sel={uid}&t=val/loss&s=0"))
    ready(page)

    with page.expect_request(lambda request: bool(cards_asked(request))) as asked:
        page.get_by_role("radio", name="Relative").click()
    assert json.loads(asked.value.post_data or "")["x"] == "relative"
    expect(page).to_have_url(re.compile("x=relative"))
    page.get_by_role("radio", name="Log").click()

    page.wait_for_function("() => document.querySelector('.ob-plot').layout.yaxis.type === 'log'")


def test_hostile_names_are_only_names(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    expect(page.locator(".ob-row .ob-name").get_by_text(HOSTILE, exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name=f"evil/{HOSTILE}")).to_be_visible()
    card_of(page, "train/loss").locator(".ob-stage").hover()
    expect(page.get_by_role("tooltip")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x]").count() == 0


def test_dark_follows_the_system_and_a_choice_is_remembered(
    page: Page, context: BrowserContext, served: Served
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(served.page("scalars"))
    ready(page)
    root = page.locator("html")
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    assert background(page) == "rgb(16, 18, 20)"

    page.get_by_label("Light or dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    ready(page)

    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    assert background(page) == "rgb(247, 247, 245)"


def test_a_group_folds_and_stays_folded(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    page.get_by_role("button", name=re.compile("^train")).click()

    expect(page.locator('[data-tag^="train/"]')).to_have_count(0)
    # The address follows a moment later.
    expect(page).to_have_url(re.compile("train"))
    page.reload()
    ready(page)
    expect(page.locator('[data-tag^="train/"]')).to_have_count(0)
    expect(page.locator('[data-tag="val/loss"]')).to_have_count(1)


def test_a_server_that_is_away_is_said_and_waited_for(page: Page, served: Served) -> None:
    page.clock.install()
    page.goto(served.page("scalars?t=val/loss"))
    ready(page)
    page.route("**/api/**", lambda route: route.abort())

    # The clock is ours, the network's answers are not: it goes on once the first one failed.
    with page.expect_event("requestfailed"):
        page.get_by_role("radio", name="Wall").click()
        page.clock.run_for(500)
    for _ in range(20):
        page.clock.run_for(1_000)
    expect(page.locator("#ob-away")).to_contain_text("The server has not answered for")
    expect(page.locator(DRAWN)).to_be_visible()
    page.unroute("**/api/**")
    page.clock.run_for(6_000)

    expect(page.locator("#ob-away")).to_have_count(0)


def test_a_project_that_is_not_there_is_said(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/p/default/nothing/scalars")

    expect(page.locator(".ob-empty")).to_contain_text("There is no such project")


def lines(page: Page, tag: str) -> Any:
    return card_of(page, tag).locator(".scatterlayer path.js-line")


def cards_asked(request: Request) -> list[int]:
    if not request.url.endswith("/scalars") or request.method != "POST":
        return []
    return [card["tag"] for card in json.loads(request.post_data or "{}")["cards"]]


def background(page: Page) -> str:
    color: str = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    return color
