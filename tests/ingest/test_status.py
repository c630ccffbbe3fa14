"""What ingest shows of itself: in a terminal, in its log, to Prometheus."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import unicodedata
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from orgboard_ingest.events import Lines, LogStyle, say
from orgboard_ingest.exposed import Exposed, metrics_text, parse_address, troubles
from orgboard_ingest.figures import Backlog, Rate, Snapshot
from orgboard_ingest.status import Screen, ScreenHandler, rows
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql.health import IngestHealth, LogdirHealth
from orgboard_schema.sql.leases import Work
from support.event_files import event_file, scalar_event
from support.programs import ORGBOARD, Start
from support.waiting import free_port, wait_until

NAME = "events.out.tfevents.1"
WITHIN_S = 30.0
ESCAPE = re.compile(r"\x1b\[[0-9]*[A-Za-z]")


def _logdir(path: str = "/data/logs", *, gaps: int = 0, **work: object) -> LogdirHealth:
    told = Work(**{"watch": "watching", "runs": 2, "files": 3, **work})  # type: ignore[arg-type]
    ingest = IngestHealth("me", "host", 1, 0.0, 1.0, alive=True, work=told)
    return LogdirHealth(1, "default/logs", path, 0.0, 2, 3, gaps, (ingest,))


def _text(snapshot: Snapshot, *, plain: bool = False) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows(snapshot, plain=plain)]


def test_the_status_says_what_is_read_how_fast_and_what_waits() -> None:
    busy = _logdir(points_per_s=12345.6, pending_bytes=3_400_000, lag_s=0.31, gaps=2)
    slow = _logdir("/nfs", watch="polling", watch_reason="on NFS", unreadable_files=1)

    assert _text(Snapshot((busy, slow), (1, 0))) == [
        "● /data/logs  watching  shared with 1 other process",
        "  2 runs · 3 files · 12,346 points/s · 3.4 MB waiting, 0.3 s behind · 2 damaged places",
        "● /nfs  polling, on NFS",
        "  2 runs · 3 files · 0 points/s · up to date · 1 unreadable files",
    ]
    assert _text(Snapshot(away_s=75.0, away_reason="refused\x1b[2J"), plain=True) == [
        "! database away for 75 s: refused\\x1b[2J"
    ]


def test_many_logdirs_are_added_up() -> None:
    shown = _text(Snapshot(tuple(_logdir(f"/logs/{n}") for n in range(9)), (0,) * 9))

    assert len(shown) == 13
    assert shown[-1] == "  and 3 more logdirs"


class Terminal(io.StringIO):
    """A terminal 40 cells wide and 24 high, and what it shows after all that was written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """Play the few sequences that are used."""
        lines, row, at = [""], 0, 0
        for piece in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[^\x1b]", self.getvalue()):
            if piece.endswith("A") and piece.startswith("\x1b"):
                row -= int(piece[2:-1])
            elif piece == "\x1b[K":
                lines[row] = lines[row][:at]
            elif piece == "\x1b[J":
                lines[row] = lines[row][:at]
                del lines[row + 1 :]
            elif piece == "\r":
                at = 0
            elif piece == "\n":
                row, at = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            elif not piece.startswith("\x1b"):
                lines[row] = lines[row][:at].ljust(at) + piece + lines[row][at + 1 :]
                at += 1
        return lines


def test_the_status_is_redrawn_in_place_below_the_log_and_leaves_nothing() -> None:
    terminal, now = Terminal(), [0.0]
    screen = Screen(terminal, {}, lambda: now[0])
    log = logging.getLogger("orgboard.test_status")
    handler = ScreenHandler(screen)
    handler.setFormatter(Lines("text"))
    log.addHandler(handler)
    try:
        screen.show(Snapshot((_logdir(), _logdir("/b")), (0, 0)))
        say(log, logging.WARNING, "file damaged", path="/data/logs/a")
        now[0] += 1
        screen.show(Snapshot((_logdir(points_per_s=7.0),), (0,)))
    finally:
        log.removeHandler(handler)
    shown = terminal.shown()
    screen.clear()

    assert shown[0].endswith("file damaged: path=/data/logs/a")
    assert shown[1] == "● /data/logs  watching"
    assert shown[2].startswith("  2 runs · 3 files · 7 points/s")
    assert len(shown) == 3
    assert terminal.shown()[1:] == [""]


def test_it_is_drawn_at_most_twice_a_second() -> None:
    terminal, now = Terminal(), [0.0]
    screen = Screen(terminal, {}, lambda: now[0])

    for tick in range(100):
        now[0] = tick / 50
        screen.show(Snapshot((_logdir(points=tick, points_per_s=float(tick)),), (0,)))

    assert terminal.getvalue().count("points/s") == 4


