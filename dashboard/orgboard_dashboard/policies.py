"""The one table of what may be asked, and by whom. What is not in it does not exist.

The gate looks up every HTTP request here before any other code runs. Routes that Dash
opens and we do not want are named in `REFUSED`, so that a test can tell "refused on
purpose" from "forgotten".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "CHANGING",
    "FILE_BYTES",
    "NAMELESS",
    "REFUSED",
    "Body",
    "Policy",
    "Rule",
    "RuleTable",
    "rules_for",
]

Policy = Literal["open", "door", "watch", "embed", "view", "own", "edit"]
"""open: anybody, nothing of anyone's is in it. door: anybody, to become a viewer. watch: programs
of this machine, and who may see everything; numbers of the whole board. embed: who comes by the
secret of the card that the path names, and by nothing else; no cookie is looked at. view: a
viewer, who sees what is theirs. own: a viewer, who changes what is about itself: a session, a
password. edit: a viewer who may change what is seen. All that change something are asked by a page
of this board, or by a token."""

CHANGING: Final[frozenset[Policy]] = frozenset({"door", "own", "edit"})
NAMELESS: Final[frozenset[Policy]] = frozenset({"open", "door"})
"""What is answered without asking who it is."""

Body = Literal["json", "file"]
"""What a question is: JSON, or the bytes of a file. Neither can a page of another site send without
asking first."""

_KIB: Final = 1024
_CALLBACK_BODY: Final = 1024 * _KIB
_QUESTION_BODY: Final = 64 * _KIB
"""A question about 12 cards and some hundred runs fits well."""
_CHANGE_BODY: Final = 512 * _KIB
"""A note of 64 KiB fits however JSON escapes it, and so do the names of 3000 runs."""
FILE_BYTES: Final = 32 * 1024 * _KIB
"""A graph of a hundred thousand nodes as text; the page leaves weights out before it sends one."""

REFUSED: Final = (
    "/_dash-ws-callback",  # Dash opens it with websocket callbacks off; we use none
    "/_reload-hash",  # a development tool
    "{path:path}",  # Dash's catch-all: an index page for every unknown address
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may ask one path with one method, and how long the question may be."""

    method: str
    path: str
    """As FastAPI writes it: `{name}` is one segment, `{name:path}` the rest."""
    policy: Policy
    body_limit_bytes: int = 0
    action: str = ""
    """What it is called in the audit log, when it is noted who asks for it and may not."""
    takes: Body = "json"

    def named(self, path: str) -> dict[str, str]:
        """Return what a path names, by what the rule calls it."""
        pairs = zip(self.path.split("/"), path.split("/"), strict=False)
        return {key[1:-1]: part for key, part in pairs if key.startswith("{")}


