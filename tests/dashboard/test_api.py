"""Projects, runs, tags, values and blobs over the API, on both engines."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.patterns import matcher
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.types import Blob, Media, Metadata, Tensor
from support.boards import Board, scalars, values

API = "/api/ui/v1"
PROJECT = f"{API}/p/default/board"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
HOSTILE = "<script>alert(1)</script> ` ' \" \\ \u202e \N{PILE OF POO} a/../b"


def _get(board: Board, path: str) -> Any:
    answer = board.ask("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_projects_are_listed_with_what_lives_in_them(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1])])
    any_board.log("b", [scalars("loss", [1])], now=1.7e9)
    any_board.log("c", [scalars("loss", [1])], project="vision/cats", logdir="/cats", now=1.7e9)

    listed = _get(any_board, f"{API}/projects")

    assert [(p["team"], p["project"], p["runs"], p["live"]) for p in listed] == [
        ("default", "board", 2, 1),
        ("vision", "cats", 1, 0),
    ]


def test_runs_are_filtered_sorted_and_paged(any_board: Board) -> None:
    for n, name in enumerate(["b/2", "a/1", "B", "é", "a/10"]):
        any_board.log(name, [scalars("loss", [1.0] * (n + 1))], now=1.7e9 + n)

    by_name = _get(any_board, f"{PROJECT}/runs?sort=name")
    filtered = _get(any_board, f"{PROJECT}/runs?q=^a/&sort=-points&limit=1&offset=1")

    # By code point: capitals first, accents last, on either engine.
    assert [run["name"] for run in by_name["runs"]] == ["B", "a/1", "a/10", "b/2", "é"]
    assert (filtered["total"], filtered["matching"]) == (5, 2)
    assert [run["name"] for run in filtered["runs"]] == ["a/1"]


@pytest.mark.parametrize("key", ["name", "started", "last_event", "last_step", "points", "status"])
def test_every_order_of_runs_can_be_turned_round(any_board: Board, key: str) -> None:
    for n in range(3):
        any_board.log(f"run{n}", [scalars("loss", [1.0] * (n + 1))])

    up = _get(any_board, f"{PROJECT}/runs?sort={key}")["runs"]
    down = _get(any_board, f"{PROJECT}/runs?sort=-{key}")["runs"]

    assert len(up) == len(down) == 3
    if key in {"name", "points", "last_step"}:
        assert [run["uid"] for run in up] == [run["uid"] for run in reversed(down)]


@pytest.mark.parametrize("filtered", ["", "&q=run"])
def test_runs_without_a_value_come_last_and_pages_join_up(any_board: Board, filtered: str) -> None:
    for n, points in enumerate([3, 0, 7, 0, 5]):
        chunks = [scalars("loss", [1.0] * points)] if points else []
        any_board.log(f"run{n}", chunks)

    def names(sort: str) -> list[str]:
        pages = [
            _get(any_board, f"{PROJECT}/runs?sort={sort}{filtered}&limit=2&offset={offset}")
            for offset in (0, 2, 4, 6)
        ]
        assert {(page["total"], page["matching"]) for page in pages} == {(5, 5)}
        return [run["name"] for page in pages for run in page["runs"]]

    assert names("last_step") == ["run0", "run4", "run2", "run1", "run3"]
    assert names("-last_step") == ["run2", "run4", "run0", "run1", "run3"]


@pytest.mark.parametrize(
    "query", ["q=(", "q=%5B", "q=(?=a)", "sort=secret", "limit=0", "limit=100000", "offset=-1"]
)
def test_a_wrong_question_about_runs_says_what_is_wrong(board: Board, query: str) -> None:
    board.log("run", [scalars("loss", [1])])

    answer = board.ask("GET", f"{PROJECT}/runs?{query}")

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_a_pattern_that_would_take_for_ever_elsewhere_does_not_here() -> None:
    assert not matcher("(a+)+$")("a" * 100_000 + "!")


parts = st.text("aB1_/,:= -", min_size=1, max_size=3)


@given(parts, st.text("aB1_/,:= -\udc80é\n", max_size=8))
def test_a_part_of_a_name_is_found_as_re2_finds_it(part: str, text: str) -> None:
    assert matcher(part)(text) == matcher(f"(?:{part})")(text)


def test_a_pattern_without_end_is_refused() -> None:
    with pytest.raises(BadQuery, match="longer"):
        matcher("a" * 10_000)


def test_names_are_shown_as_they_are_however_hostile(any_board: Board) -> None:
    odd = "caf\udce9\0"
    any_board.log(HOSTILE, [scalars(HOSTILE, [1])])
    any_board.log(odd, [scalars("loss", [1])])

    runs = _get(any_board, f"{PROJECT}/runs?sort=name")["runs"]
    tags = _get(any_board, f"{PROJECT}/tags?kind=scalar")["tags"]

    assert {run["name"] for run in runs} == {HOSTILE, odd}
    assert {tag["name"] for tag in tags} == {HOSTILE, "loss"}


def test_tags_are_listed_by_code_point_with_what_writers_said(any_board: Board) -> None:
    said = Metadata(plugin="scalars", display_name="Loss", description="per batch")
    any_board.log("a", [scalars("b", [1]), scalars("B", [1])], metadata={("b", "scalar"): said})
    uid = any_board.log("c", [scalars("b", [1])])

    every = _get(any_board, f"{PROJECT}/tags?kind=scalar")["tags"]
    some = _get(any_board, f"{PROJECT}/tags?kind=scalar&runs={uid}")["tags"]

    assert [(tag["name"], tag["runs"]) for tag in every] == [("B", 1), ("b", 2)]
    assert (every[1]["display_name"], every[1]["description"]) == ("Loss", "per batch")
    assert [(tag["name"], tag["runs"]) for tag in some] == [("b", 1)]


def test_a_runs_page_has_its_files_gaps_and_series(any_board: Board) -> None:
    uid = any_board.log(
        "run", [scalars("loss", [3, 1, math.nan])], gaps=[NewGap(48, 12, "checksum")]
    )

    shown = _get(any_board, f"{API}/r/{uid}")

    assert (shown["team"], shown["project"], shown["logdir"]) == ("default", "board", "/logs")
    assert shown["run"]["damaged"] is True
    assert [file["offset"] for file in shown["files"]] == [100]
    assert [(gap["offset"], gap["length"], gap["reason"]) for gap in shown["gaps"]] == [
        (48, 12, "checksum")
    ]
    assert [(s["name"], s["kind"], s["n"], s["last_step"]) for s in shown["series"]] == [
        ("loss", "scalar", 3, 2)
    ]


def test_what_may_not_be_seen_is_answered_like_what_does_not_exist(any_board: Board) -> None:
    any_board.log("mine", [scalars("loss", [1])], logdir="/mine")
    hidden = any_board.log("theirs", [scalars("l", [1])], project="team/theirs", logdir="/theirs")
    picture = Media((Blob(PNG, "image/png"),))
    any_board.log(
        "theirs", [values("i", "image", [picture])], project="team/theirs", logdir="/theirs"
    )
    web = any_board.web(logdirs=("/mine",))
    sha = hashlib.sha256(PNG).hexdigest()
    post = {"cards": [{"tag": 1}], "runs": [hidden]}
    one = {"id": "g", "runs": [hidden]}
    grouped = {**post, "groups": [one], "by": "hp:lr", "chart": "l"}
    pairs = [
        ("GET", f"{API}/p/team/theirs/runs", f"{API}/p/team/nothing/runs", None),
        ("GET", f"{API}/p/team/theirs/tags?kind=scalar", f"{API}/p/no/no/tags?kind=scalar", None),
        ("GET", f"{API}/p/team/theirs/live", f"{API}/p/no/no/live", None),
        ("GET", f"{API}/p/team/theirs/hparams", f"{API}/p/no/no/hparams", None),
        ("GET", f"{API}/p/team/theirs/values?kind=image", f"{API}/p/n/n/values?kind=image", None),
        ("POST", f"{API}/p/team/theirs/scalars", f"{API}/p/no/no/scalars", post),
        *(
            ("GET", f"{API}/p/team/theirs/{of}?runs={hidden}", f"{API}/p/no/no/{of}", None)
            for of in ("annotations", "layouts", "metrics")
        ),
        *(
            ("POST", f"{API}/p/team/theirs/{of}", f"{API}/p/no/no/{of}", grouped)
            for of in ("groups", "bands", "expressions")
        ),
        ("GET", f"{API}/r/{hidden}", f"{API}/r/abcdefghijkl", None),
        ("GET", f"{API}/r/{hidden}/blob/{sha}", f"{API}/r/abcdefghijkl/blob/{sha}", None),
    ]

    answers = [
        [any_board.ask(method, path, web=web, json=body) for path in (there, nowhere)]
        for method, there, nowhere, body in pairs
    ]

    for seen, unseen in answers:
        assert seen.status_code == unseen.status_code == 404
        assert seen.content == unseen.content
        assert seen.headers == unseen.headers
    listed = any_board.ask("GET", f"{API}/projects", web=web).json()
    assert [project["project"] for project in listed] == ["board"]
    inside = any_board.ask("POST", f"{PROJECT}/scalars", web=web, json=post)
    assert b'"lines":[]' in inside.content


def test_texts_are_given_raw_and_as_safe_html(any_board: Board) -> None:
    text = b"# Title\n<img src=x onerror=alert(1)> [link](javascript:alert(1)) **bold**"
    any_board.log("run", [values("notes", "text", [Tensor("string", (1,), (text,))])])

    (series,) = _get(any_board, f"{PROJECT}/values?kind=text")["series"]

    (point,) = series["points"]
    assert point["strings"] == [text.decode()]
    (html,) = point["html"]
    assert "<h1>Title</h1>" in html
    assert "<strong>bold</strong>" in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_only_so_much_text_is_rendered_and_of_each_series_the_newest_first(board: Board) -> None:
    texts = [Tensor("string", (1,), (b"x" * 30_000,)) for _ in range(6)]
    board.log("run", [values("a", "text", texts), values("b", "text", texts)])

    series = _get(board, f"{PROJECT}/values?kind=text")["series"]

    rendered = [[point["html"] != [None] for point in one["points"]] for one in series]
    assert rendered == [[False] * 3 + [True] * 3] * 2


def test_many_texts_of_one_step_share_what_may_be_rendered(board: Board) -> None:
    board.log("run", [values("a", "text", [Tensor("string", (9,), (b"x" * 30_000,) * 9)])])

    (series,) = _get(board, f"{PROJECT}/values?kind=text")["series"]

    assert [text is not None for text in series["points"][0]["html"]] == [True] * 6 + [False] * 3


def test_the_newest_values_come_and_the_rest_is_counted(any_board: Board) -> None:
    texts = [Tensor("string", (1,), (str(n).encode(),)) for n in range(20)]
    any_board.log("run", [values("notes", "text", texts)])

    (series,) = _get(any_board, f"{PROJECT}/values?kind=text&limit=3")["series"]

    assert series["total"] == 20
    assert [point["step"] for point in series["points"]] == [17, 18, 19]


def test_pictures_come_as_blobs_that_can_run_nothing(any_board: Board) -> None:
    media = Media((Blob(PNG, "image/png", "a cat"), Blob(SVG, "image/svg+xml")), 4, 3)
    uid = any_board.log("run", [values("photo", "image", [media])])

    (series,) = _get(any_board, f"{PROJECT}/values?kind=image&runs={uid}")["series"]
    png, svg = (
        any_board.ask("GET", f"{API}/r/{uid}/blob/{blob['sha256']}")
        for blob in series["points"][0]["blobs"]
    )

    assert (series["points"][0]["width"], series["points"][0]["height"]) == (4, 3)
    assert series["points"][0]["blobs"][0]["label"] == "a cat"
    assert (png.content, png.headers["content-type"]) == (PNG, "image/png")
    assert svg.content == SVG
    assert svg.headers["content-type"] == "application/octet-stream"
    assert svg.headers["content-disposition"] == "attachment"
    for answer in (png, svg):
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("sha256", ["a", "0" * 64, "A" * 64, "..%2f..%2fetc", "0" * 63 + "g"])
def test_a_blob_that_is_not_the_runs_does_not_exist(board: Board, sha256: str) -> None:
    uid = board.log("run", [scalars("loss", [1])])

    assert board.ask("GET", f"{API}/r/{uid}/blob/{sha256}").status_code == 404


def test_hyperparameters_stand_beside_where_each_metric_is(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [3, 2])], hparams='{"lr": 0.1, "opt": "adam"}')
    any_board.log("b", [scalars("loss", [5])], hparams='{"lr": 0.2, "deep": true}')
    any_board.log("c", [scalars("loss", [9])])

    table = _get(any_board, f"{PROJECT}/hparams")

    metric = str(table["metrics"][0]["id"])
    assert table["names"] == ["deep", "lr", "opt"]
    assert [(run["name"], run["hparams"], run["metrics"][metric]) for run in table["runs"]] == [
        ("a", {"lr": 0.1, "opt": "adam"}, 2.0),
        ("b", {"lr": 0.2, "deep": True}, 5.0),
    ]


def test_numbers_that_json_lacks_are_null(any_board: Board) -> None:
    uid = any_board.log("run", [scalars("loss", [math.inf], wall=[math.nan])])

    shown = any_board.ask("GET", f"{API}/r/{uid}")

    assert "NaN" not in shown.text
    assert "Infinity" not in shown.text
    assert shown.json()["series"][0]["n"] == 1


def test_a_database_that_went_away_is_told_in_one_line(board: Board) -> None:
    board.log("run", [scalars("loss", [1])])
    web = board.web()
    board.engine.dispose()
    path = board.engine.url.database
    assert path is not None
    with Path(path).open("r+b") as file:
        file.write(b"no database any more" * 100)

    ready = board.ask("GET", "/readyz", web=web)
    asked = board.ask("GET", f"{API}/projects", web=web)
    alive = board.ask("GET", "/healthz", web=web)

    assert (ready.status_code, asked.status_code, alive.status_code) == (503, 503, 200)
    assert "database" in asked.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/ui/v1/r/%00", 404),
        (f"/api/ui/v1/r/%00/blob/{'0' * 64}", 404),
        ("/api/ui/v1/p/%00/%00/runs", 404),
        (f"{PROJECT}/tags?kind=scalar&runs=%00", 200),
        (f"{PROJECT}/values?kind=text&runs=a%00", 200),
    ],
)
def test_a_name_with_a_nul_is_nobodys_on_each_engine(
    any_board: Board, path: str, status: int
) -> None:
    any_board.log("run", [scalars("loss", [1.0])])

    assert any_board.ask("GET", path).status_code == status


@pytest.mark.parametrize("q", ["", "run"])
def test_a_page_far_behind_the_last_run_is_empty(any_board: Board, q: str) -> None:
    any_board.log("run", [scalars("loss", [1.0])])

    found = _get(any_board, f"{PROJECT}/runs?q={q}&offset={10**30}")

    assert (found["total"], found["matching"], found["runs"]) == (1, 1, [])
