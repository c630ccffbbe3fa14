"""The language that runs are found with: text to a tree and back. Pure; knows no database.

    lr < 0.01 and optimizer in (adam, "sgd") and not (min(val/loss) > 0.3 or has:oom)

    tokens ─▶ parse ─▶ tree ─▶ write

What does not hold together is a `QueryProblem`: what was met, where, and what was expected.
"""

from __future__ import annotations

from orgboard_dashboard.queries.language.parse import (
    MAX_CHARS,
    MAX_DEPTH,
    MAX_LISTED,
    is_query,
    parse,
)
from orgboard_dashboard.queries.language.problems import QueryProblem, UnknownField
from orgboard_dashboard.queries.language.tree import (
    AGGREGATES,
    OPERATORS,
    Aggregate,
    And,
    FieldName,
    Has,
    Node,
    Not,
    Operator,
    Or,
    Source,
    Test,
    Text,
    Value,
    write,
)

__all__ = [
    "AGGREGATES",
    "MAX_CHARS",
    "MAX_DEPTH",
    "MAX_LISTED",
    "OPERATORS",
    "Aggregate",
    "And",
    "FieldName",
    "Has",
    "Node",
    "Not",
    "Operator",
    "Or",
    "QueryProblem",
    "Source",
    "Test",
    "Text",
    "UnknownField",
    "Value",
    "is_query",
    "parse",
    "write",
]
