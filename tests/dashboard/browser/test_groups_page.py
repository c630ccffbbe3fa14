"""Groups of runs on the scalars page, through a real browser and a real server."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from support.boards import scalars
from support.served import Served

pytestmark = pytest.mark.browser

SEEDS = 3
STEPS = 400


@pytest.fixture(scope="module")
def seeds(served: Served) -> str:
    """Give the address of the pages of a project with two settings of three seeds each."""
    rng = np.random.default_rng(0)
    for lr in (0.1, 0.01):
        for seed in range(SEEDS):
            loss = lr * np.arange(STEPS) + seed + rng.normal(size=STEPS) * 0.01
            if (lr, seed) == (0.1, 2):
                loss[123] = 500.0
            served.board.log(
                f"lr{lr}-s{seed}",
                [scalars("loss", loss[: STEPS - 100 * seed])],
                project="default/seeds",
                logdir="/seeds",
                hparams=json.dumps({"lr": lr, "seed": seed, "same": 1}),
            )
    return f"{served.address}/p/default/seeds"


def test_runs_are_grouped_from_the_panel_and_the_address_tells_it(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars")
    expect(lines(page)).to_have_count(2 * 2 * SEEDS)

    page.get_by_label("Group runs by", exact=True).select_option(label="lr")

    expect(traces(page, "_band")).to_have_count(2)
    expect(traces(page, "_line")).to_have_count(2)
    expect(page).to_have_url(re.compile("g=hp%3Alr"))
    expect(page.locator(".ob-group")).to_have_text(["lr = 0.013 runs", "lr = 0.13 runs"])
    expect(page.locator(".ob-card footer")).to_contain_text(
        "mean of 1\u20133 runs, aligned by step"
    )
    page.reload()
    expect(traces(page, "_band")).to_have_count(2)


def test_a_spike_of_one_run_is_in_the_band_of_its_group(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr")
    expect(traces(page, "_band")).to_have_count(2)

    highest = page.evaluate(
        """() => document.querySelector('.ob-plot').data
            .filter((trace) => trace.uid.endsWith('_band')).map((trace) => Math.max(...trace.y))"""
    )

    assert max(highest) == 500


def test_line_and_band_are_chosen_and_asked_of_the_server(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr")
    expect(traces(page, "_band")).to_have_count(2)

    with page.expect_request("**/bands") as asked:
        page.get_by_label("Line of a group").select_option("median")
    assert json.loads(asked.value.post_data or "")["line"] == "median"
    expect(page.locator(".ob-card footer")).to_contain_text("median of")
    page.get_by_label("Band of a group").select_option("none")

    expect(traces(page, "_band")).to_have_count(0)
    expect(page).to_have_url(re.compile("gl=median&gb=none"))


def test_every_run_may_have_its_line_in_the_colour_of_its_group(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr&s=0")
    expect(traces(page, "_line")).to_have_count(2)

    page.get_by_label("Line of a group").select_option(label="Every run")

    expect(traces(page, "_band")).to_have_count(0)
    expect(lines(page)).to_have_count(2 * SEEDS)
    colors: list[str] = lines(page).evaluate_all(
        "(paths) => paths.map((path) => path.getAttribute('stroke'))"
    )
    assert [colors.count(color) for color in set(colors)] == [SEEDS, SEEDS]
    expect(page.get_by_label("Band of a group")).to_be_hidden()
    expect(page).to_have_url(re.compile("gl=each"))


def test_a_part_of_the_name_groups_and_a_broken_pattern_is_explained(
    page: Page, seeds: str
) -> None:
    page.goto(f"{seeds}/scalars")
    expect(lines(page)).to_have_count(2 * 2 * SEEDS)

    page.get_by_label("Group runs by", exact=True).select_option(label="part of the name")
    pattern = page.get_by_label("Group runs by what this regular expression")
    pattern.fill("-s(\\d)")
    expect(page.locator(".ob-group .ob-name")).to_have_text(["0", "1", "2"])
    pattern.fill("-s(")

    expect(page.locator(".ob-groupbar [role=alert]")).to_contain_text("not a regular expression")
    expect(pattern).to_have_value("-s(")


def test_pointing_at_a_group_tells_its_spread_and_shows_its_runs(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr")
    expect(traces(page, "_band")).to_have_count(2)

    page.locator(".ob-group").first.hover()
    expect(page.locator(".ob-ghosts path")).to_have_count(SEEDS)
    page.locator(".ob-stage").hover(position={"x": 80, "y": 60})

    tip = page.get_by_role("tooltip")
    expect(tip.locator("thead")).to_contain_text("groupmeansmoothedlowhighrunsstep")
    expect(tip.locator("tbody tr")).to_have_count(2)
    expect(tip.locator("tbody tr").first).to_contain_text("3 of 3")


def test_groups_are_drawn_on_the_axes_that_runs_have(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr&x=rstep&lx=1&y=sym&s=0")
    expect(traces(page, "_band")).to_have_count(2)

    expect(page.locator(".ob-card footer")).to_contain_text("aligned by relative step")
    drawn = page.evaluate(
        """() => {
            const plot = document.querySelector('.ob-plot');
            const band = plot.data.find((trace) => trace.uid.endsWith('_band'));
            return [plot.layout.xaxis.type, Math.min(...band.x), Math.max(...band.y)];
        }"""
    )
    assert drawn[:2] == ["log", 1]
    # Its values go to some tens; its levels do not.
    assert drawn[2] < 10
    page.locator(".ob-group").first.hover()
    expect(page.locator(".ob-ghosts path")).to_have_count(SEEDS)
    page.locator(".ob-stage").hover(position={"x": 200, "y": 60})

    expect(page.get_by_role("tooltip").locator("thead")).to_contain_text("runsrelative step")


def test_a_group_opens_to_its_runs_by_the_keyboard(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr")
    group = page.get_by_role("button", name="lr = 0.01")

    group.focus()
    page.keyboard.press("Enter")

    expect(group).to_have_attribute("aria-expanded", "true")
    expect(group).to_be_focused()
    expect(page.locator(".ob-member .ob-name")).to_have_text([f"lr0.01-s{n}" for n in range(3)])


def test_a_run_that_is_unticked_leaves_its_group(page: Page, seeds: str) -> None:
    page.goto(f"{seeds}/scalars?g=hp:lr")
    expect(traces(page, "_band")).to_have_count(2)

    page.get_by_label("Show lr0.1-s0").uncheck()

    expect(page.locator(".ob-group").last).to_contain_text("2 runs")


def test_points_that_come_in_move_the_line_of_their_group(page: Page, served: Served) -> None:
    def log(**more: Any) -> None:
        served.board.log("a", project="default/grow", logdir="/grow", **more)

    log(chunks=[scalars("loss", [1, 2])], hparams='{"lr": 1}')
    page.goto(f"{served.address}/p/default/grow/scalars?g=hp:lr")
    expect(page.locator(".ob-card footer")).to_contain_text("2 points")

    log(chunks=[scalars("loss", [3, 4, 5], step=[2, 3, 4])])

    expect(page.locator(".ob-card footer")).to_contain_text("5 points")


def lines(page: Page) -> Any:
    return page.locator(".ob-card .scatterlayer path.js-line")


def traces(page: Page, ending: str) -> Any:
    """Find the traces whose name ends so; Plotly makes their names classes."""
    return page.locator(f".ob-card .scatterlayer .trace[class$='{ending}']")
