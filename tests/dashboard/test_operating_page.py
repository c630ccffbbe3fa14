"""What `dashboard/OPERATING.md` hands out: units that systemd takes, proxies that do as told."""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shlex
import shutil
import ssl
import string
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from orgboard_dashboard.flags import add_web_flags, config_of
from orgboard_dashboard.reach import why_not
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade
from support.boards import Board, scalars
from support.certificates import Pair, make_pair
from support.lacking import lack
from support.programs import ORGBOARD, run_orgboard, running
from support.proxies import FOLDER, caddy, caddy_text, nginx, nginx_text
from support.waiting import free_port, wait_until

PAGE = FOLDER.parent / "OPERATING.md"
UNITS = ("orgboard-web.service", "orgboard-ingest.service")
PASSWORD = "a sentence that is long enough"
LINK = re.compile(r"^  https://\S+/welcome#(\S+)$", re.MULTILINE)
WITHIN_S = 60.0
MOST_EXPOSED = 20
"""In tenths, as systemd measures from 0 to 10: up to here it says OK, and what is left is the
network and what only a unit without one can leave out."""


def _analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        lack("no systemd-analyze on PATH")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _command(unit: str) -> list[str]:
    """Return what a unit starts."""
    text = (FOLDER / unit).read_text(encoding="utf-8").replace("\\\n", " ")
    started = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert len(started) == 1
    given = re.findall(r"^(\w+)=(.+)$", (FOLDER / "board.env").read_text("utf-8"), re.MULTILINE)
    return shlex.split(string.Template(started[0]).substitute(dict(given)))


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a unit whose program is the one that runs the tests."""
    text = (FOLDER / request.param).read_text(encoding="utf-8")
    assert "ExecStart=/opt/orgboard/bin/orgboard " in text
    here: Path = tmp_path / request.param
    here.write_text(text.replace("/opt/orgboard/bin/orgboard ", f"{ORGBOARD} "), encoding="utf-8")
    return here


@pytest.mark.slow
def test_systemd_takes_the_units_as_they_are(unit: Path) -> None:
    done = _analyze("verify", "--man=no", unit)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
def test_the_units_may_do_little_beside_their_work(unit: Path) -> None:
    done = _analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", unit)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


def test_the_web_unit_starts_what_may_be_served() -> None:
    program, command, *argv = _command("orgboard-web.service")
    parser = argparse.ArgumentParser()
    add_web_flags(parser)
    parser.add_argument("--workers", type=int)

    options = parser.parse_args(argv)

    assert (program, command) == ("/opt/orgboard/bin/orgboard", "web")
    assert why_not(config_of(options, None), lambda: False) is None
    assert options.base_url == "https://board.example"
    assert f"127.0.0.1:{options.port}" in (FOLDER / "nginx.conf").read_text(encoding="utf-8")


def test_the_ingest_unit_starts_what_there_is(tmp_path: Path) -> None:
    _, command, _, *argv = _command("orgboard-ingest.service")
    database = tmp_path / "board.db"
    (tmp_path / "runs").mkdir()

    done = run_orgboard(command, tmp_path / "runs", *argv, "--db", database, "--once")

    assert done.returncode == 0, done.stderr
    prometheus = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    assert f"127.0.0.1:{argv[argv.index('--metrics') + 1]}" in prometheus


def test_the_page_tells_every_flag_and_every_file() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parser = argparse.ArgumentParser()
    add_web_flags(parser)
    told = set(re.findall(r"`(--[a-z-]+)`", page))

    own = {"--accounts", "--tls-cert", "--tls-key", "--base-url", "--trusted-proxy"}
    flags = {flag for action in parser._actions for flag in action.option_strings}
    own |= {flag for flag in flags if flag.startswith("--oidc-")}
    assert own <= told
    assert own <= flags
    for file in FOLDER.iterdir():
        assert file.name in page or (file.suffix == ".service" and "*.service" in page), file.name
    units = [(FOLDER / unit).read_text(encoding="utf-8") for unit in UNITS]
    assert all("EnvironmentFile=/etc/orgboard/board.env\n" in unit for unit in units)
    assert "board.env /etc/orgboard/board.env\n" in page


@dataclass(frozen=True, slots=True)
class Fronted:
    """A board behind a proxy: where it is, the way in, and the database."""

    port: int
    pair: Pair
    secret: str
    engine: Engine
    plain_port: int | None

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.pair.cert))
        return http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: object = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask by HTTPS; the certificate is looked at."""
        connection = self.connect()
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.msg, answer.read()
        finally:
            connection.close()

    def own(self) -> dict[str, str]:
        """Return what a browser says of a page of the board."""
        return {
            "origin": f"https://localhost:{self.port}",
            "sec-fetch-site": "same-origin",
            "content-type": "application/json",
        }


@contextmanager
def _nginx(outside: int, port: int, pair: Pair, folder: Path) -> Iterator[int | None]:
    plain = free_port()
    ports = {80: plain, 443: outside, 7070: port}
    with nginx(nginx_text("nginx.conf", name="localhost", ports=ports, pair=pair), folder):
        yield plain


