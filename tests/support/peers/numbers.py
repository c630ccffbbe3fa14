"""Scalars, tensors, texts, and what the constructor does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from support.frameworks import framework
from support.peers.cases import (
    CLEANED,
    EQUAL,
    WALL,
    Case,
    Differs,
    Lacks,
    Raises,
    Verdict,
    but,
    calling,
    one_directory,
    without_values,
)
from support.peers.reading import Seen

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    """Give the cases of this family."""
    yield from _scalars()
    yield from _several_scalars()
    yield from _tensors()
    yield from _texts()
    yield from _constructor()


def _scalars() -> Iterator[Case]:
    torch = framework("torch")
    values: list[tuple[str, Any]] = [
        ("float", 0.1),
        ("int", 3),
        ("bool", True),
        ("NaN", float("nan")),
        ("infinity", float("-inf")),
        ("beyond float32", 1e300),
        ("np.float64", np.float64(0.1)),
        ("np.float16", np.float16(0.1)),
        ("np.int64", np.int64(-7)),
        ("array of one", np.array([0.25])),
        ("array of rank 0", np.array(0.25)),
        ("tensor of rank 0", torch.tensor(0.1)),
        ("tensor of one", torch.tensor([[0.1]])),
        ("tensor with gradient", torch.tensor(0.1, requires_grad=True)),
        ("half tensor", torch.tensor(0.1, dtype=torch.half)),
    ]
    for name, value in values:
        yield Case("add_scalar", name, calling("add_scalar", "a", value, 3, WALL))
    yield Case(
        "add_scalar",
        "bfloat16 tensor",
        lambda w: w.add_scalar("a", torch.tensor(0.1, dtype=torch.bfloat16), 3, WALL),
        tensorboardx=Raises("cannot read bfloat16", "TypeError"),
    )
    yield Case("add_scalar", "no step", lambda w: w.add_scalar("a", 1.0))
    yield Case("add_scalar", "np.int64 step", lambda w: w.add_scalar("a", 1.0, np.int64(5), WALL))
    yield Case("add_scalar", "negative step", lambda w: w.add_scalar("a", 1.0, -5, WALL))
    yield Case(
        "add_scalar",
        "a tag of many signs",
        lambda w: w.add_scalar("/a b/ü:1", 1.0, 3, WALL),
        tensorboardx=CLEANED,
    )
    yield Case(
        "add_scalar",
        "new_style",
        lambda w: w.add_scalar("a", 0.1, 3, WALL, new_style=True),
        tensorboardx=Raises("has no such parameter", "TypeError"),
    )
    yield Case(
        "add_scalar",
        "double_precision",
        lambda w: w.add_scalar("a", 0.1, 3, WALL, double_precision=True),
        torch=Differs(
            "keeps doubles only with new_style too; ours always", but(value=None, display_name="")
        ),
        tensorboardx=Raises("has no such parameter", "TypeError"),
    )
    yield Case(
        "add_scalar",
        "new_style, double_precision",
        lambda w: w.add_scalar("a", 0.1, 3, WALL, new_style=True, double_precision=True),
        tensorboardx=Raises("has no such parameter", "TypeError"),
    )
    yield Case(
        "add_scalar",
        "display_name, summary_description",
        lambda w: w.add_scalar("a", 0.1, 3, WALL, display_name="A", summary_description="*a*"),
        torch=Raises("has no such parameter", "TypeError"),
    )

    yield Case(
        "add_scalar",
        "display_name, summary_description as tensorboardX's fifth and sixth",
        lambda w: w.add_scalar("a", 0.1, 3, WALL, "A", "*a*"),
        torch=Differs("takes them for new_style and double_precision", without_names),
    )


def without_names(seen: Seen) -> Seen:
    """Leave tag, step and time."""
    return seen._replace(display_name="", description="", data_class=0, value=None, content=None)


def _several_scalars() -> Iterator[Case]:
    nested = Differs("makes directories of main_tag and key; ours, as torch's, one", one_directory)
    yield Case(
        "add_scalars",
        "three keys",
        lambda w: w.add_scalars("a/b", {"x": 1, "y": 0.5, "z w": np.float32(2)}, 3, WALL),
        tensorboardx=nested,
    )
    yield Case(
        "add_scalars",
        "twice",
        lambda w: [w.add_scalars("a", {"x": step, "y": -step}, step, WALL) for step in (1, 2)],
        tensorboardx=nested,
    )


def _tensors() -> Iterator[Case]:
    torch = framework("torch")
    absent = Lacks("has no such method")
    misplaced = Differs("writes uint8 where TensorBoard does not look for it", without_values)
    kinds = [
        "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool", "complex64",
        "complex128",
    ]  # fmt: skip
    for kind in kinds:
        tensor = torch.tensor([[0, 1, 2], [3, 4, 5]]).to(getattr(torch, kind))
        verdict = misplaced if kind == "uint8" else EQUAL
        yield Case("add_tensor", kind, calling("add_tensor", "a", tensor, 3, WALL), verdict, absent)
    bits: Verdict = Differs("writes float32's bits where half's belong", without_values)
    for kind in ("half", "bfloat16"):
        tensor = torch.tensor([0.5, 1.5]).to(getattr(torch, kind))
        yield Case("add_tensor", kind, calling("add_tensor", "a", tensor, 3, WALL), bits, absent)
    yield Case(
        "add_tensor",
        "rank 0",
        lambda w: w.add_tensor("a", torch.tensor(1.5), 3, WALL),
        EQUAL,
        absent,
    )


def _texts() -> Iterator[Case]:
    yield Case("add_text", "Markdown", lambda w: w.add_text("a", "# Hällo\n\n*x*", 3, WALL))
    yield Case("add_text", "empty", lambda w: w.add_text("a", "", 3, WALL))
    yield Case("add_text", "no step", lambda w: w.add_text("a", "x"))


def _constructor() -> Iterator[Case]:
    yield Case("SummaryWriter", "nothing logged", lambda _: None)
    yield Case(
        "SummaryWriter",
        "purge_step",
        lambda w: w.add_scalar("a", 1.0, 7, WALL),
        options={"purge_step": 7},
    )
    yield Case(
        "SummaryWriter",
        "filename_suffix",
        lambda w: w.add_scalar("a", 1.0, 7, WALL),
        options={"filename_suffix": ".x"},
    )
