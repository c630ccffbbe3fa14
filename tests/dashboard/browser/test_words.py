"""What people say of runs, said in the browser: menus, dialogs, undo, archive, deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.boards import Board, scalars
from support.boxes import box_of
from support.programs import ORGBOARD, running
from support.served import Served, serve_example
from support.waiting import wait_until
from support.words import HOSTILE

pytestmark = pytest.mark.browser

OLD = 1.7e9


HOSTILE_RUN = "<img src=x onerror=alert(1)>"


@dataclass(frozen=True, slots=True)
class Project:
    """A project of three runs, where it is served, and the database behind it."""

    address: str
    name: str
    board: Board

    def page(self, name: str) -> str:
        """Return the address of a page of the project."""
        return f"{self.address}/p/words/{self.name}/{name}"

    def log(self, run: str, now: float | None = None) -> str:
        """Store two points of a run, and return its uid."""
        # One is the best, and so named below the chart.
        loss = [scalars("train/loss", [2.0, 0.5 if run == "cosine/a" else 1.0])]
        place = f"words/{self.name}"
        return self.board.log(run, loss, project=place, logdir=f"/logs/{self.name}", now=now)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one board for all tests here."""
    with serve_example(tmp_path_factory.mktemp("words")) as board:
        yield board


@pytest.fixture
def served(server: Served, request: pytest.FixtureRequest) -> Project:
    """Give a project of its own: what one test says, no other sees."""
    made = Project(server.address, re.sub(r"\W", "_", request.node.name), server.board)
    for run in ("cosine/a", "cosine/b", HOSTILE_RUN):
        made.log(run)
    return made


@pytest.fixture
def scalars_page(page: Page, served: Project) -> Page:
    """Give the scalars page, drawn."""
    page.goto(served.page("scalars"))
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible()
    return page


def _row(page: Page, name: str) -> Locator:
    return page.locator(".ob-panel .ob-row").filter(
        has=page.locator(".ob-name").get_by_text(name, exact=True)
    )


def _choose(page: Page, run: str, action: str) -> None:
    """Open the menu of one run in the panel, and choose."""
    page.get_by_role("button", name=f"Change {run}", exact=True).click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def _undo(page: Page) -> None:
    page.locator(".ob-toast").get_by_role("button", name="Undo").click()


def test_a_run_is_renamed_everywhere_and_undo_gives_its_name_back(
    scalars_page: Page, served: Project
) -> None:
    page = scalars_page
    _choose(page, "cosine/a", "Rename…")
    page.get_by_label("Name", exact=True).fill("the good one")
    page.keyboard.press("Enter")

    expect(_row(page, "the good one")).to_be_visible()
    expect(_row(page, "cosine/a")).to_have_count(0)
    expect(page.locator(".ob-card footer").filter(has_text="the good one").first).to_be_visible()
    _undo(page)

    expect(_row(page, "cosine/a")).to_be_visible()
    expect(_row(page, "the good one")).to_have_count(0)


def test_a_new_name_is_in_the_table_and_on_the_runs_page(
    scalars_page: Page, served: Project
) -> None:
    page = scalars_page
    _choose(page, "cosine/b", "Rename…")
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(_row(page, HOSTILE)).to_be_visible()

    page.goto(served.page("runs"))
    cell = page.locator(f'.ag-row[row-id="{served.board.uids["cosine/b"]}"] [col-id="name"]')
    expect(cell).to_have_text(HOSTILE)
    cell.click()

    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("code").get_by_text("cosine/b", exact=True)).to_be_visible()
    assert page.locator(".ob-page b b").count() == 0


def test_shown_runs_are_tagged_together_and_untagged_again(scalars_page: Page) -> None:
    page = scalars_page
    page.get_by_role("button", name="Actions", exact=True).click()
    expect(page.get_by_role("menu", name="3 shown runs")).to_be_visible()
    page.get_by_role("menuitem", name="Tags…").click()
    page.get_by_label("Tags to add").fill("baseline, keep")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ob-row .ob-chip")).to_have_count(6)
    expect(page.locator(".ob-toast")).to_contain_text("Changed the tags of 3 runs")

    _choose(page, "cosine/a", "Tags…")
    page.get_by_role("button", name="keep").click()
    page.get_by_role("button", name="Save").click()
    expect(_row(page, "cosine/a").locator(".ob-chip")).to_have_text(["baseline"])
    _undo(page)

    expect(_row(page, "cosine/a").locator(".ob-chip")).to_have_text(["baseline", "keep"])


def test_a_star_is_kept_over_a_reload_and_taken_back_by_a_key(scalars_page: Page) -> None:
    page = scalars_page
    _choose(page, "cosine/a", "Star")
    expect(_row(page, "cosine/a").get_by_label("starred")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_label("starred")).to_have_count(0)
    _choose(page, "cosine/a", "Star")
    expect(_row(page, "cosine/a").get_by_label("starred")).to_be_visible()

    page.reload()

    expect(_row(page, "cosine/a").get_by_label("starred")).to_be_visible()
    _choose(page, "cosine/a", "Take the star away")
    expect(page.get_by_label("starred")).to_have_count(0)