@contextmanager
def _caddy(outside: int, port: int, pair: Pair, folder: Path) -> Iterator[int | None]:
    names = {
        "board.example": f"localhost:{outside}",
        "tools.example": f"board.example:{free_port()}",
    }
    with caddy(caddy_text(names, {7070: port}, pair), folder):
        # It sends browsers on from port 80 by itself; not here, where that is not ours.
        yield None


Proxy = Callable[[int, int, Pair, Path], AbstractContextManager[int | None]]


@pytest.fixture(scope="module", params=[_nginx, _caddy], ids=["nginx", "Caddy"])
def fronted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fronted]:
    proxy: Proxy = request.param
    folder = tmp_path_factory.mktemp("fronted")
    database, outside, port, pair = folder / "board.db", free_port(), free_port(), make_pair(folder)
    engine = open_engine(str(database))
    upgrade(engine)
    Board(engine).log("run", [scalars("loss", [1.0, 0.5])])
    where = ["--base-url", f"https://localhost:{outside}", "--trusted-proxy", "127.0.0.1"]
    command: list[object] = [ORGBOARD, "web", "--db", database, "--port", port, "--accounts"]
    with (
        proxy(outside, port, pair, folder) as plain,
        running([*command, *where], folder / "web.log") as program,
    ):
        link = wait_until(lambda: LINK.search(program.output()), WITHIN_S, "the link")
        made = Fronted(outside, pair, link.group(1), engine, plain)
        wait_until(lambda: made.ask("GET", "/readyz")[0] == 200, WITHIN_S, "the board answers")
        yield made
    engine.dispose()


@pytest.fixture(scope="module")
def session(fronted: Fronted) -> dict[str, str]:
    """Give the cookie of the first account, made by who claims to be somewhere else."""
    lies = {"x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "http", "x-real-ip": "6.6.6.6"}
    asked = {"secret": fronted.secret, "name": "ana", "password": PASSWORD}
    status, headers, body = fronted.ask("POST", "/welcome", {**fronted.own(), **lies}, asked)
    assert status == 200, body
    cookies = headers.get_all("set-cookie") or []
    assert all(cookie.startswith("__Host-") for cookie in cookies)
    return {"cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)}


@pytest.mark.slow
def test_through_the_proxy_the_board_knows_who_asks_whatever_that_one_says(
    fronted: Fronted, session: dict[str, str]
) -> None:
    with fronted.engine.connect() as conn:
        addresses = conn.exec_driver_sql("SELECT DISTINCT address FROM session").scalars().all()

    assert list(addresses) == ["127.0.0.1"]


@pytest.mark.slow
def test_through_the_proxy_news_come_at_once(fronted: Fronted, session: dict[str, str]) -> None:
    # `http.client` waits for each line: held back, the first one would not come.
    connection = fronted.connect()
    try:
        connection.request("GET", "/api/ui/v1/p/default/board/live", headers=session)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.readline() == b"event: runs\n"
        while answer.readline() != b"\n":
            pass
        Board(fronted.engine).log("another", [scalars("loss", [1.0])])
        told = iter(answer.readline, b"")
        assert any(b'"revision"' in line for line in told)
    finally:
        connection.close()


@pytest.mark.slow
def test_through_the_proxy_only_the_boards_own_pages_change_something(
    fronted: Fronted, session: dict[str, str]
) -> None:
    def status(**headers: str) -> int:
        asked = {"name": "nobody", "password": "wrong wrong wrong"}
        said = {**fronted.own(), **{name.replace("_", "-"): v for name, v in headers.items()}}
        return fronted.ask("POST", "/sign-in", said, asked)[0]

    assert status() == 401
    assert status(origin="https://evil.example") == 403
    assert status(origin=f"http://localhost:{fronted.port}") == 403
    assert status(sec_fetch_site="cross-site") == 403


@pytest.mark.slow
def test_through_the_proxy_no_stranger_reads_how_the_board_fares(
    fronted: Fronted, session: dict[str, str]
) -> None:
    assert fronted.ask("GET", "/metrics")[0] == 401
    # Nor by saying that it is this machine.
    assert fronted.ask("GET", "/metrics", {"x-forwarded-for": "127.0.0.1"})[0] == 401
    status, _, body = fronted.ask("GET", "/metrics", session)
    assert status == 200
    assert b"\norgboard_web_accounts 1\n" in body


@pytest.mark.slow
def test_through_the_proxy_answers_keep_their_headers(fronted: Fronted) -> None:
    _, headers, _ = fronted.ask("GET", "/sign-in", {"accept": "text/html"})

    assert "default-src 'none'" in headers["content-security-policy"]
    # Of localhost there is no telling that all of it is by HTTPS.
    assert headers["strict-transport-security"] is None
    assert len(headers.get_all("x-content-type-options") or []) == 1


@pytest.mark.slow
def test_plain_http_is_led_to_https(fronted: Fronted) -> None:
    if fronted.plain_port is None:
        return
    connection = http.client.HTTPConnection("127.0.0.1", fronted.plain_port, timeout=30)
    try:
        connection.request("GET", "/p/a/b/runs?q=x%20y", headers={"host": "localhost"})
        answer = connection.getresponse()
        assert answer.status == 308
        assert answer.getheader("location") == "https://localhost/p/a/b/runs?q=x%20y"
    finally:
        connection.close()
