"""Finding runs and choosing what is shown of them: the query bar, the columns, the selection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.boards import scalars
from support.boxes import box_of
from support.served import HOSTILE, Served, serve_example
from support.waiting import wait_until

pytestmark = pytest.mark.browser

MANY = 30
QUERY = "Filter runs"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a served board with some dozens of runs that differ in what they logged."""
    with serve_example(tmp_path_factory.mktemp("many")) as served:
        for n in range(MANY):
            hparams = {"lr": 10.0 ** -(n % 3), "optimizer": ["adam", "sgd"][n % 2], "n": n}
            served.board.log(
                f"run{n:02}",
                [scalars("val/acc", [n / 100, n / 200]), scalars("my loss", [5.0, 1 + n])],
                hparams=json.dumps(hparams),
            )
        yield served


def _choices(page: Page) -> Locator:
    """Return what the query bar offers; the panel's lists of groups have options too."""
    return page.get_by_role("listbox", name="What may come next").get_by_role("option")


def _rows(page: Page) -> Locator:
    return page.locator(".ob-rows .ob-row:not(.ob-waiting)")


def _grid_column(page: Page, key: str) -> Locator:
    return page.locator(f'.ag-row [col-id="{key}"]')


def test_a_query_filters_the_panel_and_the_table_at_once(page: Page, many: Served) -> None:
    page.goto(many.page("runs"))
    page.get_by_label(QUERY).fill("lr < 0.05 and optimizer = adam and last(val/acc) > 0.05")

    expect(page.locator(".ob-foot")).to_contain_text(f"3 of {MANY + 3} runs")
    expect(page.locator(".ag-pinned-left-cols-container .ag-row")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"q=lr%20%3C%200\.05"))


def test_an_unknown_field_is_marked_and_mended_by_a_click(page: Page, many: Served) -> None:
    page.goto(many.page("runs?q=lr%20%3D%201"))
    expect(_rows(page)).to_have_count(10)
    bar = page.get_by_label(QUERY)
    bar.fill("optimzer = adam and lr = 1")
    bar.press("Enter")

    alert = page.locator(".ob-panel").get_by_role("alert")
    expect(alert).to_contain_text("There is no field `optimzer` here.")
    expect(bar).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".ob-q-wrong")).to_have_text("optimzer")
    expect(_rows(page)).to_have_count(10)
    alert.get_by_role("button", name="optimizer").click()

    expect(bar).to_have_value("optimizer = adam and lr = 1")
    expect(page.locator(".ob-panel .ob-problem")).to_be_empty()
    expect(_rows(page)).to_have_count(5)


def test_a_regular_expression_without_an_operator_still_filters_by_name(
    page: Page, many: Served
) -> None:
    page.goto(many.page("runs?q=run0%5B12%5D%24"))

    expect(_rows(page)).to_have_count(2)
    page.get_by_label(QUERY).fill("run0[")
    expect(page.locator(".ob-panel").get_by_role("alert")).to_contain_text("RE2")


