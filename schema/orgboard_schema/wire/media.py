"""What bytes are, by their first octets: what a log claims about them is not trusted."""

from __future__ import annotations

from typing import Final

__all__ = ["OCTETS", "PROTOBUF", "media_type"]

OCTETS: Final = "application/octet-stream"
"""Unknown bytes: offered for download, never shown."""

PROTOBUF: Final = "application/x-protobuf"
"""Graphs and run metadata. Protobuf has no mark to know it by; the plugin says it."""

_PREFIXES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)

_RIFF: Final = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4"}


def media_type(data: bytes) -> str:
    """Name the type of picture, clip or film that `data` begins like."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], OCTETS)
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video/mp4")
    return next((name for prefix, name in _PREFIXES if data.startswith(prefix)), OCTETS)
