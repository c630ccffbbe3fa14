"""What TensorBoard's own readers make of a logdir, as plain values that compare and print.

Its event file loader brings old forms into new ones; beside it the fields are kept that this
drops (an image's size and colours, a clip's rate and channels). Pictures and clips are decoded,
plugins' own messages parsed, an embedding's files read.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from support.frameworks import framework

__all__ = ["Seen", "read_logdir"]

OWN_PLUGIN: Final = "orgboard"
"""Records of ours that no other writer has, and that TensorBoard does not show."""

STOP: Final = 2
"""SessionLog's end of a run, which only our writer marks."""


class Seen(NamedTuple):
    """A value, or another thing found in a run, with all that TensorBoard could show of it."""

    run: str
    tag: str
    step: int
    wall_time: float | None
    """None: of the time of the call, and not given."""
    plugin: str
    content: Any
    display_name: str
    description: str
    data_class: int
    value: Any


def read_logdir(logdir: Path, wall: float) -> list[Seen]:
    """Read all runs by name, each in the order of its files and records, then other files."""
    seen: list[Seen] = []
    others: list[Seen] = []
    for folder, folders, names in os.walk(logdir):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            run = os.path.relpath(folder, logdir)
            if "tfevents" in name:
                seen += _read_events(path, run, wall)
            else:
                others.append(_file(path, run, logdir))
    return seen + sorted(others)


def _read_events(path: Path, run: str, wall: float) -> Iterator[Seen]:
    for stored, shown in _pairs(path):
        when = shown.wall_time if shown.wall_time == wall else None
        what = stored.WhichOneof("what")
        if what == "session_log" and stored.session_log.status != STOP:
            yield _other(run, "session_log", stored.step, str(stored.session_log))
        elif what == "tagged_run_metadata":
            yield _other(run, what, stored.step, _run_metadata(stored.tagged_run_metadata))
        elif what == "file_version" and stored.step:
            yield _other(run, what, stored.step, stored.file_version)
        elif what == "meta_graph_def":
            yield _other(run, what, stored.step, stored.meta_graph_def)
        raw = dict(enumerate(stored.summary.value))
        for at, value in enumerate(shown.summary.value):
            if value.metadata.plugin_data.plugin_name != OWN_PLUGIN:
                yield _seen(run, shown.step, when, value, raw.get(at))


def _pairs(path: Path) -> Iterator[tuple[Any, Any]]:
    """Give each event as stored and as shown; a graph is shown as itself and as a summary."""
    loader = framework("tensorboard.backend.event_processing.event_file_loader")
    shown = iter(loader.EventFileLoader(str(path)).Load())
    for stored in loader.LegacyEventFileLoader(str(path)).Load():
        yield stored, next(shown)
        if stored.WhichOneof("what") == "graph_def":
            yield stored, next(shown)
    assert next(shown, None) is None


def _seen(run: str, step: int, when: float | None, value: Any, stored: Any) -> Seen:
    about = value.metadata
    plugin = about.plugin_data.plugin_name
    content = _CONTENTS.get(plugin, bytes)(about.plugin_data.content)
    decoded = _VALUES.get(plugin, _array)(value) if value.HasField("tensor") else None
    dropped = _dropped_fields(stored)
    return Seen(
        run,
        value.tag,
        step,
        when,
        plugin,
        content,
        about.display_name,
        about.summary_description,
        about.data_class,
        (decoded, dropped) if dropped else decoded,
    )


def _other(run: str, what: str, step: int, value: Any) -> Seen:
    return Seen(run, what, step, None, "", None, "", "", 0, value)


def _dropped_fields(stored: Any) -> tuple[Any, ...]:
    """Give what the loader's new form of an image or a clip does not hold."""
    if stored is not None and stored.HasField("image"):
        image = stored.image
        return ("height, width, colours", image.height, image.width, image.colorspace)
    if stored is not None and stored.HasField("audio"):
        clip = stored.audio
        return (
            "rate, channels, frames, type",
            clip.sample_rate,
            clip.num_channels,
            clip.length_frames,
            clip.content_type,
        )
    return ()


