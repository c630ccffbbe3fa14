"""Codes that a phone shows, by RFC 6238: six digits, another each half minute; and what to keep for
when the phone is gone. Pure.

    secret, time ──▶ step ──▶ HMAC-SHA-1 ──▶ six digits
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote

import segno

__all__ = [
    "code_at",
    "link_of",
    "new_recovery_codes",
    "new_seed",
    "picture_of",
    "plain",
    "spelled",
    "step_of",
]

_STEP_S: Final = 30
_DIGITS: Final = 6
_SEED_BYTES: Final = 20
"""As long as the hash is, which is what the standard asks for."""

_AROUND: Final = (0, -1, 1)
"""Steps that will do: clocks of phones are off, and people take a while."""

_RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10
"""80 bits need no slow hash: who has their hashes finds none of them."""


def new_seed() -> bytes:
    """Return a secret for a device to make codes of."""
    return secrets.token_bytes(_SEED_BYTES)


def code_at(seed: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226, 5.3)."""
    made = hmac.new(seed, step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = made[-1] & 0x0F
    number = int.from_bytes(made[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def step_of(seed: bytes, code: str, now: float, last_step: int | None) -> int | None:
    """Return the step whose code this is, about now and after the last one taken; None: of none."""
    here, found = int(now // _STEP_S), None
    # All are compared, so that the time tells nothing.
    for step in (here + off for off in _AROUND):
        is_it = hmac.compare_digest(code_at(seed, step).encode(), code.encode("utf-8", "replace"))
        if is_it and (last_step is None or step > last_step):
            found = step
    return found


def link_of(seed: bytes, name: str, board: str) -> str:
    """Return the address that apps for codes open."""
    label = f"{quote(board, safe='')}:{quote(name, safe='')}"
    secret = base64.b32encode(seed).decode()
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(board, safe='')}"


def picture_of(link: str) -> list[str]:
    """Return the QR code of an address: a text of 0 (light) and 1 (dark) for each row."""
    code = segno.make_qr(link, error="m")
    return ["".join("01"[dark & 1] for dark in row) for row in code.matrix]


def spelled(seed: bytes) -> str:
    """Return a secret as people type it: letters and digits, four and four."""
    return _grouped(base64.b32encode(seed).decode())


def new_recovery_codes() -> tuple[str, ...]:
    """Return what opens in place of a code, each once."""
    made = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(_RECOVERY_CODES))
    return tuple(_grouped(code.decode().lower(), "-") for code in made)


def plain(code: str) -> str:
    """Return a code without what people put between its parts."""
    return "".join(code.split()).replace("-", "").lower()


def _grouped(text: str, by: str = " ") -> str:
    return by.join(text[at : at + 4] for at in range(0, len(text), 4))
