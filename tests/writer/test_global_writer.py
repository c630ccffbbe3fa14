"""`GlobalSummaryWriter`: steps counted by the writer, over threads and processes."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import GlobalSummaryWriter
from orgboard._methods import shared_steps
from orgboard._methods.shared_steps import SharedSteps
from support.logged_runs import event_files, scalars, summaries


def test_each_tag_of_each_kind_counts_its_own_steps(tmp_path: Path) -> None:
    with GlobalSummaryWriter(tmp_path) as writer:
        for _ in range(3):
            writer.add_scalar("a", 1.0)
        writer.add_scalar("b", 1.0, walltime=2.5)
        writer.add_text("a", "hello")
        for _ in range(2):
            writer.add_image("a", np.zeros((3, 2, 2)))

    found = [(value.tag, event.step) for event, value in summaries(tmp_path)]
    assert found == [
        (b"a", 0),
        (b"a", 1),
        (b"a", 2),
        (b"b", 0),
        (b"a/text_summary", 0),
        (b"a", 0),
        (b"a", 1),
    ]


def log_some(writer: GlobalSummaryWriter, number: int) -> None:
    for _ in range(number):
        writer.add_scalar("x", 1.0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_and_forked_processes_share_the_steps(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with GlobalSummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0)
        children = [context.Process(target=log_some, args=(writer, 100)) for _ in range(4)]
        threads = [threading.Thread(target=log_some, args=(writer, 100)) for _ in range(4)]
        workers: list[Any] = [*children, *threads]
        for each in workers:
            each.start()
        for each in workers:
            each.join()

    assert [child.exitcode for child in children] == [0] * 4
    assert sorted(point.step for point in scalars(tmp_path)) == list(range(801))
    assert len(event_files(tmp_path)) == 5


def test_the_program_has_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(GlobalSummaryWriter, "_shared", None)

    first, second = GlobalSummaryWriter.getSummaryWriter(), GlobalSummaryWriter.getSummaryWriter()
    first.add_scalar("x", 1.0)
    second.close()

    assert first is second
    assert first.file_writer.get_logdir() == first.get_logdir()
    assert len(scalars(tmp_path / first.get_logdir())) == 1


def test_a_wrong_tag_is_dropped_and_counted(tmp_path: Path) -> None:
    wrong: Any = object()
    with GlobalSummaryWriter(tmp_path) as writer:
        writer.add_scalar(wrong, 1.0)
        assert writer.dropped == 1


def test_names_count_apart_also_when_their_slots_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_steps, "SLOTS", 64)
    steps = SharedSteps()
    names = [f"tag {number}" for number in range(40)]

    counted = [[steps.next_step(name) for name in names] for _ in range(3)]

    assert counted == [[number] * len(names) for number in range(3)]


def test_more_names_than_slots_only_skip_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_steps, "SLOTS", 2)
    steps = SharedSteps()

    counted = [steps.next_step(f"tag {number % 5}") for number in range(50)]

    for tag in range(5):
        of_tag = counted[tag::5]
        assert of_tag == sorted(of_tag)


def test_a_lock_that_a_killed_process_held_does_not_stop_the_counting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_steps, "PATIENCE_S", 0.01)
    steps = SharedSteps()
    holder = threading.Thread(target=steps._lock.acquire)
    holder.start()
    holder.join()

    assert [steps.next_step("x"), steps.next_step("x")] == [0, 1]


def test_a_tag_that_raises_at_a_look_is_the_writers_to_refuse(tmp_path: Path) -> None:
    class Hostile(str):
        def __format__(self, _form: str) -> str:
            raise RuntimeError("not even this")

    def lie(_self: object) -> type:
        raise RuntimeError("not even this")

    liar: Any = type("Liar", (), {"__class__": property(lie)})()
    with GlobalSummaryWriter(tmp_path) as writer:
        for tag in (Hostile("tag"), liar):
            writer.add_scalar(tag, 0.5)

        assert writer.dropped == 1
