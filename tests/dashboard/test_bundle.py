"""Our scripts and styles as one answer each, and what Dash does not lay into pages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from orgboard_dashboard import shell
from orgboard_dashboard.shell import bundle
from support.boards import Board

ASSETS = Path(shell.__file__).parents[1] / "assets"


def _joined(board: Board, ending: str) -> str:
    page = board.ask("GET", "/p/default/board/runs").text
    found = re.search(rf'"(/assets/all\.[0-9a-f]+\.{ending})"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(("ending", "pattern"), [("js", "ob/*.js"), ("css", "*.css")])
def test_every_file_is_in_the_one_answer_in_order(board: Board, ending: str, pattern: str) -> None:
    answer = board.ask("GET", _joined(board, ending))

    at = [answer.text.index(file.read_text("utf-8")) for file in sorted(ASSETS.glob(pattern))]
    assert len(at) > 10
    assert at == sorted(at)
    assert "immutable" in answer.headers["cache-control"]


def test_it_goes_packed_to_who_can_unpack_it(board: Board) -> None:
    path = _joined(board, "js")
    plain = board.ask("GET", path, headers={"accept-encoding": "identity"})
    packed = board.ask("GET", path, headers={"accept-encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.content == bundle.scripts_of(ASSETS).body
    assert len(gzip.compress(plain.content, 6)) < len(plain.content) / 3


def test_its_name_changes_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "ob").mkdir()
    (tmp_path / "ob" / "a.js").write_text("one();")
    before = bundle.scripts_of(tmp_path)
    again = bundle.scripts_of(tmp_path)
    (tmp_path / "ob" / "a.js").write_text("two();")

    assert before.path == again.path != bundle.scripts_of(tmp_path).path
    assert gzip.decompress(before.packed) == before.body


def test_another_name_is_not_there(board: Board) -> None:
    assert board.ask("GET", "/assets/all.0000000000000000.js").status_code == 404


def test_a_page_has_no_script_that_it_does_not_need(board: Board) -> None:
    page = board.ask("GET", "/p/default/board/runs").text

    scripts = re.findall(r'<script src="([^"]+)"', page)
    unneeded = "polyfill|dash_table|dash_core|dash_ag_grid|/ob/"
    assert not [src for src in scripts if re.search(unneeded, src)]
    # React before ours, ours before Dash: what they find when they start.
    order = ["deps/react@", "/assets/all.", "dash_renderer"]
    assert [part for src in scripts for part in order if part in src] == order


def test_every_component_of_the_shell_has_its_library_in_the_page(board: Board) -> None:
    page = board.ask("GET", "/p/default/board/runs").text
    layout = board.ask("GET", "/_dash-layout").text

    used = set(re.findall(r'"namespace":"([^"]+)"', layout))
    assert used
    assert not [name for name in used if not re.search(rf'<script src="[^"]+/{name}\.', page)]


def test_what_dash_asks_for_first_is_on_its_way_before(board: Board) -> None:
    page = board.ask("GET", "/p/default/board/runs").text

    early = re.findall(r'<link rel="preload" href="([^"]+)" as="fetch" crossorigin>', page)
    assert early == ["/_dash-layout", "/_dash-dependencies"]
