"""Fixtures for every test. Each lives beside what it starts, in `support`."""

from __future__ import annotations

pytest_plugins = ["support.browser", "support.corpus", "support.postgres", "support.programs"]
