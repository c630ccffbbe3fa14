"""The dictionary of metrics in a browser: written by who runs the board, and what it joins."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from orgboard_dashboard.queries.people.members import make_team
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.axe import faults_of
from support.boards import scalars
from support.people import HOST, add_person, add_project, put, sign_in
from support.people_pages import let_in
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>"
STEPS = 200


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board of two teams that log the same by other names, with who runs it and a member."""
    with serve_example(tmp_path_factory.mktemp("dictionary")) as served:
        board = served.board
        add_person(board, "Ana", is_admin=True)
        add_person(board, "ben")
        loss = 2 * np.exp(-np.arange(STEPS) / 50)
        logged = {
            "vision": [scalars("val/loss", loss), scalars("val/acc", 1 - loss / 3)],
            "speech": [scalars("eval_loss", loss * 1.5), scalars("acc_percent", 90 - 20 * loss)],
        }
        for team, chunks in logged.items():
            with begin_write(board.engine) as conn:
                make_team(HOST, conn, team, time.time())
            add_project(board, team, "one")
            put(board, team, "ben", Role.VIEWER)
            for seed in range(3):
                board.log(
                    f"{team}-{seed}",
                    chunks if seed else [*chunks, scalars(f"own/{MARKUP}", [1.0, 2.0])],
                    project=f"{team}/one",
                    logdir=f"/logs/{team}",
                    hparams=f'{{"lr": {0.1 if team == "vision" else 0.2}, "seed": {seed}}}',
                )
        yield served


@pytest.fixture
def ana(context: BrowserContext, page: Page, teams: Served) -> Page:
    """Give a page of who runs the board."""
    let_in(context, teams, sign_in(teams.board, "Ana"))
    return page


@pytest.fixture
def ben(browser: Browser, teams: Served) -> Iterator[Page]:
    """Give a page of a member of both teams."""
    with browser.new_context() as context:
        let_in(context, teams, sign_in(teams.board, "ben"))
        yield context.new_page()


def test_two_teams_are_compared_on_one_card_once_their_metric_has_a_name(
    ana: Page, ben: Page, teams: Served
) -> None:
    ben.goto(f"{teams.address}/p/*/*/scalars")
    expect(ben.locator(".ob-card[data-tag='val/loss']")).to_be_visible()
    expect(ben.get_by_role("button", name="By metric")).to_be_hidden()

    # As the keys do it: what is alike is taken together, and said of it what nobody can guess.
    ana.goto(f"{teams.address}/dictionary")
    ana.get_by_role("button", name="New metric of eval_loss").focus()
    ana.keyboard.press("Enter")
    dialog = ana.get_by_role("dialog")
    expect(dialog.get_by_label("Tag", exact=True)).to_have_count(2)
    dialog.get_by_label("Name").fill("validation loss")
    ana.keyboard.press("Tab")
    ana.keyboard.type("nats")
    ana.keyboard.press("Enter")
    row = ana.get_by_role("row", name=re.compile("validation loss"))
    expect(row).to_contain_text("least")
    expect(row).to_contain_text("eval_lossval/loss")

    ben.reload()
    card = ben.locator(".ob-card[data-tag='metric:validation loss']")
    expect(card.locator("h3")).to_have_text("validation loss")
    expect(card.locator(".trace .js-line")).to_have_count(2 * 6)
    expect(card.locator(".ob-unit")).to_have_text("nats")
    expect(card.locator("footer")).to_contain_text(re.compile(r"best \S+\snats"))
    expect(ben.locator(".ob-card[data-tag='val/loss']")).to_have_count(0)
    card.locator(".ob-stage").hover(position={"x": 200, "y": 90})
    tip = ben.get_by_role("tooltip")
    expect(tip.locator("thead")).to_contain_text("tag")
    expect(tip).to_contain_text("eval_loss")
    expect(tip).to_contain_text("val/loss")

    ben.get_by_role("button", name="By metric").click()
    expect(ben).to_have_url(re.compile("bm=0"))
    expect(ben.locator(".ob-card[data-tag='val/loss']")).to_be_visible()
    expect(ben.locator(".ob-card[data-tag='eval_loss']")).to_be_visible()
    expect(card).to_have_count(0)


