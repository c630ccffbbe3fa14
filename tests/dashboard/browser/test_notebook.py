"""The board of the `%orgboard` magic, in a frame of a page that this machine serves to itself."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from orgboard import SummaryWriter
from orgboard.integrations.ipython import Boards
from support.other_site import pages_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ANSWER_WITHIN_MS = 30_000


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Boards]:
    monkeypatch.setenv("ORGBOARD_DB", str(tmp_path / "board.db"))
    running = Boards()
    yield running
    running.stop()


@pytest.mark.browser
def test_a_notebook_shows_the_board_in_a_frame(boards: Boards, tmp_path: Path, page: Page) -> None:
    with SummaryWriter(tmp_path / "logs" / "first") as writer:
        writer.add_scalar("loss", 0.5, 1)
    board = boards.show([str(tmp_path / "logs")])
    notebook = f'<iframe src="{board.address}" width="1000" height="800"></iframe>'
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "notebook.html").write_text(notebook)

    with pages_of(tmp_path / "pages") as address:
        page.goto(f"{address}/notebook.html")

        shown = page.frame_locator("iframe").get_by_text("first", exact=True).first
        expect(shown).to_be_visible(timeout=ANSWER_WITHIN_MS)


def test_the_same_directories_are_the_same_board_until_it_has_ended(
    boards: Boards, tmp_path: Path
) -> None:
    board = boards.show([str(tmp_path)])

    again = boards.show([str(tmp_path / ".." / tmp_path.name)])
    is_running = board.is_running()
    boards.stop()

    assert again is board
    assert is_running
    assert not board.is_running()
    address = urlsplit(board.address)
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address.hostname or "", address.port).connect()
    assert boards.show([str(tmp_path)]) is not board


def test_a_board_that_cannot_start_says_why(boards: Boards, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="does not exist: give the directory"):
        boards.show([str(tmp_path / "nothing")])