def test_an_archived_run_leaves_list_and_charts_until_undo(scalars_page: Page) -> None:
    page = scalars_page
    loss = page.locator('.ob-card[data-tag="train/loss"]')
    lines = loss.locator(".scatterlayer .trace")
    before = lines.count()

    _choose(page, "cosine/b", "Archive")
    expect(_row(page, "cosine/b")).to_have_count(0)
    expect(page.locator(".ob-foot")).to_contain_text("2 runs")
    # A raw line and a smoothed one.
    expect(lines).to_have_count(before - 2)
    _undo(page)

    expect(_row(page, "cosine/b")).to_be_visible()
    expect(lines).to_have_count(before)


def test_archived_runs_are_shown_when_asked_for(scalars_page: Page, served: Project) -> None:
    page = scalars_page
    _choose(page, "cosine/b", "Archive")
    expect(_row(page, "cosine/b")).to_have_count(0)
    page.goto(served.page("runs"))
    rows = page.locator(".ag-pinned-left-cols-container .ag-row")
    expect(rows).to_have_count(2)

    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="Show archived runs (1)").click()

    expect(_row(page, "cosine/b")).to_have_class(re.compile("ob-archived"))
    expect(rows).to_have_count(3)
    expect(page.locator('.ag-row [col-id="status"]').filter(has_text="archived")).to_have_count(1)
    _choose(page, "cosine/b", "Take out of the archive")
    expect(_row(page, "cosine/b")).not_to_have_class(re.compile("ob-archived"))


def test_an_archived_run_of_a_selection_made_by_hand_is_off_the_charts(
    scalars_page: Page,
) -> None:
    page = scalars_page
    page.get_by_label(f"Show {HOSTILE_RUN}").uncheck()
    lines = page.locator('.ob-card[data-tag="train/loss"] .scatterlayer .trace')
    expect(lines).to_have_count(4)

    _choose(page, "cosine/b", "Archive")
    expect(lines).to_have_count(2)
    _undo(page)

    expect(lines).to_have_count(4)
    expect(page.get_by_label("Show cosine/b")).to_be_checked()


def test_a_chosen_colour_is_the_colour_of_the_line(scalars_page: Page, served: Project) -> None:
    page = scalars_page
    uid = served.board.uids["cosine/a"]
    line = page.locator(f'.ob-card[data-tag="train/loss"] .trace.trace{uid}__line .js-line')

    before: str = line.evaluate("(path) => getComputedStyle(path).stroke")
    _choose(page, "cosine/a", "Colour…")
    page.get_by_role("button", name="Colour 7").click()
    expect(line).to_have_css("stroke", "rgb(164, 99, 242)")
    expect(_row(page, "cosine/a").locator(".ob-swatch")).to_have_css(
        "background-color", "rgb(164, 99, 242)"
    )
    _undo(page)

    expect(line).to_have_css("stroke", before)


def test_colours_are_spread_anew_over_the_shown_runs(scalars_page: Page) -> None:
    page = scalars_page
    for run in ("cosine/a", "cosine/b"):
        _choose(page, run, "Colour…")
        page.get_by_role("button", name="Colour 3", exact=True).click()
        expect(_row(page, run).locator(".ob-swatch")).to_have_css(
            "background-color", "rgb(255, 114, 92)"
        )

    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name="Spread their colours").click()
    expect(page.locator(".ob-toast")).to_contain_text("Coloured")

    swatches = page.locator(".ob-panel .ob-row .ob-swatch")
    expect(swatches.nth(0)).to_have_css("background-color", "rgb(66, 105, 208)")
    expect(swatches.nth(1)).to_have_css("background-color", "rgb(239, 177, 24)")
    expect(swatches.nth(2)).to_have_css("background-color", "rgb(255, 114, 92)")
    _undo(page)
    expect(_row(page, "cosine/b").locator(".ob-swatch")).to_have_css(
        "background-color", "rgb(255, 114, 92)"
    )


def test_a_button_that_is_pressed_stays_in_its_place_whatever_is_new(scalars_page: Page) -> None:
    page = scalars_page
    button = page.get_by_role("button", name="Change cosine/a", exact=True)
    expect(button).to_be_visible()
    box = box_of(button)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.evaluate("""() => {
      window.row = document.querySelector(".ob-panel .ob-row");
      ob.project.tell("runs");
    }""")
    page.mouse.up()

    expect(page.get_by_role("menuitem", name="Colour…", exact=True)).to_be_visible()
    # It is painted once the button is let go.
    page.wait_for_function("!window.row.isConnected")


def test_any_other_colour_can_be_chosen(scalars_page: Page) -> None:
    page = scalars_page
    _choose(page, "cosine/a", "Colour…")
    page.get_by_label("Any colour").fill("#010203")
    page.get_by_role("button", name="Use this colour").click()

    expect(_row(page, "cosine/a").locator(".ob-swatch")).to_have_css(
        "background-color", "rgb(1, 2, 3)"
    )


