"""Which attempts a batch's points get, and whether that agrees with what is stored. Pure.

Only here do facts about files (`attempts`) meet what SQL holds (`catalog`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from orgboard_ingest.attempts import Cut, FileFacts, Lives, joined, observed
from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.stage import SeriesKey, Staged
from orgboard_schema.wire.batch import Batch

__all__ = ["Plan", "facts_missing", "plan_alone", "plan_batch"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the points of one batch belong."""

    attempts: tuple[int, ...]
    """Of each section of the batch."""
    cuts: dict[Cut, int]
    """What its attempts supersede, beyond what is stored already."""
    facts: FileFacts | None
    """Of the file with this batch; None while nobody needs to know."""
    opened: bool | None = None
    """Whether a START came before the run's first point; None: as before."""
    agrees: bool = True
    """Whether points stored earlier keep their attempts; else the run has to be read again."""


def facts_missing(run: KnownRun, file: KnownFile, staged: Staged) -> list[KnownFile]:
    """Return the files whose facts must be read again before this batch can be placed.

    None for the usual live run: one file, going on as before.
    """
    others = [other for other in run.files.values() if other is not file and other.row.offset]
    if file.facts is None and not others and not staged.starts:
        return []
    return [known for known in run.files.values() if known.facts is None]


def plan_batch(
    run: KnownRun, file: KnownFile, batch: Batch, staged: Staged, *, final: bool = False
) -> Plan:
    """Place the batch. `facts_missing` must have been satisfied.

    `final`: nothing more of the run is expected for now, so what its files say is forgotten.
    """
    facts = file.facts
    if facts is None or (final and not staged.starts and _is_alone(run, facts)):
        return Plan((file.row.last_attempt,), {}, None)
    if batch.end > file.known_end:
        facts = joined(facts, observed(staged, batch.first_wall, batch.last_wall))
    if _is_alone(run, facts):
        return Plan((file.row.last_attempt,), {}, facts)
    lives = _before(run, file).copy()
    numbers = lives.take(facts)
    attempts = numbers[file.section : file.section + len(staged.starts) + 1]
    agrees, reached = _fits(file, numbers), set(attempts)
    for other in _after(run, file):
        if other.facts is not None:
            numbers = lives.take(other.facts)
            agrees = _fits(other, numbers) and agrees
            # A START that was no restart when it was read may be one by this batch.
            reached |= set(numbers[: other.section + 1]) if other.row.offset else set()
    agrees = agrees and all(lives.cuts.get(cut, step + 1) <= step for cut, step in _cuts(run))
    return Plan(attempts, _new_cuts(run, lives, reached, staged), facts, lives.opened, agrees)


def _is_alone(run: KnownRun, facts: FileFacts) -> bool:
    """Tell whether a run is one file without a START: it has one life, whatever its points."""
    return len(run.files) == 1 and len(facts.sections) == 1 and not (run.cuts or run.opened)


def plan_alone(run: KnownRun, file: KnownFile, staged: Staged) -> Plan:
    """Place a batch of a run one of whose files is gone: what is stored stays as it is.

    Only a START still begins an attempt, because the rest cannot be compared any more.
    """
    last = file.row.last_attempt if file.row.offset else run.attempts - 1
    attempts = tuple(accumulate(staged.starts, lambda attempt, _: attempt + 1, initial=last))
    cuts: dict[Cut, int] = {
        (attempt, None): step for attempt, step in zip(attempts[1:], staged.starts, strict=True)
    }
    return Plan(attempts, cuts, None)


def _before(run: KnownRun, file: KnownFile) -> Lives:
    """Return the lives of all files before this one, from memory when they are there."""
    name = file.row.name
    if run.prefix is None or run.prefix[0] != name:
        since, lives = run.prefix if run.prefix is not None else ("", Lives())
        if since > name:
            since, lives = "", Lives()
        earlier = (key for key in sorted(run.files) if since <= key < name)
        facts = (run.files[key].facts for key in earlier)
        lives.take_all(known for known in facts if known is not None)
        run.prefix = (name, lives)
    return run.prefix[1]


def _fits(file: KnownFile, numbers: tuple[int, ...]) -> bool:
    return all(numbers[section] == attempt for section, attempt in file.stored.items())


def _after(run: KnownRun, file: KnownFile) -> list[KnownFile]:
    return [run.files[name] for name in sorted(run.files) if name > file.row.name]


def _cuts(run: KnownRun) -> Iterable[tuple[Cut, int]]:
    return (run.cuts or {}).items()


def _new_cuts(run: KnownRun, lives: Lives, reached: set[int], staged: Staged) -> dict[Cut, int]:
    """Return the cuts of the attempts reached by now that are not stored, or not as low."""
    if not lives.cuts:
        return {}
    stored = dict(_cuts(run))
    series: set[SeriesKey | None] = {(piece.tag, piece.kind) for piece in staged.pieces}
    wanted = {(attempt, key) for attempt in reached for key in {None} | series}
    return {
        cut: lives.cuts[cut]
        for cut in wanted | stored.keys()
        if cut in lives.cuts and lives.cuts[cut] < stored.get(cut, lives.cuts[cut] + 1)
    }
