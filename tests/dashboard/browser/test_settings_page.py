"""The page of settings, through a real browser and a real server."""

from __future__ import annotations

import json
import math
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from support.boards import scalars
from support.boxes import box_of, boxes_of
from support.served import HOSTILE, Served
from support.waiting import wait_until

pytestmark = pytest.mark.browser

RUNS = 16
OPTIMIZERS = ("adam", "sgd", HOSTILE, "a, b~%")


@pytest.fixture(scope="module")
def swept(served: Served) -> str:
    """Give the address of the page of a sweep: the loss follows lr, and nothing else."""
    for n in range(RUNS):
        hparams = {
            "lr": 10.0 ** (n % 8 - 8) * 1.5,
            "opt": OPTIMIZERS[n // 8 * 2 + n % 2],
            "seed": n % 3,
            "same": 1,
        }
        if n % 5 == 0:
            hparams["drop"] = 0.1 * (n % 4)
        last = math.nan if n == 7 else 1.0 + n % 8
        # Of one moment: the order of the list is that of the names.
        served.board.log(
            f"run{n:02}",
            [scalars("val/loss", [9.0, last]), scalars("speed", [float(n)])],
            project="default/swept",
            logdir="/swept",
            hparams=json.dumps(hparams),
        )
    return f"{served.address}/p/default/swept/hparams"


def test_a_drag_along_an_axis_brushes_it_and_the_address_tells_it(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,last:val/loss")
    expect(said(page)).to_contain_text("16 runs.")

    drag(page, track(page, "hp:lr"), 0.6, 1.1)

    expect(said(page)).to_contain_text("6 in the brushes.")
    expect(page).to_have_url(re.compile(r"br=hp%3Alr~0.0002~0.2$"))
    page.reload()
    expect(said(page)).to_contain_text("6 in the brushes.")
    page.get_by_role("button", name="Clear brushes").click()
    expect(said(page)).not_to_contain_text("brushes.")
    expect(page).not_to_have_url(re.compile("br="))


def test_what_is_brushed_becomes_the_selection_of_every_page(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,hp:seed&br=hp:seed~2~2")

    page.get_by_role("button", name="Show only these 5 runs").click()

    expect(page.locator(".ob-foot")).to_contain_text("5 shown")
    expect(page.get_by_label("Show run02", exact=True)).to_be_checked()
    expect(page.get_by_label("Show run03", exact=True)).not_to_be_checked()
    page.get_by_role("radio", name="Shown", exact=True).click()
    expect(said(page)).to_contain_text("5 runs.")
    page.get_by_label("Show run02", exact=True).uncheck()
    expect(said(page)).to_contain_text("4 runs.")


@pytest.mark.parametrize(
    ("brush", "query"),
    [
        ("hp:lr~1e-5~0.002", "lr >= 0.00001 and lr <= 0.002"),
        ("hp:lr~1e-5~1", "lr >= 0.00001"),
        ("hp:opt~(adam", "opt = adam"),
        ("hp:opt~(adam~a%252C b%257E%2525", 'opt in (adam, "a, b~%")'),
        ("hp:opt~!adam~sgd", "has:hp:opt and opt not in (adam, sgd)"),
        ("hp:drop~-", "not has:hp:drop"),
        ("last:val/loss~*", "val/loss in (nan, inf, -inf)"),
        ("min:val/loss~2~3", "min(val/loss) >= 2 and min(val/loss) <= 3"),
        ("points~0~3", "points <= 3"),
    ],
)
def test_a_brush_becomes_a_query_that_finds_the_same_runs(
    page: Page, swept: str, brush: str, query: str
) -> None:
    key = brush.partition("~")[0]
    page.goto(f"{swept}?ax=hp:lr,{key}&br={brush}&q=run")
    expect(said(page)).to_contain_text("in the brushes.")
    found = re.search(r"(\d+) in the brushes", said(page).inner_text())
    assert found is not None

    page.get_by_role("button", name="Write as query").click()

    expect(page.locator(".ob-panel .ob-query")).to_have_value(f'name ~ "run" and {query}')
    expect(said(page)).to_contain_text(re.compile(rf"^{found[1]} runs?\."))
    expect(page).not_to_have_url(re.compile("br="))
    assert page.locator("img[src=x]").count() == 0


def test_axes_are_moved_by_keyboard_and_by_dragging_and_stay_so(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,hp:opt,last:val/loss")
    names = page.locator(".ob-axis-name")
    expect(names).to_have_text(["lr", "opt", "val/loss"])

    names.first.focus()
    page.keyboard.press("ArrowRight")
    expect(names).to_have_text(["opt", "lr", "val/loss"])
    expect(page.get_by_role("button", name="Axis lr", exact=True)).to_be_focused()
    first, _, last = boxes_of(names)
    page.mouse.move(last["x"] + 50, last["y"] + 8)
    page.mouse.down()
    page.mouse.move(first["x"] + 40, first["y"] + 8, steps=4)
    page.mouse.up()

    expect(names).to_have_text(["val/loss", "opt", "lr"])
    expect(page).to_have_url(re.compile("ax=last%3Aval%2Floss,hp%3Aopt,hp%3Alr"))
    page.reload()
    expect(names).to_have_text(["val/loss", "opt", "lr"])


def test_an_axis_is_brushed_with_the_keyboard_alone(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:opt,hp:seed")
    least = page.get_by_role("slider", name="Least seed")
    least.focus()

    page.keyboard.press("PageUp")
    expect(said(page)).to_contain_text("10 in the brushes.")
    expect(least).to_be_focused()
    page.get_by_role("slider", name="Greatest opt").focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"br=hp%3Aopt~\("))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile(r"br=hp%3Aopt"))
    expect(said(page)).to_contain_text("10 in the brushes.")


def test_a_box_in_a_scatter_plot_brushes_both_axes(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,hp:seed")
    expect(page.get_by_role("img", name="1 scatter plot of lr, seed")).to_be_attached()
    expect(page.locator(".ob-table tbody tr")).to_have_count(RUNS)
    plot = page.locator(".ob-scatter")
    plot.scroll_into_view_if_needed()
    box = box_of(plot)

    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] * 0.2, steps=3)
    page.mouse.up()

    expect(page.locator(".ob-brush")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"br=hp%3Alr~\S+br=hp%3Aseed~\S+"))


