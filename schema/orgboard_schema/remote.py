"""Places that are reached by URL, through fsspec: `s3://bucket/prefix`, `gs://…`, `sftp://…`.

A URL of ours is stored, shown and logged, so nothing secret may be part of it: who reads a
place is settled by the environment, or by the files that the driver of that place reads.
fsspec and drivers are imported only here, and only for a URL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from orgboard_schema.errors import OrgboardError

__all__ = [
    "REQUEST_S",
    "RemoteFile",
    "bounded",
    "files_below",
    "is_url",
    "list_names",
    "normalised",
    "open_files",
    "require_driver",
    "told_of",
    "url_parts",
    "written_ns",
]

REQUEST_S: Final = 60.0
"""Longest for one request, tries of the driver's own counted: a store that hangs is away."""

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)

_SAME: Final = {"gcs": "gs", "s3a": "s3", "ssh": "sftp"}
"""Other names of a scheme: one place has one URL, or its runs would be stored twice."""

_HERE: Final = frozenset({"file", "local"})

_MORE_THAN_A_PORT: Final = re.compile(r":(?!\d+$)")

_WRITTEN: Final = ("LastModified", "mtime", "last_modified", "updated", "created")
"""Where drivers tell when a file was written."""

_SECRETS: Final = re.compile(r"(?<=://)[^/\s@]*@|(?<=\?)[^\s'\"]+")


class RemoteFile(NamedTuple):
    """A file below a place, as a listing shows it."""

    name: str
    """Relative to the place."""
    size: int
    written_ns: int
    """When, since the epoch. Where a store tells it to the second and marks versions, the
    nanoseconds are made of the mark: another version never has the same time."""


def is_url(text: str) -> bool:
    """Tell whether `text` names a place by URL, and not a folder of this host."""
    return _URL.fullmatch(text) is not None


def normalised(text: str) -> str:
    """Return the one URL by which this place is stored and shown.

    Raises:
        OrgboardError: It holds a secret, or names no place that could be read.
    """
    found = _URL.fullmatch(text)
    if found is None:
        raise OrgboardError(f"{text} is no URL")
    scheme, rest = found[1].lower(), found[2]
    host, _, path = rest.partition("/")
    if "::" in rest or "?" in rest or "#" in rest:
        raise OrgboardError(f"{scheme}:// takes no `::`, `?` or `#`: name a bucket and a prefix")
    if _MORE_THAN_A_PORT.search(host):
        raise OrgboardError(
            f"a {scheme}:// URL is stored and shown, so it may hold no password: give that in"
            " the environment, or in the file that the driver reads (FSSPEC_* and"
            " ~/.config/fsspec hold for every driver)"
        )
    if scheme in _HERE:
        raise OrgboardError(f"{scheme}:// is a folder of this host: name it by its path")
    names = path.rstrip("/").split("/") if path.rstrip("/") else []
    if not (host or names):
        raise OrgboardError(f"{scheme}:// names no place: a host or a bucket comes next")
    if not {"", ".", ".."}.isdisjoint(names):
        raise OrgboardError(f"{text} holds an empty name, `.` or `..`: name it straight")
    return "/".join((f"{_SAME.get(scheme, scheme)}://{host}", *names))


def url_parts(url: str) -> tuple[str, ...]:
    """Return what a URL leads through: the bucket or host first."""
    host, _, path = url.partition("://")[2].partition("/")
    return tuple(part for part in (host.rpartition("@")[2], *path.split("/")) if part)


def require_driver(url: str) -> None:
    """Make sure that what reads this place is installed; nothing is connected to.

    Raises:
        OrgboardError: It is not, or nobody reads such a place.
    """
    scheme = url.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        raise OrgboardError(
            f"{scheme}:// needs fsspec: pip install 'orgboard[remote]', and the driver of that"
            " place (s3fs, gcsfs, paramiko …)"
        ) from error
    try:
        fsspec.get_filesystem_class(scheme)
    except (ValueError, ImportError) as error:
        raise OrgboardError(f"{scheme}:// cannot be read: {error}") from error


