"""What is looked at or listened to."""

from __future__ import annotations

from orgboard._methods.clips import Clips
from orgboard._methods.pictures import Pictures

__all__ = ["Media"]


class Media(Pictures, Clips):
    """Images, figures, video, audio."""