def test_a_live_run_is_protected_and_an_old_one_goes_and_comes_back(
    scalars_page: Page, served: Project
) -> None:
    page = scalars_page
    served.log("old", OLD)
    page.reload()
    _choose(page, "cosine/a", "Delete…")
    expect(page.get_by_role("dialog")).to_contain_text("1 run is live and will stay")
    page.get_by_role("button", name="Close").click()

    _choose(page, "old", "Delete…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"takes 2 points out .* frees \d+ bytes"))
    expect(dialog).to_contain_text("Event files are never touched")
    dialog.get_by_role("button", name="Delete the run").click()
    expect(page.locator(".ob-toast")).to_contain_text("Deleted 1 run")
    expect(_row(page, "old")).to_have_count(0)

    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name="Deleted runs…").click()
    page.get_by_role("dialog").get_by_label("old").check()
    page.get_by_role("button", name="Bring back").click()

    expect(page.locator(".ob-toast")).to_contain_text("1 run will be read again")
    expect(_row(page, "old")).to_be_visible()


def test_what_one_page_says_another_hears(
    scalars_page: Page, browser: Browser, served: Project
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    other.goto(served.page("scalars"))
    expect(_row(other, "cosine/a")).to_be_visible()

    _choose(scalars_page, "cosine/a", "Rename…")
    scalars_page.get_by_label("Name", exact=True).fill("heard")
    scalars_page.keyboard.press("Enter")

    expect(_row(other, "heard")).to_be_visible()
    context.close()


def test_the_menu_is_used_by_the_keyboard_alone(scalars_page: Page) -> None:
    page = scalars_page
    button = page.get_by_role("button", name="Change cosine/a", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename…")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="About this run")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(_row(page, "cosine/a").get_by_label("starred")).to_be_visible()


def test_what_the_server_refuses_is_said_where_it_was_asked(scalars_page: Page) -> None:
    page = scalars_page
    _choose(page, "cosine/a", "Tags…")
    page.get_by_label("Tags to add").fill("x" * 65)
    page.get_by_role("button", name="Save").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("at most 64 characters")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_read_only_board_offers_nothing_that_changes(
    page: Page, served: Project, tmp_path: Path
) -> None:
    database = str(served.board.engine.url.database)
    command: list[object] = [ORGBOARD, "web", "--db", database, "--port", 0, "--read-only"]
    with running(command, tmp_path / "read-only.log") as program:
        found = wait_until(lambda: re.search(r"http://\S+:\d+", program.output()), 30, "an address")
        page.goto(served.page("scalars").replace(served.address, found.group()))
        _row(page, "cosine/a").click(button="right")
        expect(page.get_by_role("menuitem")).to_have_text(["About this run"])
        page.get_by_role("menuitem").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("cosine/a")
        expect(page.get_by_text("Nobody wrote one.")).to_be_visible()
        for name in ("Write one", "Change", "Star", "Add"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        page.goto(served.page("scalars").replace(served.address, found.group()))
        expect(page.get_by_label("About cosine/a", exact=True)).to_be_attached()
        expect(page.get_by_role("button", name=re.compile("^Change "))).to_have_count(0)


def test_on_a_phone_a_run_is_changed_from_the_sheet(browser: Browser, served: Project) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = phone.new_page()
    page.goto(served.page("scalars"))
    page.get_by_role("button", name="Runs", exact=True).tap()
    page.get_by_role("button", name="Change cosine/a", exact=True).tap()
    # All of its name is there, beside what stays here though nobody hovers.
    name = _row(page, "cosine/a").locator(".ob-name")
    assert name.evaluate("(name) => name.scrollWidth <= name.clientWidth")
    button = box_of(page.get_by_role("button", name="Change cosine/a", exact=True))
    menu = box_of(page.get_by_role("menu"))
    # Beside what was touched, and all of it on the screen.
    assert menu["x"] + menu["width"] > button["x"]
    assert menu["x"] + menu["width"] <= 390
    assert menu["y"] + menu["height"] <= 844
    page.get_by_role("menuitem", name="Star", exact=True).tap()

    expect(_row(page, "cosine/a").get_by_label("starred")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()


def test_all_runs_that_match_are_changed_though_few_are_shown(page: Page, served: Project) -> None:
    for number in range(12):
        served.log(f"many/{number:02}", OLD)
    page.goto(served.page("scalars?q=many"))
    expect(page.locator(".ob-foot")).to_contain_text("newest 10 shown")

    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name="All 12 matching runs…").click()
    expect(page.get_by_role("menu", name="12 matching runs")).to_be_visible()
    page.get_by_role("menuitem", name="Archive").click()

    expect(page.locator(".ob-toast")).to_contain_text("Archived 12 runs")
    expect(page.locator(".ob-panel")).to_contain_text("No run matches many")
    _undo(page)
    expect(page.locator(".ob-foot")).to_contain_text("12 of 15 runs")
