"""Arguments that nobody should pass: for each parameter of each method, a right value or anything.

Right values come often enough that an example gets past the first check, wrong ones are of every
sort: objects whose methods raise or return nonsense, numbers and arrays at the edges, text that
no encoding takes.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from orgboard import SummaryWriter

__all__ = ["HostileError", "Interrupting", "arguments"]


class HostileError(Exception):
    """An error that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")

    __repr__ = __str__


def _words(text: str) -> list[str]:
    return text.split()


SPECIAL: Final = _words(
    """
    __array__ __bool__ __class__ __contains__ __delattr__ __dlpack__ __eq__ __float__ __format__
    __fspath__ __getattr__ __getattribute__ __getitem__ __hash__ __index__ __int__ __iter__
    __len__ __lt__ __next__ __repr__ __setattr__ __str__
    """
)
PLAIN: Final = _words(
    """
    as_graph_def cpu detach dtype figure gcf grad is_cuda item items keys ndim node numpy read
    savefig SerializeToString shape to_json to_plotly_json tolist values weights
    """
)

ERRORS: Final[list[Callable[[], Exception]]] = [
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    HostileError,
    ImportError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    StopIteration,
    TypeError,
    lambda: UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"),
    ValueError,
]


def _hostile(name: str, act: Callable[[], Any], *, is_property: bool) -> Any:
    """Make an object of which one method, or property, does `act`."""
    if name == "__next__":
        return _Iterator(act)
    member: Any = property(lambda _: act()) if is_property else lambda *_, **__: act()
    base = _Sequence if name == "__getitem__" else object
    try:
        return type("Hostile", (base,), {name: member})()
    except Exception:  # noqa: BLE001 (it is too hostile even to be made)
        return object()


class _Sequence:
    """Has a length, so that it looks like one, and no iterator: that of old ends by an error."""

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Any:
        return iter([self[number] for number in range(3)])

    def __getitem__(self, number: int) -> Any:
        raise NotImplementedError


class _Iterator:
    """Gives what `act` gives, and ends: nobody who reads an endless one to its end could go on."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self._left = 100

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> _Iterator:
        return self

    def __next__(self) -> Any:
        self._left -= 1
        if self._left < 0:
            raise StopIteration
        return self._act()


def _raising(error: Callable[[], BaseException]) -> Callable[[], Any]:
    def act() -> Any:
        raise error()

    return act


def _nested(depth: int) -> list[Any]:
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


def _recursive() -> list[Any]:
    values: list[Any] = [1.0]
    values.append(values)
    return values


def _recursive_dict() -> dict[Any, Any]:
    values: dict[Any, Any] = {"a": 1.0}
    values["self"] = values
    return values


class _Text(str):
    """A string with ideas of its own."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise HostileError

    def __hash__(self) -> int:
        raise HostileError

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise HostileError

    def replace(self, *_: Any) -> str:
        raise HostileError

    def __format__(self, spec: str) -> str:
        raise HostileError


class _Float(float):
    __slots__ = ()

    def __float__(self) -> float:
        raise HostileError

    def __bool__(self) -> bool:
        raise HostileError


# Relative and without "..": a path among the examples must stay where the test put it.
_texts = st.text(max_size=20).map(lambda text: text.replace("/", "_").replace("..", "_"))
_nonsense: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", b"x", -1, 1 << 70, math.nan, (), [], {}, object, ...]
)
_acts = st.one_of(st.sampled_from(ERRORS).map(_raising), _nonsense.map(lambda value: lambda: value))
_objects = st.builds(_hostile, st.sampled_from(SPECIAL + PLAIN), _acts, is_property=st.booleans())

_dtypes: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(_words("? b B h i q Q e f d g F D O U3 S3 M8[s] m8[s] V4")),
    st.just([("a", "f4"), ("b", "i2")]),
)
_shapes = st.lists(st.integers(0, 4), max_size=5).map(tuple)


def _array(dtype: Any, shape: tuple[int, ...], fill: float) -> Any:
    array = np.zeros(shape, np.dtype(dtype))
    if array.dtype.kind in "fgdFD":
        array[...] = fill
    return array


_arrays = st.builds(_array, _dtypes, _shapes, st.sampled_from([0.0, 0.5, math.nan, math.inf]))
_numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([1 << 63, -(1 << 63) - 1, 10**400, True, np.float16(2), np.int8(-1), 1j]),
    st.builds(_Float),
)
_plain = st.one_of(
    st.none(), st.booleans(), _numbers, _texts, st.binary(max_size=20), st.builds(object)
)
_odd: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["\ud800", "a\0b", "t" * 10_000, "", " ", "\u202e", ".", "a" * 300]),
    st.builds(_Text, st.just("tag")),
    st.builds(_recursive),
    st.builds(_recursive_dict),
    st.integers(10, 2000).map(_nested),
    st.binary(max_size=9).map(lambda data: memoryview(data)),
    st.binary(max_size=9).map(bytearray),
    st.builds(lambda: (value for value in [1.0, 2.0])),
    st.builds(lambda: (1 / 0 for _ in range(2))),
    st.builds(range, st.integers(0, 9)),
    st.sampled_from([int, print, Exception(), {1, 2}, frozenset(), type, NotImplemented, ...]),
)
anything: Final[st.SearchStrategy[Any]] = st.recursive(
    st.one_of(_plain, _objects, _arrays, _odd),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(_texts, st.integers(), st.none()), inner, max_size=3),
    ),
    max_leaves=6,
)