def test_a_percentage_joins_by_one_click_and_its_scale(ana: Page, teams: Served) -> None:
    ana.goto(f"{teams.address}/dictionary")
    ana.get_by_role("button", name="New metric…").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Name").fill("accuracy")
    dialog.get_by_label("Best").select_option("greatest")
    dialog.get_by_role("button", name="Make it").click()
    ana.get_by_role("button", name="acc_percent is accuracy \u00d7 0.01").click()
    expect(ana.get_by_role("row", name=re.compile("^accuracy"))).to_contain_text(
        "acc_percent \u00d7 0.01"
    )
    # What is not likely is said in two.
    ana.get_by_role("button", name="Say which metric val/acc is").click()
    dialog.get_by_label("Metric").select_option("accuracy")
    dialog.get_by_role("button", name="Say so").click()
    expect(ana.get_by_role("row", name=re.compile("^accuracy"))).to_contain_text("val/acc")

    ana.goto(
        f"{teams.address}/p/*/*/runs?q=metric:accuracy > 0.88&cols=!name,best:metric:accuracy"
        "&sort=-best:metric:accuracy"
    )
    expect(ana.locator(".ag-header-cell[col-id='best:metric:accuracy']")).to_contain_text(
        "best accuracy"
    )
    cells = ana.locator(".ag-cell[col-id='best:metric:accuracy']")
    expect(cells).to_have_text(["0.9875"] * 3 + ["0.8925"] * 3)


def test_the_card_of_a_metric_is_pinned_compared_saved_and_grouped(
    ana: Page, teams: Served
) -> None:
    ana.goto(f"{teams.address}/p/*/*/scalars?g=hp:lr&s=0")
    card = ana.locator(".ob-card[data-tag='metric:validation loss']")
    expect(card.locator("footer")).to_contain_text("mean of 1\u20134 runs")

    ana.goto(f"{teams.address}/p/*/*/compare")
    head = ana.get_by_role("rowheader", name="validation loss")
    expect(head).to_contain_text("nats")
    expect(ana.get_by_role("rowheader", name="eval_loss")).to_have_count(0)

    ana.goto(f"{teams.address}/p/*/*/scalars")
    card.hover()
    card.get_by_role("button", name="More about").click()
    menu = ana.get_by_role("dialog", name="More about validation loss")
    expect(menu).to_contain_text("eval_loss, val/loss")
    with ana.expect_download() as saved:
        menu.get_by_role("button", name="CSV").click()
    text = saved.value.path().read_text(encoding="utf-8")
    assert {line.split(",")[2] for line in text.splitlines()[1:]} == {"eval_loss", "val/loss"}
    card.hover()
    card.get_by_role("button", name="Pin").click()
    expect(ana).to_have_url(re.compile("pin=metric%3Avalidation%20loss"))
    expect(ana.get_by_role("region", name="Pinned")).to_contain_text("validation loss")


def test_the_query_bar_and_the_column_menu_offer_metrics_by_name(ana: Page, teams: Served) -> None:
    ana.goto(f"{teams.address}/p/*/*/runs")
    bar = ana.locator(".ob-panel .ob-query")
    bar.click()
    bar.press_sequentially("metric:valid")
    choice = ana.get_by_role("listbox", name="What may come next").get_by_role("option").first
    expect(choice).to_contain_text("of the dictionary")
    choice.click()
    expect(bar).to_have_value(re.compile('^metric:"validation loss"'))

    ana.goto(f"{teams.address}/p/*/*/runs")
    ana.locator(".ob-panel").get_by_role("button", name="Columns").click()
    ana.get_by_role("button", name="best of metric:validation loss").click()
    expect(ana.locator(".ag-header-cell[col-id='best:metric:validation loss']")).to_be_visible()


