"""Embeddings: files that TensorBoard's projector reads, whole or not there, whoever else writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orgboard import SummaryWriter
from orgboard._kinds.embedding import Embedding, config_with, is_text, label_text, subdirectory
from orgboard._log.assets import change_text
from orgboard_ingest.discover import scan
from support.logged_runs import scalars
from support.projector import Listed, listed, parse_list
from support.waiting import wait_until

POINTS = np.arange(12.0).reshape(4, 3) / 8

tags = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


def entry(step: int = 0, *, labels: bool = False) -> Embedding:
    return Embedding("", step, POINTS, "x\n" * 4 if labels else None, None)


def test_an_embedding_is_a_table_of_points_and_an_entry_in_the_list(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, metadata=["a", "b", "c", "d"], global_step=12, tag="x/y%z")

    place = "00012/x%2fy%25z"
    assert listed(tmp_path) == [
        Listed("x/y%z:00012", f"{place}/tensors.tsv", f"{place}/metadata.tsv", "", ())
    ]
    assert (tmp_path / place / "tensors.tsv").read_text() == (
        "0.0\t0.125\t0.25\n0.375\t0.5\t0.625\n0.75\t0.875\t1.0\n1.125\t1.25\t1.375\n"
    )
    assert (tmp_path / place / "metadata.tsv").read_text() == "a\nb\nc\nd\n"


def test_an_embedding_without_a_step_takes_the_one_that_is_given_to_all(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, writer.use_metadata(global_step=7):
        writer.add_embedding(POINTS, tag="given to all")
        writer.add_embedding(POINTS, global_step=0, tag="its own")

    assert [entry.name for entry in listed(tmp_path)] == ["given to all:00007", "its own:00000"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.float32(0.1), "0.10000000149011612"),
        (np.float16(0.1), "0.0999755859375"),
        (np.float64(0.1), "0.1"),
        (np.int8(-3), "-3"),
        (np.bool_(True), "True"),
        (np.float64("nan"), "nan"),
        (np.float64("-inf"), "-inf"),
    ],
)
def test_a_number_is_written_so_that_it_reads_back_as_the_same(
    tmp_path: Path, value: np.generic, written: str
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(np.array([[value, value]]))

    assert (tmp_path / "00000/default/tensors.tsv").read_text() == f"{written}\t{written}\n"


@pytest.mark.parametrize("shape", [(1, 1), (700, 3), (2, 5000)])
def test_a_matrix_of_any_shape_is_all_there(tmp_path: Path, shape: tuple[int, int]) -> None:
    points = np.random.default_rng(1).normal(size=shape)

    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(points)

    read = np.loadtxt(tmp_path / "00000/default/tensors.tsv", delimiter="\t", ndmin=2)
    np.testing.assert_array_equal(read, points)


def test_many_points_are_binary(tmp_path: Path) -> None:
    points = np.random.default_rng(1).normal(size=(3000, 100))

    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(points, ["a"] * 3000)

    (found,) = listed(tmp_path)
    assert (found.tensors, found.shape) == ("00000/default/tensors.bytes", (3000, 100))
    read = np.fromfile(tmp_path / found.tensors, np.float32).reshape(found.shape)
    np.testing.assert_array_equal(read, points.astype(np.float32))


@pytest.mark.parametrize("value", [0.0, 0.5, np.frombuffer(b"1\n1\n", np.float32)[0]])
def test_many_points_that_binary_would_hold_for_text_are_text(value: float) -> None:
    assert is_text(np.full((3000, 100), value))
    assert not is_text(np.full((3000, 100), 1.0))


def test_what_changes_after_the_call_does_not_change_the_files(tmp_path: Path) -> None:
    points, labels, pictures = POINTS.copy(), ["a", "b", "c", "d"], np.ones((4, 3, 2, 2))
    with SummaryWriter(tmp_path, flush_secs=3600) as writer:
        writer.add_embedding(points, labels, pictures)
        points[:] = 9
        labels[:] = "zzzz"
        pictures[:] = 0

    place = tmp_path / "00000" / "default"
    assert (place / "tensors.tsv").read_text().startswith("0.0\t0.125")
    assert (place / "metadata.tsv").read_text() == "a\nb\nc\nd\n"
    with Image.open(place / "sprite.png") as sprite:
        assert sprite.getextrema() == ((255, 255),) * 3


def test_labels_in_columns_stand_under_their_header() -> None:
    text = label_text([["a", 1], ["b\tb", 2]], ["name", "number"], 2)

    assert text == "name\tnumber\na\t1\nb b\t2\n"


def test_a_label_takes_one_line_whatever_is_in_it() -> None:
    assert label_text(["a\nb", "c\r\nd", 3, None], None, 4) == "a b\nc d\n3\nNone\n"
    assert label_text(["a\n", "b"], None, 2) == "a\nb\n"
    assert label_text([["x\ny"], ["z"]], ["h"], 2) == "h\nx y\nz\n"


@pytest.mark.parametrize(
    ("metadata", "header"),
    [(["a"], None), (["a"] * 5, None), ([["a", "b"], ["c"], ["d"], ["e"]], ["x", "y"]), (3, None)],
)
def test_labels_that_do_not_fit_are_dropped_and_the_points_kept(
    tmp_path: Path, metadata: object, header: list[str] | None
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, metadata=metadata, metadata_header=header)
        assert writer.dropped == 1

    assert [(each.tensors, each.labels) for each in listed(tmp_path)] == [
        ("00000/default/tensors.tsv", "")
    ]


@pytest.mark.parametrize(
    "shape", [(4, 2, 3, 3), (3, 3, 2, 2), (4, 2, 2), (4, 3, 0, 2), (4, 1, 8, 8192)]
)
def test_pictures_that_do_not_fit_are_dropped_and_the_points_kept(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, label_img=np.zeros(shape, np.uint8))
        assert writer.dropped == 1

    assert [(each.tensors, each.sprite) for each in listed(tmp_path)] == [
        ("00000/default/tensors.tsv", "")
    ]


@pytest.mark.parametrize("mat", [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0)), "abc", None])
def test_what_is_no_matrix_of_points_is_dropped(tmp_path: Path, mat: object) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(mat)
        assert writer.dropped == 1

    assert [path.name for path in tmp_path.iterdir() if "tfevents" not in path.name] == []


@pytest.mark.parametrize(
    ("number", "channels", "height", "width", "columns"),
    [(1, 3, 2, 2, 1), (4, 3, 2, 2, 2), (5, 1, 2, 2, 3), (8, 4, 3, 3, 3), (6, 3, 2, 5, 3),
     (4, 3, 6, 2, 4), (3, 3, 40, 3, 14)],
)  # fmt: skip
def test_a_sprite_holds_the_pictures_row_by_row_in_a_square(
    tmp_path: Path, number: int, channels: int, height: int, width: int, columns: int
) -> None:
    pictures = np.random.default_rng(3).integers(1, 256, (number, channels, height, width))
    pictures = pictures.astype(np.uint8)

    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(np.zeros((number, 2)), label_img=pictures)

    (found,) = listed(tmp_path)
    assert found.picture == (width, height)
    with Image.open(tmp_path / found.sprite) as sprite:
        pixels = np.asarray(sprite)
    assert pixels.shape == (columns * width, columns * width, 4 if channels == 4 else 3)
    for at in range(number):
        # What a browser does: as many pictures a row as fit in the width.
        top, left = at // columns * height, at % columns * width
        tile = pixels[top : top + height, left : left + width]
        assert (tile == pictures[at].transpose(1, 2, 0)).all()
        pixels = pixels.copy()
        pixels[top : top + height, left : left + width] = 0
    assert not pixels.any()


def test_pictures_of_fractions_are_scaled_and_bounded(tmp_path: Path) -> None:
    pictures = np.array([-1.0, 0.5, 2.0, np.nan]).reshape(4, 1, 1, 1)

    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, label_img=pictures)

    with Image.open(tmp_path / "00000/default/sprite.png") as sprite:
        assert [value[0] for value in np.asarray(sprite).reshape(-1, 3)] == [0, 127, 255, 0]


def test_a_restart_and_other_writers_keep_what_is_listed(tmp_path: Path) -> None:
    for step in (1, 2):
        with SummaryWriter(tmp_path) as writer, SummaryWriter(tmp_path) as other:
            writer.add_embedding(POINTS, global_step=step)
            other.add_embedding(POINTS, global_step=step, tag="other")

    assert sorted(each.name for each in listed(tmp_path)) == [
        "default:00001",
        "default:00002",
        "other:00001",
        "other:00002",
    ]


def test_the_same_tag_and_step_again_replaces_the_entry(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, metadata=["a"] * 4)
        writer.add_embedding(POINTS * 2, tag="other")
        writer.add_embedding(POINTS + 1)

    assert [(each.name, each.labels) for each in listed(tmp_path)] == [
        ("other:00000", ""),
        ("default:00000", ""),
    ]
    assert (tmp_path / "00000/default/tensors.tsv").read_text().startswith("1.0\t1.125")


def test_what_another_program_listed_stays_as_it_was(tmp_path: Path) -> None:
    others = (
        'model_checkpoint_path: "a { b"\n'
        "# embeddings { a comment }\n"
        'embeddings {\ntensor_name: "theirs:00000"\ntensor_path: "00000/\\"}/tensors.tsv"\n}\n'
        "embeddings < tensor_name: 'quoted' >"
    )

    changed = config_with(others, "default", entry())

    assert changed.startswith(others)
    assert [each.name for each in parse_list(changed)] == [
        "theirs:00000",
        "quoted",
        "default:00000",
    ]


@given(st.lists(st.tuples(tags, st.integers(0, 2), st.booleans()), max_size=6))
def test_the_list_holds_each_name_once_as_it_was_logged_last(
    logged: list[tuple[str, int, bool]],
) -> None:
    config = ""
    expected: dict[str, bool] = {}
    for tag, step, labelled in logged:
        config = config_with(config, tag, entry(step, labels=labelled))
        expected.pop(f"{tag}:{step:05}", None)
        expected[f"{tag}:{step:05}"] = labelled

    assert [(each.name, bool(each.labels)) for each in parse_list(config)] == list(expected.items())


@given(st.text(max_size=200))
def test_a_list_that_nobody_can_read_is_not_lost(others: str) -> None:
    assert config_with(others, "default", entry()).startswith(others)


@given(tags)
def test_a_tag_is_one_directory_below_its_step(tag: str) -> None:
    step, name = subdirectory(tag, 3).split("/")

    assert step == "00003"
    assert name not in ("", ".", "..")
    assert not set(name) & set("/\\")


def test_tags_that_name_other_directories_stay_below_the_run(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "run") as writer:
        for tag in ("", ".", "..", "../../up", "/etc", "a\\b"):
            writer.add_embedding(POINTS, tag=tag)

    assert {path.name for path in tmp_path.iterdir()} == {"run"}
    assert len({each.tensors for each in listed(tmp_path / "run")}) == 6


def test_directories_of_embeddings_are_no_runs(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, metadata=["a"] * 4, tag="events.out.tfevents.1")

    assert {file.run for file in scan(tmp_path).files} == {"."}


def test_a_directory_that_cannot_be_made_costs_the_embedding_only(tmp_path: Path) -> None:
    (tmp_path / "00003").write_text("in the way")
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(POINTS, global_step=3)
        writer.add_scalar("x", 1.0, 3)
        writer.flush()
        assert writer.dropped == 1

    assert not (tmp_path / "projector_config.pbtxt").exists()
    assert [point.tag for point in scalars(tmp_path)] == ["x"]


def test_writers_at_work_at_once_lose_no_entry(tmp_path: Path) -> None:
    ready = threading.Barrier(8)

    def log(number: int) -> None:
        with SummaryWriter(tmp_path) as writer:
            ready.wait()
            for step in range(5):
                writer.add_embedding(POINTS, global_step=step, tag=f"t{number}")

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(listed(tmp_path)) == 40
    assert not list(tmp_path.rglob("*.part"))


def test_a_writer_that_stopped_with_the_lock_in_hand_stops_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "projector_config.pbtxt"

    def while_locked(before: str) -> str:
        change_text(str(path), lambda text: f"{text}theirs\n")
        return f"{before}ours\n"

    change_text(str(path), while_locked)

    # The one went on after a second; the other, at last, put its own in place.
    assert path.read_text() == "ours\n"


FILLS_THE_DISK = """
import resource, signal, sys
import numpy as np
from orgboard import SummaryWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
with SummaryWriter(sys.argv[1], context=False) as writer:
    writer.add_embedding(np.ones((500, 30)), ["a"] * 500, global_step=1)
    writer.add_embedding(np.ones((5, 3)), global_step=2)
    writer.flush()
    print(writer.dropped)
"""


def test_a_full_disk_costs_the_embedding_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout == "1\n"
    assert [each.name for each in listed(tmp_path)] == ["default:00002"]
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "00001/default/tensors.tsv").exists()


LOGS_FOR_EVER = """
import sys
import numpy as np
from orgboard import SummaryWriter

writer = SummaryWriter(sys.argv[1], flush_secs=0.01)
points = np.ones((200, 30))
for step in range(10**9):
    writer.add_embedding(points, ["a"] * 200, global_step=step % 5, tag="killed")
    writer.flush()
"""


def test_a_kill_leaves_every_listed_file_whole(tmp_path: Path) -> None:
    config = tmp_path / "projector_config.pbtxt"
    for _ in range(5):
        config.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", LOGS_FOR_EVER, str(tmp_path)]) as process:
            wait_until(config.exists, 30, "the first entry")
            os.kill(process.pid, signal.SIGKILL)

        for each in listed(tmp_path):
            rows = (tmp_path / each.tensors).read_text().splitlines()
            assert [row.count("1.0") for row in rows] == [30] * 200
            assert (tmp_path / each.labels).read_text() == "a\n" * 200
