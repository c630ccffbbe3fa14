"""What the exports say of the corpus' files equals the truth about them, kind by kind.

Compared, of each run and tag: `count`, and of each point its step and wall time, and
    scalars                      the value, as float32
    histograms                   `sha256_f8` and `buckets`; of legacy ones `legacy_histo`
    images                       `width`, `height`, `frames`: sha256 and bytes
    audio                        `clips`: sha256 and bytes
    text                         `shape`, `strings`
    graphs, run metadata, models `bytes`, `sha256`
    pr_curves, mesh, others      `dtype`, `shape`, `sha256` of the elements
    custom_scalars               that there is one string of it

Not compared, because an export does not have it: `plugin_content`, `display_name`,
`description`, `data_class` (`orgboard verify` compares them with the files); of hparams the
tensor, which is TensorBoard's placeholder where ours holds the content
(`plugin_content_sha256`, compared); the decoded `layout`; `wire` and `tensor_encodings`;
what is derived of the bytes (`nodes`, `ops`, `min`, `sum` …); values that TensorBoard
cannot decode (`tensorboard_error`) or that have none (`no_tensor`); meta graphs, which it
has no tag for; of hparams all but a tag's first point, as only that one's hash is known.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from orgboard_dashboard.export import Choice, export
from orgboard_dashboard.export.choice import What
from orgboard_ingest.commands import ingest
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.wire.kinds import META_GRAPH_TAG
from support.corpus import FRAMEWORK_CASES

FIRST_STRINGS = 50

WHATS: Final[tuple[What, ...]] = ("scalars", "histograms", "values")

HOSTILE: Final = (
    "bad_histograms",
    "graph_malformed",
    "image_payloads",
    "names_that_are_not_runs",
    "nan_inf_scalars",
    "negative_steps",
    "rotated_1000",
    "run_names",
    "steps_out_of_order_duplicated",
    "tag_names_a",
    "tensor_encodings",
    "trunc_in_data_crc",
    "trunc_in_length",
    "unknown_fields",
    "zero_length",
)
"""The hostile cases of which the truth has all points: TensorBoard did not stop early, and
does not take all values of a tag for the kind of the first. `expect` of every hostile case is
compared in `ingest/test_hostile_cases.py`."""

LEFT_OUT_OF_THE_TRUTH: Final = frozenset({"hostile/bad_histograms"})
"""Tags that TensorBoard drops are there too."""

Row = dict[str, Any]
_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@pytest.mark.parametrize("case", [*FRAMEWORK_CASES, *(f"hostile/{case}" for case in HOSTILE)])
def test_every_kind_is_exported_as_the_truth_has_it(
    corpus: Path, tmp_path: Path, sqlite_url: str, case: str
) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text(encoding="utf-8"))
    assert ingest([str(corpus / case / "logs"), "--once", "--db", sqlite_url]) == 0

    found = _exported(sqlite_url, tmp_path / "out.jsonl")

    expected = {
        (run, tag): series
        for run, held in truth["runs"].items()
        for tag, series in held["tags"].items()
    }
    if case in LEFT_OUT_OF_THE_TRUTH:
        assert found.keys() > expected.keys()
    else:
        assert found.keys() == expected.keys()
    for key, series in expected.items():
        _compare(found[key], series)


def _exported(url: str, path: Path) -> dict[tuple[str, str], list[list[Row]]]:
    """Return all rows by run and tag; those of one point together."""
    found: dict[tuple[str, str], list[list[Row]]] = {}
    engine = open_engine(url)
    for what in WHATS:
        assert export(engine, Choice(what, "jsonl"), path, 1.7e9) == 0
        for row in map(json.loads, path.read_text(encoding="ascii").splitlines()):
            if row["tag"] == META_GRAPH_TAG:
                continue
            points = found.setdefault((row["run"], row["tag"]), [])
            if row.get("index"):
                points[-1].append(row)
            else:
                points.append([row])
    engine.dispose()
    return found


def _compare(points: list[list[Row]], series: Row) -> None:
    assert len(points) == series["count"]
    if series["plugin"] == "scalars" and all("value" in rows[0] for rows in points):
        # An export has them in the order of their files, and so has the truth.
        assert [(rows[0]["step"], rows[0]["wall_time"]) for rows in points] == [
            (step, wall) for step, wall, _ in series["points"]
        ]
    legacy = iter(series.get("legacy_histo", ()))
    # By time: attempts of a run that restarted come one after another in an export.
    ordered = sorted(points, key=lambda rows: (rows[0]["wall_time"], rows[0]["step"]))
    true = sorted(series["points"], key=lambda point: (point[1], point[0]))
    assert [(rows[0]["step"], rows[0]["wall_time"]) for rows in ordered] == [
        (step, wall) for step, wall, _ in true
    ]
    for rows, (_, _, value) in zip(ordered, true, strict=True):
        if rows[0].get("form") == "proto":
            _legacy_histogram(rows[0], next(legacy))
        elif isinstance(value, dict):
            _value(rows, value, series)
        else:
            assert _float32(rows[0]["value"]) == _float32(value)


def _value(rows: list[Row], value: Row, series: Row) -> None:
    if "tensorboard_error" in value or "no_tensor" in value:
        return
    if rows[0]["tag"] and rows[0].get("kind") == "hparams":
        content = rows[0]["values"][0].encode("utf-8", "surrogateescape")
        is_first = rows[0]["wall_time"] == min(wall for _, wall, _ in series["points"])
        expected = series["plugin_content_sha256"] if is_first else None
        assert expected in (None, hashlib.sha256(content).hexdigest())
    elif "buckets" in value:
        numbers = np.array(rows[0]["buckets"], "<f8").tobytes()
        assert (len(rows[0]["buckets"]), hashlib.sha256(numbers).hexdigest()) == (
            value["buckets"],
            value["sha256_f8"],
        )
    elif "strings" in value:
        # The truth tells the first of many strings.
        known = value["strings"]
        assert len(known) >= min(len(rows[0]["values"]), FIRST_STRINGS)
        assert (rows[0]["shape"], rows[0]["values"][: len(known)]) == (value["shape"], known)
    elif "layout" in value:
        assert len(rows[0]["values"]) == 1
    else:
        _others(rows, value)


def _others(rows: list[Row], value: Row) -> None:
    blobs = next((value[name] for name in _BLOBS if name in value), None)
    if blobs is not None:
        assert [(row["sha256"], row["bytes"]) for row in rows if row["sha256"]] == [
            (blob["sha256"], blob["bytes"]) for blob in blobs
        ]
        if "frames" in value:
            size = (str(rows[0]["width"]), str(rows[0]["height"]))
            assert size == (value["width"], value["height"])
        return
    row = rows[0]
    assert (row["dtype"], row["shape"]) == (value["dtype"], value["shape"])
    if "items" in value:
        hashes = [hashlib.sha256(_octets(text)).hexdigest() for text in row["values"]]
        assert hashes == [item["sha256"] for item in value["items"]]
    else:
        assert hashlib.sha256(_c_order(row)).hexdigest() == value["sha256"]


_BLOBS: Final = ("frames", "clips", "graphs", "run_metadata", "models")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _c_order(row: Row) -> bytes:
    numbers: list[Any] = [
        _WORDS.get(number, number) if isinstance(number, str) else number
        for number in row["values"]
    ]
    if row["dtype"].startswith("complex"):
        numbers = [complex(pair[0], pair[1]) for pair in numbers]
    return np.array(numbers, row["dtype"]).tobytes()


def _legacy_histogram(row: Row, true: Row) -> None:
    for name in ("min", "max", "num", "sum", "sum_squares"):
        assert row[name] == true[name]
    edges = np.array([*row["limits"], *row["counts"]], "<f8").tobytes()
    assert (len(row["limits"]), len(row["counts"])) == (true["limits"], true["buckets"])
    assert hashlib.sha256(edges).hexdigest() == true["sha256_f8"]


def _float32(value: Any) -> bytes:
    number = _WORDS[value] if isinstance(value, str) else float(value)
    # Of doubles beyond its range too.
    with np.errstate(over="ignore"):
        return np.float32(number).tobytes()
