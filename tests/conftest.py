"""Fixtures for every test. Each lives beside what it starts, in `support`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from support.scratch import work_in_memory

work_in_memory()

pytest_plugins = [
    "support.corpus",
    "support.longest_first",
    "support.memory",
    "support.programs",
    "support.s3",
    "support.tensorboard",
]

# The environment of `make test-interop` has frameworks, and no browser and no database.
if find_spec("playwright") and find_spec("psycopg"):
    pytest_plugins += ["support.browser", "support.postgres", "support.tables"]

# No deadline: a property holds or not, however busy the machine. In CI the same examples
# each time, so that a failure there is one of the change under test.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
# Where few examples are the rule, as of hostile arguments: `--hypothesis-profile thorough`.
settings.register_profile("thorough", settings.get_profile("steady"), max_examples=2400)
settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what is loaded by now, and come less often.

    It looked at a million objects that stay to the end, for a sixth of the time of some tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _only_what_was_logged() -> Iterator[None]:
    """Let files hold what a test logged, without the context of the test; those of it ask."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ORGBOARD_CONTEXT", "0")
        yield
