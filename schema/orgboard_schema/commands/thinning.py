"""What `orgboard db retain` does with --thin-after: its arguments, what it tells, and doing it."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from orgboard_schema.errors import OrgboardError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from orgboard_schema.sql.retention import Policy
    from orgboard_schema.sql.thinning.plan import Thinnable
    from orgboard_schema.sql.thinning.rule import Rule
    from orgboard_schema.types import Kind

__all__ = ["add_arguments", "print_plans", "print_sums", "rule_of", "sweep", "thin"]

BLOBS_AT_ONCE: Final = 500
"""Deleted in one transaction: whoever stores a blob waits as long."""

Told = Callable[["Thinnable"], str]
"""Tells which run it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--thin-after",
        metavar="DAYS",
        type=float,
        help="keep every N-th point of heavy series of the run; needs --keep-every",
    )
    parser.add_argument(
        "--keep-every",
        metavar="N",
        type=int,
        help="of each series and attempt the first, every N-th after it as stored, and the last",
    )
    parser.add_argument(
        "--thin-kinds",
        metavar="KIND,…",
        help="which kinds are thinned (image,audio,video,mesh); also histogram, tensor, text,"
        " pr_curve, embedding",
    )


def rule_of(options: argparse.Namespace) -> Rule | None:
    """Return the rule that the arguments ask for; None when they ask for none.

    Raises:
        OrgboardError: They do not go together, or name what is never thinned.
    """
    from orgboard_schema.sql.thinning.rule import Rule

    if options.thin_after is None:
        if options.keep_every is not None or options.thin_kinds is not None:
            raise OrgboardError("--keep-every and --thin-kinds go with --thin-after DAYS")
        return None
    if not options.thin_after >= 0:
        raise OrgboardError("--thin-after takes a number of days, 0 or more")
    if options.keep_every is None or options.keep_every < 2:
        raise OrgboardError("--thin-after needs --keep-every N, N being 2 or more")
    return Rule(options.keep_every, options.thin_after, _kinds(options.thin_kinds))


def _kinds(text: str | None) -> frozenset[Kind]:
    from orgboard_schema.sql.thinning.rule import THINNABLE, USUAL_KINDS

    if text is None:
        return frozenset(USUAL_KINDS)
    asked = {part.strip() for part in text.split(",")}
    found: frozenset[Kind] = frozenset(kind for kind in THINNABLE if kind in asked)
    others = sorted(asked - found)
    if others:
        raise OrgboardError(
            f"--thin-kinds: {', '.join(map(repr, others))} is never thinned;"
            f" it takes {', '.join(THINNABLE)}"
        )
    return found


def print_plans(plans: Iterable[Thinnable], out: TextIO) -> None:
    """Print a line for each run."""
    for plan in plans:
        print(f"would thin {_named(plan)}: {_what(plan)}", file=out)


def thin(
    engine: Engine,
    plans: Sequence[Thinnable],
    policy: Policy,
    clock: Callable[[], float],
    when: Callable[[float], str],
    out: TextIO,
) -> list[Thinnable]:
    """Do what was planned, a line for each run; return what was done."""
    from orgboard_schema.sql.thinning.doing import thin_run

    done = []
    for plan in plans:
        now = clock()
        rule = policy.thin
        if rule is None:
            break
        thinned = thin_run(engine, plan.run.run_id, policy, rule, now=now)
        if thinned.is_done:
            done.append(plan)
            print(f"{when(now)} thinned {_named(plan)}: {_what(plan)}", file=out, flush=True)
        else:
            what = f"left the rest alone, it has changed, after {thinned.points:,} points"
            print(f"{when(now)} {what}: {_named(plan)}", file=out, flush=True)
    return done


def sweep(engine: Engine, now: float) -> None:
    """Delete the blobs that nothing refers to any more, and their files."""
    from orgboard_schema.sql.blobs import sweep_blobs, sweep_files
    from orgboard_schema.sql.engine import begin_write

    more = True
    while more:
        with begin_write(engine) as conn:
            more = sweep_blobs(conn, BLOBS_AT_ONCE)
    removed = BLOBS_AT_ONCE
    while removed == BLOBS_AT_ONCE:
        with begin_write(engine) as conn:
            removed = sweep_files(conn, now=now, limit=BLOBS_AT_ONCE)


def print_sums(plans: Sequence[Thinnable], would: str, out: TextIO) -> None:
    """Print one line for each project, and one for what their runs shared."""
    from orgboard_schema.sql.thinning.plan import shared_bytes

    projects: dict[str, list[Thinnable]] = defaultdict(list)
    for plan in plans:
        projects[plan.run.project].append(plan)
    verb = f"{would}thin" if would else "thinned"
    for project, some in sorted(projects.items()):
        octets = sum(map(_octets, some))
        print(
            f"{project}: {verb} {len(some):,} runs, {octets:,} bytes freed ({_points(some)})",
            file=out,
        )
    shared = shared_bytes(plans)
    if shared:
        print(f"{verb} media that only these runs share: {shared:,} bytes freed", file=out)


def _named(plan: Thinnable) -> str:
    run = plan.run
    return f"{run.project} run {run.name!r} ({run.uid})"


def _what(plan: Thinnable) -> str:
    if not plan.taken:
        return f"what an earlier one that was stopped has left, {_octets(plan):,} bytes"
    return f"{_points([plan])}, {_octets(plan):,} bytes"


def _points(plans: Sequence[Thinnable]) -> str:
    goes: dict[str, int] = defaultdict(int)
    stored: dict[str, int] = defaultdict(int)
    for plan in plans:
        for kind, (taken, there) in plan.points.items():
            goes[kind] += taken
            stored[kind] += there
    told = (f"{goes[kind]:,} of {stored[kind]:,} {kind}" for kind in sorted(goes))
    return ", ".join(told) or "no points"


def _octets(plan: Thinnable) -> int:
    return plan.point_bytes + plan.blob_bytes
