"""`orgboard verify` names what is not the same in the files and in the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.sql.blobstore import LARGE_BYTES, uri_of
from orgboard_schema.sql.engine import begin_write, open_engine
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import event_file, scalar_event, value_event

NAME = "events.out.tfevents.1"
ONE = hashlib.sha256(b"one").hexdigest()


def _picture(data: bytes) -> Event:
    image = Summary.Image(encoded_image_string=data, width=1, height=1)
    return value_event(Summary.Value(tag=b"picture", image=image))


def _described(words: bytes) -> Event:
    metadata = SummaryMetadata(summary_description=words)
    return value_event(Summary.Value(tag=b"said", simple_value=1.0, metadata=metadata))


LOGGED = (
    *(scalar_event("a", step, step, 2.0 + step) for step in range(3)),
    _picture(b"one"),
    _described(b"this"),
)

CHANGED_FILES: dict[str, tuple[tuple[Event, ...], str]] = {
    "a value": (
        (LOGGED[0], scalar_event("a", 1, 7.0, 3.0), *LOGGED[2:]),
        "run: a (scalar): 3 points in the files and stored, but their values differ",
    ),
    "a step": (
        (LOGGED[0], scalar_event("a", 9, 1.0, 3.0), *LOGGED[2:]),
        "run: a (scalar): 3 points in the files and stored, but their steps differ",
    ),
    "a wall time": (
        (LOGGED[0], scalar_event("a", 1, 1.0, 3.5), *LOGGED[2:]),
        "run: a (scalar): 3 points in the files and stored, but their wall times differ",
    ),
    "a lost point": (LOGGED[1:], "run: a (scalar): 2 points in the files, 3 stored"),
    "a picture": (
        (*LOGGED[:3], _picture(b"two"), LOGGED[4]),
        "run: picture (image): 1 points in the files and stored, but their values differ",
    ),
    "what is said": (
        (*LOGGED[:4], _described(b"that")),
        (
            "run: said (scalar): described as description that, 0 bytes of content in the files,"
            " as description this, 0 bytes of content in the database"
        ),
    ),
}

CHANGED_ROWS: dict[str, tuple[str, str]] = {
    "an attempt": (
        "UPDATE segment SET attempt = 1",
        "run: a (scalar), attempt 1: 0 points in the files, 3 stored",
    ),
    "doubled points": (
        "INSERT INTO segment SELECT run_id, seq + 100, attempt, n, payload FROM segment",
        "run: a (scalar): 3 points in the files, 6 stored",
    ),
    "a superseded mark": (
        (
            "INSERT INTO restart (run_id, attempt, tag_id, kind, step)"
            " SELECT run_id, 1, 0, -1, 2 FROM run"
        ),
        "run: a (scalar): 1 points of attempt 0 are marked wrongly as superseded or as not",
    ),
    "a byte of a blob": (
        "UPDATE blob SET data = X'6f6e66'",
        f"run: picture (image): blob {ONE} has other bytes than logged",
    ),
    "the bytes of a blob": (
        "UPDATE blob SET data = NULL",
        f"run: picture (image): blob {ONE} has neither bytes nor a file",
    ),
    "a blob": (
        "DELETE FROM blob_ref",
        f"run: picture (image): blob {ONE} is missing",
    ),
    "a count": ("UPDATE run SET points = points + 1", "run: counts 6 points, 5 are stored"),
    "hyperparameters": (
        """UPDATE run SET hparams = '{"lr": 1}'""",
        'run: hyperparameters none in the files, {"lr": 1} stored',
    ),
    "a gap": (
        "INSERT INTO gap SELECT run_id, file_id, generation, 1, 2, 'checksum', 0 FROM source_file",
        f"run: {NAME}: a gap of 2 bytes at 1 (checksum) is stored only",
    ),
}


@pytest.fixture
def ingested(tmp_path: Path, sqlite_url: str) -> Path:
    """Give a logdir that is stored."""
    (tmp_path / "logs" / "run").mkdir(parents=True)
    (tmp_path / "logs" / "run" / NAME).write_bytes(event_file(*LOGGED))
    assert ingest([str(tmp_path / "logs"), "--once", "--db", sqlite_url]) == 0
    return tmp_path / "logs"


@pytest.fixture
def said(
    ingested: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str]]]:
    """Give a function that verifies, and returns the exit status and the lines."""
    capsys.readouterr()

    def run(*options: str) -> tuple[int, list[str]]:
        status = verify([str(ingested), "--db", sqlite_url, *options])
        return status, capsys.readouterr().out.splitlines()

    return run


Said = Callable[..., tuple[int, list[str]]]


def test_what_was_stored_as_it_was_logged_is_equal(ingested: Path, said: Said) -> None:
    status, lines = said()

    assert status == 0
    assert lines == [f"{ingested}: the database equals the files (5 points of 1 runs)"]


@pytest.mark.parametrize("change", CHANGED_FILES)
def test_what_differs_in_a_file_is_named(ingested: Path, said: Said, change: str) -> None:
    events, line = CHANGED_FILES[change]
    (ingested / "run" / NAME).write_bytes(event_file(*events))

    status, lines = said()

    assert status == 1
    assert line in lines


@pytest.mark.parametrize("change", CHANGED_ROWS)
def test_what_differs_in_the_database_is_named(sqlite_url: str, said: Said, change: str) -> None:
    statement, line = CHANGED_ROWS[change]
    engine = open_engine(sqlite_url)
    with begin_write(engine) as conn:
        conn.execute(text(statement.replace(":", "\\:")))
    engine.dispose()

    status, lines = said()

    assert status == 1
    assert line in lines


def test_runs_are_chosen_by_name(ingested: Path, said: Said) -> None:
    (ingested / "other").mkdir()
    (ingested / "other" / NAME).write_bytes(event_file(*LOGGED))

    assert said("--run", "^run$")[0] == 0
    assert said("--run", "other") == (
        1,
        ["other: not stored", f"{ingested}: 1 differences (0 points of 0 runs)"],
    )


def test_differences_come_as_json_too(ingested: Path, said: Said) -> None:
    (ingested / "run" / NAME).write_bytes(event_file(*CHANGED_FILES["a value"][0]))

    status, lines = said("--json")

    first, last = map(json.loads, lines)
    assert status == 1
    assert (first["run"], first["tag"], first["kind"]) == ("run", "a", "scalar")
    assert last == {"logdir": str(ingested), "differences": 1, "runs": 1, "points": 5}


def test_a_lost_file_of_a_blob_is_a_difference_and_the_rest_is_compared(
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blobs, large = tmp_path / "blobs", bytes(LARGE_BYTES)
    monkeypatch.setenv("ORGBOARD_BLOBS", str(blobs))
    (tmp_path / "logs" / "run").mkdir(parents=True)
    file = tmp_path / "logs" / "run" / NAME
    file.write_bytes(event_file(_picture(large), *LOGGED[:3]))
    ingest([str(tmp_path / "logs"), "--once", "--db", sqlite_url])
    (stored,) = (path for path in blobs.rglob("*") if path.is_file())
    equal = verify([str(tmp_path / "logs"), "--db", sqlite_url])
    stored.unlink()
    file.write_bytes(event_file(_picture(large), *LOGGED[:2], scalar_event("a", 2, 9.0, 4.0)))
    capsys.readouterr()

    status = verify([str(tmp_path / "logs"), "--db", sqlite_url])

    lines = capsys.readouterr().out.splitlines()
    uri = uri_of(hashlib.sha256(large).digest())
    assert (equal, status) == (0, 1)
    assert lines[:2] == [
        f"run: picture (image): blob file {uri} cannot be read: No such file or directory",
        "run: a (scalar): 3 points in the files and stored, but their values differ",
    ]


def test_a_tag_that_one_of_several_files_describes_may_be_known_by_any_of_them(
    tmp_path: Path,
    sqlite_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    command = [str(tmp_path / "logs"), "--db", sqlite_url]
    words = TensorProto(dtype="DT_STRING", string_val=[b"words"])
    plugin = SummaryMetadata.PluginData(plugin_name=b"text")
    metadata = SummaryMetadata(plugin_data=plugin)
    described = Summary.Value(tag=b"said", tensor=words, metadata=metadata)
    plain = value_event(Summary.Value(tag=b"said", tensor=words))
    second, first = run / f"{NAME}.b", run / f"{NAME}.a"
    second.write_bytes(event_file(value_event(described)))
    ingest([*command, "--once"])
    first.write_bytes(event_file(plain))
    ingest([*command, "--once"])
    capsys.readouterr()

    equal = verify(command)
    told = capsys.readouterr().out
    second.write_bytes(event_file(plain))

    assert (equal, "2 points of 1 runs" in told) == (0, True), told
    assert verify(command) == 1