@pytest.mark.parametrize(("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colors_are_left_out_where_nobody_wants_them(
    environment: dict[str, str], colored: bool
) -> None:
    terminal = Terminal()

    Screen(terminal, environment).show(Snapshot((_logdir(),), (0,)))

    assert ("\x1b[32m" in terminal.getvalue()) is colored


def test_a_terminal_without_utf_8_gets_ascii() -> None:
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, "ascii", errors="strict", write_through=True), {})

    screen.show(Snapshot((_logdir(points_per_s=1.0),), (0,)))
    screen.above("caf\xe9")

    assert b"* " in raw.getvalue()
    assert b"caf\\xe9" in raw.getvalue()


@given(st.text(max_size=60), st.integers(2, 60), st.booleans())
def test_no_line_is_wider_than_the_terminal(path: str, width: int, away: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orgboard_ingest.status.FALLBACK_SIZE", (width, 24))
        stream = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace", write_through=True)
        snapshot = Snapshot((_logdir(path),), (0,), 3.0 if away else None, path)
        Screen(stream, {}).show(snapshot)
        written = stream.buffer.getvalue().decode()

    for line in ESCAPE.sub("", written.replace("\r", "")).split("\n"):
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
        assert wide - sum(map(unicodedata.combining, line)) < width


def test_in_a_real_terminal_ingest_shows_its_status_and_puts_nothing_out_of_order(
    tmp_path: Path,
) -> None:
    logs = tmp_path / "logs"
    (logs / "a").mkdir(parents=True)
    (logs / "a" / NAME).write_bytes(event_file(scalar_event("loss", 0, 1.0)))
    leader, follower = pty.openpty()
    command = [str(ORGBOARD), "ingest", str(logs), "--db", str(tmp_path / "board.db")]
    environment = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment
    )
    seen = bytearray()

    def read() -> bool:
        while select.select([leader], [], [], 0)[0]:
            try:
                seen.extend(os.read(leader, 1 << 16))
            except OSError:
                break
        return b"1 runs" in seen

    def is_stored() -> bool:
        # The run is counted when it was found, before its point is stored.
        with closing(sqlite3.connect(tmp_path / "board.db")) as board:
            return read() and board.execute("SELECT sum(points) FROM run").fetchone() == (1,)

    try:
        wait_until(read, WITHIN_S, "the status counts the run")
        wait_until(is_stored, WITHIN_S, "its point is stored")
        # As Ctrl-C, which as a key would also flush what the terminal has not shown yet.
        process.send_signal(signal.SIGINT)
        wait_until(lambda: (read(), process.poll() is not None)[1], WITHIN_S, "it stopped")
        # With our end of it open, the terminal keeps what was written last.
        wait_until(lambda: (read(), b"stopped" in seen)[1], WITHIN_S, "it said so")
    finally:
        process.kill()
        process.wait()
        os.close(follower)
        os.close(leader)

    assert process.returncode == 0
    text = seen.decode()
    assert "stopped: points=1" in text
    assert "\x1b[J" in text
    # Nothing that would have to be undone: no hidden cursor, no other screen, no raw mode.
    assert "\x1b[?" not in text


