"""What the commands of this package refuse, beyond what the schema names."""

from __future__ import annotations

from orgboard_schema.errors import OrgboardError

__all__ = ["UsageError"]


class UsageError(OrgboardError):
    """The command was asked for what cannot be; the message says what to give instead."""
