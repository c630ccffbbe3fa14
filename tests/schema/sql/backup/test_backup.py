from __future__ import annotations

import hashlib
import os
import resource
import shutil
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.commands import ingest
from orgboard_schema.commands import db
from orgboard_schema.errors import BackupDamaged, DatabaseNewer, OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.backup.give_back import restore_backup
from orgboard_schema.sql.backup.layout import tables_of
from orgboard_schema.sql.backup.take import Taken, take_backup
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import head, upgrade, version
from support.filled import contents, log_everything
from support.words import said, save_views, saved_views, say

NOW = 1_800_000_000.0
RUNS = 7
"""Of the filled board."""
ROOM_BYTES = 100_000
"""For any one file while the disk is full: a new backup does not fit, SQLite's own files do."""
BIG = b"media" * 300_000
"""More than one piece of a file."""


def _rows(engine: Engine) -> dict[str, list[Any]]:
    """Read every table, in the order of its key, as SQLAlchemy reads it."""
    with begin_read(engine) as conn:
        return {
            name: sorted(tuple(row) for row in conn.execute(select(table)))
            for name, table in tables.schema.tables.items()
        }


def _take(url: str, to: Path, blobs: Path | None = None) -> Taken:
    engine = open_engine(url)
    try:
        return take_backup(engine, to, blobs, now=NOW)
    finally:
        engine.dispose()


def _is_untouched(url: str) -> bool:
    if not url.startswith("postgresql") and not Path(url).exists():
        return True
    engine = open_engine(url)
    found = version(engine)
    engine.dispose()
    return found is None


def test_a_restored_board_is_equal_row_by_row_whatever_the_engines(
    tmp_path: Path, board_url: str, other_url: str
) -> None:
    taken = _take(board_url, tmp_path / "board.backup")

    restore_backup(taken.path, other_url, None)

    board, other = open_engine(board_url), open_engine(other_url)
    assert _rows(other) == _rows(board)
    assert contents(other) == contents(board)
    assert len(contents(board)) == RUNS
    assert taken.damaged == ()
    board.dispose()
    other.dispose()
    again = _take(other_url, tmp_path / "again.backup")
    assert again.manifest.parts == taken.manifest.parts


def test_what_people_say_of_runs_and_the_views_they_save_are_restored_too(
    tmp_path: Path, filled_sqlite: Path, other_url: str
) -> None:
    board = open_engine(str(shutil.copy(filled_sqlite, tmp_path / "board.db")))
    say(board, "long")
    save_views(board, "first")

    restore_backup(take_backup(board, tmp_path / "b", None, now=NOW).path, other_url, None)

    other = open_engine(other_url)
    assert said(other) == said(board)
    assert len(said(other)["tag"]) == 2
    assert saved_views(other) == saved_views(board)
    assert len(saved_views(other)) == 3
    board.dispose()
    other.dispose()


def test_new_runs_get_new_numbers_after_a_restore(
    tmp_path: Path, filled_sqlite: Path, other_url: str
) -> None:
    restore_backup(_take(str(filled_sqlite), tmp_path / "b").path, other_url, None)
    log_everything(tmp_path / "more")

    ingest([str(tmp_path / "more" / "first"), "--db", other_url, "--project", "new", "--once"])

    engine = open_engine(other_url)
    stored = contents(engine)
    engine.dispose()
    old = {name: told for name, told in stored.items() if not name.startswith("default/new:")}
    before = open_engine(str(filled_sqlite))
    assert old == contents(before)
    assert len(stored) == len(old) + 5
    before.dispose()


def test_a_backup_is_private_and_takes_only_the_place_of_another_backup(
    tmp_path: Path, filled_sqlite: Path
) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    board = shutil.copy(filled_sqlite, tmp_path / "board.db")

    first = _take(str(board), tmp_path)
    second = _take(str(board), first.path)

    assert first.path.name == "orgboard-20270115T080000Z.backup"
    assert second.path.stat().st_mode & 0o777 == 0o600
    assert second.path.stat().st_size == second.bytes
    for other in ("notes.txt", "board.db"):
        with pytest.raises(OrgboardError, match="is no backup"):
            _take(str(board), tmp_path / other)
    left = {path.name for path in tmp_path.iterdir()} - {"board.db-wal", "board.db-shm"}
    assert left == {"notes.txt", "board.db", first.path.name}