def test_what_may_come_next_is_chosen_with_the_keyboard_alone(page: Page, many: Served) -> None:
    page.goto(many.page("runs"))
    expect(_rows(page).first).to_be_visible()
    page.keyboard.press("/")
    bar = page.get_by_label(QUERY)
    expect(bar).to_be_focused()
    choices = _choices(page)

    page.keyboard.type("opt")
    expect(choices.first).to_contain_text("optimizer")
    page.keyboard.press("ArrowDown")
    expect(choices.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(bar).to_have_value("optimizer ")
    page.keyboard.type("= ")
    expect(choices).to_have_text(["adam", "sgd"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(bar).to_have_value("optimizer = sgd ")
    expect(choices.first).to_contain_text("and")
    page.keyboard.press("Escape")
    expect(choices).to_have_count(0)

    expect(page.locator(".ob-foot")).to_contain_text(f"{MANY // 2} of {MANY + 3} runs")
    page.keyboard.press("Escape")
    expect(bar).not_to_be_focused()


def test_a_name_with_spaces_is_completed_in_quotes(page: Page, many: Served) -> None:
    page.goto(many.page("runs"))
    bar = page.get_by_label(QUERY)
    bar.click()
    page.keyboard.type("min(my")

    _choices(page).filter(has_text="my loss").click()

    expect(bar).to_have_value('min("my loss" ')
    page.keyboard.type(") < 4")
    expect(page.locator(".ob-foot")).to_contain_text(f"3 of {MANY + 3} runs")


def test_no_match_says_so_and_leads_back(page: Page, many: Served) -> None:
    page.goto(many.page("runs?q=lr%20%3E%20100"))

    none = page.locator(".ob-none")
    expect(none).to_contain_text(f"No run matches lr > 100. {MANY + 3} runs without the filter.")
    none.get_by_role("button", name="Show all").click()

    expect(page.get_by_label(QUERY)).to_have_value("")
    expect(page.locator(".ob-foot")).to_contain_text(f"{MANY + 3} runs")


def test_columns_and_order_come_from_the_address(page: Page, many: Served) -> None:
    page.goto(
        many.page("runs?q=run&cols=!name,hp%3Alr~90,best%3Aval%2Facc,last%3Amy%20loss&sort=-hp%3An")
    )

    first = page.locator('.ag-row[row-index="0"]')
    expect(first.locator('[col-id="name"]')).to_have_text(f"run{MANY - 1:02}")
    expect(first.locator('[col-id="best:val/acc"]')).to_have_text("0.2900")
    expect(first.locator('[col-id="last:my loss"]')).to_have_text("30.00")
    expect(page.locator('.ag-header-cell[col-id="status"]')).to_have_count(0)
    expect(page.locator('.ag-header-cell[col-id="hp:lr"]')).to_have_css("width", "90px")
    expect(_rows(page).first).to_contain_text(f"run{MANY - 1:02}")
    expect(page.get_by_role("button", name="Sort by best val/acc")).to_be_visible()


def test_a_column_is_found_added_moved_pinned_and_taken_away_in_the_menu(
    page: Page, many: Served
) -> None:
    page.goto(many.page("runs?cols=!name,status"))
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Find a column").fill("acc")
    page.get_by_label("best of val/acc").click()
    page.get_by_label("Find a column").fill("")
    expect(page.locator('.ag-header-cell[col-id="best:val/acc"]')).to_have_count(1)

    page.get_by_label("Move up best val/acc").click()
    page.get_by_label("Pin best val/acc").click()
    page.get_by_label("Hide Status").click()

    expect(page).to_have_url(re.compile(r"cols=!name,!best%3Aval%2Facc(&|$)"))
    expect(page.locator('.ag-pinned-left-header [col-id="best:val/acc"]')).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Columns")).to_have_count(0)
    expect(page.get_by_role("button", name="Columns")).to_be_focused()


def test_a_column_can_be_the_small_curve_of_a_metric(page: Page, many: Served) -> None:
    page.goto(many.page("runs?q=run&sort=name&cols=!name"))
    expect(_grid_column(page, "name").first).to_have_text("run00")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="curve of my loss").click()

    expect(page).to_have_url(re.compile("cols=.*spark%3Amy%20loss"))
    curve = page.locator('.ag-row[row-index="3"] [col-id="spark:my loss"]').get_by_role("img")
    expect(curve).to_have_attribute("aria-label", re.compile("^from 5.* to 4.*between 4.* and 5"))
    expect(curve.locator("path")).to_have_attribute("d", "M2.0 2.0L94.0 18.0")
    # What a run did not log has no curve.
    page.goto(many.page("runs?sort=name&cols=!name,spark%3Amy%20loss,spark%3Anobody"))
    expect(page.locator('[col-id="spark:my loss"] svg').first).to_be_visible()
    expect(page.locator('[col-id="spark:nobody"] svg')).to_have_count(0)


def test_a_column_can_be_what_a_metric_was_at_a_step_or_came_to_at_last(
    page: Page, many: Served
) -> None:
    page.goto(many.page("runs?q=run&sort=name&cols=!name"))
    expect(_grid_column(page, "name").first).to_have_text("run00")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="mean or step of my loss").click()
    page.get_by_role("spinbutton", name="at step of my loss").fill("0")
    page.get_by_role("spinbutton", name="at step of my loss").press("Enter")
    expect(_grid_column(page, "at0:my loss").first).to_have_text("5.000")
    expect(page.get_by_role("spinbutton", name="at step of my loss")).to_be_focused()

    page.get_by_role("spinbutton", name="mean of last of my loss").fill("2")
    page.get_by_role("button", name="Add mean of last of my loss").click()

    expect(_grid_column(page, "mean2:my loss").first).to_have_text("3.000")
    expect(page).to_have_url(re.compile("cols=.*at0%3Amy%20loss,mean2%3Amy%20loss"))
    page.keyboard.press("Escape")
    page.locator('.ag-header-cell[col-id="mean2:my loss"]').click()
    expect(page).to_have_url(re.compile("sort=mean2%3Amy%20loss"))


def test_a_click_on_a_heading_sorts_the_table_and_the_panel(page: Page, many: Served) -> None:
    page.goto(many.page("runs?q=run&cols=!name,hp%3An,last%3Aval%2Facc"))
    expect(_grid_column(page, "hp:n").first).to_be_visible()

    page.locator('.ag-header-cell[col-id="hp:n"]').click()
    expect(page).to_have_url(re.compile("sort=hp%3An"))
    expect(_rows(page).first).to_contain_text("run00")
    page.get_by_role("button", name="Sort by val/acc").click()

    expect(page).to_have_url(re.compile("sort=-last%3Aval%2Facc"))
    expect(page.locator('.ag-row[row-index="0"] [col-id="name"]')).to_have_text("run29")


def test_a_missing_value_is_a_dash_and_comes_last(page: Page, many: Served) -> None:
    page.goto(many.page("runs?cols=!name,hp%3An&sort=-hp%3An"))
    expect(page.locator('.ag-row[row-index="0"] [col-id="hp:n"]')).to_have_text("29")

    expect(page.locator(f'.ag-row[row-index="{MANY}"] [col-id="hp:n"]')).to_have_text("\N{EN DASH}")


def test_shift_shows_a_range_of_runs_and_all_means_all_that_match(page: Page, many: Served) -> None:
    page.goto(many.page("runs?q=run&sort=name&sel="))
    page.get_by_label("Show run02").click()
    page.get_by_label("Show run06").click(modifiers=["Shift"])
    expect(page.locator(".ob-foot")).to_contain_text("5 shown")

    page.get_by_role("button", name="all", exact=True).click()

    expect(page.locator(".ob-foot")).to_contain_text(f"{MANY} shown")


def test_hostile_names_are_text_in_columns_and_choices(page: Page, many: Served) -> None:
    page.goto(many.page("runs?cols=!name"))
    bar = page.get_by_label(QUERY)
    bar.click()
    page.keyboard.type("evil")
    expect(_choices(page).first).to_contain_text(f"evil/{HOSTILE}")
    _choices(page).first.click()
    page.keyboard.type("> 2")
    expect(_rows(page)).to_have_count(1)
    page.get_by_role("button", name="Columns").click()
    page.get_by_label(f"last of evil/{HOSTILE}").click()

    expect(page.get_by_role("columnheader", name=f"evil/{HOSTILE}")).to_be_visible()
    expect(page.get_by_role("gridcell", name="3.000")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("csv", "name,hp:lr,max:val/acc\nrun28,0.1,0.28"),
        ("json", '[\n {\n  "uid": "'),
        (
            "tex",
            "\\begin{tabular}{lrr}\n\\toprule\nRun & lr & max val/acc \\\\\n\\midrule\nrun28 & 0.1",
        ),
    ],
)
def test_the_table_is_saved_with_its_columns_and_in_its_order(
    page: Page, many: Served, form: str, first: str
) -> None:
    page.goto(
        many.page("runs?cols=name,hp:lr,max:val/acc&sort=-max:val/acc&q=lr%3D0.1%20and%20n>0")
    )
    expect(_rows(page)).to_have_count(10)
    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name="Save the table…").click()
    page.get_by_label("Form of the table").select_option(form)

    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()

    saved = download.value.path().read_text(encoding="utf-8")
    assert download.value.suggested_filename == f"runs.{form}"
    assert saved.startswith(first)
    assert len(re.findall(r"run\d\d", saved)) == 10


