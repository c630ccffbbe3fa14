"""Graphs, embeddings, meshes, hyperparameters, layouts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from support.frameworks import framework
from support.peers.cases import (
    EQUAL,
    WALL,
    Case,
    Differs,
    Raises,
    Verdict,
    calling,
    one_step,
    without_pixels,
    without_weights,
)
from support.peers.reading import Seen

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    """Give the cases of this family."""
    yield from _graphs()
    yield from _embeddings()
    yield from _meshes()
    yield from _hparams()
    yield from _layouts()


def _graphs() -> Iterator[Case]:
    torch = framework("torch")
    torch.manual_seed(7)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    yield Case(
        "add_graph",
        "three layers",
        lambda w: w.add_graph(model, torch.ones(1, 4)),
        torch=Differs("says nothing of weights; ours, their shapes and number", without_weights),
        tensorboardx=Differs(
            "says nothing of weights, and calls the step `profiler`; ours, as torch's, `step1`",
            lambda seen: one_step(without_weights(seen)),
        ),
    )


# 8 pictures fill three rows of three: in a square with rows to spare tensorboardX leaves there
# what was in memory.
def _embeddings() -> Iterator[Case]:
    torch = framework("torch")
    random = np.random.default_rng(7)
    points = random.normal(size=(8, 4))
    names = [f"näme {at}" for at in range(8)]
    rows = [[f"n{at}", at] for at in range(8)]
    pictures = torch.from_numpy(random.random((8, 3, 6, 6))).float()
    wide = torch.from_numpy(random.random((8, 3, 4, 6))).float()
    given: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("float64", (points,), {}),
        ("float32 tensor", (torch.from_numpy(points).float(),), {}),
        ("half tensor", (torch.from_numpy(points).half(),), {}),
        ("int64", (np.arange(12).reshape(4, 3),), {}),
        ("NaN and infinities", (np.array([[np.nan, np.inf], [-np.inf, 1e300]]),), {}),
        ("labels", (points, names), {}),
        ("labels of numbers", (points, list(range(8))), {}),
        ("labels under a header", (points, rows), {"metadata_header": ["name", "number"]}),
        ("pictures", (points, None, pictures), {}),
        ("grey pictures", (points, names, pictures[:, :1]), {}),
        ("step and tag", (points, names), {"global_step": 12, "tag": "a/b %"}),
    ]
    for name, arguments, options in given:
        yield Case("add_embedding", name, calling("add_embedding", *arguments, **options))
    yield Case(
        "add_embedding",
        "bfloat16 tensor",
        lambda w: w.add_embedding(torch.from_numpy(points).bfloat16()),
        tensorboardx=Raises("cannot read bfloat16", "TypeError"),
    )
    white = Differs("scales uint8 by 255 too, which is white; ours is as it is", without_pixels)
    bytes_ = (pictures * 200 + 20).to(torch.uint8)
    yield Case(
        "add_embedding",
        "uint8 pictures",
        lambda w: w.add_embedding(points, None, bytes_),
        white,
        white,
    )
    broken = Differs("breaks a label's line, and shifts all behind it", _on_one_line)
    yield Case(
        "add_embedding",
        "labels of two lines",
        lambda w: w.add_embedding(points, ["a\nb", *"cdefghi"]),
        broken,
        broken,
    )
    repeats = Differs("writes tensor(1) for a label 1 from a tensor", _as_plain)
    yield Case(
        "add_embedding",
        "labels as a tensor",
        lambda w: w.add_embedding(points, torch.arange(8)),
        repeats,
        repeats,
    )
    yield Case(
        "add_embedding",
        "wide pictures",
        lambda w: w.add_embedding(points, names, wide),
        tensorboardx=Raises("takes square ones only", "AssertionError"),
    )
    yield Case(
        "add_embedding",
        "two steps and a tag",
        lambda w: [
            w.add_embedding(points, names, global_step=1),
            w.add_embedding(points, global_step=2),
            w.add_embedding(points, global_step=2, tag="other"),
        ],
    )


def _on_one_line(seen: Seen) -> Seen:
    return seen._replace(value=str(seen.value).replace("\n", " "))


def _as_plain(seen: Seen) -> Seen:
    return seen._replace(value=re.sub(r"tensor\((\d+)\)", r"\1", str(seen.value)))


def _meshes() -> Iterator[Case]:
    torch = framework("torch")
    random = np.random.default_rng(7)
    vertices = torch.from_numpy(random.normal(size=(2, 5, 3)))
    colors = torch.from_numpy(random.integers(0, 256, size=(2, 5, 3)))
    faces = torch.from_numpy(random.integers(0, 5, size=(2, 4, 3)))
    config = {"camera": {"cls": "PerspectiveCamera", "fov": 75}, "a": [1, None]}
    given: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("points", (vertices,), {}),
        ("float32", (vertices.float(),), {}),
        ("arrays", (vertices.numpy(), colors.numpy()), {}),
        ("colours", (vertices, colors), {}),
        ("faces", (vertices, None, faces), {}),
        ("all", (vertices, colors, faces, config), {}),
        ("uint8 colours", (vertices, colors.to(torch.uint8), faces), {}),
    ]
    numbered = Differs(
        "numbers the tags, and writes neither components nor an empty configuration", _numbered
    )
    for name, arguments, options in given:
        yield Case(
            "add_mesh",
            name,
            calling("add_mesh", "a/b", *arguments, **options, global_step=3, walltime=WALL),
            tensorboardx=numbered,
        )


def _numbered(seen: Seen) -> Seen:
    content = json.loads(seen.content)
    content.pop("components", None)
    if content["jsonConfig"] == "null":
        content["jsonConfig"] = "{}"
    name, _, part = seen.tag.rpartition("_")
    number = {"VERTEX": "1", "FACE": "2", "COLOR": "3"}.get(part, part)
    return seen._replace(tag=f"{name}_{number}", content=content)


def _hparams() -> Iterator[Case]:
    torch = framework("torch")
    metrics = {"acc": 0.5, "loss": 1}
    refused = Raises("takes number, bool, text and tensor only", "ValueError")
    nameless = Differs("keeps the name only, and neither type nor value", _names_only)
    given: list[tuple[str, dict[str, Any], Verdict, Verdict]] = [
        ("numbers", {"lr": 0.1, "layers": 3}, EQUAL, EQUAL),
        ("texts", {"optimiser": "adam", "empty": ""}, EQUAL, EQUAL),
        ("bools", {"bias": True, "tied": False}, _BOOLS, EQUAL),
        ("None", {"dropout": None, "lr": 0.1}, EQUAL, EQUAL),
        ("np.float64", {"lr": np.float64(0.1)}, EQUAL, EQUAL),
        ("np.float32", {"lr": np.float32(0.1)}, refused, nameless),
        ("tensor of one", {"lr": torch.tensor([0.1])}, EQUAL, nameless),
        ("a list", {"layers": [3, 4]}, refused, nameless),
        ("a nested dict", {"model": {"layers": 3}}, refused, nameless),
        ("a function", {"act": torch.relu}, refused, EQUAL),
        ("none at all", {}, EQUAL, EQUAL),
    ]
    for name, settings, of_torch, of_tensorboardx in given:
        yield Case(
            "add_hparams",
            name,
            partial(_add_hparams, settings=settings, metrics=metrics),
            of_torch,
            of_tensorboardx,
        )
    yield Case("add_hparams", "no metrics", lambda w: _add_hparams(w, {"lr": 1}, {}))
    yield Case(
        "add_hparams",
        "metric tensors",
        lambda w: _add_hparams(w, {"lr": 1}, {"acc": torch.tensor(0.5), "f": np.float32(2)}),
    )
    yield Case(
        "add_hparams",
        "global_step",
        lambda w: _add_hparams(w, {"lr": 1}, {"a": 2}, global_step=9),
        tensorboardx=Differs("gives the step to the metrics only", _without_its_step),
    )
    domains = {"lr": [0.1, 0.2], "opt": ["adam", "sgd"]}
    yield Case(
        "add_hparams",
        "hparam_domain_discrete",
        lambda w: _add_hparams(
            w, {"lr": 0.1, "opt": "adam", "n": 3}, metrics, hparam_domain_discrete=domains
        ),
        tensorboardx=Raises("has no such parameter", "TypeError"),
    )


def _as_numbers(seen: Seen) -> Seen:
    content = str(seen.content).replace("DATA_TYPE_BOOL", "DATA_TYPE_FLOAT64")
    return seen._replace(content=content.replace("true", "1.0").replace("false", "0.0"))


_BOOLS = Differs("takes bools for numbers; ours stay bools", _as_numbers)


def _names_only(seen: Seen) -> Seen:
    if seen.plugin != "hparams":
        return seen
    content = json.loads(seen.content)
    content.pop("sessionStartInfo", None)
    for info in content.get("experiment", {}).get("hparamInfos", ()):
        info["name"] = info["name"].partition("/")[0]
        info.pop("type", None)
    return seen._replace(content=content)


def _without_its_step(seen: Seen) -> Seen:
    return seen._replace(step=0) if seen.plugin == "hparams" else seen


def _add_hparams(writer: Any, settings: Any, metrics: Any, **options: Any) -> None:
    """Name the sub-run as each of the three does."""
    name = "name" if type(writer).__module__.startswith("tensorboardX") else "run_name"
    writer.add_hparams(settings, metrics, **{name: "trial"}, **options)


def _layouts() -> Iterator[Case]:
    layout = {
        "losses": {
            "lines": ["Multiline", ["loss/train", "loss/.*"]],
            "band": ["Margin", ["a", "b", "c"]],
        },
        "empty": {},
    }
    yield Case("add_custom_scalars", "two categories", lambda w: w.add_custom_scalars(layout))
    yield Case("add_custom_scalars", "nothing", lambda w: w.add_custom_scalars({}))
    yield Case(
        "add_custom_scalars_multilinechart",
        "defaults",
        lambda w: w.add_custom_scalars_multilinechart(["a", "b"]),
    )
    yield Case(
        "add_custom_scalars_multilinechart",
        "category, title",
        lambda w: w.add_custom_scalars_multilinechart(["a"], category="c", title="t"),
    )
    yield Case(
        "add_custom_scalars_marginchart",
        "defaults",
        lambda w: w.add_custom_scalars_marginchart(["a", "b", "c"]),
    )
    yield Case(
        "add_custom_scalars_marginchart",
        "category, title",
        lambda w: w.add_custom_scalars_marginchart(["a", "b", "c"], "c", "t"),
    )