def open_files(url: str) -> tuple[Any, str]:
    """Return the fsspec filesystem of a place, of its own and not cached, and the path there.

    Raises:
        OrgboardError: What reads it is not installed.
        Exception: Whatever the driver raises when it cannot connect.
    """
    require_driver(url)
    import fsspec
    from fsspec.asyn import AsyncFileSystem

    kind = fsspec.get_filesystem_class(url.partition("://")[0])
    # What a driver remembers of a listing would hide what changed since.
    fresh = {"use_listings_cache": False} if issubclass(kind, AsyncFileSystem) else {}
    files, root = fsspec.core.url_to_fs(url, skip_instance_cache=True, **fresh)
    return files, str(root).rstrip("/")


def bounded(files: Any) -> dict[str, float]:
    """Return the arguments that end a request after `REQUEST_S`, where the driver knows them."""
    return {"timeout": REQUEST_S} if files.async_impl else {}


def files_below(files: Any, root: str, failed: Callable[[OSError], None]) -> Iterator[RemoteFile]:
    """Yield the files below `root`: by one listing, page by page, where the store lists all
    that is below a prefix, else by one a folder.

    `failed` is told of folders that may not be looked into. A link is no file, and neither is
    what no size or no time is known of.

    Raises:
        Exception: Whatever the driver raises when the rest cannot be listed.
    """
    files.invalidate_cache()
    if _lists_all(files):
        listed = files.find(root, detail=True, **bounded(files)).values()
    else:
        listed = _walked(files, root, failed)
    start = f"{root}/"
    for told in listed:
        path = str(told.get("name", ""))
        if path.startswith(start) and told.get("type") == "file":
            written = written_ns(told)
            if written is not None and told.get("size") is not None:
                yield RemoteFile(path[len(start) :], int(told["size"]), written)


def list_names(url: str) -> frozenset[str]:
    """Return the names of all files below a place.

    Raises:
        OrgboardError: It cannot be listed.
    """
    failed: list[OSError] = []
    try:
        files, root = open_files(url)
        found = frozenset(file.name for file in files_below(files, root, failed.append))
    except OrgboardError:
        raise
    except Exception as error:
        raise OrgboardError(f"{url} cannot be listed: {told_of(error)}") from error
    if failed:
        raise OrgboardError(f"{url} cannot be listed: {told_of(failed[0])}")
    return found


def written_ns(told: Mapping[str, Any]) -> int | None:
    """Return when a file was written, by what its driver tells of it; None: it does not say."""
    written = next((told[name] for name in _WRITTEN if told.get(name)), None)
    if isinstance(written, str):
        written = datetime.fromisoformat(written)
    if isinstance(written, datetime):
        written = (written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp()
    if not isinstance(written, (int, float)):
        return None
    mark = told.get("ETag") or told.get("etag") or told.get("generation")
    if mark is None:
        return int(written * 1e9)
    # By listing it may be told more exactly than by asking for one file: only seconds agree.
    return int(written) * 1_000_000_000 + _nanoseconds(str(mark).strip('"'))


def _nanoseconds(mark: str) -> int:
    return int.from_bytes(hashlib.sha256(mark.encode()).digest()[:8], "big") % 1_000_000_000


def _lists_all(files: Any) -> bool:
    """Tell whether a driver knows better than to list folder by folder."""
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    if files.async_impl:
        return type(files)._find is not AsyncFileSystem._find
    return type(files).find is not AbstractFileSystem.find


def _walked(
    files: Any, root: str, failed: Callable[[OSError], None]
) -> Iterator[Mapping[str, Any]]:
    """Yield what is below a folder, as `find` does, which keeps silent of what it cannot see."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            listed = files.ls(folder, detail=True, **bounded(files))
        except (FileNotFoundError, PermissionError) as error:
            if folder == root:
                raise
            if isinstance(error, PermissionError):
                failed(error)
            continue
        for told in listed:
            if told.get("type") == "directory":
                waiting.append(str(told["name"]).rstrip("/"))
            else:
                yield told


def told_of(error: BaseException) -> str:
    """Say in one line what a driver raised, without what might be secret in it."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if isinstance(error, TimeoutError) and not said:
        said = f"no answer within {REQUEST_S:.0f} s"
    name = "" if isinstance(error, OSError) else type(error).__name__
    line = " ".join(_unsecret(said).split())
    return ": ".join(part for part in (name, line) if part) or type(error).__name__


def _unsecret(text: str) -> str:
    """Return a text without what a URL in it holds of users, passwords and signatures."""
    return _SECRETS.sub("…", text)