def test_a_broken_address_opens_a_table(page: Page, many: Served) -> None:
    page.goto(many.page("runs?cols=,!,what~x,hp%3A,last%3Anone&sort=-max%3Agone"))

    expect(_grid_column(page, "name").first).to_be_visible()
    expect(_grid_column(page, "last:none").first).to_have_text("\N{EN DASH}")


NOTE_REQUESTS = """
    window.asked = [];
    window.heard = 0;
    const { fetch, EventSource } = window;
    window.fetch = (...request) => {
        asked.push(String(request[0]));
        return fetch(...request);
    };
    // Each timer comes after what the page itself does, and after what it puts off by no time.
    const later = (act) => setTimeout(() => setTimeout(act, 1), 1);
    window.EventSource = class extends EventSource {
        constructor(...made) {
            super(...made);
            this.addEventListener("runs", (event) => {
                const { length } = JSON.parse(event.data).runs;
                if (length) later(() => { heard += 1; });
            });
        }
    };
"""

ROWS_ASKED = "() => asked.filter((address) => /[/]runs[?].*m=last/.test(address)).length"


def test_rows_with_metrics_are_fetched_once_and_again_when_a_run_grows(
    page: Page, many: Served
) -> None:
    page.add_init_script(NOTE_REQUESTS)
    page.goto(many.page("scalars?cols=!name,last%3Aval%2Facc&q=run0"))
    expect(page.locator(".ob-plot:has(.trace)").first).to_be_visible()
    wait_until(lambda: page.evaluate("heard"), 20, "the stream to begin with what is new")
    curves = page.evaluate("asked.filter((address) => address.endsWith('/scalars')).length")

    assert page.evaluate(ROWS_ASKED) == 1
    many.board.log("run00", [scalars("val/acc", [0.875], step=[2])])

    expect(_rows(page).filter(has_text="run00")).to_contain_text("0.8750")
    assert page.evaluate(ROWS_ASKED) == 2
    wait_until(
        lambda: page.evaluate("asked.filter((one) => one.endsWith('/scalars')).length") > curves,
        20,
        "the grown curve to be fetched",
    )


def test_on_a_phone_the_query_bar_and_the_menu_fit(browser: Browser, many: Served) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(many.page("scalars?q=lr%20%3D%201&cols=!name,hp%3Alr,last%3Aval%2Facc"))
        page.get_by_role("button", name="Runs", exact=True).click()
        expect(_rows(page).first).to_be_visible()
        page.get_by_role("button", name="Columns").click()

        menu = page.get_by_role("dialog", name="Columns")
        box = box_of(menu)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
