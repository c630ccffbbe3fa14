"""URLs of remote places: one spelling each, nothing secret, clear words where a driver lacks."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orgboard_schema.errors import OrgboardError
from orgboard_schema.remote import (
    files_below,
    is_url,
    list_names,
    normalised,
    open_files,
    require_driver,
    told_of,
    url_parts,
    written_ns,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("S3://bucket", "s3://bucket"),
        ("s3a://bucket/a", "s3://bucket/a"),
        ("gcs://bucket//", "gs://bucket"),
        ("sftp://me@host:22/logs", "sftp://me@host:22/logs"),
        ("abfs://box@account.dfs.core.windows.net/x", "abfs://box@account.dfs.core.windows.net/x"),
        ("memory:///logs", "memory:///logs"),
    ],
)
def test_one_place_has_one_url(given: str, kept: str) -> None:
    assert is_url(given)
    assert normalised(given) == kept
    assert normalised(kept) == kept


@pytest.mark.parametrize("given", ["logs", "/logs", "./a:b", "C:\\logs", "s3:/bucket", "://x"])
def test_a_path_is_no_url(given: str) -> None:
    assert not is_url(given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("s3://key:hunter2@bucket/x", "may hold no password"),
        ("sftp://me:hunter2@host:22/x", "may hold no password"),
        ("s3://key:hunter2/with@bucket", "may hold no password"),
        ("s3://", "names no place"),
        ("memory:///", "names no place"),
        ("s3://bucket/a?signature=hunter2", "bucket and a prefix"),
        ("simple://a::s3://bucket", "bucket and a prefix"),
        ("s3://bucket/a//b", "straight"),
        ("s3://bucket/../b", "straight"),
        ("file:///logs", "folder of this host"),
    ],
)
def test_what_holds_a_secret_or_names_no_place_is_refused_without_repeating_it(
    given: str, why: str
) -> None:
    with pytest.raises(OrgboardError, match=why) as refused:
        normalised(given)
    assert "hunter2" not in str(refused.value)
    assert refused.value.exit_status == 2


def test_a_place_is_known_by_the_names_that_lead_there() -> None:
    assert url_parts("s3://bucket/team/logs") == ("bucket", "team", "logs")
    assert url_parts("sftp://me@host/home/me") == ("host", "home", "me")


@pytest.mark.parametrize(
    ("missing", "url", "told"),
    [
        ("fsspec", "s3://b", r"^s3:// needs fsspec: pip install 'orgboard\[remote\]', and the"),
        ("gcsfs", "gs://b", "^gs:// cannot be read: .*gcsfs"),
        ("paramiko", "sftp://h/x", "^sftp:// cannot be read: .*paramiko"),
        ("nothing", "nowhere://b", "^nowhere:// cannot be read: Protocol not known"),
    ],
)
def test_what_is_not_installed_is_named_in_one_line(
    missing: str, url: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in [name for name in sys.modules if name.startswith("fsspec.implementations.sftp")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(OrgboardError, match=told) as refused:
        require_driver(url)
    assert "\n" not in str(refused.value)


def test_who_reads_folders_loads_no_driver() -> None:
    program = "import sys, orgboard_ingest.commands; print('fsspec' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert answer.stdout == b"False\n"


def test_another_version_never_has_the_time_of_the_one_before() -> None:
    """S3 tells the time to the second: in one second an object is replaced more than once."""
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first, second = (
        written_ns({"LastModified": when, "ETag": f'"{mark}"'}) for mark in ("aa", "bb")
    )
    assert first is not None
    assert second is not None
    assert first != second
    assert first // 1_000_000_000 == second // 1_000_000_000 == int(when.timestamp())


def test_a_listing_and_a_question_tell_the_same_time() -> None:
    listed = {"LastModified": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), "ETag": '"aa"'}
    asked = {"LastModified": datetime(2026, 1, 2, 3, 4, 5, 0, UTC), "ETag": "aa"}
    assert written_ns(listed) == written_ns(asked)


@pytest.mark.parametrize(
    "told",
    [
        {"mtime": 1.5},
        {"mtime": datetime.fromtimestamp(1.5, UTC)},
        {"created": datetime.fromtimestamp(1.5, UTC).replace(tzinfo=None)},
        {"updated": "1970-01-01T00:00:01.500Z"},
    ],
)
def test_every_driver_has_its_word_for_when_a_file_was_written(told: dict[str, Any]) -> None:
    assert written_ns(told) == 1_500_000_000


def test_a_file_of_which_no_time_is_known_is_none() -> None:
    assert written_ns({"size": 3}) is None


def test_names_are_told_below_the_place_alone(memory: Any) -> None:
    for path in ("/logs/a/one", "/logs/two", "/logs-of-others/three"):
        memory.pipe_file(path, b"x")
    assert list_names("memory://logs") == {"a/one", "two"}


def test_a_place_that_is_not_there_cannot_be_listed(tmp_path: Path) -> None:
    with pytest.raises(OrgboardError, match="nothing cannot be listed: No such file"):
        list_names(f"file://{tmp_path}/nothing")


def test_a_folder_that_may_not_be_looked_into_is_told_and_the_others_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of files of another host, which are listed folder by folder."""
    for path in (tmp_path / "a" / "one", tmp_path / "b" / "two"):
        path.parent.mkdir()
        path.write_bytes(b"x")
    files, root = open_files(f"file://{tmp_path}")
    look = type(files).ls

    def ls(self: Any, path: str, *given: Any, **more: Any) -> Any:
        if path.endswith("/a"):
            raise PermissionError(13, "denied")
        return look(self, path, *given, **more)

    monkeypatch.setattr(type(files), "ls", ls)
    failed: list[OSError] = []

    assert [file.name for file in files_below(files, root, failed.append)] == ["b/two"]
    assert [error.strerror for error in failed] == ["denied"]


def test_what_a_driver_raises_is_one_line_without_its_secrets() -> None:
    error = RuntimeError("GET\n https://me:hunter2@host/x?X-Amz-Signature=hunter2 failed")
    assert told_of(error) == "RuntimeError: GET https://…host/x?… failed"
    assert told_of(TimeoutError()) == "no answer within 60 s"
