"""Fixtures of the dashboard's tests."""

from __future__ import annotations

from support.boards import any_board, board

__all__ = ["any_board", "board"]
