"""Say what each principal may do, from the written rules alone.

This page was written from the design (accounts), the reliability reference (5.1) and issue 7,
before its author had read one line of the code that enforces them. It knows no SQL, no route and
no module of the board, so that the permission matrix compares two opinions and not one with itself.
Some rules were added when it met the code, which had answers where the texts have none; each is
marked with a plus.

The rules, as read:

- a project belongs to one team; its visibility is private, team or organisation;
- roles are viewer < editor < admin, held on a team or granted on a project;
- the effective role is the highest of: the grant on the project; the role on the owning team where
  visibility is team or organisation; viewer for every account where it is organisation; admin for
  instance admins. Nothing denies, so nothing else takes a role away;
- what may not be seen does not exist: it answers as what was never there;
- what may be seen and not done is refused;
- nobody, and whose session ended, ran out or belongs to a disabled account, is asked to sign in,
  whatever is asked for, so that the answer says nothing of what there is;
- a token gives its owner's present role within its scope, and never more: reading, or writing;
  bound to a team or a project it sees nothing else. Grants, accounts and the installation are
  never reached by token, and neither is what needs an admin's role, for no scope gives that;
- a share link reads its one target and nothing beside it: of the views that people keep, the one
  whose address it has, and no list;
+ a graph from somebody's disk is the project's, and of none of its runs: a share link to one run
  does not show it;
+ what people of the board say to each other (comments, what a note said before) a share link does
  not read: it shows a page, and not what is said of it;
+ a card in another site's frame is read by its own secret alone, which opens nothing else:
  everybody else, whoever that is, finds nothing there; it shows what its maker may see at present,
  and of that its own runs; whose pages may frame it is told to everybody who knows its address;
+ a run is watched by a person with an account, in person, who sees it, whatever else that one may;
+ a view goes with what was said of it: with what others said, who runs the project removes it;
+ whoever sees a run or a view may comment on it; whom one might name there, a person is told only;
+ tokens are for programs: to who comes by one, nothing exists outside the API for programs;
+ the door, where one signs in, is open to everybody who comes without a token;
+ what gives somebody a way in or a role wants a password: a board without accounts has none, so
  nobody does it there in a browser, and no program anywhere; nor is it looked at where first;
+ who may change nothing anywhere (a read-only board, a reading token, a share link) is refused a
  change before it is looked at where: the answer is the same for what is and what is not there;
+ what the organisation calls its metrics is read by all who are of it, and by no guest; who runs
  the installation says it, also by a writing token that is bound to no team or project;
- a board without accounts is its one person's: everything, or everything but changes if read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final

__all__ = ["Answer", "Need", "Place", "Principal", "Rank", "Scope", "Share", "Standing", "answer"]


class Rank(IntEnum):
    """A role; NONE is to see nothing."""

    NONE = 0
    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


class Need(Enum):
    """What an action asks of who does it."""

    OPEN = "nothing, not even to be known"
    DOOR = "nothing yet"
    FRAMED = "to hold the secret of that very card, and to have it from somebody who sees its runs"
    KNOWN = "to be somebody, whoever it is"
    SEE = "to see the project"
    WHOLE = "to see the project, and not one run of it alone"
    MINE = "to see what one keeps in the project for oneself"
    AMONG = "to see what people of the board say to each other in the project"
    WATCH = "to see the project, in person and with an account"
    OVERSEE = "to be an admin of the project, looking at who else sees it"
    OWN = "to see the project and change something of one's own in it"
    ADDRESS = "to see the project, in person, and write to somebody in it"
    EDIT = "to change what is in the project"
    ADMINISTER = "to be an admin of the project"
    GRANT = "to be an admin of the project, in person with a password, and say who else sees it"
    MEMBER = "to be of the organisation, by a program too, and no guest by a share link"
    NAMING = "to run the installation, by a program bound to no place too, saying what things are"
    ACCOUNT = "to be a person with an account, in person"
    INSPECT = "to run the installation, looking"
    FOUND = "to run the installation, changing what gives nobody a way in"
    INSTANCE = "to be an instance admin, in person"
    TEAM = "to be in the team"
    BUILD = "to be an admin of the team, making what gives nobody a role"
    RUN_TEAM = "to be an admin of the team, in person"


_CHANGES: Final = (Need.OWN, Need.ADDRESS, Need.EDIT, Need.ADMINISTER, Need.GRANT)
_NOT_SHARED: Final = (Need.MINE, Need.AMONG)


class Answer(Enum):
    """How the board answers."""

    ALLOWED = "allowed"
    INVISIBLE = "invisible"
    FORBIDDEN = "forbidden"
    SIGN_IN = "sign in"


class Standing(Enum):
    """What kind of principal asks, after the board has looked whether they still stand."""

    STRANGER = "nobody, or a session that no longer counts"
    LOCAL = "the one person of a board without accounts"
    LOCAL_READER = "the same, on a read-only board"
    ACCOUNT = "an account that stands"
    SHARED = "who holds a share link"
    FRAMED = "who holds the secret of a card in another site's frame"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token was made for."""

    write: bool
    team: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a share link or a card elsewhere shows: a whole project, or one run of it."""

    project: str
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, in the words of the rules; roles of a card elsewhere are its maker's."""

    standing: Standing
    instance_admin: bool = False
    teams: Mapping[str, Rank] = field(default_factory=dict)
    grants: Mapping[str, Rank] = field(default_factory=dict)
    token: Scope | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked about: a project, and a run of it where the action names one."""

    project: str
    team: str
    visibility: str
    run: str | None = None


def answer(
    who: Principal, need: Need, place: Place | None, *, in_api: bool = True, team: str = ""
) -> Answer:
    """Tell the answer that the rules want; `place` is None where no project is asked about.

    Of what is asked of no project, "forbidden" is any refusal: it may say that there is nothing.
    """
    if need is Need.OPEN:
        return Answer.ALLOWED
    if need is Need.FRAMED:
        shown = place is not None and who.standing is Standing.FRAMED and effective(who, place)
        return Answer.ALLOWED if shown else Answer.INVISIBLE
    if who.standing is Standing.FRAMED:
        # It comes as programs do, and is none.
        return Answer.SIGN_IN if in_api else Answer.INVISIBLE
    if who.token is not None and not in_api:
        return Answer.INVISIBLE
    if need is Need.DOOR:
        return Answer.ALLOWED
    if who.standing is Standing.STRANGER:
        return Answer.SIGN_IN
    if place is None:
        return Answer.ALLOWED if _may_without_place(who, need, team) else Answer.FORBIDDEN
    if need is Need.GRANT and not (who.standing is Standing.ACCOUNT and who.token is None):
        return Answer.FORBIDDEN
    if need in _CHANGES and not _may_change_anything(who):
        return Answer.FORBIDDEN
    rank = effective(who, place)
    if rank is Rank.NONE or (need in _NOT_SHARED and who.standing is Standing.SHARED):
        return Answer.INVISIBLE
    if need is Need.WHOLE and who.share is not None and who.share.run is not None:
        return Answer.INVISIBLE
    if need is Need.WATCH and who.standing is not Standing.ACCOUNT:
        return Answer.INVISIBLE
    if need in (Need.KNOWN, Need.SEE, Need.WHOLE, Need.WATCH, *_NOT_SHARED):
        return Answer.ALLOWED
    return Answer.ALLOWED if _may_change(who, need, rank) else Answer.FORBIDDEN


def effective(who: Principal, place: Place) -> Rank:
    """The role of `who` at `place`: the highest that any rule gives."""
    if who.standing in (Standing.LOCAL, Standing.LOCAL_READER):
        return Rank.ADMIN
    if who.standing is Standing.SHARED:
        return Rank.VIEWER if _shows(who.share, place) else Rank.NONE
    if who.standing is Standing.FRAMED and not _shows(who.share, place):
        return Rank.NONE
    if who.token is not None and not _within(who.token, place):
        return Rank.NONE
    given = [who.grants.get(place.project, Rank.NONE)]
    if place.visibility in ("team", "organisation"):
        given.append(who.teams.get(place.team, Rank.NONE))
    if place.visibility == "organisation":
        given.append(Rank.VIEWER)
    if who.instance_admin:
        given.append(Rank.ADMIN)
    return max(given)


def _within(scope: Scope, place: Place) -> bool:
    return scope.team in (None, place.team) and scope.project in (None, place.project)


def _shows(share: Share | None, place: Place) -> bool:
    if share is None or share.project != place.project:
        return False
    return share.run is None or share.run == place.run


def _may_change_anything(who: Principal) -> bool:
    if who.standing in (Standing.LOCAL_READER, Standing.SHARED):
        return False
    return who.token is None or who.token.write


def _may_change(who: Principal, need: Need, rank: Rank) -> bool:
    """Whether somebody who sees the project may do more than look at it."""
    if who.token is not None and need not in (Need.OWN, Need.EDIT):
        return False
    if need is Need.OVERSEE and not _may_change_anything(who):
        return False
    least = {Need.OWN: Rank.VIEWER, Need.ADDRESS: Rank.VIEWER, Need.EDIT: Rank.EDITOR}
    return rank >= least.get(need, Rank.ADMIN)


def _may_name(who: Principal) -> bool:
    if not _may_change_anything(who):
        return False
    is_bound = who.token is not None and (who.token.team or who.token.project) is not None
    return not is_bound and (who.instance_admin or who.standing is Standing.LOCAL)


def _may_without_place(who: Principal, need: Need, team: str) -> bool:
    if need is Need.KNOWN:
        return True
    if need is Need.MEMBER:
        return who.standing is not Standing.SHARED
    if need is Need.NAMING:
        return _may_name(who)
    if who.standing is Standing.SHARED or who.token is not None:
        return False
    if who.standing is not Standing.ACCOUNT:
        looks = need in (Need.INSPECT, Need.TEAM)
        return looks or (need in (Need.FOUND, Need.BUILD) and who.standing is Standing.LOCAL)
    if need is Need.ACCOUNT or who.instance_admin:
        return True
    least = {Need.TEAM: Rank.VIEWER, Need.BUILD: Rank.ADMIN, Need.RUN_TEAM: Rank.ADMIN}
    return need in least and who.teams.get(team, Rank.NONE) >= least[need]