def _strings(value: Any) -> list[bytes]:
    array = framework("tensorboard.util.tensor_util").make_ndarray(value.tensor)
    return [bytes(each) for each in array.reshape(-1)]


def _array(value: Any) -> Any:
    try:
        array = framework("tensorboard.util.tensor_util").make_ndarray(value.tensor)
    except (ValueError, OverflowError, TypeError):
        # TensorBoard fails here too: a peer's mistake, or a type that it does not know.
        return f"unreadable: {value.tensor}"
    if array.dtype == object:
        return (array.shape, *map(bytes, array.reshape(-1)))
    # By text, so that NaN is NaN, and a difference can be read.
    return (str(array.dtype), array.shape, repr(array.tolist()))


def _images(value: Any) -> Any:
    width, height, *pictures = _strings(value)
    return (int(width), int(height), tuple(map(_pixels, pictures)))


def _pixels(data: bytes) -> Any:
    """Decode every frame of a picture, with how long each is shown."""
    image = framework("PIL.Image").open(io.BytesIO(data))
    frames = []
    for at in range(getattr(image, "n_frames", 1)):
        image.seek(at)
        frames.append((image.info.get("duration"), image.convert("RGBA").tobytes()))
    return ("pixels", image.format, image.size, tuple(frames))


def _clips(value: Any) -> Any:
    return tuple(_samples(data) for data in _strings(value) if data)


def _samples(data: bytes) -> Any:
    samples, rate = framework("soundfile").read(io.BytesIO(data), dtype="int16")
    return (rate, samples.shape, samples.tobytes())


def _graph(value: Any) -> Any:
    message = framework("tensorboard.compat.proto.graph_pb2").GraphDef
    return tuple(_nodes(message.FromString(data)) for data in _strings(value))


def _nodes(graph: Any) -> Any:
    nodes = tuple(
        (node.name, node.op, tuple(node.input), node.device, _attributes(node))
        for node in graph.node
    )
    return (graph.versions.producer, nodes)


def _attributes(node: Any) -> Any:
    return tuple(sorted((name, str(value)) for name, value in node.attr.items()))


def _run_metadata(tagged: Any) -> Any:
    message = framework("tensorboard.compat.proto.config_pb2").RunMetadata
    return (tagged.tag, str(message.FromString(tagged.run_metadata)))


def _layout(value: Any) -> Any:
    message = framework("tensorboard.plugins.custom_scalar.layout_pb2").Layout
    return tuple(str(message.FromString(data)) for data in _strings(value))


def _hparams(content: bytes) -> str:
    return _as_json("hparams", "HParamsPluginData", content)


def _mesh(content: bytes) -> str:
    return _as_json("mesh", "MeshPluginData", content)


def _pr_curve(content: bytes) -> str:
    return _as_json("pr_curve", "PrCurvePluginData", content)


def _text(content: bytes) -> str:
    return _as_json("text", "TextPluginData", content)


def _as_json(plugin: str, message: str, content: bytes) -> str:
    """Write a message so that a map's order does not matter."""
    types = framework(f"tensorboard.plugins.{plugin}.plugin_data_pb2")
    to_json = framework("google.protobuf.json_format").MessageToJson
    parsed = getattr(types, message).FromString(content)
    return str(to_json(parsed, sort_keys=True, indent=None))


def _file(path: Path, run: str, logdir: Path) -> Seen:
    data = path.read_bytes()
    value: Any = data.decode("utf-8", "replace")
    if path.suffix == ".png":
        value = _pixels(data)
    elif path.name == "projector_config.pbtxt":
        message = framework("tensorboard.plugins.projector.projector_config_pb2").ProjectorConfig()
        framework("google.protobuf.text_format").Parse(value, message)
        value = str(message)
    elif path.suffix == ".json":
        value = sorted(
            (key, each) for key, each in json.loads(value.replace(f"{logdir}/", "")).items()
        )
    return _other(f"{run}/{path.name}", "file", 0, value)


_CONTENTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "hparams": _hparams,
    "mesh": _mesh,
    "pr_curves": _pr_curve,
    "text": _text,
}
_VALUES: Final[dict[str, Callable[[Any], Any]]] = {
    "images": _images,
    "audio": _clips,
    "graphs": _graph,
    "custom_scalars": _layout,
}
