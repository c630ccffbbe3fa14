"""A backup that somebody made to confuse is refused by name, and nothing is restored."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
import zstandard

from orgboard_schema.errors import BackupDamaged
from orgboard_schema.sql.backup.give_back import restore_backup
from orgboard_schema.sql.backup.layout import tables_of
from orgboard_schema.sql.backup.rows import HEADER, encode, encode_row, packers
from orgboard_schema.sql.backup.take import take_backup
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import head, version

PART: dict[str, object] = {
    "member": "tables/run",
    "columns": [],
    "rows": 0,
    "bytes": 0,
    "sha256": "",
}


def _take(board: Path, folder: Path) -> Path:
    engine = open_engine(str(board))
    try:
        return take_backup(engine, folder / "board.backup", None, now=1.0).path
    finally:
        engine.dispose()


def _manifest(release: object = "v0_2", **changed: object) -> str:
    told = {"format": "orgboard backup", "version": 1, "engine": "sqlite", "taken_at": "now"}
    return json.dumps(
        {**told, "release": release, "program": "0.2", "parts": [{**PART, **changed}]}
    )


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        '"text"',
        '{"format": "orgboard backup", "version": 1, "parts": ["x"]}',
        '{"format": "orgboard backup", "version": 1, "parts": 1}',
        _manifest(release=[]),
        _manifest(rows="1"),
        _manifest(bytes=None),
        _manifest(bytes=-1),
        _manifest(member=[]),
        _manifest(sha256=1),
        _manifest(columns=7),
    ],
)
def test_a_manifest_made_to_confuse_is_refused(tmp_path: Path, told: str) -> None:
    backup = tmp_path / "b"
    with zipfile.ZipFile(backup, "w") as archive:
        archive.writestr("manifest.json", told)
        archive.comment = hashlib.sha256(told.encode()).hexdigest().encode()

    with pytest.raises(BackupDamaged, match="no sound manifest"):
        restore_backup(backup, str(tmp_path / "r.db"), None)
    assert not (tmp_path / "r.db").exists()


def _forge(backup: Path, to: Path, member: str, data: bytes) -> None:
    """Copy a backup with another content of one member, its hashes made to fit."""
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(to, "w") as new:
        told = json.loads(old.read("manifest.json"))
        for part in told["parts"]:
            if part["member"] == member:
                part |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            packed = zstandard.compress(data) if part["member"] == member else None
            new.writestr(part["member"], packed or old.read(part["member"]))
        new.writestr("manifest.json", json.dumps(told))
        new.comment = hashlib.sha256(json.dumps(told).encode()).hexdigest().encode()


@pytest.mark.parametrize(
    "rows",
    [
        b"no rows",
        HEADER + b"\x00\x01\x00\x00\x00\x01x",
        HEADER + b"\x00\x07" + b"\x00\x00\x00\x08" * 2,
        HEADER + encode_row([1], packers(["int"])),
    ],
)
def test_forged_rows_are_refused_and_nothing_is_restored(
    tmp_path: Path, filled_sqlite: Path, other_url: str, rows: bytes
) -> None:
    _forge(_take(filled_sqlite, tmp_path), tmp_path / "forged", "tables/team", rows)

    with pytest.raises(BackupDamaged, match="has rows that no backup has"):
        restore_backup(tmp_path / "forged", other_url, None)
    if other_url.startswith("postgresql") or Path(other_url).exists():
        engine = open_engine(other_url)
        assert version(engine) is None
        engine.dispose()


def test_a_number_too_large_for_its_column_is_refused(
    tmp_path: Path, filled_sqlite: Path, postgres_database: str
) -> None:
    backup = _take(filled_sqlite, tmp_path)
    columns = dict(next(table.columns for table in tables_of(head()) if table.name == "restart"))
    row = [1 << 40 if kind == "int" else None for kind in columns.values()]
    rows = b"".join(encode([row], list(columns.values())))
    _forge(backup, tmp_path / "forged", "tables/restart", rows)

    with pytest.raises(BackupDamaged, match="has rows that no backup has"):
        restore_backup(tmp_path / "forged", postgres_database, None)