@pytest.mark.parametrize(
    ("style", "line"),
    [
        ("text", '00:00:00 took over: logdir="/data/my logs" processes=2'),
        (
            "logfmt",
            (
                'ts=1970-01-01T00:00:00Z level=info event="took over" logdir="/data/my logs"'
                " processes=2"
            ),
        ),
        (
            "json",
            (
                '{"ts": "1970-01-01T00:00:00Z", "level": "info", "event": "took over",'
                ' "logdir": "/data/my logs", "processes": 2}'
            ),
        ),
    ],
)
def test_an_event_is_one_line_with_its_fields(
    style: LogStyle, line: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    log = logging.getLogger("orgboard.test_status")
    with caplog.at_level(logging.INFO, "orgboard.test_status"):
        say(log, logging.INFO, "took over", logdir="/data/my logs", processes=2)
    (record,) = caplog.records
    record.created = 0.0

    assert Lines(style).format(record) == line


@given(st.text())
@example('run\\" processes=9 "')
@example("run \\")
def test_whatever_a_path_holds_the_log_stays_lines_that_can_be_read_again(path: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "event", (), None)
    record.orgboard_fields = {"path": path}

    assert json.loads(Lines("json").format(record))["path"] == path
    for style in ("text", "logfmt"):
        (line,) = Lines(style).format(record).splitlines()
        # One field, to its end: nothing in a name passes for another one.
        assert re.fullmatch(r'[^\s"=]+|"(?:[^"\\]|\\.)*"', line.partition("path=")[2])


def test_backlog_tells_since_when_the_oldest_unread_bytes_wait() -> None:
    backlog = Backlog()
    place = ("run", NAME)

    backlog.seen(place, 100, 0, 10.0)
    backlog.seen(place, 150, 0, 12.0)
    backlog.seen(place, 180, 0, 13.0)
    assert (backlog.pending_bytes(), backlog.lag_s(20.0)) == (180, 10.0)

    backlog.read(place, 180, 60, 20.0)
    assert (backlog.pending_bytes(), backlog.lag_s(20.0)) == (120, 10.0)

    backlog.read(place, 180, 100, 20.0)
    assert (backlog.pending_bytes(), backlog.lag_s(20.0)) == (80, 8.0)

    backlog.done(place)
    assert (backlog.pending_bytes(), backlog.lag_s(20.0)) == (0, 0.0)


def test_a_rate_is_of_the_last_minute() -> None:
    rate = Rate(0.0)
    for second in range(120):
        rate.add(10, float(second))

    assert rate.per_s(119.0) == pytest.approx(10.0)
    assert rate.per_s(149.0) == pytest.approx(5.0, abs=0.2)
    assert rate.per_s(500.0) == 0.0


@given(st.text())
def test_metrics_are_what_prometheus_reads(path: str) -> None:
    # A surrogate is a byte of a path that is no UTF-8, which the format cannot say.
    snapshot = Snapshot((_logdir(path, gaps=4, pending_bytes=5, lag_s=0.25),), (0,))

    text = metrics_text(snapshot).encode("utf-8").decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}

    assert families["orgboard_ingest_points"].type == "counter"
    (lag,) = families["orgboard_ingest_lag_seconds"].samples
    assert (lag.value, lag.labels["logdir"]) == (0.25, path)
    for family in families.values():
        assert family.documentation
        assert len(family.samples) == 1


def test_health_is_bad_while_bytes_wait_a_minute_or_nothing_moves() -> None:
    assert troubles(Snapshot((_logdir(pending_bytes=5, lag_s=59.0),), (0,)), 1.0) == []
    assert troubles(Snapshot((_logdir(pending_bytes=0, lag_s=99.0),), (0,)), 1.0) == []
    late = Snapshot((_logdir(pending_bytes=5, lag_s=61.0),), (0,), 61.0, "refused")
    assert [line.split()[0] for line in troubles(late, 61.0)] == ["the", "the", "'/data/logs':"]


def test_a_scrape_is_answered_and_nothing_else() -> None:
    port, now = free_port(), [0.0]
    exposed = Exposed(("127.0.0.1", port), lambda: now[0])
    url = f"http://127.0.0.1:{port}"
    try:
        exposed.tell(Snapshot((_logdir(),), (0,)))
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            assert b"orgboard_ingest_runs" in answer.read()
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        with urllib.request.urlopen(f"{url}/healthz") as answer:
            assert answer.read() == b"ok\n"
        now[0] = 61.0
        with pytest.raises(HTTPError, match="503"):
            urllib.request.urlopen(f"{url}/healthz")
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/etc/passwd")
        with pytest.raises(HTTPError, match="501"):
            urllib.request.urlopen(f"{url}/metrics", data=b"x")
        with pytest.raises(OrgboardError, match="in use"):
            Exposed(("127.0.0.1", port))
    finally:
        exposed.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9090", ("127.0.0.1", 9090)),
        ("0.0.0.0:9090", ("0.0.0.0", 9090)),
        ("[::1]:1", ("::1", 1)),
    ],
)
def test_an_address_is_this_machine_unless_it_says_otherwise(
    text: str, address: tuple[str, int]
) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "x", "0", "65536", "host:", "-1", "²"])
def test_an_address_without_a_port_is_refused(text: str) -> None:
    with pytest.raises(OrgboardError, match=r"\[HOST:\]PORT"):
        parse_address(text)


def test_ingest_answers_with_what_it_stored(
    tmp_path: Path, sqlite_url: str, start_orgboard: Start
) -> None:
    logs, port = tmp_path / "logs", free_port()
    (logs / "a").mkdir(parents=True)
    (logs / "a" / NAME).write_bytes(event_file(scalar_event("loss", 0, 1.0)) + b"torn")

    def points() -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return 0.0
        families = {family.name: family for family in text_string_to_metric_families(text)}
        samples = families["orgboard_ingest_points"].samples
        return sum(sample.value for sample in samples)

    with start_orgboard(
        *("ingest", logs, "--db", sqlite_url, "--metrics", port, "--log", "json")
    ) as program:
        wait_until(lambda: points() == 1.0, WITHIN_S, "the point is counted")
        assert program.stop() == 0
        events = [json.loads(line)["event"] for line in program.output().splitlines()]
        assert events == ["started", "watching", "stopped"]
