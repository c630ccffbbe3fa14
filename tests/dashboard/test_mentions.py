"""People named in comments: only who may see it, told once, and no longer than they may."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from orgboard_dashboard.markdown import to_html
from orgboard_dashboard.mentions import MAX_NAMED, keys_in, marked, settled, typed
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import Person, add_person, put, sign_in, two_teams

KNOWN = {"ana": (1, "Ana"), "b.c": (2, "b.c"), "a@b.org": (3, "a@b.org")}
RED = "p/red/one"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@ana", {1}),
        ("(@ANA), @b.c.", {1, 2}),
        ("@a@b.org: see", {3}),
        ("mail ana@ana or x@b.c", set()),
        ("`@ana` ``@ana ` @ana``", set()),
        (r"\@ana", set()),
        ("@nobody <@1:Ana>", {1}),
        ("<@2:zz>", set()),
        ("@", set()),
    ],
)
def test_a_name_is_found_where_somebody_is_meant(text: str, named: set[int]) -> None:
    kept, found = marked(text, KNOWN)

    assert found == named
    names = {number: name for number, name in KNOWN.values() if number in found}
    assert "<@" not in typed(kept, names)
    assert marked(typed(kept, names), KNOWN)[1] == found


@given(st.text(st.sampled_from("@an.b<>:12`\\c "), max_size=40))
def test_what_is_typed_comes_back_as_it_was_but_for_the_spelling_of_names(text: str) -> None:
    kept, named = marked(text, KNOWN)
    names = dict(KNOWN.values())

    back = typed(kept, names)

    assert back.casefold() == settled(text, {}).casefold()
    assert named <= {KNOWN[key][0] for key in keys_in(settled(text, {})) if key in KNOWN}


def test_of_very_many_names_the_first_are_named() -> None:
    known = {f"n{n}": (n, f"n{n}") for n in range(30)}

    kept, named = marked(" ".join(f"@n{n}" for n in range(30)), known)

    assert named == set(range(MAX_NAMED))
    assert kept.endswith("@n28 @n29")


def test_a_name_is_drawn_as_one_and_in_code_as_it_was_typed() -> None:
    names = {1: "A<b>&", 2: "b_c_d"}
    text = "<@1:ana> *<@2:x>* <@3:gone>\n\n    <@1:ana>\n\n[<@1:ana>](http://x.y/)"

    html = to_html(settled(text, names), names) or ""

    assert html.count("<mark>@A&lt;b&gt;&amp;</mark>") == 2
    assert "<em><mark>@b_c_d</mark></em> @gone" in html
    assert "<pre><code>@A&lt;b&gt;&amp;\n</code></pre>" in html
    assert "<mark>" not in (to_html(text) or "")


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board of two teams, signed in; each team has a run."""
    for team in ("red", "blue"):
        any_board.log(f"of-{team}", [scalars("loss", [1.0])], project=f"{team}/one", now=1e9)
    return two_teams(any_board)


def _say(person: Person, text: str, run: str = "of-red") -> str:
    return str(person.post(f"r/{person.board.uids[run]}/comments", {"text": text})["id"])


