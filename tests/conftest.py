"""Fixtures for every test. Each lives beside what it starts, in `support`."""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import HealthCheck, settings

pytest_plugins = ["support.corpus", "support.programs", "support.tensorboard"]

# The environment of `make test-interop` has frameworks, and no browser and no database.
if find_spec("playwright") and find_spec("psycopg"):
    pytest_plugins += ["support.browser", "support.postgres"]

# No deadline: a property holds or not, however busy the machine. In CI the same examples
# each time, so that a failure there is one of the change under test.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")
