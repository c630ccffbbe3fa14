"""Tests that meet the real frameworks, in the environment of `make test-interop`.

Elsewhere each module is collected as one skip that says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from support.frameworks import IS_INTEROP, framework

# Frameworks ask home what is new, fetch models, and pick devices, unless told not to.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    RAY_USAGE_STATS_ENABLED="0",
    TF_CPP_MIN_LOG_LEVEL="3",
    CUDA_VISIBLE_DEVICES="",
    JAX_PLATFORMS="cpu",
    # A framework's warnings are its own; ours are tested where they are errors.
    PYTHONWARNINGS="ignore",
    MPLBACKEND="agg",
)


LOADED_WITHIN_S = 300


class Elsewhere(pytest.Module):
    """A module whose tests run in another environment."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Skip it, and say where its tests run."""
        pytest.skip("meets frameworks: `make test-interop`", allow_module_level=True)


def pytest_configure(config: pytest.Config) -> None:
    """Let frameworks warn: what they call and what they deprecate is not ours to change."""
    config.addinivalue_line("filterwarnings", "default")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Give each test the time that a framework takes to load when the machine is busy."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LOADED_WITHIN_S))


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Leave the modules here out of an environment without frameworks."""
    return None if IS_INTEROP else Elsewhere.from_parent(parent, path=module_path)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """Run Ray for the session: it takes long to start."""
    ray = framework("ray")
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80_000_000,
    )
    yield
    ray.shutdown()
