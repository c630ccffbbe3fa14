"""`web`, `serve` and `demo` as people start them: up, told in words what is wrong, down."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orgboard import SummaryWriter
from support.programs import Program, Start, run_orgboard
from support.waiting import wait_until

WITHIN_S = 45.0
SPIRALS = "/api/ui/v1/p/default/spirals"
ADDRESS = re.compile(r"orgboard is at http://127\.0\.0\.1:(\d+)\n")


def _port(program: Program) -> int:
    """Wait for the line that says where the board is."""

    def said() -> re.Match[str] | None:
        assert program.process.poll() is None, program.output()
        return ADDRESS.search(program.output())

    return int(wait_until(said, WITHIN_S, "the address is printed").group(1))


def _get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"sec-fetch-site": "same-origin"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _answered(port: int, path: str) -> bytes:
    """Ask until it is there, and return it."""

    def body() -> bytes | None:
        status, read = _get(port, path)
        return bytes(read) if status == 200 else None

    return wait_until(body, WITHIN_S, f"{path} is there")


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_serve_hands_down_that_nobody_may_change_anything(
    start_orgboard: Start, tmp_path: Path
) -> None:
    with SummaryWriter(tmp_path / "spring" / "run") as writer:
        writer.add_scalar("loss", 0.5, 0)

    for flags, can_edit in ((["--read-only"], False), ([], True)):
        database = tmp_path / f"board-{can_edit}.db"
        options = ["--db", database, "--port", "0", *flags]
        with start_orgboard("serve", tmp_path / "spring", *options) as program:
            me = _answered(_port(program), "/api/ui/v1/p/default/spring/me")
            assert json.loads(me)["can_edit"] is can_edit


@pytest.mark.slow
def test_serve_shows_a_directory_and_stops_with_its_children(
    start_orgboard: Start, tmp_path: Path
) -> None:
    with SummaryWriter(tmp_path / "logs" / "run") as writer:
        writer.add_scalar("loss", 0.5, 1)

    logdir, database = tmp_path / "logs", tmp_path / "board.db"
    with start_orgboard("serve", logdir, "--db", database, "--port", 0) as program:
        port = _port(program)
        # An address that is printed answers.
        status, page = _get(port, "/")
        assert status == 200
        assert b"orgboard" in page

        def project() -> Any:
            return next(iter(json.loads(_get(port, "/api/ui/v1/projects")[1])), None)

        found = wait_until(project, WITHIN_S, "the project is there")
        assert found["runs"] == 1
        children = _children(program.process.pid)
        assert len(children) == 2
        program.stop()

    assert program.process.returncode == 0
    assert all(map(_is_gone, children))
    assert "Traceback" not in program.output()


@pytest.mark.slow
def test_serve_shows_only_the_directories_that_it_was_given(
    start_orgboard: Start, tmp_path: Path
) -> None:
    database = tmp_path / "board.db"
    for name in ("mine", "theirs"):
        with SummaryWriter(tmp_path / name / "run") as writer:
            writer.add_scalar("loss", 0.5, 1)
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0
    read = run_orgboard("ingest", tmp_path / "theirs", "--once", "--db", database)
    assert read.returncode == 0, read.stderr

    with start_orgboard("serve", tmp_path / "mine", "--db", database, "--port", 0) as program:
        port = _port(program)

        def projects() -> Any:
            return json.loads(_get(port, "/api/ui/v1/projects")[1])

        wait_until(projects, WITHIN_S, "the project is there")

        assert [project["project"] for project in projects()] == ["mine"]


@pytest.mark.slow
def test_serve_killed_at_once_leaves_no_child(start_orgboard: Start, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    logdir, database = tmp_path / "logs", tmp_path / "board.db"
    with start_orgboard("serve", logdir, "--db", database, "--port", 0) as program:
        _port(program)
        children = _children(program.process.pid)

        program.process.kill()
        program.process.wait()

        wait_until(lambda: all(map(_is_gone, children)), WITHIN_S, "the children are gone")


@pytest.mark.slow
def test_a_server_that_dies_comes_back_at_the_same_address(
    start_orgboard: Start, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    logdir, database = tmp_path / "logs", tmp_path / "board.db"
    with start_orgboard("serve", logdir, "--db", database, "--port", 0) as program:
        port = _port(program)
        web = next(
            child
            for child in _children(program.process.pid)
            if b"--listener" in Path(f"/proc/{child}/cmdline").read_bytes()
        )

        os.kill(web, signal.SIGKILL)

        # The socket is the parent's: a browser that asks meanwhile waits, and is answered.
        assert _get(port, "/healthz")[0] == 200
        assert "web ended (SIGKILL); starting it again" in program.output()


@pytest.mark.slow
def test_an_open_event_stream_does_not_hold_up_the_stop(
    start_orgboard: Start, tmp_path: Path
) -> None:
    database = tmp_path / "board.db"
    (tmp_path / "logs").mkdir()
    with start_orgboard("serve", tmp_path / "logs", "--db", database, "--port", 0) as program:
        port = _port(program)
        wait_until(
            lambda: json.loads(_get(port, "/api/ui/v1/projects")[1]), WITHIN_S, "the project"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
            ask = b"GET /api/ui/v1/p/default/%s/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
            name = json.loads(_get(port, "/api/ui/v1/projects")[1])[0]["project"]
            stream.sendall(ask % name.encode())
            assert b"200 OK" in stream.recv(4096)

            # Fails by itself when it takes more than some seconds.
            assert program.stop() == 0

    assert "Traceback" not in program.output()


@pytest.mark.slow
def test_several_workers_answer_at_one_address(start_orgboard: Start, tmp_path: Path) -> None:
    database = tmp_path / "board.db"
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0

    with start_orgboard("web", "--db", database, "--port", 0, "--workers", 2) as program:
        port = _port(program)
        children = _children(program.process.pid)

        assert len(children) == 2
        assert _get(port, "/readyz")[0] == 200
        assert program.stop() == 0

    assert all(map(_is_gone, children))


@pytest.mark.slow
def test_the_demo_grows_and_leaves_nothing_behind(start_orgboard: Start, tmp_path: Path) -> None:
    with start_orgboard("demo", "--port", 0, "--dir", tmp_path / "demo") as program:
        port = _port(program)

        def points() -> int:
            answer = json.loads(_get(port, f"{SPIRALS}/runs")[1])
            return sum(run["points"] for run in answer.get("runs", []))

        early = wait_until(points, WITHIN_S, "points are there")
        wait_until(lambda: points() > early + 20, WITHIN_S, "points are added")
        kinds = {
            kind: json.loads(_get(port, f"/api/ui/v1/p/default/spirals/tags?kind={kind}")[1])[
                "tags"
            ]
            for kind in ("scalar", "histogram", "image", "text", "graph")
        }
        assert all(kinds.values()), kinds
        children = _children(program.process.pid)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(20) == 0

    assert all(map(_is_gone, children))
    assert "Traceback" not in program.output()
    assert (tmp_path / "demo" / "board.db").exists()


WRONG: list[tuple[str, Callable[[Path], list[object]]]] = [
    (
        "needs accounts",
        lambda folder: ["serve", folder, "--host", "0.0.0.0", "--db", folder / "new.db"],
    ),
    ("needs accounts", lambda _: ["demo", "--host", "example.org"]),
    ("nobody signed in over plain HTTP", lambda _: ["web", "--host", "0.0.0.0", "--accounts"]),
    ("it is no address", lambda folder: ["serve", folder, "--base-url", "board.example"]),
    ("--tls-cert needs --tls-key too", lambda _: ["web", "--tls-cert", __file__]),
    ("holds no certificate", lambda _: ["web", "--tls-cert", __file__, "--tls-key", __file__]),
    ("no database at", lambda folder: ["web", "--db", folder / "no.db", "--host", "10.0.0.5"]),
    (
        "--allow-frame is for a board",
        lambda folder: ["serve", folder, "--host", "::", "--allow-frame"],
    ),
    ("is no port", lambda _: ["web", "--port", "70000"]),
    ("does not exist", lambda folder: ["serve", folder / "nowhere"]),
    ("is not a directory", lambda _: ["serve", __file__]),
    ("may hold no password", lambda _: ["serve", "s3://me:word@bucket/logs"]),
    ("Protocol not known: nowhere", lambda _: ["serve", "nowhere://bucket/logs"]),
    ("no database of orgboard's", lambda _: ["web", "--db", "mysql://host/db", "--port", "0"]),
    ("no database at", lambda folder: ["web", "--db", folder / "no.db", "--port", "0"]),
]


@pytest.mark.parametrize(("reason", "arguments"), WRONG)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, reason: str, arguments: Callable[[Path], list[object]]
) -> None:
    done = run_orgboard(*arguments(tmp_path))

    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_board_without_accounts_is_not_served_to_others(tmp_path: Path) -> None:
    database = tmp_path / "board.db"
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0

    done = run_orgboard("web", "--db", database, "--host", "0.0.0.0")

    assert done.returncode == 2
    assert "0.0.0.0 can be reached from other machines, and that needs accounts" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["web", "serve", "demo"])
def test_a_taken_port_is_told_in_one_line(tmp_path: Path, command: str) -> None:
    logdirs = [tmp_path] if command == "serve" else []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = run_orgboard(command, *logdirs, "--port", port)

    assert done.returncode == 2
    assert done.stderr == f"orgboard: port {port} is taken; try --port 0\n"


def test_a_database_of_a_newer_program_is_refused_with_its_own_status(tmp_path: Path) -> None:
    database = tmp_path / "board.db"
    assert run_orgboard("db", "upgrade", "--db", database).returncode == 0
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99_9_later'")
    connection.close()

    done = run_orgboard("web", "--db", database, "--port", 0)

    assert done.returncode == 78
    assert "newer" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["web", "serve", "demo"])
def test_the_readme_tells_every_flag_by_which_others_reach_a_board(command: str) -> None:
    told = run_orgboard(command, "--help").stdout
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")

    group = told.partition("for a board that others reach:")[2]
    flags = set(re.findall(r"^  (--[a-z-]+)", group, re.MULTILINE)) - {"--dir", "--open", "--keep"}
    assert len(flags) == 14
    assert flags - set(re.findall(r"--[a-z-]+", readme)) == set()


@pytest.mark.parametrize("command", ["web", "serve", "demo", "export"])
def test_help_tells_what_the_command_does(command: str) -> None:
    done = run_orgboard(command, "--help")

    assert done.returncode == 0
    assert f"orgboard {command}" in done.stdout
    assert len(done.stdout.splitlines()) > 5
