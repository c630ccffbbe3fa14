"""The day's work without a mouse: by the keyboard alone, and by touch on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters, digits, punctuation

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.boards import scalars
from support.boxes import box_of
from support.every_state import PAGES, PROJECT, log_everything, row
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

SCREENS = {"laptop": (1440, 900), "phone": (390, 844)}
MOST_STOPS = 200
PLACES = ("home", "runs", "scalars", "compare", "text", "images", "hparams", "graphs", "run")

# What is wrong with where the focus is: nothing shows it, it is off the screen, or under something.
_FAULTS = """() => {
    const el = document.activeElement;
    if (!el || el === document.body) return null;
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(--ob-accent)";
    const accent = getComputedStyle(probe).color;
    probe.remove();
    const rings = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
        && style.outlineColor === accent)
        || (parseFloat(style.borderTopWidth) >= 1 && style.borderTopColor === accent);
    const styles = [[el], [el, "::after"], [el.parentElement]].map((of) => getComputedStyle(...of));
    const box = el.getBoundingClientRect();
    const [left, right] = [Math.max(0, box.left), Math.min(innerWidth, box.right)];
    const [top, bottom] = [Math.max(0, box.top), Math.min(innerHeight, box.bottom)];
    let opacity = 1;
    for (let one = el; one; one = one.parentElement) opacity *= getComputedStyle(one).opacity;
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const own = at && (el.contains(at) || at.contains(el) || el.closest("label")?.contains(at));
    return [
        styles.some(rings) ? "" : "not marked",
        left < right && top < bottom ? "" : "off the screen",
        opacity > 0.5 ? "" : "not seen", own ? "" : "under something",
    ].filter(Boolean).map((fault) => `${el.outerHTML.slice(0, 200)}: ${fault}`);
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with a project of everything, beside the example's."""
    with serve_example(tmp_path_factory.mktemp("mouseless")) as served:
        log_everything(served.board)
        yield served


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PLACES)
def test_wherever_the_tab_key_leads_the_focus_is_seen(
    browser: Browser, served: Served, name: str, screen: str
) -> None:
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    page = context.new_page()
    address, opened = PAGES[name]
    page.goto(served.address + re.sub(r"{(.+)}", lambda run: served.board.uids[run[1]], address))
    opened(page)

    faults: list[str] = []
    stops = 0
    while stops < MOST_STOPS:
        page.keyboard.press("Tab")
        found: list[str] | None = page.evaluate(_FAULTS)
        if found is None:
            break
        faults += found
        stops += 1
    context.close()

    assert faults == []
    assert 3 < stops < MOST_STOPS


def test_the_whole_flow_is_done_by_the_keyboard_alone(
    context: BrowserContext, served: Served
) -> None:
    page = context.new_page()
    press = page.keyboard.press
    page.goto(served.address)
    expect(page.locator(".ob-project")).to_have_count(2)

    # From the first page to a project, and to the table of its runs.
    _tab_to(page, "default / all")
    press("Enter")
    expect(page.locator(".scatterlayer .trace").first).to_be_visible()
    press("g")
    press("r")
    expect(page.locator(".ag-row").first).to_be_visible()

    # Find runs, and take one of them off the charts.
    press("/")
    page.keyboard.type("lr = 0.1 and seed = 0")
    press("Enter")
    expect(page.locator(".ob-rows .ob-row")).to_have_count(1)
    _tab_to(page, "Show lr0.1-s0")
    press(" ")
    expect(page.get_by_label("Show lr0.1-s0")).not_to_be_checked()
    assert _named(page) == "Show lr0.1-s0"
    press(" ")
    expect(page.get_by_label("Show lr0.1-s0")).to_be_checked()

    # From card to card, one of them large, and smoother.
    press("g")
    press("s")
    expect(page.locator(".scatterlayer .trace").first).to_be_visible()
    press("j")
    press("j")
    press("k")
    first = page.locator(".ob-out .ob-card").first
    expect(first).to_be_focused()
    press("f")
    expect(first).to_have_class(re.compile("ob-full"))
    assert page.evaluate(_FAULTS) == []
    press("f")
    expect(first).not_to_have_class(re.compile("ob-full"))
    assert page.evaluate(_FAULTS) == []
    press("s")
    press("ArrowRight")
    expect(page.locator(".ob-field output")).to_have_text("0.61")
    assert page.evaluate(_FAULTS) == []
    press("Escape")

    # To another run by the palette, and a better name for it.
    press("Control+k")
    page.keyboard.type("lr0.01")
    found = page.get_by_role("listbox", name="What was found")
    expect(found.get_by_role("option").first).to_contain_text("lr0.01-s0")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("lr0.01-s0")
    _tab_to(page, "Change")
    press("Enter")
    expect(page.get_by_role("menuitem", name="Rename…")).to_be_focused()
    press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("the slow one")
    press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("the slow one")
    expect(page.get_by_role("button", name="Change", exact=True)).to_be_focused()
    assert page.evaluate(_FAULTS) == []


