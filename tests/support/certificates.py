"""A certificate of the tests' own for localhost and some names, by the system's openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.lacking import lack

__all__ = ["Pair", "make_pair"]

_NAMES = "subjectAltName=DNS:localhost,DNS:board.example,IP:127.0.0.1"


@dataclass(frozen=True, slots=True)
class Pair:
    """Files of a certificate and its key."""

    cert: Path
    key: Path


def make_pair(folder: Path, name: str = "own", *, kind: str = "ec") -> Pair:
    """Make a self-signed certificate that lasts for a day; `kind` of its key: ec or rsa."""
    openssl = shutil.which("openssl")
    if openssl is None:
        lack("no openssl on PATH")
    pair = Pair(folder / f"{name}.cert.pem", folder / f"{name}.key.pem")
    key = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "rsa": ["rsa:2048"]}[kind]
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", *key, "-nodes", "-days", "1"),
            *("-keyout", str(pair.key), "-out", str(pair.cert)),
            *("-subj", "/CN=localhost", "-addext", _NAMES),
        ],
        check=True,
        capture_output=True,
    )
    return pair
