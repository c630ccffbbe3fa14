"""Whatever a method is given: no exception unless strict, and then TypeError or ValueError."""

from __future__ import annotations

import logging
from contextlib import suppress
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from orgboard import SummaryWriter
from orgboard_schema.wire.event_pb2 import Event
from support.every_method import public_methods
from support.hostile import Interrupting, arguments
from support.logged_runs import Logged, scalars, whole_records

METHODS = sorted(set(public_methods()) - {"use_metadata"})

EXAMPLES = max(settings().max_examples // 3, 1)
"""Of each method; with `--hypothesis-profile thorough` there are 20 000 in all."""

some = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stay in a directory of the test's own, where a relative path does no harm."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore")
def test_nothing_is_raised_but_for_a_wrong_argument_of_a_strict_writer(
    method: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    lenient = SummaryWriter(tmp_path / "lenient")
    strict = SummaryWriter(tmp_path / "strict", strict=True)

    @some
    @given(arguments(method))
    def holds(named: dict[str, Any]) -> None:
        getattr(lenient, method)(**named)
        with suppress(TypeError, ValueError):
            getattr(strict, method)(**named)

    holds()
    for writer in (lenient, strict):
        writer.add_scalar("afterwards", 1.0, 7)
        writer.close()

    assert Logged("afterwards", 7, 1.0) in scalars(tmp_path / "lenient")
    assert Logged("afterwards", 7, 1.0) in scalars(tmp_path / "strict")
    for path in tmp_path.rglob("*tfevents*"):
        records, end = whole_records(path.read_bytes())
        assert end == path.stat().st_size
        for record in records:
            Event.FromString(record)


def test_an_interrupt_goes_through_every_method_that_meets_it(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    met = set()
    for method in METHODS:
        value = Interrupting()
        parameters = list(signature(getattr(SummaryWriter, method)).parameters.values())[1:]
        needed = [each.name for each in parameters if each.default is Parameter.empty]
        is_raised = False

        try:
            getattr(writer, method)(**dict.fromkeys(needed, value))
        except KeyboardInterrupt:
            is_raised = True

        assert is_raised == value.was_asked, method
        met |= {method} if is_raised else set()

    writer.add_scalar("afterwards", 1.0, 7)
    writer.close()
    assert met >= {"add_scalar", "add_histogram", "add_image", "add_scalars", "log"}
    assert scalars(tmp_path) == [Logged("afterwards", 7, 1.0)]
