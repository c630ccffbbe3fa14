"""Structures: embeddings, meshes."""

from __future__ import annotations

from orgboard._methods.recorder import Recorder

__all__ = ["Structures"]


class Structures(Recorder):
    """Embeddings, meshes."""
