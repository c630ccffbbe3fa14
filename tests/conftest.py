"""Fixtures for every test. Each lives beside what it starts, in `support`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "support.browser",
    "support.corpus",
    "support.postgres",
    "support.programs",
    "support.tensorboard",
]

# No deadline: a property holds or not, however busy the machine. In CI the same examples
# each time, so that a failure there is one of the change under test.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")