def test_a_backup_changed_or_cut_anywhere_is_refused_or_restores_equal(
    tmp_path: Path, filled_sqlite: Path
) -> None:
    taken = _take(str(filled_sqlite), tmp_path / "board.backup")
    whole = taken.path.read_bytes()
    bad = tmp_path / "bad.backup"
    engine = open_engine(str(filled_sqlite))
    rows = _rows(engine)
    engine.dispose()
    outcomes = {"refused": 0, "equal": 0}

    places = range(0, len(whole), len(whole) // 80)
    for number, place in enumerate([*places, len(whole) - 1]):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (number % 8)
        for data in (bytes(flipped), whole[:place]):
            bad.write_bytes(data)
            target = tmp_path / "restored.db"
            try:
                restore_backup(bad, str(target), None)
            except BackupDamaged:
                outcomes["refused"] += 1
                assert not target.exists()
                continue
            engine = open_engine(str(target))
            assert _rows(engine) == rows
            engine.dispose()
            target.unlink()
            outcomes["equal"] += 1

    # Times and system numbers of members are nobody's content.
    assert outcomes["refused"] > 150
    assert outcomes["equal"] < 10


def test_what_changed_under_its_hash_is_refused_before_the_database_is_touched(
    tmp_path: Path, filled_sqlite: Path, other_url: str
) -> None:
    taken = _take(str(filled_sqlite), tmp_path / "board.backup")
    forged = tmp_path / "forged.backup"
    with zipfile.ZipFile(taken.path) as old, zipfile.ZipFile(forged, "w") as new:
        new.comment = old.comment
        for name in old.namelist():
            # A member that is whole in itself, of another table.
            new.writestr(name, old.read("tables/team" if name == "tables/gap" else name))

    with pytest.raises(BackupDamaged, match="tables/gap in the backup is not what was written"):
        restore_backup(forged, other_url, None)

    assert _is_untouched(other_url)


def test_only_an_empty_database_is_restored_into(
    tmp_path: Path, board_url: str, filled_sqlite: Path, other_url: str
) -> None:
    taken = _take(str(filled_sqlite), tmp_path / "board.backup")
    engine = open_engine(board_url)
    before = _rows(engine)
    empty = open_engine(other_url)
    upgrade(empty)

    with pytest.raises(OrgboardError, match="is not empty"):
        restore_backup(taken.path, board_url, None)
    restore_backup(taken.path, other_url, None)

    assert _rows(engine) == before
    assert len(contents(empty)) == RUNS
    engine.dispose()
    empty.dispose()


@pytest.mark.parametrize("doing", ["storing team", "storing segment", "comparing source_file"])
def test_a_restore_that_is_killed_half_way_has_not_happened(
    tmp_path: Path, filled_sqlite: Path, other_url: str, doing: str
) -> None:
    taken = _take(str(filled_sqlite), tmp_path / "board.backup")

    def die(what: str, _done: int, _of: int) -> None:
        if what == doing:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            restore_backup(taken.path, other_url, None, tell=die)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.WTERMSIG(status) == signal.SIGKILL
    assert _is_untouched(other_url)
    restore_backup(taken.path, other_url, None)
    again = _take(other_url, tmp_path / "again.backup")
    assert again.manifest.parts == taken.manifest.parts


def test_a_backup_of_a_later_release_is_refused_with_78(
    tmp_path: Path, filled_sqlite: Path, other_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _take(str(filled_sqlite), tmp_path / "board.backup")

    with monkeypatch.context() as earlier:
        earlier.setattr("orgboard_schema.sql.migrate.releases", lambda: ["v0_1"])
        with pytest.raises(DatabaseNewer, match="newer than this program") as caught:
            restore_backup(taken.path, other_url, None)

    assert caught.value.exit_status == 78
    assert _is_untouched(other_url)


def _move_out(url: str, root: Path, data: bytes) -> str:
    """Put a blob into the blob directory, as large ones are; return its place."""
    sha256 = hashlib.sha256(data)
    uri = f"{sha256.hexdigest()[:2]}/{sha256.hexdigest()[2:]}"
    row = {"sha256": sha256.digest(), "size": len(data), "media_type": "image/png", "uri": uri}
    (root / uri).parent.mkdir(parents=True)
    (root / uri).write_bytes(data)
    engine = open_engine(url)
    with begin_write(engine) as conn:
        conn.execute(tables.blob.insert().values(row))
    engine.dispose()
    return uri


def test_media_in_files_travel_with_the_rows_that_name_them(
    tmp_path: Path, board_url: str, other_url: str
) -> None:
    root, back = tmp_path / "blobs", tmp_path / "back"
    uris = {_move_out(board_url, root, data): data for data in (BIG, b"", b"small")}

    taken = _take(board_url, tmp_path / "board.backup", root)
    restore_backup(taken.path, other_url, back)

    assert taken.damaged == ()
    assert {uri: (back / uri).read_bytes() for uri in uris} == uris
    assert {(back / uri).stat().st_mode & 0o777 for uri in uris} == {0o600}
    found = {str(path.relative_to(back)) for path in back.rglob("*") if path.is_file()}
    assert found == set(uris)


def test_missing_and_changed_media_are_named_and_the_rest_is_backed_up(
    tmp_path: Path,
    filled_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board = str(shutil.copy(filled_sqlite, tmp_path / "board.db"))
    root = tmp_path / "board.db.blobs"
    missing, changed = (_move_out(board, root, data) for data in (b"missing", b"changed"))
    (root / missing).unlink()
    (root / changed).write_bytes(b"other")

    backed_up = db(["backup", "--db", board, "-o", str(tmp_path / "b")])
    told = capsys.readouterr().out
    restored = db(["restore", str(tmp_path / "b"), "--db", str(tmp_path / "r.db")])

    assert (backed_up, restored) == (3, 0)
    assert f"damaged: media {missing}: No such file or directory\n" in told
    assert f"damaged: media {changed}: its content does not have its hash\n" in told
    assert (tmp_path / "r.db.blobs" / changed).read_bytes() == b"other"


def test_media_can_be_left_out(tmp_path: Path, filled_sqlite: Path) -> None:
    board = str(shutil.copy(filled_sqlite, tmp_path / "board.db"))
    _move_out(board, tmp_path / "board.db.blobs", b"large")

    db(["backup", "--db", board, "-o", str(tmp_path / "all")])
    db(["backup", "--db", board, "-o", str(tmp_path / "rows"), "--no-blobs"])
    db(["restore", str(tmp_path / "all"), "--db", str(tmp_path / "r.db"), "--no-blobs"])

    with zipfile.ZipFile(tmp_path / "all") as one, zipfile.ZipFile(tmp_path / "rows") as other:
        assert {*one.namelist()} - {*other.namelist()} == {"blobs"}
    assert not (tmp_path / "r.db.blobs").exists()


def test_media_in_files_are_not_lost_in_silence_where_their_folder_is_not_known(
    tmp_path: Path, filled_sqlite: Path, other_url: str
) -> None:
    board = str(shutil.copy(filled_sqlite, tmp_path / "board.db"))
    _move_out(board, tmp_path / "blobs", b"large")
    taken = _take(board, tmp_path / "board.backup", tmp_path / "blobs")

    with pytest.raises(OrgboardError, match="say where with ORGBOARD_BLOBS"):
        _take(board, tmp_path / "other.backup", None)
    with pytest.raises(OrgboardError, match="say where with ORGBOARD_BLOBS"):
        restore_backup(taken.path, other_url, None)

    assert not (tmp_path / "other.backup").exists()
    assert _is_untouched(other_url)


def test_nothing_to_back_up_and_nothing_to_restore_are_told_in_one_line(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    open_engine(database_url).dispose()
    (tmp_path / "junk").write_bytes(b"junk" * 100)

    assert db(["backup", "--db", database_url, "-o", str(tmp_path / "b")]) == 2
    assert db(["restore", str(tmp_path / "none"), "--db", database_url]) == 2
    assert db(["restore", str(tmp_path / "junk"), "--db", database_url]) == 3

    first, second, third = capsys.readouterr().err.splitlines()
    assert first.endswith("has no tables: there is nothing to back up")
    assert second.startswith("orgboard db: cannot read")
    assert "is no backup, or only a part of one" in third
    assert not (tmp_path / "b").exists()


def test_a_folder_that_is_not_there_is_told_in_one_line(
    tmp_path: Path, filled_sqlite: Path
) -> None:
    with pytest.raises(OrgboardError, match=r"cannot write .*No such file"):
        _take(str(filled_sqlite), tmp_path / "no" / "such" / "file")


def test_a_full_disk_is_told_in_one_line_and_leaves_the_older_backup(
    tmp_path: Path, filled_sqlite: Path
) -> None:
    board = str(shutil.copy(filled_sqlite, tmp_path / "board.db"))
    older = _take(board, tmp_path / "last.backup").path.read_bytes()
    engine = open_engine(board)
    with begin_write(engine) as conn:
        noise = os.urandom(10 * ROOM_BYTES)
        row = {"sha256": bytes(32), "size": len(noise), "media_type": "", "data": noise}
        conn.execute(tables.blob.insert().values(row))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))
    try:
        with pytest.raises(OrgboardError, match=r"cannot write .*: File too large"):
            take_backup(engine, tmp_path / "last.backup", None, now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        engine.dispose()

    assert (tmp_path / "last.backup").read_bytes() == older
    assert {path.name for path in tmp_path.iterdir()} == {"board.db", "last.backup"}


def test_a_release_tells_its_tables_each_after_those_it_refers_to() -> None:
    names = [table.name for table in tables_of(head())]

    assert {*names} == {*tables.schema.tables}
    for name, table in tables.schema.tables.items():
        for key in table.foreign_keys:
            assert names.index(key.column.table.name) <= names.index(name)