def test_rows_that_come_anew_do_not_take_the_focus_away(
    context: BrowserContext, served: Served
) -> None:
    served.board.log("passing", [scalars("train/loss", [1.0])], project=PROJECT[3:])
    page = context.new_page()
    page.goto(f"{served.address}{PROJECT}/scalars")
    menu = page.get_by_role("button", name="Change passing", exact=True)
    menu.focus()

    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Rename…").press("Enter")
    page.keyboard.type("passed")
    page.keyboard.press("Enter")
    expect(row(page, "passed")).to_be_visible()
    expect(page.get_by_role("button", name="Change passed", exact=True)).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Archive").press("Enter")
    expect(row(page, "passed")).to_have_count(0)
    expect(page.locator(".ob-list")).to_be_focused()
    page.keyboard.press("u")

    expect(row(page, "passed")).to_be_visible()


def test_cards_that_are_laid_out_anew_do_not_take_the_focus_away(
    context: BrowserContext, served: Served
) -> None:
    page = context.new_page()
    page.goto(f"{served.address}{PROJECT}/scalars")
    expect(page.locator(".scatterlayer .trace").first).to_be_visible()

    pin = page.get_by_role("button", name="Pin val/loss")
    pin.press("Enter")
    expect(page.get_by_role("region", name="Pinned")).to_contain_text("val/loss")
    expect(pin).to_be_focused()
    fold = page.get_by_role("region", name="train").locator(".ob-fold")
    fold.press("Enter")

    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(fold).to_be_focused()


def test_the_whole_flow_is_done_by_touch_on_a_phone(browser: Browser, served: Served) -> None:
    phone = browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    page = phone.new_page()
    page.goto(served.address)
    page.get_by_text("all", exact=True).tap()
    expect(page.locator(".scatterlayer .trace").first).to_be_visible()

    # Find runs in the sheet, and take one of them off the charts.
    page.get_by_role("button", name="Runs", exact=True).tap()
    page.get_by_label("Filter runs by a query").tap()
    page.keyboard.type("lr = 0.1")
    page.keyboard.press("Enter")
    expect(page.locator(".ob-rows .ob-row")).to_have_count(2)
    row(page, "lr0.1-s0").locator("label").tap()
    expect(page.get_by_label("Show lr0.1-s0")).not_to_be_checked()
    page.get_by_role("button", name="Fold the sheet").tap()
    expect(page.get_by_label("Show lr0.1-s0")).to_be_hidden()

    # Read a value, make the card large, and smooth it.
    card = page.locator(".ob-out .ob-card").first
    card.locator(".ob-stage").tap()
    expect(page.get_by_role("tooltip")).to_be_visible()
    card.get_by_label("Full screen").tap()
    expect(card).to_have_class(re.compile("ob-full"))
    card.get_by_label("Full screen").tap()
    expect(card).not_to_have_class(re.compile("ob-full"))
    slider = page.get_by_label("Smoothing", exact=True)
    slider.scroll_into_view_if_needed()
    box = box_of(slider)
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    expect(page.locator(".ob-field output")).not_to_have_text("0.60")

    # To another page and back, to a run by the palette, and a better name for it.
    page.locator("#ob-bar").get_by_text("Compare").tap()
    expect(page).to_have_url(re.compile("/compare"))
    page.locator("#ob-search").tap()
    page.keyboard.type("lr0.1")
    page.get_by_role("option").filter(has_text="lr0.1-s0").first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("lr0.1-s0")
    page.get_by_role("button", name="Change", exact=True).tap()
    page.get_by_role("menuitem", name="Rename…").tap()
    page.get_by_label("Name", exact=True).fill("the fast one")
    page.get_by_role("button", name="Rename", exact=True).tap()

    expect(page.get_by_role("heading", level=1)).to_have_text("the fast one")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()


def test_the_list_of_keys_has_every_key_that_does_something(page: Page, served: Served) -> None:
    page.goto(served.address + PROJECT + "/scalars")
    expect(page.locator(".scatterlayer .trace").first).to_be_visible()

    page.keyboard.press("?")
    told = {
        key for text in page.locator("#ob-keys kbd").all_text_contents() for key in text.split()
    }
    page.keyboard.press("Escape")
    # What a press would do is the other tests'; here it only counts that there is something.
    works = page.evaluate(
        """(keys) => keys.filter((key) => {
            const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
            const taken = !document.body.dispatchEvent(event);
            document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
            document.activeElement?.blur();
            // No "g" waits for the next one.
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "0", bubbles: true }));
            return taken;
        })""",
        [key for key in ascii_letters + digits + punctuation if key not in "[]"],
    )

    # One is pressed with Ctrl, and one does something while a comment is written.
    elsewhere = {"K", "@"}
    single = {key for key in told if len(key) == 1 and key.isascii()}
    assert set(works) | {"[", "]"} == single - elsewhere
    assert {"Esc", "Ctrl", "K", "Enter", "Space", "Shift", "↑", "↓", "←", "→"} <= told


def _named(page: Page) -> str:
    name: str = page.evaluate(
        "document.activeElement.ariaLabel ?? document.activeElement.textContent"
    )
    return name


def _tab_to(page: Page, name: str) -> None:
    """Press the Tab key until what has this name has the focus; on the way it is never lost."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        assert page.evaluate(_FAULTS) in ([], None)
        if re.search(rf"(^|\W){re.escape(name)}(\W|$)", _named(page)):
            return
    raise AssertionError(f"the Tab key does not lead to {name}")
