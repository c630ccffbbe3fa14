"""Exports of every kind: JSON lines, Parquet, and the bytes of media."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # its stubs are not published

from orgboard_dashboard.export import Choice, export
from orgboard_dashboard.export.elements import doubles, elements
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobstore import LARGE_BYTES, uri_of
from orgboard_schema.sql.engine import begin_write, open_engine, shown
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.types import (
    Blob,
    Media,
    Metadata,
    ProtoHistogram,
    Tensor,
    TensorHistogram,
)
from support.boards import Board, scalars, values
from support.programs import ORGBOARD

BIG = 2**63 - 1


def _lines(board: Board, folder: Path, **choice: Any) -> list[dict[str, Any]]:
    export(board.engine, Choice("values", "jsonl", **choice), folder / "out.jsonl", 1.7e9)
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def _table(board: Board, folder: Path, what: Any) -> list[dict[str, Any]]:
    export(board.engine, Choice(what, "parquet"), folder / "out.parquet", 1.7e9)
    rows: list[dict[str, Any]] = pq.read_table(folder / "out.parquet").to_pylist()
    return rows


def test_values_come_with_kind_plugin_shape_and_elements(any_board: Board, tmp_path: Path) -> None:
    numbers = Tensor("int64", (2,), struct.pack("<2q", BIG, -1))
    words = Tensor("string", (2,), (b"caf\xe9", "hé".encode()))
    any_board.log(
        "run",
        [values("t", "tensor", [numbers]), values("t", "text", [words])],
        metadata={("t", "text"): Metadata(plugin="text")},
    )

    tensor, text = _lines(any_board, tmp_path)

    assert list(text)[-5:] == ["kind", "plugin", "dtype", "shape", "values"]
    assert (tensor["kind"], tensor["plugin"], tensor["values"]) == ("tensor", "", [BIG, -1])
    assert (text["kind"], text["plugin"], text["shape"]) == ("text", "text", [2])
    assert [one.encode("utf-8", "surrogateescape") for one in text["values"]] == [*words.data]


def test_kinds_can_be_chosen(board: Board, tmp_path: Path) -> None:
    word = Tensor("string", (), (b"w",))
    board.log("run", [values("t", "tensor", [word]), values("t", "text", [word])])

    assert [row["kind"] for row in _lines(board, tmp_path, kinds=("text",))] == ["text"]


def test_each_blob_of_a_point_is_a_row_and_a_file(any_board: Board, tmp_path: Path) -> None:
    batch = Media((Blob(b"one", "image/png"), Blob(b"two", "image/png")), 4, 3)
    again, empty = Media((Blob(b"one", "image/png"),)), Media(())
    any_board.log("run", [values("p", "image", [batch, again, empty])])

    rows = _lines(any_board, tmp_path, blobs=tmp_path / "blobs")

    assert [(row["step"], row["index"], row["bytes"]) for row in rows] == [
        (0, 0, 3),
        (0, 1, 3),
        (1, 0, 3),
        (2, None, None),
    ]
    assert (rows[0]["width"], rows[0]["height"], rows[2]["width"]) == (4, 3, None)
    files = {path.name: path.read_bytes() for path in (tmp_path / "blobs").iterdir()}
    assert files == {hashlib.sha256(data).hexdigest(): data for data in (b"one", b"two")}


def test_a_lost_blob_is_counted_once_and_the_others_are_written(
    tmp_path: Path, sqlite_url: str
) -> None:
    engine = open_engine(sqlite_url, blobs=str(tmp_path / "store"))
    upgrade(engine)
    board = Board(engine)
    kept, lost, empty = (bytes([octet]) * LARGE_BYTES for octet in b"klx")
    media = [Media((Blob(data, "image/png"),)) for data in (kept, lost, lost, empty)]
    board.log("run", [values("p", "image", media)])
    (tmp_path / "store" / uri_of(hashlib.sha256(lost).digest())).unlink()
    with begin_write(engine) as conn:
        blob = tables.blob
        gone = hashlib.sha256(empty).digest()
        conn.execute(blob.update().where(blob.c.sha256 == gone).values(uri=None))

    missed = export(
        engine,
        Choice("values", "jsonl", blobs=tmp_path / "out"),
        tmp_path / "out.jsonl",
        1.7e9,
    )

    assert missed == 2
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [kept]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == len(media)
    engine.dispose()


def test_parquet_has_typed_columns_for_scalars(any_board: Board, tmp_path: Path) -> None:
    any_board.log("caf\udce9", [scalars("loss", [0.1, math.nan], step=[-1, BIG])])

    first, second = _table(any_board, tmp_path, "scalars")

    assert (first["run"], first["step"], second["step"]) == ("caf\\udce9", -1, BIG)
    assert (first["value"], math.isnan(second["value"])) == (0.10000000149011612, True)
    schema = pq.read_schema(tmp_path / "out.parquet")
    types = {name: str(schema.field(name).type) for name in ("step", "wall_time", "value")}
    assert types == {"step": "int64", "wall_time": "double", "value": "double"}


def test_parquet_has_lists_for_histograms(board: Board, tmp_path: Path) -> None:
    proto = ProtoHistogram(-1.0, 2.5, 3.0, 1.5, 7.25, (0.0, math.inf), (1.0, 2.0))
    tensor = TensorHistogram("float64", ((0.0, 1.0, 2.0),))
    board.log("run", [values("a", "histogram", [proto]), values("b", "histogram", [tensor])])

    first, second = _table(board, tmp_path, "histograms")

    assert (first["form"], first["limits"], first["counts"]) == (
        "proto",
        [0.0, math.inf],
        [1.0, 2.0],
    )
    assert (second["form"], second["buckets"], second["limits"]) == (
        "tensor",
        [[0.0, 1.0, 2.0]],
        None,
    )


def test_parquet_keeps_bytes_where_a_double_is_not_the_number(board: Board, tmp_path: Path) -> None:
    exact = Tensor("float32", (1,), struct.pack("<f", 0.5))
    large = Tensor("int64", (1,), struct.pack("<q", BIG))
    words = Tensor("string", (), (b"\xff",))
    media = Media((Blob(b"one", "image/png"),), 4, 3)
    board.log("run", [values("t", "tensor", [exact, large, words]), values("z", "image", [media])])

    rows = _table(board, tmp_path, "values")

    assert [(row["values"], row["data"], row["strings"]) for row in rows] == [
        ([0.5], None, None),
        (None, large.data, None),
        (None, None, [b"\xff"]),
        (None, None, None),
    ]
    assert (rows[3]["sha256"], rows[3]["width"]) == (hashlib.sha256(b"one").hexdigest(), 4)


def test_parquet_has_a_row_for_each_run(board: Board, tmp_path: Path) -> None:
    board.log("run", [scalars("loss", [1.0])], hparams='{"lr": 0.1}', now=1.7e9)

    (row,) = _table(board, tmp_path, "runs")

    assert (row["run"], row["points"], json.loads(row["hparams"])) == ("run", 1, {"lr": 0.1})


def test_elements_of_types_that_numpy_lacks_are_numbers() -> None:
    assert elements(Tensor("bfloat16", (1,), b"\xc0\x3f")).tolist() == [1.5]
    assert elements(Tensor("float8_e5m2", (1,), b"\x3c")).tolist() == [1.0]
    assert elements(Tensor("qint8", (1,), b"\xff")).tolist() == [-1]
    assert doubles(Tensor("complex64", (1,), bytes(8))) is None


def test_whoever_has_read_enough_may_close_the_pipe(board: Board) -> None:
    board.log("run", [scalars("loss", [0.5] * 200_000)])
    command = [str(ORGBOARD), "export", "scalars", "--db", shown(board.engine.url)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        complaints = program.stderr.read()

    # As a shell reports a program that SIGPIPE ended.
    assert (program.returncode, complaints) == (141, b"")
