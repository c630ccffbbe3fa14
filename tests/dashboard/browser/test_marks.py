"""Marks on charts: restarts, remarks, and values that are no numbers, through a real browser."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgboard_schema.sql.flush import Restart
from orgboard_schema.types import Tensor
from support.boards import scalars, values
from support.served import HOSTILE, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def marked(served: Served) -> str:
    """Give the scalars page of a project with a restarted run that its script remarked on."""
    place: Any = {"project": "default/marked", "logdir": "/marked"}
    told = Tensor("string", (), (json.dumps({"text": f"lr halved {HOSTILE}"}).encode(),))
    served.board.log(
        "a",
        [
            scalars("loss", [*range(50), math.nan, math.inf]),
            values("orgboard/annotation", "tensor", [told], step=[10]),
        ],
        **place,
    )
    served.board.log(
        "a",
        [scalars("loss", range(30, 50), step=range(30, 50), attempt=1)],
        restarts=[Restart(1, "loss", "scalar", 30)],
        **place,
    )
    served.board.log("b", [scalars("loss", [math.nan, 1, math.inf, 2])], **place)
    return f"{served.address}/p/default/marked/scalars"


def test_restarts_and_remarks_are_marks_that_tell_their_words(page: Page, marked: str) -> None:
    page.goto(marked)
    marks = page.get_by_role("group", name="Marks").get_by_role("button")
    expect(marks).to_have_count(2)

    marks.first.hover()
    expect(page.locator(".ob-flagtip")).to_have_text(f"lr halved {HOSTILE} · a")
    marks.last.hover()
    expect(page.locator(".ob-flagtip")).to_have_text("attempt 1 went on from step 30 · a")

    assert page.locator("img[src=x]").count() == 0


def test_marks_are_one_stop_of_the_keyboard_and_arrows_walk_them(page: Page, marked: str) -> None:
    page.goto(marked)
    marks = page.get_by_role("group", name="Marks").get_by_role("button")
    expect(marks).to_have_count(2)

    marks.first.focus()
    page.keyboard.press("ArrowRight")

    expect(marks.last).to_be_focused()
    expect(page.locator(".ob-flagtip")).to_contain_text("attempt 1")
    expect(page.locator(".ob-flags [tabindex='0']")).to_have_count(1)


def test_attempts_are_switched_on_as_faint_branches(page: Page, marked: str) -> None:
    page.goto(f"{marked}?s=0")
    lines = page.locator(".ob-card .scatterlayer path.js-line")
    expect(lines).to_have_count(2)

    page.get_by_label("Attempts").check()

    expect(lines).to_have_count(3)
    opacity = page.evaluate(
        """() => document.querySelector('.ob-plot').data
            .filter((trace) => /_0_line$/.test(trace.uid)).map((trace) => trace.opacity)"""
    )
    assert [value < 1 for value in opacity] == [True]


def test_the_tooltip_tells_what_is_no_number_where_it_happened(page: Page, marked: str) -> None:
    page.goto(f"{marked}?s=0")
    expect(page.locator(".ob-card .scatterlayer .point")).to_have_count(2)
    x = page.evaluate(
        """() => { const card = document.querySelector('.ob-card').card;
            const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
            return scale.left + scale.x(0); }"""
    )

    page.locator(".ob-stage").hover(position={"x": x + 1, "y": 60})

    expect(page.get_by_role("tooltip").first).to_contain_text("NaN at step 0 · b")


def test_what_people_remarked_is_marked_on_the_run_and_on_every_run(
    page: Page, served: Served
) -> None:
    place: Any = {"project": "default/told", "logdir": "/told"}
    uid = served.board.log("a", [scalars("loss", range(50))], **place)
    path = f"{served.address}/api/ui/v1/p/default/told/remarks"
    for remark in (
        {"run": uid, "step": 10, "text": f"warm-up ends {HOSTILE}"},
        {"step": 30, "text": "new data"},
        {"run": uid, "text": "of the whole run, at no moment"},
    ):
        answer = page.request.post(path, data=remark, headers={"origin": served.address})
        assert answer.ok, answer.text()

    page.goto(f"{served.address}/p/default/told/scalars")
    marks = page.get_by_role("group", name="Marks").get_by_role("button")
    expect(marks).to_have_count(2)
    for mark, words in (
        (marks.first, f"warm-up ends {HOSTILE} · a"),
        (marks.last, "new data · every run"),
    ):
        mark.hover()
        expect(page.locator(".ob-flagtip")).to_have_text(words)
    # Where the run was at that step.
    page.get_by_role("radio", name="Relative").click()
    expect(marks).to_have_count(2)
