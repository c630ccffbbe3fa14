"""What can be done with cards: axes, pins, full screen, ranges, the table of values, files."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from support.boards import scalars
from support.boxes import box_of
from support.cards import card_of, ready
from support.served import Served

pytestmark = pytest.mark.browser

PLOT = "document.querySelector('.ob-plot')"


def test_a_pinned_card_stands_on_top_also_after_a_reload(page: Page, served: Served) -> None:
    page.goto(served.page("scalars"))
    ready(page)

    card_of(page, "val/loss").hover()
    page.get_by_label("Pin val/loss").click()

    section = page.locator(".ob-section").first
    expect(section.get_by_role("heading", level=2)).to_contain_text("Pinned")
    expect(section.locator(".ob-card")).to_have_count(1)
    expect(page.locator('[data-tag="val/loss"]')).to_have_count(1)
    expect(page).to_have_url(re.compile("val(/|%2F)loss"))
    page.reload()
    ready(page)
    expect(page.locator(".ob-section").first.locator('[data-tag="val/loss"]')).to_be_visible()

    card_of(page, "val/loss").hover()
    page.get_by_label("Pin val/loss").click()
    expect(page.get_by_role("heading", name="Pinned")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("pin="))


def test_a_pin_of_a_tag_that_no_shown_run_has_breaks_nothing(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?pin=gone&t=val"))
    ready(page)

    expect(page.get_by_role("heading", name="Pinned")).to_have_count(0)


def test_a_card_fills_the_screen_with_finer_points_and_gives_it_back(
    page: Page, served: Served
) -> None:
    page.goto(served.page(f"scalars?sel={served.board.uids['cosine/a']}&t=train/loss"))
    ready(page)
    card = card_of(page, "train/loss")
    before = points_of(card)

    card.hover()
    page.keyboard.press("f")
    expect(card).to_have_css("position", "fixed")
    page.wait_for_function(f"(n) => {PLOT}.data[0].x.length > n", arg=before)
    page.keyboard.press("Escape")

    expect(card).to_have_css("position", "static")
    expect(page.get_by_label("Full screen train/loss")).to_be_focused()


def test_a_range_of_one_card_and_a_range_of_all_are_kept_in_the_address(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?t=loss&yr=0,4"))
    ready(page)
    expect(plot_range(page, "val/loss", [0, 4])).to_be_attached()

    card_of(page, "train/loss").hover()
    page.get_by_label("More about train/loss").click()
    page.get_by_label("Vertical range, from").fill("-1")
    page.get_by_label("Vertical range, to").fill("2")
    page.get_by_label("Vertical range, to").press("Enter")

    expect(plot_range(page, "train/loss", [-1, 2])).to_be_attached()
    expect(plot_range(page, "val/loss", [0, 4])).to_be_attached()
    expect(page).to_have_url(re.compile("yr=0,4&yr=-1,2,train%2Floss"))


def test_a_range_of_a_section_is_that_of_its_cards_alone(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=loss|accuracy&yr=0,4&yr=0,8,train/loss"))
    ready(page)

    page.get_by_label("More about the section train").click()
    page.get_by_label("Range of the section, from").fill("-1")
    page.get_by_label("Range of the section, to").fill("2")
    page.get_by_label("Range of the section, to").press("Enter")

    expect(plot_range(page, "train/accuracy", [-1, 2])).to_be_attached()
    expect(plot_range(page, "train/loss", [0, 8])).to_be_attached()
    expect(plot_range(page, "val/loss", [0, 4])).to_be_attached()
    expect(page).to_have_url(re.compile("ys=-1,2,train"))


def test_pinned_cards_are_put_in_another_order_by_dragging_and_without(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?pin=val/loss&pin=train/loss&pin=train/accuracy"))
    ready(page)
    pinned = page.get_by_label("Pinned", exact=True).locator("article")
    names = ["val/loss", "train/loss", "train/accuracy"]
    expect(pinned).to_have_count(3)
    assert [card.get_attribute("data-tag") for card in pinned.all()] == names

    height = 100
    pinned.nth(2).locator("h3").drag_to(pinned.nth(0), target_position={"x": 4, "y": height})
    expect(pinned.nth(0)).to_have_attribute("data-tag", "train/accuracy")
    expect(page.locator(".ob-charts")).to_have_count(0)

    pinned.nth(0).get_by_label("More about train/accuracy").click()
    page.get_by_role("button", name="Move behind").click()

    expect(pinned.nth(1)).to_have_attribute("data-tag", "train/accuracy")
    expect(page).to_have_url(re.compile("pin=val%2Floss&pin=train%2Faccuracy&pin=train%2Floss"))


def test_a_range_that_is_none_is_said_and_changes_nothing(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=val/loss&yr=0,4"))
    ready(page)

    page.get_by_role("button", name="How charts are drawn").click()
    page.get_by_label("Vertical range of all cards, from").fill("9")
    page.get_by_label("Vertical range of all cards, from").press("Enter")

    expect(page.get_by_text("Two numbers, the lower one first.")).to_be_visible()
    expect(plot_range(page, "val/loss", [0, 4])).to_be_attached()


def test_what_is_clipped_is_said_and_shown_on_request(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/loss&s=0"))
    ready(page)
    foot = card_of(page, "train/loss").locator("footer")
    expect(foot).to_contain_text(re.compile(r"· \d+ outside"))
    assert page.evaluate(f"() => {PLOT}.layout.yaxis.range[1]") < 9

    page.get_by_role("button", name="Outliers clipped").click()

    expect(page.get_by_role("button", name="Outliers shown")).to_be_visible()
    expect(foot).not_to_contain_text("outside")
    assert page.evaluate(f"() => {PLOT}.layout.yaxis.range[1]") > 9
    expect(page).to_have_url(re.compile("out=0"))


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        ("Relative step", "rstep"),
        ("Index", "index"),
        ("Active time", "active"),
        ("Relative time", "relative"),
    ],
)
def test_the_rarer_axes_are_in_a_sheet_that_says_what_they_mean(
    page: Page, served: Served, choice: str, asked: str
) -> None:
    page.goto(served.page("scalars?t=val/loss"))
    ready(page)

    page.get_by_label("More horizontal axes").click()
    expect(page.get_by_role("dialog")).to_contain_text("longer than 10 times the usual one")
    with page.expect_request(is_question) as request:
        page.get_by_role("radio", name=choice).click()

    assert json.loads(request.value.post_data or "")["x"] == asked
    expect(page).to_have_url(re.compile(f"x={asked}"))
    expect(page.locator(".ob-pop")).to_have_count(0)


def test_any_metric_can_be_the_axis(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/loss"))
    ready(page)

    page.get_by_label("More horizontal axes").click()
    page.get_by_label("Metric on the horizontal axis").fill("train/accuracy")
    page.get_by_label("Metric on the horizontal axis").press("Enter")
    page.wait_for_function(f"() => {PLOT}.layout.xaxis.range[1] <= 1")

    expect(page).to_have_url(re.compile("x=m%3Atrain%2Faccuracy"))
    expect(page.get_by_label("Horizontal axis: train/accuracy")).to_be_visible()


def test_a_metric_that_nobody_logged_is_said_on_the_card(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=val/loss&x=m:<b>nothing</b>"))

    expect(card_of(page, "val/loss").locator(".ob-note")).to_have_text(
        "No point has a value of <b>nothing</b> at its step."
    )


def test_both_axes_may_be_logarithmic_and_y_for_both_signs(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=val/loss&lx=1&y=sym&s=0"))
    ready(page)

    layout = page.evaluate(f"() => {PLOT}.layout")
    assert layout["xaxis"]["type"] == "log"
    assert layout["xaxis"]["ticktext"] == ["10", "100", "1000"]
    # Heights are levels: the raw values go to 9.
    assert page.evaluate(f"() => Math.max(...{PLOT}.data[0].y)") > 2
    expect(page.get_by_role("radio", name="Sym")).to_be_checked()


def test_shift_and_drag_moves_along_and_alt_and_wheel_zooms(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/loss&x0=1000&x1=2000"))
    ready(page)
    box = box_of(page.locator(".ob-plot"))
    middle = box["y"] + box["height"] / 2

    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 200, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, middle, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).to_have_url(re.compile(r"x0=1[1-9]\d\d"))
    low, high = zoom_of(page)
    assert high - low == pytest.approx(1000, rel=0.01)

    page.keyboard.down("Alt")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Alt")
    page.wait_for_function(
        """(was) => new URLSearchParams(location.search).get("x0") !== was""", arg=f"{low:g}"
    )
    closer_low, closer_high = zoom_of(page)
    assert low <= closer_low < closer_high <= high
    assert closer_high - closer_low < 900


def test_what_is_drawn_anew_during_a_gesture_leaves_it_in_the_hand(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?t=train/loss&x0=1000&x1=2000"))
    ready(page)

    turned, drawn = page.evaluate(
        """() => {
          const { card } = document.querySelector(".ob-card[data-tag='train/loss']");
          const box = card.plot.getBoundingClientRect();
          ob.setView({ zoom: [1100, 2100] });
          card.plot.dispatchEvent(new WheelEvent("wheel", {
            altKey: true, deltaY: -300, bubbles: true, cancelable: true,
            clientX: box.left + box.width / 2, clientY: box.top + box.height / 2,
          }));
          const turned = card.ranges.x;
          card.draw();
          return [turned, card.ranges.x];
        }"""
    )

    assert drawn == turned
    expect(page).not_to_have_url(re.compile(r"x0=1[01]00\b"))
    low, high = zoom_of(page)
    assert [low, high] == pytest.approx(turned, rel=0.01)


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("value", "cosine/b"),
        ("least", "<img"),
        ("height", "cosine/b"),
        ("name", "<img"),
        ("list", "<img"),
    ],
)
def test_the_tooltip_is_in_the_order_that_was_chosen(
    page: Page, served: Served, order: str, first: str
) -> None:
    page.goto(served.page(f"scalars?t=train/loss&tip={order}"))
    ready(page)

    box = box_of(page.locator(".ob-plot"))
    page.mouse.move(box["x"] + 60, box["y"] + 60)

    tip = page.get_by_role("tooltip")
    expect(tip.locator("tbody tr").first).to_contain_text(first)
    expect(tip.locator("th")).to_have_text(
        ["", "run", "value", "smoothed", "step", "time", "relative"]
    )


def test_the_table_of_the_tooltip_stays_while_what_it_says_changes(
    page: Page, served: Served
) -> None:
    page.goto(served.page("scalars?t=train/loss"))
    ready(page)
    box = box_of(page.locator(".ob-plot"))
    row = page.get_by_role("tooltip").locator("tbody tr").first

    page.mouse.move(box["x"] + 60, box["y"] + 60)
    expect(row).to_be_visible()
    before = row.text_content() or ""
    row.evaluate("(row) => { window.row = row; }")
    page.mouse.move(box["x"] + 160, box["y"] + 60)

    expect(row).not_to_have_text(before)
    assert row.evaluate("(row) => row === window.row")


def test_charts_have_the_width_of_the_page_again(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=train/loss"))
    ready(page)
    plot = page.locator(".ob-plot").first
    before = plot.evaluate("(plot) => plot.clientWidth")

    page.set_viewport_size({"width": 1000, "height": 700})

    page.wait_for_function(
        f"""(before) => {PLOT}.clientWidth !== before
            && Number({PLOT}.querySelector("svg").getAttribute("width")) === {PLOT}.clientWidth""",
        arg=before,
    )


def test_a_card_out_of_sight_has_its_height_and_is_not_laid_out(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?w=2000,1500"))
    ready(page)
    footers = page.locator(".ob-card > footer")
    laid_out = "(footer) => footer.checkVisibility({ contentVisibilityAuto: true })"
    height = "(footer) => footer.parentElement.offsetHeight"

    assert footers.first.evaluate(laid_out)
    assert not footers.last.evaluate(laid_out)
    assert footers.first.evaluate(height) == footers.last.evaluate(height)
    footers.last.scroll_into_view_if_needed()
    page.wait_for_function(laid_out, arg=footers.last.element_handle())


def test_a_chart_is_told_in_words(page: Page, served: Served) -> None:
    page.goto(served.page(f"scalars?t=train/loss&sel={served.board.uids['cosine/a']}"))
    ready(page)

    told = page.locator(".ob-plot").get_attribute("aria-label") or ""
    page.locator(".ob-card").hover()
    page.get_by_label("More about train/loss").click()

    assert "cosine/a falls from 2.000" in told
    assert "a spike of 9.000 at step 3\u2009333" in told
    expect(page.locator(".ob-words")).to_contain_text("a spike of 9.000")


def test_cards_have_the_width_and_height_that_was_chosen(page: Page, served: Served) -> None:
    page.goto(served.page("scalars?t=loss&w=700,300"))
    ready(page)

    box = box_of(page.locator(".ob-card").first)
    assert box["width"] >= 700
    expect(page.locator(".ob-plot").first).to_have_css("height", "300px")

    page.get_by_role("button", name="How charts are drawn").click()
    page.get_by_label("Width of cards").fill("400")
    expect(page).to_have_url(re.compile("w=400,300"))


@pytest.mark.parametrize("kind", ["twema", "gauss", "mean"])
def test_a_way_to_smooth_is_chosen_and_kept(page: Page, served: Served, kind: str) -> None:
    page.goto(served.page("scalars?t=val/loss"))
    ready(page)
    curve = card_of(page, "val/loss").locator(".scatterlayer path.js-line").last
    before = curve.get_attribute("d") or ""

    page.get_by_role("button", name="How charts are drawn").click()
    page.get_by_label("Smoothing method").select_option(kind)

    expect(page).to_have_url(re.compile(f"sm={kind}"))
    if kind != "twema":
        expect(curve).not_to_have_attribute("d", before)


def test_a_tab_that_nobody_sees_asks_for_nothing(page: Page, served: Served) -> None:
    served.board.log("hidden", [scalars("l", [1, 2])], project="default/hidden", logdir="/hidden")
    page.goto(f"{served.address}/p/default/hidden/scalars")
    ready(page)
    expect(page.locator("#ob-live")).to_have_text("1 live")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide(page, hidden=True)

    chunk = scalars("l", [3], step=[2])
    served.board.log("hidden", [chunk], project="default/hidden", logdir="/hidden")
    # Another tab hears of it; by then this one would have asked.
    other = page.context.new_page()
    other.goto(f"{served.address}/p/default/hidden/scalars")
    other.wait_for_function(f"() => {PLOT}?.data?.[0].x.length === 3")
    assert asked == []

    hide(page, hidden=False)
    page.wait_for_function(f"() => {PLOT}.data[0].x.length === 3")


def test_on_a_phone_the_slider_is_whole_and_the_toolbar_alone_scrolls(
    browser: Browser, served: Served
) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto(served.page("scalars"))
    ready(page)

    slider = box_of(page.locator(".ob-toolbar .ob-field"))
    assert slider["x"] + slider["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    toolbar = page.locator(".ob-toolbar")
    assert toolbar.evaluate("(bar) => bar.scrollWidth > bar.clientWidth")
    phone.close()


def points_of(card: Locator) -> int:
    n: int = card.locator(".ob-plot").evaluate("(plot) => plot.data[0].x.length")
    return n


def plot_range(page: Page, tag: str, limits: list[float]) -> Any:
    """Wait for a card's vertical range; return the card."""
    page.wait_for_function(
        """([tag, limits]) => {
            const plot = [...document.querySelectorAll(".ob-card")]
                .find((card) => card.dataset.tag === tag)?.querySelector(".ob-plot");
            return JSON.stringify(plot?.layout?.yaxis.range) === JSON.stringify(limits);
        }""",
        arg=[tag, limits],
    )
    return card_of(page, tag)


def zoom_of(page: Page) -> tuple[float, float]:
    pairs = parse_qs(urlsplit(page.url).query)
    return float(pairs["x0"][0]), float(pairs["x1"][0])


def is_question(request: Request) -> bool:
    return request.url.endswith("/scalars") and request.method == "POST"


def hide(page: Page, *, hidden: bool) -> None:
    """Let the page believe that its tab is hidden, or seen again."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