def test_standings_rank_settings_by_their_seeds(ana: Page, teams: Served) -> None:
    ana.goto(f"{teams.address}/p/*/*/compare")
    ana.get_by_role("link", name="Standings").click()
    expect(ana).to_have_url(re.compile("/standings"))
    expect(ana.get_by_role("link", name="Compare").first).to_have_class(re.compile("ob-on"))
    ana.get_by_label("Metric", exact=True).select_option("validation loss")
    table = ana.get_by_role("region", name="Standings of vision/one").get_by_role("table")
    row = table.get_by_role("row").nth(1)
    expect(table).to_contain_text("Mean, nats")
    expect(row.get_by_role("rowheader")).to_have_text("lr 0.1")
    expect(row.get_by_role("cell").nth(2)).to_have_text("3")
    expect(row.locator(".ob-seed")).to_have_count(3)
    expect(row.locator(".ob-interval")).to_have_count(1)
    expect(ana.locator(".ob-standings")).to_contain_text("less is better")

    ana.goto(f"{teams.address}/p/vision/one/standings?g=hp:seed&ht=last:val/acc")
    heads = ana.locator(".ob-standtable tbody th")
    expect(heads).to_have_text(["seed = 0", "seed = 1", "seed = 2"])
    expect(ana.locator(".ob-standings")).to_contain_text("more is better")
    assert faults_of(ana) == []


def test_a_member_reads_the_dictionary_and_changes_nothing(ben: Page, teams: Served) -> None:
    ben.goto(f"{teams.address}/dictionary")
    expect(ben.get_by_role("heading", name="Metrics", exact=True)).to_be_visible()
    expect(ben.locator(".ob-dictionary")).to_contain_text("Who runs the board changes them")
    for name in ("New metric…", "Change", "Remove"):
        expect(ben.get_by_role("button", name=name)).to_have_count(0)
    # Of runs that ben does not see there is no tag.
    expect(ben.locator(".ob-dictionary")).not_to_contain_text("train/grad")


def test_markup_stays_text_and_a_refusal_is_said(ana: Page, teams: Served) -> None:
    errors: list[str] = []
    ana.on("dialog", lambda dialog: errors.append(dialog.message))
    ana.goto(f"{teams.address}/dictionary")
    tag = f"own/{MARKUP}"
    ana.get_by_role("button", name=f"New metric of {tag}").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Name").fill("validation loss")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("of this name already")
    dialog.get_by_label("Name").fill(MARKUP)
    dialog.get_by_label("Unit").fill("<b>x</b>")
    dialog.get_by_label("Description").fill(MARKUP)
    dialog.get_by_role("button", name="Make it").click()
    expect(ana.get_by_role("button", name=f"Change {MARKUP}")).to_be_visible()
    ana.goto(f"{teams.address}/p/*/*/scalars")
    expect(ana.locator(".ob-unit").filter(has_text="<b>x</b>")).to_be_visible()
    ana.goto(f"{teams.address}/dictionary")
    ana.get_by_role("button", name=f"Remove {MARKUP}").click()
    ana.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(ana.get_by_role("button", name=f"Change {MARKUP}")).to_have_count(0)
    assert errors == []


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_fault_in_either_theme(ana: Page, teams: Served, width: int) -> None:
    ana.set_viewport_size({"width": width, "height": 844})
    ana.emulate_media(reduced_motion="reduce")
    for path in ("/dictionary", "/p/*/*/scalars"):
        ana.goto(teams.address + path)
        expect(ana.locator(".ob-people, .ob-unit").first).to_be_visible()
        for theme in ("light", "dark"):
            ana.evaluate(
                "(theme) => document.documentElement.dataset.mantineColorScheme = theme", theme
            )
            assert faults_of(ana) == [], (path, theme)
    ana.goto(f"{teams.address}/dictionary")
    ana.get_by_role("button", name="Change validation loss").click()
    expect(ana.get_by_role("dialog")).to_be_visible()
    assert faults_of(ana) == []
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert ana.evaluate(sideways) <= 0
