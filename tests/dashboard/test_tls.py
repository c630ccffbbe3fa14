"""TLS of our own: files that cannot be used are told in one line, old protocols are refused."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orgboard_dashboard.tls import CannotUseTls, Certificate, server_context
from support.certificates import Pair, make_pair
from support.programs import ORGBOARD, Program, Start, run_orgboard, running
from support.waiting import wait_until

WITHIN_S = 45.0
LINK = re.compile(r"^  https://127\.0\.0\.1:(\d+)/welcome#([\w-]{43})$", re.MULTILINE)
ADDRESS = re.compile(r"orgboard is at https://127\.0\.0\.1:(\d+)\n")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def of_rsa(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("rsa"), kind="rsa")


def test_a_pair_is_taken_whatever_its_key_is(pair: Pair, of_rsa: Pair) -> None:
    for each in (pair, of_rsa):
        context = server_context(str(each.cert), str(each.key))
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_file_that_holds_both_is_a_pair(pair: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text(pair.key.read_text() + pair.cert.read_text())

    server_context(str(both), str(both))


def test_files_that_are_no_pair_are_told_in_one_line(
    pair: Pair, other: Pair, of_rsa: Pair, tmp_path: Path
) -> None:
    locked, cut, empty = tmp_path / "locked.pem", tmp_path / "cut.pem", tmp_path / "empty.pem"
    done = ["openssl", "pkcs8", "-topk8", "-in", str(pair.key), "-out", str(locked)]
    subprocess.run([*done, "-passout", "pass:word"], check=True, capture_output=True)
    cut.write_text(pair.cert.read_text()[:200])
    empty.touch()
    nowhere = tmp_path / "nowhere.pem"

    for cert, key, reason in (
        (pair.cert, other.key, "is not the key of --tls-cert"),
        (pair.cert, of_rsa.key, "is not the key of --tls-cert"),
        (pair.key, pair.cert, "holds no certificate in PEM form"),
        (pair.cert, pair.cert, "holds no private key in PEM form"),
        (empty, pair.key, "holds no certificate in PEM form"),
        (cut, pair.key, "cannot be used"),
        (nowhere, pair.key, "nowhere.pem cannot be read: No such file or directory"),
        (pair.cert, tmp_path, "cannot be read: Is a directory"),
        (pair.cert, locked, "is locked by a password"),
    ):
        with pytest.raises(CannotUseTls, match=re.escape(reason)) as told:
            server_context(str(cert), str(key))
        assert "\n" not in str(told.value)


def _served(context: ssl.SSLContext) -> bytes:
    """Return the certificate that somebody who comes now is shown."""
    ours, theirs = socket.socketpair()
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    with ours, theirs:
        server = threading.Thread(target=_shake, args=(context, ours))
        server.start()
        with client.wrap_socket(theirs, server_hostname="localhost") as shaken:
            shown = shaken.getpeercert(binary_form=True)
        server.join()
    assert shown is not None
    return shown


def _shake(context: ssl.SSLContext, side: socket.socket) -> None:
    with context.wrap_socket(side, server_side=True) as shaken:
        shaken.recv(1)


def test_a_renewed_certificate_is_shown_to_whoever_comes_next(
    other: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = make_pair(tmp_path)
    used = Certificate(str(mine.cert), str(mine.key))
    before = _served(used.context)

    # Half of it: the files are no pair.
    shutil.copy(other.cert, mine.cert)
    used.look()
    half = _served(used.context)
    shutil.copy(other.key, mine.key)
    used.look()

    assert half == before
    assert "is not the key of" in caplog.text
    assert _served(used.context) == ssl.PEM_cert_to_DER_cert(other.cert.read_text()) != before


@pytest.mark.slow
@pytest.mark.parametrize("command", ["web", "serve", "demo"])
def test_wrong_files_stop_the_start_before_anything_is_made(
    command: str, pair: Pair, other: Pair, tmp_path: Path
) -> None:
    database = tmp_path / "board.db"
    where: dict[str, list[object]] = {
        "web": ["--db", database],
        "serve": [tmp_path, "--db", database],
        "demo": ["--dir", tmp_path / "demo"],
    }
    done = run_orgboard(
        *(command, *where[command], "--port", 0, "--tls-cert", pair.cert, "--tls-key", other.key)
    )

    assert done.returncode == 2
    assert "is not the key of --tls-cert" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def port(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("served")
    database = folder / "board.db"
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0
    tls = ["--tls-cert", pair.cert, "--tls-key", pair.key]
    command: list[object] = [ORGBOARD, "web", "--db", database, "--port", 0, "--workers", 2, *tls]
    with running(command, folder / "web.log") as program:
        found = wait_until(lambda: ADDRESS.search(program.output()), WITHIN_S, "an address")
        yield int(found.group(1))


def _trusting(pair: Pair, change: Callable[[ssl.SSLContext], None]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pair.cert))
    change(context)
    return context


@pytest.mark.slow
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_the_certificate_names_is_reached_by_tls(
    pair: Pair, port: int, version: ssl.TLSVersion
) -> None:
    def only(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version

    connection = http.client.HTTPSConnection(
        "localhost", port, timeout=20, context=_trusting(pair, only)
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 200
        # This machine's own name is not this board's alone.
        assert answer.getheader("strict-transport-security") is None
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_protocols_are_refused(pair: Pair, port: int) -> None:
    def old(context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        # Else the client itself would refuse.
        context.set_ciphers("ALL:@SECLEVEL=0")

    context = _trusting(pair, old)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.slow
def test_plain_http_is_not_answered_there(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/readyz")
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            connection.getresponse()
    finally:
        connection.close()


@pytest.mark.slow
def test_the_terminal_tells_the_link_to_the_first_account_once_a_start(
    pair: Pair, start_orgboard: Start, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    database = tmp_path / "board.db"
    links: list[str] = []
    tls = ["--tls-cert", pair.cert, "--tls-key", pair.key, "--accounts", "--port", 0]
    starts: list[list[object]] = [
        ["serve", tmp_path / "logs", "--db", database, *tls],
        ["web", "--db", database, "--workers", 2, *tls],
        ["web", "--db", database, *tls],
    ]
    context = ssl.create_default_context(cafile=str(pair.cert))

    def told(program: Program) -> tuple[str, str]:
        found = wait_until(lambda: LINK.findall(program.output()), WITHIN_S, "a link")
        assert len(found) == 1
        port, secret = found[0]
        return port, secret

    def look(port: str, secret: str) -> int:
        connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context)
        try:
            own = {"content-type": "application/json", "sec-fetch-site": "same-origin"}
            connection.request("POST", "/welcome/look", f'{{"secret": "{secret}"}}', own)
            return connection.getresponse().status
        finally:
            connection.close()

    for start in starts:
        with start_orgboard(*start) as program:
            port, secret = told(program)
            links.append(secret)
            assert look(port, secret) == 200
            # Those before it are void.
            assert [look(port, old) for old in links[:-1]] == [404] * (len(links) - 1)

    assert len(set(links)) == 3


@pytest.mark.slow
def test_a_server_takes_a_renewed_certificate_while_it_runs(
    start_orgboard: Start, other: Pair, tmp_path: Path
) -> None:
    mine, database = make_pair(tmp_path), tmp_path / "board.db"
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0
    tls = ["--tls-cert", mine.cert, "--tls-key", mine.key]

    with start_orgboard("web", "--db", database, "--port", 0, *tls) as program:
        found = wait_until(lambda: ADDRESS.search(program.output()), WITHIN_S, "an address")
        port = int(found.group(1))

        def shown() -> str:
            return ssl.get_server_certificate(("127.0.0.1", port), timeout=30)

        assert shown() == mine.cert.read_text()
        shutil.copy(other.cert, mine.cert)
        shutil.copy(other.key, mine.key)

        wait_until(lambda: shown() == other.cert.read_text(), WITHIN_S, "the new certificate")
