"""Fixtures of the dashboard's tests."""

from __future__ import annotations

from support.boards import any_board, board
from support.quick_hashes import quick_hashes

__all__ = ["any_board", "board", "quick_hashes"]
