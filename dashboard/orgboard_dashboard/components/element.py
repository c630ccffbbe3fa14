"""HTML elements with any attribute: the one place where Dash's loose signatures are met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dash.development.base_component import Component

__all__ = ["Child", "element"]

Child: TypeAlias = Component | str


def element(make: Callable[..., Component], *children: Child, **attributes: Any) -> Component:
    """Make a component. `data_page="x"` and `aria_label="y"` become `data-page`, `aria-label`."""
    named = {_attribute(name): value for name, value in attributes.items()}
    return make(list(children), **named) if children else make(**named)


def _attribute(name: str) -> str:
    return name.replace("_", "-", 1) if name.startswith(("data_", "aria_")) else name
