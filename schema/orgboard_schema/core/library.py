"""Load the compiled core, once a process; None where it was not built or cannot work here.

Whoever calls it has a twin in Python for when it is missing, and both give the same bits.
Its calls release the GIL. Standard library only: the wire format uses it.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["LIBRARY", "VERSION", "load", "load_core"]

VERSION: Final = 9
"""Of the functions below; a library of another one is left alone."""

LIBRARY: Final = Path(__file__).with_name("_core.so")

_COLUMN: Final = c_void_p
"""Where numbers lie, as an address: arrays of the standard library and of numpy have one."""

_SIGNATURES: Final[dict[str, tuple[object, list[object]]]] = {
    "ob_new": (c_void_p, [c_uint64]),
    "ob_free": (None, [c_void_p]),
    "ob_scan": (
        c_int32,
        [c_void_p, c_void_p, c_char_p, *[c_int64] * 4, POINTER(c_int64)],
    ),
    "ob_values_new": (c_void_p, [c_uint64]),
    "ob_values_free": (None, [c_void_p]),
    "ob_values_note": (c_int64, [c_void_p, c_int64]),
    "ob_values_teach": (c_int32, [c_void_p, c_char_p, c_int64, c_char_p, c_int64, c_int32]),
    "ob_values_count": (c_int64, [c_void_p]),
    "ob_values_gathered": (c_int64, [c_void_p]),
    "ob_values_before": (c_void_p, [c_void_p]),
    "ob_values_names": (c_void_p, [c_void_p]),
    "ob_values_last_wall": (c_double, [c_void_p]),
    "ob_values_take": (None, [c_void_p, _COLUMN]),
    "ob_tag": (c_int32, [c_void_p, c_char_p, c_int64]),
    "ob_add": (c_int32, [c_void_p, c_int32, c_int64, c_double, c_double, c_int32]),
    "ob_learn": (c_int32, [c_void_p, c_int32, c_char_p, c_int64, c_int32]),
    "ob_count": (c_int64, [c_void_p]),
    "ob_first_wall": (c_double, [c_void_p]),
    "ob_last_wall": (c_double, [c_void_p]),
    "ob_places": (None, [_COLUMN, c_int64, c_int64, _COLUMN]),
    "ob_tags": (c_int64, [c_void_p, POINTER(c_int64)]),
    "ob_names": (None, [c_void_p, _COLUMN, _COLUMN]),
    "ob_versions": (c_int32, [c_void_p]),
    "ob_columns_at": (None, [c_void_p, POINTER(c_void_p)]),
    "ob_group": (
        c_int64,
        [c_int64, *[_COLUMN] * 5, c_int64, _COLUMN, c_int64, *[_COLUMN] * 7, c_int64],
    ),
    "ob_summarise": (None, [_COLUMN, _COLUMN, _COLUMN, c_int64, c_int32, _COLUMN]),
    "ob_buckets": (
        None,
        [_COLUMN, _COLUMN, _COLUMN, c_int32, _COLUMN, c_int64, c_int64, c_int64, _COLUMN],
    ),
    "ob_blocks": (
        None,
        [_COLUMN, _COLUMN, _COLUMN, c_int64, c_int64, c_int32, _COLUMN, _COLUMN],
    ),
    "ob_count_pieces": (
        c_int64,
        [_COLUMN, c_int64, _COLUMN, _COLUMN, c_int64, c_int32, _COLUMN],
    ),
    "ob_sum_heads": (None, [_COLUMN, c_int64, POINTER(c_int64)]),
    "ob_sum_packed": (c_int64, [_COLUMN, _COLUMN, c_int64, _COLUMN]),
    "ob_pack_heads": (c_int64, [_COLUMN, c_int64, _COLUMN]),
    "ob_unpack_heads": (None, [c_char_p, c_int64, _COLUMN]),
    "ob_heads_at": (c_int64, [_COLUMN, _COLUMN, _COLUMN, c_int64, _COLUMN]),
    "ob_inner_buckets": (c_int64, [_COLUMN, _COLUMN, c_int64, _COLUMN, _COLUMN]),
    "ob_plain_buckets": (None, [*[_COLUMN] * 4, c_int64, *[_COLUMN] * 5]),
    "ob_shares": (c_int32, [*[_COLUMN] * 4, c_int64, c_int64, _COLUMN, _COLUMN]),
    "ob_wasserstein": (
        None,
        [_COLUMN, _COLUMN, c_int64, _COLUMN, _COLUMN, c_int64, _COLUMN, _COLUMN],
    ),
    "ob_cells": (
        c_int64,
        [_COLUMN, _COLUMN, c_int64, _COLUMN, _COLUMN, c_int64, *[_COLUMN] * 4],
    ),
    "ob_graph_new": (c_void_p, [c_uint64]),
    "ob_graph_free": (None, [c_void_p]),
    "ob_graph_read": (
        c_int64,
        [c_void_p, _COLUMN, c_int64, c_int64, c_uint32, c_uint32, c_int64],
    ),
    "ob_graph_tie": (c_int32, [c_void_p, _COLUMN]),
    "ob_graph_at": (None, [c_void_p, POINTER(c_void_p), POINTER(c_int64)]),
    "ob_graph_words": (c_void_p, [c_void_p]),
    "ob_segment": (
        c_int64,
        [_COLUMN, _COLUMN, c_int64, *[_COLUMN] * 4, c_int64, _COLUMN],
    ),
    "ob_whole": (c_int32, [_COLUMN, c_int64, _COLUMN]),
    "ob_pack": (None, [_COLUMN, c_int64, c_int32, c_int32, _COLUMN]),
    "ob_unpack": (None, [c_char_p, c_int64, c_int32, c_int32, _COLUMN]),
}


@cache
def load_core() -> ctypes.CDLL | None:
    """Return this installation's core."""
    return load(LIBRARY)


def load(path: Path, *, plain: bool = False) -> ctypes.CDLL | None:
    """Return the core at `path`; with `plain` it computes checksums without the processor's help.

    The choice holds for every user of the same file in this process.
    """
    try:
        core = ctypes.CDLL(str(path))
        version = core.ob_version
    except (OSError, AttributeError):
        return None
    version.restype, version.argtypes = c_int32, [c_int32]
    if version(plain) != VERSION:
        return None
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(core, name)
        function.restype, function.argtypes = result, arguments
    return core
