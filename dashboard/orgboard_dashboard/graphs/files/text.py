"""A GraphDef, MetaGraphDef or SavedModel written as text (`.pbtxt`), as the binary message.

    node { name: "x" attr { key: "T" value { type: DT_FLOAT } } }

Protobuf's own reader recurses, and takes a second a megabyte. This one walks: a field at a time,
what is open on a list, and never deeper than any graph is. What no descriptor of ours names, is
passed over inside of nodes, whatever it is; a file that begins with it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from orgboard_dashboard.graphs.files.kinds import FileKind
from orgboard_dashboard.graphs.files.message_text import FORMS, Form, Kind, encoded_value, unescaped
from orgboard_dashboard.graphs.files.refused import NotAGraph, too_many
from orgboard_dashboard.graphs.thinned import put

__all__ = ["read_text"]

MAX_DEPTH: Final = 64
"""Messages within one another: a graph's have some ten."""
_MOST_STEPS: Final = 3_000_000
"""Fields, values of lists and ends of messages: more than fit into a file of the largest size as
graphs are written, and some seven seconds."""
_MOST_OF_A_TENSOR: Final = 16
"""Numbers of a constant that are kept: more are never shown."""
_MOST_CONTENT: Final = 16_384
"""Characters of a text that is kept of a constant."""
_MOST_SHOWN: Final = 60

_SPACE: Final = rb"(?:[\s,;]++|#[^\n]*+)*+"
_NAME: Final = re.compile(
    _SPACE
    + rb"(?:([A-Za-z_]\w*+|\[[^\]\n]{1,400}\])"
    + _SPACE
    + rb":?+"
    + _SPACE
    + rb"|([}>])|(\Z))"
)
_SPACES: Final = re.compile(_SPACE)
_STRING: Final = re.compile(
    rb"\s*+(?:\"([^\"\\\n]*+(?:\\.[^\"\\\n]*+)*+)\"|'([^'\\\n]*+(?:\\.[^'\\\n]*+)*+)')", re.DOTALL
)
_SCALAR: Final = re.compile(
    rb"[-+]?+\s*+(?:0[xX][0-9a-fA-F]++|[0-9.]++(?:[eE][-+]?+[0-9]++)?+[fF]?+|[A-Za-z_]\w*+)"
)
_QUOTES: Final = (ord('"'), ord("'"))
_OPENING: Final = {ord("{"): ord("}"), ord("<"): ord(">")}

_ROOTS: Final[dict[bytes, FileKind]] = {
    **dict.fromkeys((b"node", b"library", b"version", b"versions", b"debug_info"), "graph_def"),
    **dict.fromkeys(
        (b"meta_info_def", b"graph_def", b"saver_def", b"collection_def", b"signature_def"),
        "meta_graph",
    ),
    **dict.fromkeys((b"saved_model_schema_version", b"meta_graphs"), "saved_model"),
}
_FOREIGN: Final = {
    **dict.fromkeys(
        (b"ir_version", b"opset_import", b"producer_name", b"graph"),
        "it is an ONNX model as text: save it as a binary .onnx file",
    ),
    **dict.fromkeys((b"layer", b"layers", b"input", b"input_dim"), "it is a network of Caffe"),
}


@dataclass(slots=True)
class _Open:
    """A message, or a list of values of a field, that has not ended."""

    kind: Kind | None
    """None: it is passed over."""
    closing: int
    form: Form | None = None
    """Which field of the one around it it is."""
    is_list: bool = False
    written: bytearray = field(default_factory=bytearray)
    counts: dict[int, int] = field(default_factory=dict)
    """Of a constant: how many values of each field."""


def read_text(data: bytes) -> tuple[FileKind, bytes]:
    """Return which message a text is, and the message.

    Raises:
        NotAGraph: it is none, or a broken one.
    """
    root = _root_of(data)
    return root, _Reading(data, root).read()


def _root_of(data: bytes) -> FileKind:
    first = _NAME.match(data)
    name = first[1] if first is not None and first[1] is not None else b""
    if name not in _ROOTS:
        begins = f"no graph begins with “{name.decode('utf-8', 'replace')[:_MOST_SHOWN]}”"
        raise NotAGraph(_FOREIGN.get(name, begins if name else "it is text, and not a graph's"))
    return _ROOTS[name]


