"""Whoever writes event files chooses every name and text: none of them runs, all are shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Dialog, Page, expect

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.queries.comments import OnRun, OnView, add_comment
from orgboard_dashboard.queries.edits import Edit, apply_edits, write_note
from orgboard_dashboard.queries.people.embeds import NewEmbed, make_embed
from orgboard_dashboard.queries.remarks import Moment, add_remark
from orgboard_dashboard.queries.views import NewView, list_views, save_view
from orgboard_dashboard.urls import PAGES
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap, Origin
from orgboard_schema.types import Tensor, TensorHistogram
from support.boards import Board, scalars, values
from support.graph_defs import graph_def, logged
from support.payloads import PAYLOADS
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

HOST = SystemViewer()
PLACE = ("evil", "board")
RUNS = 8
BUCKETS = ((-1.0, 0.0, 3.0), (0.0, 1.0, 5.0))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board in which every string that somebody chooses is a payload."""
    with serve_example(tmp_path_factory.mktemp("hostile")) as served:
        for number in range(RUNS):
            _log(served.board, number)
        yield served


def _log(board: Board, number: int) -> None:
    """Store a run of which every string is a payload, each run with others."""
    mine = PAYLOADS[number::RUNS]
    text = Tensor("string", (1,), ("\n\n".join(mine).encode(),))
    uid = board.log(
        mine[0],
        [
            *(scalars(payload, [1.0, float(at), 2.0]) for at, payload in enumerate(mine[:9])),
            *(values(f"text {payload}", "text", [text]) for payload in mine[:3]),
            values(f"{mine[1]}/kernel", "histogram", [TensorHistogram("float64", BUCKETS)] * 2),
            logged(graph_def([(name, name[:60], ()) for name in mine])),
        ],
        project="/".join(PLACE),
        hparams=json.dumps(dict(pairwise(mine))),
        gaps=[NewGap(100, 5, mine[2])],
        origin=Origin(mine[3], mine[4]),
    )
    with begin_write(board.engine) as conn:
        edits = [Edit((uid,), "tag", tuple(sorted(p.replace(",", "")[:60] for p in mine[5:8])))]
        if number % 2:
            edits.append(Edit((uid,), "name", mine[8].replace("\u2028", "")))
        apply_edits(HOST, conn, *PLACE, edits, time.time())
        note = write_note(HOST, conn, uid, "\n\n".join(mine[::-1]), None, time.time() - 9)
        write_note(HOST, conn, uid, "\n\n".join(mine), note.written_at, time.time())
        for payload in mine[13:19]:
            add_comment(HOST, conn, OnRun(uid), payload, None, time.time())
        for payload in mine[9:12]:
            add_remark(HOST, conn, *PLACE, Moment(uid, 1), payload, time.time())
        view = NewView("scalars", "q=a", mine[12].replace("\u2028", ""), for_team=True)
        key = save_view(HOST, conn, *PLACE, view, time.time()).view.id
        for payload in mine[19:22]:
            add_comment(HOST, conn, OnView(*PLACE, key), f"{payload} @evil", None, time.time())


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """Give a page on which nothing that was logged may run, and which asks nobody."""
    asked: list[str] = []

    def note(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    yield page
    assert page.evaluate("window.pwned") is None
    assert asked == []


def _wait(page: Page) -> None:
    expect(page.locator("#ob-page")).not_to_be_empty()
    page.wait_for_function("document.querySelector('.ob-skeleton, [aria-busy=true]') === null")


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 200


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_was_logged_runs_on_a_page(watched: Page, served: Served, name: str) -> None:
    runs = ",".join(list(served.board.uids.values())[-RUNS:])
    watched.goto(f"{served.address}/p/evil/board/{name}?sel={runs}")
    _wait(watched)

    expect(watched.locator("#ob-panel")).to_contain_text(PAYLOADS[0])
    watched.mouse.move(700, 400)
    watched.keyboard.press("Control+k")
    watched.keyboard.type("script")
    found = watched.get_by_role("listbox", name="What was found")
    expect(found.get_by_role("option").first).to_be_visible()
    watched.keyboard.press("Escape")


def test_nothing_runs_on_the_page_of_a_run(watched: Page, served: Served) -> None:
    uid = served.board.uids[PAYLOADS[0]]

    watched.goto(f"{served.address}/r/{uid}")
    _wait(watched)

    expect(watched.get_by_role("heading", name=PAYLOADS[0])).to_be_visible()
    expect(watched.locator("#ob-page")).to_contain_text(PAYLOADS[RUNS])
    said = watched.get_by_role("region", name="Comments", exact=True).get_by_role("listitem")
    expect(said).to_have_count(6)
    expect(said.first).to_contain_text(PAYLOADS[13 * RUNS][:20])
    watched.get_by_role("button", name="1 earlier version").click()
    expect(watched.locator(".ob-diff")).to_contain_text(PAYLOADS[RUNS])


def test_nothing_runs_beside_a_view_that_is_talked_about(watched: Page, served: Served) -> None:
    with begin_read(served.board.engine) as conn:
        view = list_views(HOST, conn, *PLACE)[0]

    watched.goto(f"{served.address}/p/evil/board/scalars?v={view.id}")
    _wait(watched)
    watched.get_by_role("button", name="3 comments on this view").click()

    side = watched.get_by_role("complementary", name=f"Comments on the view {view.name}")
    expect(side.get_by_role("listitem")).to_have_count(3)


def test_nothing_runs_where_it_is_told_what_a_team_did(watched: Page, served: Served) -> None:
    watched.goto(f"{served.address}/t/evil/feed")

    lines = watched.locator(".ob-feed li")
    expect(lines.filter(has_text="made 72 comments")).to_have_count(1)
    expect(lines.filter(has_text="is damaged")).to_have_count(RUNS)
    expect(watched.locator(".ob-feed")).to_contain_text(PAYLOADS[4 * RUNS])


def test_nothing_runs_in_a_frame(watched: Page, served: Served) -> None:
    for number in range(RUNS):
        mine = PAYLOADS[number::RUNS]
        # A title is one line that can be printed.
        title = next(payload for payload in mine if payload.isprintable() and len(payload) < 200)
        new = NewEmbed(
            mine[1], "s=0", title, ("https://wiki.example",), (served.board.uids[mine[0]],)
        )
        secret = new_secret()
        with begin_write(served.board.engine) as conn:
            made = make_embed(HOST, conn, *PLACE, secret, new, time.time())

        watched.goto(f"{served.address}/embed/{made.id}#{secret}")

        expect(watched.locator(".scatterlayer .js-line")).to_have_count(1)
        assert watched.get_by_role("heading").text_content() == title.strip()
        assert watched.evaluate("document.querySelectorAll('main script, main img').length") == 0


def test_payloads_run_where_nobody_is_careful(page: Page) -> None:
    """The canary sings: what the other tests look for would have been seen."""
    page.set_content(f"<p>{PAYLOADS[7]}</p>")

    page.wait_for_function("window.pwned !== undefined")