def test_one_large_plot_of_two_axes_is_in_the_address(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,hp:seed,last:val/loss")
    page.get_by_role("radio", name="One", exact=True).click()

    page.get_by_label("Across").select_option("hp:seed")

    expect(page).to_have_url(re.compile("xy=hp%3Aseed~last%3Aval%2Floss"))
    expect(page.get_by_role("img", name="1 scatter plot of seed, val/loss")).to_be_visible()


def test_scale_and_colour_are_chosen_on_the_axis_and_kept(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,hp:seed")
    page.get_by_role("button", name="Axis lr", exact=True).click()
    page.get_by_role("radio", name="By rank").click()
    expect(page).to_have_url(re.compile("ax=hp%3Alr~q,hp%3Aseed"))

    page.get_by_role("button", name="Axis seed", exact=True).click()
    page.get_by_role("button", name="Colour by it").click()

    expect(page.locator(".ob-legend")).to_contain_text("seed")
    expect(page).to_have_url(re.compile("hc=hp%3Aseed"))
    page.get_by_label("Colour by").select_option("run")
    expect(page.get_by_text("each run's own", exact=True)).to_be_attached()
    expect(page).to_have_url(re.compile("hc=run"))


def test_settings_are_ranked_by_how_they_go_with_the_metric(page: Page, swept: str) -> None:
    page.goto(swept)
    rows = page.locator(".ob-ranking li")

    expect(rows.first).to_contain_text("higher lr goes with higher best val/loss, over 16 runs")
    expect(rows.nth(1)).to_contain_text(re.compile("may be chance|too few to tell"))
    expect(page.locator(".ob-method")).to_contain_text("1 setting is the same in all of these runs")
    page.get_by_label("Metric", exact=True).select_option("last:speed")

    expect(page).to_have_url(re.compile("ht=last%3Aspeed"))
    expect(rows.first).not_to_contain_text("val/loss")


def test_axes_are_chosen_in_a_sheet(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,last:val/loss&br=hp:lr~0.1~1")
    page.get_by_role("button", name="Axes ▾").click()

    page.get_by_label("Find a setting or metric").fill("spe")
    page.get_by_role("button", name="max of speed").click()
    page.get_by_label("Find a setting or metric").fill("lr")
    page.get_by_role("checkbox", name="lr").uncheck()

    expect(page.locator(".ob-axis-name")).to_have_text(["val/loss", "max speed"])
    expect(page).not_to_have_url(re.compile("br="))


def test_a_line_tells_its_run_and_leads_to_it(page: Page, swept: str) -> None:
    page.goto(f"{swept}?ax=hp:lr,last:speed&q=name+%3D+run03")
    expect(said(page)).to_contain_text("1 run.")
    chart = page.locator(".ob-parallel")
    box = box_of(chart)
    # Of one run every axis has one value, in its middle.
    middle = (box["x"] + box["width"] / 2, box["y"] + 40 + 150)

    page.mouse.move(*middle)
    expect(page.get_by_role("tooltip")).to_contain_text("run03")
    page.mouse.click(*middle)
    page.get_by_role("menuitem", name="About this run").click()

    expect(page).to_have_url(re.compile("/r/"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?q=nobody", "No run matches nobody."),
        ("?sel=&hw=1", "No run is shown. Choose some in the run panel"),
        ("?q=run01", "With one run nothing differs"),
    ],
)
def test_where_there_is_nothing_to_compare_it_says_what_to_do(
    page: Page, swept: str, query: str, words: str
) -> None:
    page.goto(swept + query)

    expect(page.locator(".ob-island")).to_contain_text(words)


def test_runs_without_settings_are_told_how_to_log_them(
    page: Page, served: Served, swept: str
) -> None:
    served.board.log("a", [scalars("loss", [1])], project="default/bare", logdir="/bare")

    page.goto(f"{served.address}/p/default/bare/hparams")

    expect(said(page)).to_contain_text("None of them has logged hyperparameters")


def test_on_a_phone_only_the_axes_scroll_sideways(page: Page, swept: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{swept}?ax=hp:lr,hp:opt,hp:seed,hp:drop,last:val/loss")
    expect(page.locator(".ob-axis")).to_have_count(5)

    widths = page.evaluate(
        """() => [document.documentElement.scrollWidth, innerWidth,
            document.querySelector('.ob-parallel-box').scrollWidth]"""
    )

    assert widths[0] <= widths[1]
    assert widths[2] > widths[1]


def said(page: Page) -> Locator:
    return page.locator(".ob-settings-said")


def track(page: Page, key: str) -> Locator:
    return page.locator(f'.ob-axis-track[data-axis="{key}"]')


def drag(page: Page, axis: Locator, low: float, high: float) -> None:
    """Drag along an axis between two parts of it, from below."""
    # Until the page has its size, axes are made anew.
    box = wait_until(axis.bounding_box, 5.0, "the place of the axis")
    x, bottom = box["x"] + box["width"] / 2, box["y"] + 8 + 300
    page.mouse.move(x, bottom - 300 * low)
    page.mouse.down()
    page.mouse.move(x, bottom - 300 * high, steps=4)
    page.mouse.up()