def _inbox(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("mentions")["mentions"]
    assert person.get("mentions/unseen")["unseen"] == sum(one["seen_at"] is None for one in found)
    return found


def test_only_who_may_see_it_is_offered_and_named(ana: Person) -> None:
    ben, eve = sign_in(ana.board, "ben"), sign_in(ana.board, "eve")
    add_person(ana.board, "bea")
    add_person(ana.board, "bot", kind="service")
    put(ana.board, "red", "bot", Role.VIEWER)

    def offered(person: Person, typed_: str) -> list[str]:
        found: list[str] = person.get(f"{RED}/people?q={typed_}")["names"]
        return found

    assert offered(ana, "") == ["ben"]
    assert offered(ben, "a") == ["Ana"]
    # Somebody of no team, and somebody of another one: as if there were none.
    assert offered(ben, "be") == offered(ben, "eve") == offered(ben, "bot") == []
    assert offered(ben, "%25") == offered(ben, "_") == []
    assert eve.ask("GET", f"{RED}/people").status_code == 404

    _say(ben, "@Ana @eve @bea @nobody @bot @ben")

    found = ben.get(f"r/{ana.board.uids['of-red']}/comments")["comments"][0]
    assert found["html"] == "<p><mark>@Ana</mark> @eve @bea @nobody @bot @ben</p>\n"
    assert found["text"] == "@Ana @eve @bea @nobody @bot @ben"
    assert _inbox(eve) == _inbox(ben) == []
    assert [one["author"] for one in _inbox(ana)] == ["ben"]


def test_a_mention_is_seen_once_and_an_edit_tells_only_who_is_new(ana: Person) -> None:
    ben = sign_in(ana.board, "ben")
    add_person(ana.board, "vic")
    put(ana.board, "red", "vic", Role.VIEWER)
    vic = sign_in(ana.board, "vic")
    key = _say(ana, "@ben look")
    other = _say(ana, "@ben again")
    newest, oldest = _inbox(ben)
    assert (newest["id"], oldest["id"]) == (other, key)
    assert (oldest["excerpt"], oldest["about"], oldest["team"]) == ("@ben look", "of-red", "red")
    path = f"r/{ana.board.uids['of-red']}/comments"
    assert [one["news"] for one in ben.get(path)["comments"]] == [True, True]

    assert ben.post("mentions/seen", {"comments": [key, "nosuch"]}) == {"seen": 1}
    ana.post(f"comments/{key}", {"text": "@ben and @vic look"}, "PATCH")

    assert [one["seen_at"] is None for one in _inbox(ben)] == [True, False]
    assert [one["id"] for one in _inbox(vic)] == [key]
    assert [one["news"] for one in ben.get(path)["comments"]] == [False, True]
    assert ben.post("mentions/seen", {"all": True}) == {"seen": 1}
    assert ben.ask("POST", "mentions/seen", {"comments": "all"}).status_code == 400
    ana.post(f"comments/{key}", {"text": "nobody"}, "PATCH")
    assert _inbox(vic) == []
    ana.post(f"comments/{other}", method="DELETE")
    assert _inbox(ben) == []


def test_what_one_may_not_see_any_more_mentions_one_no_more(ana: Person) -> None:
    ben = sign_in(ana.board, "ben")
    view = ana.post(
        f"{RED}/views", {"page": "scalars", "state": "s=0.5", "name": "v", "for_team": True}
    )["view"]["id"]
    _say(ana, "@ben a run")
    ana.post(f"{RED}/views/{view}/comments", {"text": "@ben a view"})
    assert [(one["about"], one["view"], one["page"]) for one in _inbox(ben)] == [
        ("v", view, "scalars"),
        ("of-red", None, ""),
    ]

    put(ana.board, "red", "ben", None)

    assert _inbox(ben) == []
    assert ben.post("mentions/seen", {"all": True}) == {"seen": 0}
    # Who wrote the comment reads it as before.
    path = f"r/{ana.board.uids['of-red']}/comments"
    assert "<mark>@ben</mark>" in ana.get(path)["comments"][0]["html"]
    put(ana.board, "red", "ben", Role.VIEWER)
    assert len(_inbox(ben)) == 2


def test_who_is_called_otherwise_or_asleep_reads_well(ana: Person) -> None:
    ben = sign_in(ana.board, "ben")
    path = f"r/{ana.board.uids['of-red']}/comments"
    _say(ben, "mine")
    _say(ana, "@ben here")
    account = tables.account.c
    with begin_write(ana.board.engine) as conn:
        renamed = {"name": "benno", "name_key": "benno", "disabled_at": 1.0}
        conn.execute(update(tables.account).where(account.name == "ben").values(renamed))

    first, second = ana.get(path)["comments"]

    assert first["author"] == "benno"
    assert (second["text"], second["html"]) == (
        "@benno here",
        "<p><mark>@benno</mark> here</p>\n",
    )
    assert ana.get(f"{RED}/people?q=ben")["names"] == []
    _say(ana, "@benno sleeps")
    assert "<mark>" not in ana.get(path)["comments"][2]["html"]