class _Reading:
    """A text while it is walked."""

    def __init__(self, data: bytes, root: FileKind) -> None:
        self._data = data
        self._at = 0
        self._is_strict = root == "graph_def"
        self._open = [_Open(FORMS[root], -1)]

    def read(self) -> bytes:
        """Walk to the end."""
        for _ in range(_MOST_STEPS):
            top = self._open[-1]
            if top.is_list:
                self._list_item(top)
                continue
            found = _NAME.match(self._data, self._at)
            if found is None:
                raise self._broken("a field's name is expected")
            self._at = found.end()
            if found[1] is not None:
                self._field(top, found[1])
            elif found[2] is not None:
                self._close(top, found[2][0])
            elif len(self._open) == 1:
                return bytes(top.written)
            else:
                raise self._broken("it ends within a message: it may have been cut off")
        raise too_many("parts")

    def _field(self, top: _Open, name: bytes) -> None:
        form = None if top.kind is None else top.kind.get(name)
        if form is None and self._is_strict and len(self._open) == 1:
            shown = name.decode("utf-8", "replace")[:_MOST_SHOWN]
            raise self._broken(f"“{shown}” is no field of a GraphDef")
        if self._data.startswith(b"[", self._at):
            self._begin(_Open(top.kind, ord("]"), form, is_list=True))
        else:
            self._value(top, form)

    def _list_item(self, top: _Open) -> None:
        found = _SPACES.match(self._data, self._at)
        self._at = found.end() if found is not None else self._at
        if self._data.startswith(b"]", self._at):
            self._at += 1
            self._open.pop()
            around = self._open[-1]
            around.written += top.written
            return
        self._value(top, top.form)

    def _value(self, top: _Open, form: Form | None) -> None:
        """Take a value: a message that begins, a text, or a word or number."""
        byte = self._data[self._at] if self._at < len(self._data) else -1
        if byte in _OPENING:
            inside = form.inside if form is not None else None
            self._begin(_Open(inside, _OPENING[byte], form))
        elif byte in _QUOTES:
            self._take(top, form, self._text(top, form))
        else:
            found = _SCALAR.match(self._data, self._at)
            if found is None:
                raise self._broken("a value is expected")
            self._at = found.end()
            self._take(top, form, found[0])

    def _begin(self, opened: _Open) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._broken(f"messages stand more than {MAX_DEPTH} deep")
        self._at += 1
        self._open.append(opened)

    def _close(self, top: _Open, byte: int) -> None:
        if byte != top.closing:
            raise self._broken(f"“{chr(byte)}” ends nothing")
        self._open.pop()
        around = self._open[-1]
        if top.kind is not None and top.form is not None:
            put(around.written, top.form.number, top.written)

    def _text(self, top: _Open, form: Form | None) -> bytes:
        """Read texts that follow one another, which are one; of a constant's content nothing."""
        pieces = []
        while (found := _STRING.match(self._data, self._at)) is not None:
            pieces.append(found[1] if found[1] is not None else found[2])
            self._at = found.end()
        if not pieces:
            raise self._broken("a text has no end")
        size = sum(map(len, pieces))
        is_kept = form is not None and (top.kind is not FORMS["tensor"] or size <= _MOST_CONTENT)
        return unescaped(b"".join(pieces)) if is_kept else b""

    def _take(self, top: _Open, form: Form | None, value: bytes) -> None:
        """Write a value that is no message, as far as it is kept."""
        if form is None or form.inside is not None:
            return
        if top.kind is FORMS["tensor"] and form.is_repeated:
            count = top.counts[form.number] = top.counts.get(form.number, 0) + 1
            if count > _MOST_OF_A_TENSOR:
                return
        try:
            top.written += encoded_value(form, value)
        except ValueError as error:
            said = value[:_MOST_SHOWN].decode("utf-8", "replace")
            raise self._broken(f"“{said}” is no value of such a field") from error

    def _broken(self, what: str) -> NotAGraph:
        line = self._data.count(b"\n", 0, self._at) + 1
        return NotAGraph(f"in line {line}, {what}")
