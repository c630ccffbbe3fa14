"""Whatever two daemons do, killed or not, what is shown of a run is whole, and all comes in."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from orgboard_ingest.tending import tend
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.frames import encode_frame
from support.event_files import scalar_event
from support.ingested import drain, mark, migrated, new_intake, stored_scalars, version_event

NAMES = [f"events.out.tfevents.{number}" for number in range(3)]


@st.composite
def _runs(draw: st.DrawFn) -> list[list[Event]]:
    """Draw the files of a run: restarts, rotation, side by side, STARTs anywhere."""
    files: list[list[Event]] = []
    unique = 0
    for _ in range(draw(st.integers(2, 3))):
        wall = float(draw(st.integers(0, 40)))
        events = [version_event(wall)]
        for _ in range(draw(st.integers(1, 6))):
            wall += draw(st.integers(0, 5))
            step = draw(st.integers(0, 5))
            unique += 1
            if draw(st.integers(0, 5)) == 0:
                events.append(mark(SessionLog.START, step, wall))
            else:
                events.append(scalar_event(draw(st.sampled_from("ab")), step, float(unique), wall))
        files.append(events)
    return files


@pytest.fixture(scope="module")
def empty_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database with its tables made, to be copied: making them takes longer than a test."""
    path = tmp_path_factory.mktemp("empty") / "board.db"
    migrated(str(path)).dispose()
    return path


@dataclass(frozen=True, slots=True)
class _Seen:
    """What people see: each point's value is its own."""

    run_id: int
    attempts: dict[float, int]

    @classmethod
    def now(cls, engine: Engine) -> _Seen:
        with begin_read(engine) as conn:
            shown = select(tables.run.c.run_id).where(tables.run.c.standing == SHOWN)
            run_id = conn.execute(shown).scalar_one_or_none() or 0
        points = [point for series in stored_scalars(engine).values() for point in series]
        attempts = {point.value: point.attempt for point in points}
        assert len(attempts) == len(points), "a point is shown twice"
        return cls(run_id, attempts)

    def assert_whole_after(self, before: _Seen) -> None:
        assert before.attempts.keys() <= self.attempts.keys()
        if self.run_id == before.run_id:
            # What is shown of a run never changes its meaning but all at once.
            assert before.attempts.items() <= self.attempts.items()


@settings(deadline=None, max_examples=30)
@given(_runs(), st.data())
def test_whatever_comes_in_whatever_order_what_is_shown_is_whole(
    empty_board: Path, files: list[list[Event]], data: st.DataObject
) -> None:
    """Two daemons, any batches; files grow in any order; each may be killed between any commits."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "logs")
        (root / "run").mkdir(parents=True)
        engine = open_engine(str(shutil.copy(empty_board, Path(scratch, "board.db"))))
        size = data.draw(st.sampled_from([40, 90, 1 << 20]))
        intakes = [new_intake(engine, root, batch_bytes=size) for _ in range(2)]
        left = {name: list(events) for name, events in zip(NAMES, files, strict=False)}
        seen = _Seen.now(engine)
        while any(left.values()):
            name = data.draw(st.sampled_from([name for name in left if left[name]]))
            with (root / "run" / name).open("ab") as file:
                file.write(encode_frame(left[name].pop(0).SerializeToString()))
            for _ in range(data.draw(st.integers(0, 3))):
                number = data.draw(st.integers(0, 1))
                there = [name for name in left if (root / "run" / name).exists()]
                intakes[number].advance("run", data.draw(st.sampled_from(there)))
                now = _Seen.now(engine)
                now.assert_whole_after(seen)
                seen = now
                if data.draw(st.integers(0, 5)) == 0:
                    intakes[number] = new_intake(engine, root, batch_bytes=size)
                    tend(intakes[number])
        drain(intakes[0], [("run", name) for name in left])
        tend(intakes[0])

        with begin_read(engine) as conn:
            found = list(differences(conn, intakes[0].logdir_id, root))
            faults = list(check_store(conn))
        engine.dispose()

    assert (found, faults) == ([], [])
