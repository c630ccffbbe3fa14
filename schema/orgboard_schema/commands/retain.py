"""`orgboard db retain`: put aside, delete or thin old runs, shown first, done with --apply."""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

from orgboard_schema.commands import thinning
from orgboard_schema.commands.arguments import Actions, add_action, open_database
from orgboard_schema.errors import OrgboardError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from orgboard_schema.sql.retention import Planned, Policy
    from orgboard_schema.sql.thinning.plan import Thinnable

__all__ = ["add_parser", "run"]

ROWS_AT_ONCE: Final = 500
"""Deleted in one transaction: holds ingest up for milliseconds."""


def add_parser(actions: Actions) -> argparse.ArgumentParser:
    """Declare the action."""
    parser = add_action(
        actions,
        "retain",
        "archive, delete or thin runs that have not grown for some days",
        more="Without --apply it only tells what would happen and what that frees. Event files"
        " are never touched, and neither deleted runs nor points that were thinned are read again"
        " from them. May be stopped at any time and run again, while ingest runs.",
        example="orgboard db retain --db board.db --archive-after 90 --delete-after 365 --apply",
        statuses="0 done, 2 wrong usage or set-up, 78 the database is newer than this program",
    )
    parser.add_argument(
        "--archive-after", metavar="DAYS", type=_days, help="put aside: off the run table, kept"
    )
    parser.add_argument(
        "--delete-after", metavar="DAYS", type=_days, help="delete what is stored of the run"
    )
    thinning.add_arguments(parser)
    parser.add_argument("--project", metavar="TEAM/PROJECT", help="only runs of this project")
    parser.add_argument(
        "--run",
        metavar="RE",
        dest="names",
        type=_pattern,
        help="only runs in whose name this regular expression is found",
    )
    parser.add_argument("--apply", action="store_true", help="do it")
    return parser


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Tell what the policy does with which run; with --apply, do it."""
    from orgboard_schema.sql import migrate
    from orgboard_schema.sql.engine import begin_read
    from orgboard_schema.sql.retention import planned
    from orgboard_schema.sql.thinning.plan import planned_thinning

    policy = _policy(options)
    engine = open_database(options.db, create=False)
    try:
        migrate.check_version(engine)
        with begin_read(engine) as conn:
            now = time.time()
            plans = list(planned(conn, policy, now=now))
            thins = list(planned_thinning(conn, policy, now=now))
        if options.apply:
            plans, thins = _apply(engine, plans, thins, policy, out)
        else:
            for plan in plans:
                print(f"would {plan.fate} {_told(plan)}", file=out)
            thinning.print_plans(thins, out)
        would = "" if options.apply else "would "
        _print_sums(plans, would, out)
        thinning.print_sums(thins, would, out)
        if not plans and not thins:
            print(_nothing(policy), file=out)
    finally:
        engine.dispose()
    return 0


def _policy(options: argparse.Namespace) -> Policy:
    from orgboard_schema.sql.registry import parse_project
    from orgboard_schema.sql.retention import Policy

    rule = thinning.rule_of(options)
    if options.archive_after is None and options.delete_after is None and rule is None:
        raise OrgboardError(
            "retain needs --archive-after DAYS or --delete-after DAYS or --thin-after DAYS"
        )
    try:
        project = None if options.project is None else parse_project(options.project)
    except ValueError as error:
        raise OrgboardError(f"--project: {error}") from error
    return Policy(options.archive_after, options.delete_after, project, options.names, rule)


def _apply(
    engine: Engine,
    plans: Sequence[Planned],
    thins: Sequence[Thinnable],
    policy: Policy,
    out: TextIO,
    clock: Callable[[], float] = time.time,
) -> tuple[list[Planned], list[Thinnable]]:
    """Do what was planned, a line for each run; return what was done."""
    from orgboard_schema.sql.delete import remove_deleted
    from orgboard_schema.sql.engine import begin_write
    from orgboard_schema.sql.retention import settle
    from orgboard_schema.sql.space import give_back

    done = []
    for plan in plans:
        now = clock()
        with begin_write(engine) as conn:
            is_done = settle(conn, plan, policy, now=now)
        what = f"{plan.fate}d" if is_done else "left alone, it has changed:"
        print(f"{_when(now)} {what} {_told(plan)}", file=out, flush=True)
        if is_done:
            done.append(plan)
    # Also what an earlier one that was stopped has left.
    removing = True
    while removing:
        with begin_write(engine) as conn:
            removing = remove_deleted(conn, ROWS_AT_ONCE)
    thinned = thinning.thin(engine, thins, policy, clock, _when, out)
    if policy.thin is not None:
        # Here, too.
        thinning.sweep(engine, clock())
    if policy.thin is not None or any(plan.fate == "delete" for plan in done):
        for _ in give_back(engine):
            pass
    return done, thinned


def _told(plan: Planned) -> str:
    return (
        f"{plan.project} run {plan.name!r} ({plan.uid}), last grown {_when(plan.written_at)}:"
        f" {plan.space.points:,} points, {_octets(plan):,} bytes"
    )


def _octets(plan: Planned) -> int:
    return plan.space.point_bytes + plan.space.blob_bytes


def _print_sums(plans: Sequence[Planned], would: str, out: TextIO) -> None:
    """Print one line for each project and fate: runs, bytes, points by kind."""
    groups: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for plan in plans:
        groups[plan.project, plan.fate].append(plan)
    for (project, fate), some in sorted(groups.items()):
        kinds: Counter[str] = Counter()
        for plan in some:
            kinds.update(plan.points)
        points = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        octets = sum(map(_octets, some))
        frees = f"{octets:,} bytes freed" if fate == "delete" else "nothing freed"
        what = f"{would}{fate}" if would else f"{fate}d"
        print(f"{project}: {what} {len(some):,} runs, {frees} ({points or 'no points'})", file=out)


def _nothing(policy: Policy) -> str:
    # With a rule there may well be old runs, of which nothing is left to take.
    return "no run is that old" if policy.thin is None else "nothing to do"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not days >= 0:
        raise argparse.ArgumentTypeError(f"a number of days, 0 or more, not {text!r}")
    return days


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
