"""The version, written here because asking the installed metadata costs a script 20 ms."""

from __future__ import annotations

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
"""Equal to the one in pyproject.toml; a test compares them."""
