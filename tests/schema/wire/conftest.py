"""Every promise of the reader holds with the compiled core and without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orgboard_schema.core.library import load_core
from orgboard_schema.wire import reader
from support.lacking import lack


@pytest.fixture(autouse=True, params=["compiled", "in Python"], scope="module")
def _core(request: pytest.FixtureRequest) -> Iterator[None]:
    """Read by the compiled core, then by its twin."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "compiled":
            patch.setattr(reader, "load_core", lambda: None)
        elif load_core() is None:
            lack("no compiled core: there was no C compiler at the installation")
        yield
