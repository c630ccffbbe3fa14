"""What can be asked about people: accounts, teams, who sees what, and what is one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from support.permission_action import Action, Spot
from support.permission_oracle import Need
from support.permission_world import RED, SOMEBODY

__all__ = ["actions_on_people"]

_API: Final = "/api/ui/v1"
_ACCESS: Final = _API + "/p/{team}/{project}/access"
_numbers: Final = count()


def actions_on_people() -> Iterator[Action]:
    """Give an action for each rule on people."""
    yield from _own()
    yield from _dictionary()
    yield from _installation()
    yield from _teams()
    yield from _access()


def _get(path: str, need: Need, **more: Any) -> Action:
    return Action(f"read {path}", "GET", _API + path, need, **more)


def _post(path: str, need: Need, body: Callable[[Spot], Any], **more: Any) -> Action:
    return Action(f"send {path}", "POST", _API + path, need, body=body, **more)


def _own() -> Iterator[Action]:
    for path in ("/me", "/access", "/teams", "/places"):
        yield _get(path, Need.KNOWN, is_list=True)
    yield _get("/sessions", Need.ACCOUNT, is_list=True)
    yield _post("/sessions/end", Need.ACCOUNT, lambda _: {"id": "nosuchsession"})
    # Turned back by what was sent: it got that far.
    yield _post("/prove", Need.KNOWN, lambda _: [], done=400)
    yield _post("/password", Need.KNOWN, lambda _: [], done=400)
    yield _get("/identities", Need.ACCOUNT, is_list=True)
    # Nobody is sent to a provider that the board has not.
    yield _post(
        *("/identities/{purpose}", Need.KNOWN, lambda _: {}),
        segments=lambda _: {"purpose": "nosuchpurpose"},
        done=404,
    )
    yield Action(
        *("disconnect from the provider", "DELETE", _API + "/identities/{identity}", Need.KNOWN),
        segments=lambda _: {"identity": "00" * 32},
        done=404,
    )
    yield _get("/second-factor", Need.ACCOUNT, is_list=True)
    yield _post("/second-factor", Need.ACCOUNT, lambda _: {})
    yield _post("/second-factor/confirm", Need.ACCOUNT, lambda _: [], done=400)
    yield Action("end the second factor", "DELETE", _API + "/second-factor", Need.ACCOUNT)
    yield _get("/tokens", Need.ACCOUNT, is_list=True)
    yield _post("/tokens", Need.ACCOUNT, lambda _: {"name": "made", "scope": "read"})
    yield Action(
        *("revoke a token", "DELETE", _API + "/tokens/{token_id}", Need.KNOWN),
        segments=lambda _: {"token_id": "nosuchtoken"},
        done=404,
    )


def _dictionary() -> Iterator[Action]:
    for path in ("/dictionary", "/dictionary/unclaimed"):
        yield _get(path, Need.MEMBER, is_list=True)
    nothing = {"name": "nosuchmetric", "tag": "nosuchtag"}
    yield _post("/dictionary", Need.NAMING, lambda _: {"name": f"made{next(_numbers)}"})
    yield _post("/dictionary/claim", Need.NAMING, lambda _: nothing, done=404)
    yield _post("/dictionary/drop", Need.NAMING, lambda _: nothing, done=404)
    yield Action("read names", "GET", "/api/v1/metrics", Need.MEMBER, is_list=True)
    yield Action(
        *("name a metric", "POST", "/api/v1/metrics", Need.NAMING),
        body=lambda _: {"name": f"made{next(_numbers)}"},
    )
    yield Action(
        *("forget a metric", "POST", "/api/v1/metrics/drop", Need.NAMING),
        body=lambda _: nothing,
        done=404,
    )


def _installation() -> Iterator[Action]:
    pages = ("/admin/sessions", "/admin/storage", "/admin/ingest")
    for path in (
        "/accounts",
        "/directories",
        "/groups",
        "/audit",
        "/audit.csv",
        "/invitations",
        *pages,
    ):
        yield _get(path, Need.INSPECT, is_list=True)
    somebody: dict[str, Any] = {"segments": lambda _: {"name": SOMEBODY}}
    yield _get("/accounts/{name}/access", Need.INSTANCE, is_list=True, **somebody)
    yield _post("/accounts", Need.INSTANCE, lambda _: {"name": f"made{next(_numbers)}"})
    yield _post("/accounts/{name}/link", Need.INSTANCE, lambda _: {}, **somebody)
    yield Action(
        *("change an account", "PATCH", _API + "/accounts/{name}", Need.INSTANCE),
        body=lambda _: {"disabled": False},
        **somebody,
    )
    ended = {"account": SOMEBODY}
    yield _post("/admin/sessions/end", Need.INSTANCE, lambda _: ended)
    yield Action(
        *("end somebody's second factor", "DELETE", _API + "/accounts/{name}/second-factor"),
        Need.INSTANCE,
        **somebody,
    )
    yield _post("/groups", Need.INSTANCE, lambda _: {"group": f"made{next(_numbers)}"})
    yield _post("/teams", Need.FOUND, lambda _: {"name": f"made{next(_numbers)}"})
    yield _post("/directories/drop", Need.INSTANCE, lambda _: {"path": "/nosuchplace"}, done=404)
    yield _post(
        *("/directories", Need.FOUND),
        lambda s: {"path": "/nosuchplace", "project": f"{s.team}/{s.project}", "trial": True},
        done=404,
    )


def _teams() -> Iterator[Action]:
    of_red: dict[str, Any] = {"segments": lambda _: {"team": RED}}
    yield _get("/teams/{team}/members", Need.TEAM, **of_red)
    nobody = {"name": SOMEBODY, "role": None}
    yield _post("/teams/{team}/members", Need.RUN_TEAM, lambda _: nobody, **of_red)
    yield _post(
        *("/teams/{team}/projects", Need.BUILD),
        lambda _: {"name": f"made{next(_numbers)}", "visibility": "private"},
        **of_red,
    )
    yield _post("/invitations", Need.RUN_TEAM, lambda _: {"team": RED, "role": "viewer"})
    # Looking, and nobody has a role by it: so it needs no password.
    yield _get("/teams/{team}/invitations", Need.BUILD, **of_red)
    yield Action(
        *("revoke a link", "DELETE", _API + "/invitations/{key}", Need.ACCOUNT),
        segments=lambda _: {"key": "00" * 32},
        done=404,
    )


def _access() -> Iterator[Action]:
    yield Action("read who sees", "GET", _ACCESS, Need.OVERSEE)
    yield Action(
        *("say how widely it is seen", "POST", _ACCESS, Need.GRANT),
        body=lambda s: {"visibility": s.visibility},
    )
    yield Action(
        *("grant", "POST", _ACCESS + "/grants", Need.GRANT),
        body=lambda _: {"name": SOMEBODY, "role": None},
    )
    yield Action(
        *("foresee", "POST", _ACCESS + "/preview", Need.ADMINISTER),
        body=lambda s: {"visibility": s.visibility},
    )
