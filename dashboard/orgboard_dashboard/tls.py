"""TLS of our own: for a board that browsers reach without a proxy between."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from orgboard_schema.errors import OrgboardError

__all__ = ["CannotUseTls", "Certificate", "server_context"]

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 1 << 20
"""Of a file: a chain of certificates has some thousand."""

_NO_PAIR: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of a key of another certificate; the last: of another sort."""


class CannotUseTls(OrgboardError):  # noqa: N818 - says what is, as its siblings do
    """The certificate or its key cannot be used; the message says why."""


@dataclass(slots=True)
class Certificate:
    """A certificate in use. Renewed in its files, it is used for whoever comes from then on."""

    cert: str
    key: str
    context: ssl.SSLContext = field(init=False)
    _seen: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read it.

        Raises:
            CannotUseTls: it cannot be used.
        """
        self._seen = self._stamp()
        self.context = server_context(self.cert, self.key)

    def look(self) -> None:
        """Take what was written since; what cannot be used is told, and the old one kept."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        # Also when it fails: half a renewal is followed by its other half, which changes it again.
        self._seen = stamp
        try:
            server_context(self.cert, self.key)
            self.context.load_cert_chain(self.cert, self.key)
        except (CannotUseTls, OSError) as error:
            log.warning("the certificate is not renewed: %s", error)

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        def of(path: str) -> tuple[int, int]:
            try:
                told = Path(path).stat()
            except OSError:
                return 0, 0
            return told.st_mtime_ns, told.st_ino

        return of(self.cert), of(self.key)


def server_context(cert: str, key: str) -> ssl.SSLContext:
    """Return what it takes to speak TLS 1.2 and 1.3 with this certificate.

    Raises:
        CannotUseTls: a file cannot be read, or is none of that sort, or they are no pair.
    """
    _look("--tls-cert", cert, b"BEGIN CERTIFICATE-----", "certificate")
    _look("--tls-key", key, b"PRIVATE KEY-----", "private key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])

    def no_password() -> str:
        # Without this, OpenSSL asks at the terminal and waits.
        raise CannotUseTls(f"--tls-key {key} is locked by a password: give a key without one")

    try:
        context.load_cert_chain(cert, key, no_password)
    except ssl.SSLError as error:
        raise CannotUseTls(_why(error, cert, key)) from error
    return context


def _look(flag: str, path: str, mark: bytes, what: str) -> None:
    """See that a file can be read and has what it is given for: OpenSSL's words are for few."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise CannotUseTls(f"{flag} {path} cannot be read: {error.strerror}") from error
    if mark not in text:
        raise CannotUseTls(f"{flag} {path} holds no {what} in PEM form")


def _why(error: ssl.SSLError, cert: str, key: str) -> str:
    if error.reason in _NO_PAIR:
        return f"--tls-key {key} is not the key of --tls-cert {cert}: give the two that are a pair"
    told = (error.reason or "it holds no certificate and key").lower().replace("_", " ")
    return f"--tls-cert {cert} and --tls-key {key} cannot be used: {told}"
