"""Framing of an event file: how records lie in it, and how to tell a sound one.

    ┌────────────┬────────────────┬──────────────────┬─────────────────┐
    │ length u64 │ length crc u32 │ payload [length] │ payload crc u32 │
    └────────────┴────────────────┴──────────────────┴─────────────────┘

All integers little-endian. Both checksums are CRC-32C (Castagnoli), masked,
because a payload may itself hold CRCs: the CRC of data with its own CRC in it
is a weak check. The length has a checksum of its own, so that a flipped bit in
it is seen and does not look like a record still being written.

Nothing here knows what a payload means.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

import google_crc32c

__all__ = [
    "FOOTER",
    "FOOTER_BYTES",
    "HEADER",
    "HEADER_BYTES",
    "LENGTH",
    "MASK_DELTA",
    "MAX_RECORD_BYTES",
    "OVERHEAD_BYTES",
    "encode_frame",
    "masked",
    "masked_crc",
]

HEADER: Final = Struct("<QI")
"""Length of the payload, masked CRC of those 8 bytes."""

LENGTH: Final = Struct("<Q")
"""The part of the header that its checksum covers."""

FOOTER: Final = Struct("<I")
"""Masked CRC of the payload."""

HEADER_BYTES: Final = HEADER.size
FOOTER_BYTES: Final = FOOTER.size
OVERHEAD_BYTES: Final = HEADER_BYTES + FOOTER_BYTES

MASK_DELTA: Final = 0xA282EAD8
"""The format's own constant."""

MAX_RECORD_BYTES: Final = 256 * 1024 * 1024
"""Largest payload that a reader takes into memory; a graph of 100 000 nodes has some 50 MiB."""


def masked_crc(data: bytes) -> int:
    """Compute the checksum of `data` as it stands in the file."""
    return masked(google_crc32c.value(data))


def masked(crc: int) -> int:
    """Mask a checksum as it stands in the file."""
    return (((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF


def encode_frame(payload: bytes) -> bytes:
    """Wrap one payload as a record."""
    length = LENGTH.pack(len(payload))
    head = length + FOOTER.pack(masked_crc(length))
    return head + payload + FOOTER.pack(masked_crc(payload))
