from __future__ import annotations

from pathlib import Path

import pytest

from orgboard_schema.settings import blob_root


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/data/board.db", Path("/data/board.db.blobs")),
        ("board.db", Path.cwd() / "board.db.blobs"),
        ("sqlite:////data/board.db", Path("/data/board.db.blobs")),
        ("sqlite:///board.db", Path.cwd() / "board.db.blobs"),
        ("postgresql://user@host/name", None),
    ],
)
def test_large_media_lie_beside_a_sqlite_file_unless_told(url: str, expected: Path | None) -> None:
    assert blob_root(url, {}) == expected
    assert blob_root(url, {"ORGBOARD_BLOBS": "/media"}) == Path("/media")
