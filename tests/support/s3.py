"""Buckets of a real S3 server on loopback, and their objects, put and looked at as users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from support import s3_server
from support.lacking import lack

__all__ = ["S3", "Bucket", "s3", "s3_bucket"]

_NUMBERS: Final = count()


class S3:
    """The server, and what its clients find in their environment."""

    def __init__(self, port: int) -> None:
        self.port = port

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Return what leads a client here, or to a proxy before it at `port`."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def fail(self, status: int) -> None:
        """Answer everything with this status from now on; 0: do not."""
        self._control(f"fail?{status}")

    def asked(self) -> list[dict[str, Any]]:
        """Return the requests since this was last called, and how many bytes answered each."""
        return list(self._control("asked"))

    def _control(self, what: str) -> Any:
        url = f"http://127.0.0.1:{self.port}{s3_server.CONTROL}{what}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)


class Bucket:
    """One bucket, by a client of its own."""

    def __init__(self, server: S3, name: str) -> None:
        # Imported here: the environment of the frameworks' tests has no such driver.
        import s3fs

        self.server = server
        self.name = name
        self.files = s3fs.S3FileSystem(
            key="testing",
            secret="testing",
            endpoint_url=f"http://127.0.0.1:{server.port}",
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        self.files.mkdir(name)

    def url(self, prefix: str = "") -> str:
        """Return the URL of what lies below a prefix."""
        return f"s3://{self.name}/{prefix}".rstrip("/")

    def put(self, key: str, data: bytes) -> None:
        """Put an object, over the one that has its name."""
        self.files.pipe_file(f"{self.name}/{key}", data)

    def remove(self, key: str) -> None:
        """Remove an object."""
        self.files.rm_file(f"{self.name}/{key}")

    def upload(self, folder: Path, prefix: str = "") -> None:
        """Put every file below a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder)}".lstrip("/")
                self.put(key, path.read_bytes())


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """Give the server, started once and stopped at the end."""
    if not (find_spec("moto") and find_spec("s3fs")):
        lack("moto and s3fs are not installed")
    program = [sys.executable, "-m", "support.s3_server"]
    folder = Path(__file__).parents[1]
    process = subprocess.Popen(
        program,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield S3(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


@pytest.fixture
def s3_bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Give an empty bucket, and this process the environment in which it is found."""
    environment: Mapping[str, str] = s3.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bucket = Bucket(s3, f"bucket{next(_NUMBERS)}")
    s3.asked()
    return bucket