@dataclass(frozen=True, slots=True)
class RuleTable:
    """Rules with their patterns compiled."""

    rules: tuple[Rule, ...]
    patterns: tuple[re.Pattern[str], ...]

    def match(self, method: str, path: str) -> Rule | None:
        """Return the rule of a request, or None: the request is denied."""
        for rule, pattern in zip(self.rules, self.patterns, strict=True):
            if rule.method == method and pattern.fullmatch(path):
                return rule
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that some rule allows for `path`."""
        pairs = zip(self.rules, self.patterns, strict=True)
        return tuple(sorted({rule.method for rule, pattern in pairs if pattern.fullmatch(path)}))


_API: Final = "/api/ui/v1"
_PROJECT: Final = _API + "/p/{team}/{project}"

_PUBLIC: Final = "/api/v1"
_PUBLIC_PROJECT: Final = _PUBLIC + "/projects/{team}/{project}"

_PROGRAMS: Final = (
    Rule("GET", _PUBLIC + "/openapi.json", "view"),
    Rule("GET", _PUBLIC + "/projects", "view"),
    Rule("GET", _PUBLIC_PROJECT + "/runs", "view"),
    Rule("GET", _PUBLIC_PROJECT + "/tags", "view"),
    Rule("GET", _PUBLIC_PROJECT + "/points", "view"),
    Rule("POST", _PUBLIC_PROJECT + "/edits", "edit", _CHANGE_BODY),
    Rule("GET", _PUBLIC + "/runs/{uid}", "view"),
    Rule("POST", _PUBLIC + "/runs/{uid}/note", "edit", _CHANGE_BODY),
    Rule("GET", _PUBLIC_PROJECT + "/comments", "view"),
    Rule("GET", _PUBLIC + "/runs/{uid}/comments", "view"),
    Rule("POST", _PUBLIC + "/runs/{uid}/comments", "edit", _QUESTION_BODY),
    Rule("PATCH", _PUBLIC + "/comments/{key}", "edit", _QUESTION_BODY),
    Rule("DELETE", _PUBLIC + "/comments/{key}", "edit", _QUESTION_BODY, "comment.removed"),
    Rule("GET", _PUBLIC + "/metrics", "view"),
    Rule("POST", _PUBLIC + "/metrics", "edit", _CHANGE_BODY, "metric.change"),
    Rule("POST", _PUBLIC + "/metrics/drop", "edit", _QUESTION_BODY, "metric.remove"),
)

_FRAMES: Final = (
    Rule("GET", "/embed/{embed_id}", "open"),
    Rule("GET", "/embed/{embed_id}/card", "embed"),
)
"""What a page of another site may show in a frame, and what that frame asks for."""

_FIXED: Final = (
    Rule("GET", "/healthz", "open"),
    Rule("GET", "/readyz", "open"),
    Rule("GET", "/metrics", "watch"),
    Rule("GET", "/assets/{path:path}", "open"),
    Rule("GET", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}", "open"),
    Rule("GET", "/_favicon.ico", "open"),
    Rule("GET", "/sign-in", "open"),
    Rule("POST", "/sign-in", "door", _QUESTION_BODY),
    Rule("POST", "/sign-in/provider", "door", _QUESTION_BODY),
    Rule("GET", "/sign-in/back", "open"),
    Rule("POST", "/sign-in/back", "door", _QUESTION_BODY),
    Rule("GET", "/welcome", "open"),
    Rule("POST", "/welcome", "door", _QUESTION_BODY),
    Rule("GET", "/s", "open"),
    Rule("POST", "/s", "door", _QUESTION_BODY),
    Rule("POST", "/welcome/look", "door", _QUESTION_BODY),
    *_FRAMES,
    Rule("POST", "/sign-out", "own", _QUESTION_BODY),
    Rule("GET", "/", "view"),
    Rule("GET", "/p/{team}/{project}", "view"),
    Rule("GET", "/r/{uid}", "view"),
    Rule("GET", "/account", "view"),
    Rule("GET", "/account/mentions", "view"),
    Rule("GET", "/t/{team}/feed", "view"),
    Rule("GET", "/dictionary", "view"),
    Rule("GET", "/admin", "view"),
    Rule("GET", "/admin/{section}", "view"),
    Rule("GET", "/_dash-layout", "view"),
    Rule("GET", "/_dash-dependencies", "view"),
    Rule("POST", "/_dash-update-component", "view", _CALLBACK_BODY),
    Rule("GET", _API + "/me", "view"),
    Rule("GET", _API + "/access", "view"),
    Rule("GET", _API + "/sessions", "view"),
    Rule("POST", _API + "/sessions/end", "own", _QUESTION_BODY),
    Rule("POST", _API + "/prove", "own", _QUESTION_BODY),
    Rule("POST", _API + "/password", "own", _QUESTION_BODY),
    Rule("GET", _API + "/identities", "view"),
    Rule("POST", _API + "/identities/{purpose}", "own", _QUESTION_BODY),
    Rule("DELETE", _API + "/identities/{identity}", "own", _QUESTION_BODY),
    Rule("GET", _API + "/second-factor", "view"),
    Rule("POST", _API + "/second-factor", "own", _QUESTION_BODY),
    Rule("DELETE", _API + "/second-factor", "own", _QUESTION_BODY),
    Rule("POST", _API + "/second-factor/confirm", "own", _QUESTION_BODY),
    Rule(
        *("DELETE", _API + "/accounts/{name}/second-factor", "edit", _QUESTION_BODY),
        "second.gone",
    ),
    Rule("GET", _API + "/groups", "view"),
    Rule("POST", _API + "/groups", "edit", _QUESTION_BODY, "group.set"),
    Rule("GET", _API + "/directories", "view"),
    Rule("POST", _API + "/directories", "edit", _QUESTION_BODY, "logdir.rule"),
    Rule("POST", _API + "/directories/drop", "edit", _QUESTION_BODY, "logdir.rule"),
    Rule("GET", _API + "/dictionary", "view"),
    Rule("GET", _API + "/dictionary/unclaimed", "view"),
    Rule("POST", _API + "/dictionary", "edit", _CHANGE_BODY, "metric.change"),
    Rule("POST", _API + "/dictionary/claim", "edit", _QUESTION_BODY, "metric.change"),
    Rule("POST", _API + "/dictionary/drop", "edit", _QUESTION_BODY, "metric.remove"),
    Rule("GET", _API + "/tokens", "view"),
    Rule("POST", _API + "/tokens", "own", _QUESTION_BODY, "token.made"),
    Rule("DELETE", _API + "/tokens/{token_id}", "own", _QUESTION_BODY, "token.revoked"),
    Rule("GET", _API + "/accounts", "view"),
    Rule("POST", _API + "/accounts", "edit", _QUESTION_BODY, "account.made"),
    Rule("PATCH", _API + "/accounts/{name}", "edit", _QUESTION_BODY, "account.set"),
    Rule("POST", _API + "/accounts/{name}/link", "edit", _QUESTION_BODY, "password.link"),
    Rule("GET", _API + "/accounts/{name}/access", "view"),
    Rule("GET", _API + "/invitations", "view"),
    Rule("POST", _API + "/invitations", "edit", _QUESTION_BODY, "account.invite"),
    Rule("DELETE", _API + "/invitations/{key}", "edit", _QUESTION_BODY, "link.revoked"),
    Rule("GET", _API + "/teams/{team}/invitations", "view"),
    Rule("GET", _API + "/teams", "view"),
    Rule("POST", _API + "/teams", "edit", _QUESTION_BODY, "team.made"),
    Rule("GET", _API + "/teams/{team}/members", "view"),
    Rule("POST", _API + "/teams/{team}/members", "edit", _QUESTION_BODY, "member.set"),
    Rule("POST", _API + "/teams/{team}/projects", "edit", _QUESTION_BODY, "project.made"),
    Rule("GET", _API + "/places", "view"),
    Rule("GET", _PROJECT + "/access", "view"),
    Rule("POST", _PROJECT + "/access", "edit", _QUESTION_BODY, "visibility.set"),
    Rule("POST", _PROJECT + "/access/grants", "edit", _QUESTION_BODY, "grant.set"),
    Rule("POST", _PROJECT + "/access/preview", "edit", _QUESTION_BODY),
    Rule("GET", _API + "/admin/sessions", "view"),
    Rule("POST", _API + "/admin/sessions/end", "edit", _QUESTION_BODY, "session.end"),
    Rule("GET", _API + "/admin/storage", "view"),
    Rule("GET", _API + "/admin/ingest", "view"),
    Rule("GET", _API + "/audit", "view"),
    Rule("GET", _API + "/audit.csv", "view"),
    Rule("GET", _API + "/projects", "view"),
    Rule("GET", _PROJECT + "/runs", "view"),
    Rule("GET", _PROJECT + "/fields", "view"),
    Rule("GET", _PROJECT + "/tags", "view"),
    Rule("POST", _PROJECT + "/scalars", "view", _QUESTION_BODY),
    Rule("POST", _PROJECT + "/summary", "view", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/export", "view"),
    Rule("GET", _PROJECT + "/annotations", "view"),
    Rule("GET", _PROJECT + "/layouts", "view"),
    Rule("GET", _PROJECT + "/metrics", "view"),
    Rule("POST", _PROJECT + "/groups", "view", _QUESTION_BODY),
    Rule("POST", _PROJECT + "/bands", "view", _QUESTION_BODY),
    Rule("POST", _PROJECT + "/expressions", "view", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/values", "view"),
    Rule("POST", _PROJECT + "/histograms", "view", _QUESTION_BODY),
    Rule("POST", _PROJECT + "/layers", "view", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/hparams", "view"),
    Rule("POST", _PROJECT + "/settings", "view", _QUESTION_BODY),
    Rule("POST", _PROJECT + "/standings", "view", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/live", "view"),
    Rule("GET", _PROJECT + "/me", "view"),
    Rule("GET", _PROJECT + "/run-tags", "view"),
    Rule("POST", _PROJECT + "/edits", "edit", _CHANGE_BODY),
    Rule("POST", _PROJECT + "/deletion/preview", "view", _CHANGE_BODY),
    Rule("POST", _PROJECT + "/deletion", "edit", _CHANGE_BODY, "run.delete"),
    Rule("POST", _PROJECT + "/moves", "edit", _CHANGE_BODY, "run.move"),
    Rule("GET", _PROJECT + "/deleted", "view"),
    Rule("POST", _PROJECT + "/restoration", "edit", _CHANGE_BODY, "run.restore"),
    Rule("GET", _PROJECT + "/remarks", "view"),
    Rule("POST", _PROJECT + "/remarks", "edit", _QUESTION_BODY),
    Rule("PATCH", _PROJECT + "/remarks/{key}", "edit", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/views", "view"),
    Rule("POST", _PROJECT + "/views", "edit", _CHANGE_BODY),
    Rule("GET", _PROJECT + "/views/{key}", "view"),
    Rule("PATCH", _PROJECT + "/views/{key}", "edit", _CHANGE_BODY),
    Rule("DELETE", _PROJECT + "/views/{key}", "edit", _QUESTION_BODY, "view.removed"),
    Rule("GET", _PROJECT + "/shares", "view"),
    Rule("POST", _PROJECT + "/shares", "edit", _QUESTION_BODY, "share.made"),
    Rule("DELETE", _PROJECT + "/shares/{share_id}", "edit", _QUESTION_BODY, "share.revoked"),
    Rule("GET", _PROJECT + "/graphs", "view"),
    Rule("POST", _PROJECT + "/graphs", "edit", FILE_BYTES, "graph.added", "file"),
    Rule("DELETE", _PROJECT + "/graphs/{key}", "edit", _QUESTION_BODY, "graph.removed"),
    Rule("GET", _PROJECT + "/embeds", "view"),
    Rule("POST", _PROJECT + "/embeds", "edit", _QUESTION_BODY, "embed.made"),
    Rule("DELETE", _PROJECT + "/embeds/{embed_id}", "edit", _QUESTION_BODY, "embed.revoked"),
    Rule("GET", _PROJECT + "/views/{key}/comments", "view"),
    Rule("POST", _PROJECT + "/views/{key}/comments", "edit", _QUESTION_BODY),
    Rule("GET", _PROJECT + "/people", "view"),
    Rule("GET", _API + "/r/{uid}/comments", "view"),
    Rule("POST", _API + "/r/{uid}/comments", "edit", _QUESTION_BODY),
    Rule("PATCH", _API + "/comments/{key}", "edit", _QUESTION_BODY),
    Rule("DELETE", _API + "/comments/{key}", "edit", _QUESTION_BODY, "comment.removed"),
    Rule("GET", _API + "/mentions", "view"),
    Rule("GET", _API + "/mentions/unseen", "view"),
    Rule("POST", _API + "/mentions/seen", "own", _QUESTION_BODY),
    Rule("GET", _API + "/watches", "view"),
    Rule("GET", _API + "/r/{uid}/watch", "view"),
    Rule("POST", _API + "/r/{uid}/watch", "own", _QUESTION_BODY),
    Rule("DELETE", _API + "/r/{uid}/watch", "own", _QUESTION_BODY),
    Rule("GET", _API + "/news", "view"),
    Rule("GET", _API + "/t/{team}/feed", "view"),
    Rule("POST", _API + "/news/seen", "own", _QUESTION_BODY),
    Rule("GET", _API + "/r/{uid}/note/versions", "view"),
    Rule("GET", _API + "/r/{uid}/note/versions/{version}", "view"),
    Rule("POST", _API + "/r/{uid}/note", "edit", _CHANGE_BODY),
    Rule("GET", _API + "/r/{uid}", "view"),
    Rule("GET", _API + "/r/{uid}/blob/{sha256}", "view"),
    Rule("GET", _API + "/r/{uid}/graphs", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/scope", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/node", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/search", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/trace", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/layers", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/measured", "view"),
    Rule("GET", _API + "/r/{uid}/graphs/{sha256}/difference", "view"),
)


def rules_for(pages: Sequence[str], *, frames: bool = True) -> RuleTable:
    """Return the whole table of a board that has these pages of a project.

    `frames`: whether cards may be shown by pages of other sites at all.
    """
    project_pages = tuple(Rule("GET", "/p/{team}/{project}/" + page, "view") for page in pages)
    rules = _FIXED + _PROGRAMS + project_pages
    return _compiled(rule for rule in rules if frames or rule not in _FRAMES)


def _compiled(rules: Iterable[Rule]) -> RuleTable:
    kept = tuple(rules)
    return RuleTable(kept, tuple(_pattern(rule.path) for rule in kept))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    return re.compile("".join(_piece(part) for part in parts), re.DOTALL)


def _piece(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith(":path}") else "[^/]+"