_tag = st.one_of(st.just("tag"), _texts)
_vector = st.one_of(
    st.lists(st.floats(width=32), max_size=8), _shapes.map(np.ones), st.just([0.5, 1.0])
)
_pixels = st.one_of(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)).map(np.ones),
    st.sampled_from([(3, 4, 4), (2, 3, 4, 4), (1, 2, 3, 4, 4), (4, 4)]).map(np.ones),
)
_settings = st.dictionaries(_texts, st.one_of(_numbers, _texts, st.none()), max_size=3)
_step = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.none(), st.just(np.int64(3)))
_chart = st.tuples(st.sampled_from(["Multiline", "Margin", "x"]), st.lists(_texts, max_size=4))
_labels = st.lists(st.integers(0, 1), max_size=4)
_layouts = st.dictionaries(
    _texts, st.dictionaries(_texts, _chart.map(list), max_size=2), max_size=2
)
_cubes = st.sampled_from([(1, 4, 3), (2, 1, 3), (1, 0, 3), (4, 3)]).map(np.zeros)

RIGHT: Final[dict[str, st.SearchStrategy[Any]]] = {
    "bins": st.sampled_from(["tensorflow", "auto", 5, [0, 1, 2]]),
    "box_tensor": st.just(np.array([[0, 0, 2, 2]])),
    "bucket_counts": _vector,
    "bucket_limits": _vector,
    "category": _texts,
    "close": st.booleans(),
    "colors": _cubes,
    "config_dict": _settings,
    "dataformats": st.sampled_from(["CHW", "HWC", "HW", "NCHW", "NHWC", "NTCHW"]),
    "display_name": _texts,
    "double_precision": st.booleans(),
    "every": st.integers(1, 5),
    "faces": _cubes,
    "false_negative_counts": _vector,
    "false_positive_counts": _vector,
    "figure": _objects,
    "format": st.sampled_from(["gif", "mp4"]),
    "fps": st.integers(1, 60),
    "global_step": _step,
    "gradients": st.booleans(),
    "hparam_dict": _settings,
    "hparam_domain_discrete": st.dictionaries(_texts, st.lists(_numbers, max_size=3), max_size=2),
    "img_tensor": _pixels,
    "input_to_model": st.just(np.ones(2)),
    "label_img": _pixels,
    "labels": _labels,
    "layout": _layouts,
    "log": st.sampled_from(["all", "gradients"]),
    "main_tag": _tag,
    "mat": st.sampled_from([(4, 2), (1, 1), (0, 2)]).map(np.ones),
    "max": _numbers,
    "max_bins": st.integers(1, 9),
    "metadata": st.lists(_texts, max_size=5),
    "metadata_header": st.lists(_texts, max_size=3),
    "metric_dict": _settings,
    "min": _numbers,
    "model": st.binary(max_size=30),
    "name": _texts,
    "new_style": st.booleans(),
    "num": _numbers,
    "num_thresholds": st.integers(1, 9),
    "onnx_model_file": st.binary(max_size=30),
    "path": st.just("scalars.json"),
    "precision": _vector,
    "predictions": _vector,
    "prototxt": st.binary(max_size=30),
    "recall": _vector,
    "rescale": st.integers(1, 3),
    "run_name": _texts,
    "sample_rate": st.integers(1, 50_000),
    "scalar_value": _numbers,
    "snd_tensor": _vector,
    "step": _step,
    "sum": _numbers,
    "sum_squares": _numbers,
    "summary_description": _texts,
    "tag": _tag,
    "tag_scalar_dict": st.dictionaries(st.sampled_from("abc"), _numbers, max_size=3),
    "tags": st.lists(_texts, max_size=4),
    "tensor": _arrays,
    "text": _texts,
    "text_string": _texts,
    "title": _texts,
    "true_negative_counts": _vector,
    "true_positive_counts": _vector,
    "use_strict_trace": st.booleans(),
    "values": _arrays,
    "verbose": st.booleans(),
    "vertices": _cubes,
    "vid_tensor": st.sampled_from([(1, 2, 3, 4, 4), (1, 1, 1, 2, 2), (2, 3, 4, 4)]).map(np.ones),
    "walltime": st.one_of(st.none(), st.floats()),
    "weights": _vector,
    "xmlname": st.just("model.xml"),
}
"""What a parameter of that name may rightly be, in every method that has one."""


def arguments(method: str) -> st.SearchStrategy[dict[str, Any]]:
    """Make keyword arguments for a method, each right or anything.

    Raises:
        KeyError: a parameter is not in the table of right values.
    """
    parameters = inspect.signature(getattr(SummaryWriter, method)).parameters
    named = [each for each in parameters.values() if each.name != "self"]
    named = [each for each in named if each.kind is not inspect.Parameter.VAR_KEYWORD]
    given = {each.name: st.one_of(RIGHT[each.name], anything) for each in named}
    needed = {each.name for each in named if each.default is inspect.Parameter.empty}
    return st.fixed_dictionaries(
        {name: given[name] for name in given if name in needed},
        optional={name: given[name] for name in given if name not in needed},
    )


class Interrupting:
    """Interrupts the program, whatever it is asked; remembers that it was asked."""

    def __init__(self) -> None:
        self.was_asked = False

    def _interrupt(self, *_: Any, **__: Any) -> Any:
        self.was_asked = True
        raise KeyboardInterrupt

    __array__ = __contains__ = __eq__ = __float__ = __format__ = __fspath__ = _interrupt
    __getattr__ = __getitem__ = __hash__ = __index__ = __int__ = __iter__ = _interrupt
    __len__ = __repr__ = __str__ = _interrupt
