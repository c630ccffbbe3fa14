"""An OpenID Connect provider on loopback: a real server that keeps the rules, or breaks one.

    discovery ─ authorize ─ token ─ keys

What it does wrong is said by its fields; everything else it does as the standard has it, and it
refuses a client that does not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import RSAKey

__all__ = ["CLIENT", "SECRET", "Answer", "Provider", "key_of", "provider_on_loopback"]

CLIENT: Final = "the-board"
SECRET: Final = "a secret of the client's: 100% / & ="


@cache
def key_of(kid: str) -> RSAKey:
    """Return a key that the provider has, or could have."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


@dataclass(slots=True)
class Answer:
    """One answer that is not what it should be."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    wait: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Provider:
    """What it knows, and does."""

    issuer: str = ""
    clock: Callable[[], float] = time.time
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "248289761001"})
    """Who is signed in there: what is told beside what belongs to each token."""
    wrong: dict[str, Any] = field(default_factory=dict)
    """Claims that it tells wrongly; None leaves one out; what can be called is told the time."""
    kids: tuple[str, ...] = ("one",)
    """The keys that it publishes."""
    signs_with: str = "one"
    algorithm: str = "RS256"
    names_kid: bool = True
    tells_issuer: bool = True
    said_issuer: str | None = None
    """What the answer says it is from; None: the truth."""
    error: str = ""
    """Sends people back with this, and without a code."""
    discovery: dict[str, Any] = field(default_factory=dict)
    """What it says wrongly of itself."""
    instead: dict[str, Answer] = field(default_factory=dict)
    """By path: what it answers whatever it is asked."""
    asked: list[str] = field(default_factory=list)
    """Paths, in order."""
    seen: dict[str, str] = field(default_factory=dict)
    """What the last browser came with."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def visit(self, address: str) -> str:
        """Sign in as a browser does; return the query part of where it is sent."""
        response = httpx.get(address, follow_redirects=False)
        assert response.status_code == 302, response.text
        return "?" + urlsplit(response.headers["location"]).query

    def answer(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Return the answer to one request."""
        path, _, query = target.partition("?")
        self.asked.append(path)
        if path in self.instead:
            self.instead[path].wait()
            return self.instead[path]
        if path == "/.well-known/openid-configuration":
            return _json(self._discovered())
        if path == "/keys":
            return _json({"keys": [key_of(kid).as_dict(private=False) for kid in self.kids]})
        if path == "/authorize":
            return self._authorize(dict(parse_qsl(query)))
        if path == "/token" and method == "POST":
            return self._token(dict(parse_qsl(body.decode())), headers.get("authorization", ""))
        return _json({"error": "not_found"}, 404)

    def _discovered(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": self.tells_issuer,
        }
        return said | self.discovery

    def _authorize(self, asked: dict[str, str]) -> Answer:
        self.seen = asked
        must = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        short = [name for name in ("state", "nonce", "code_challenge") if len(asked[name]) < 43]
        if any(asked.get(name) != value for name, value in must.items()) or short:
            return _json({"error": "invalid_request"}, 400)
        code = token_urlsafe(16)
        self.codes[code] = asked
        issuer = self.issuer if self.said_issuer is None else self.said_issuer
        told = {"error": self.error} if self.error else {"code": code}
        told |= {"state": asked["state"], **({"iss": issuer} if issuer else {})}
        return Answer(302, b"", {"location": f"{asked['redirect_uri']}?{urlencode(told)}"})

    def _token(self, form: dict[str, str], authorization: str) -> Answer:
        begun = self.codes.pop(form.get("code", ""), None)
        kept = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        name, _, secret = kept.partition(":")
        if (unquote(name), unquote(secret)) != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 401)
        proof = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            begun is None
            or proof != begun["code_challenge"]
            or form.get("redirect_uri") != begun["redirect_uri"]
            or form.get("grant_type") != "authorization_code"
        ):
            return _json({"error": "invalid_grant"}, 400)
        return _json(
            {
                "access_token": "an access token",
                "token_type": "Bearer",
                "id_token": self.token_of(begun),
            }
        )

    def token_of(self, begun: dict[str, str]) -> str:
        """Return the ID token for who began so."""
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            **({"auth_time": now} if "max_age" in begun else {}),
            **self.person,
            **self.wrong,
        }
        told = {name: said(now) if callable(said) else said for name, said in claims.items()}
        return self.signed({name: said for name, said in told.items() if said is not None})

    def signed(self, claims: dict[str, Any]) -> str:
        """Sign claims with what it signs with now."""
        header = {"alg": self.algorithm, **({"kid": self.signs_with} if self.names_kid else {})}
        key = key_of(self.signs_with)
        if self.algorithm in ("none", "HS256"):
            # No library does this any more: what everybody can read is taken for a shared secret.
            text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
            made = hmac.new(key.as_pem(private=False), text.encode(), hashlib.sha256).digest()
            return f"{text}." if self.algorithm == "none" else f"{text}.{_base64(made)}"
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[self.algorithm])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json(said: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(said).encode(), {"content-type": "application/json"})


@contextmanager
def provider_on_loopback(provider: Provider | None = None) -> Iterator[Provider]:
    """Serve a provider while the block runs."""
    made = Provider() if provider is None else provider
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(made))
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = provider.answer(self.command, self.path, self.rfile.read(length), headers)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            try:
                self.wfile.write(answer.body)
            except OSError:
                # Who asked heard enough.
                self.close_connection = True

        do_GET = do_POST = _answer  # noqa: N815  # as the library calls them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    return Handler
