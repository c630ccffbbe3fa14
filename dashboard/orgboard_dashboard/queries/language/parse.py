"""A query's text to its tree, by recursive descent.

any   = all ("or" all)*
all   = one ("and" one)*
one   = "not" one | "(" any ")" | "has" ":" field | field test | TEXT
test  = ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~" | ":") TEXT
      | ["not"] "in" "(" TEXT ("," TEXT)* ")"
field = ("last" | "min" | "max" | "best") "(" name ")" | name
name  = [("hp" | "metric") ":"] TEXT | "hist" ":" TEXT ":" STATISTIC
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, cast

from orgboard_dashboard.histograms.percentiles import STATISTICS, Statistic
from orgboard_dashboard.queries.language.problems import QueryProblem, shown
from orgboard_dashboard.queries.language.tokens import Token, tokens_of
from orgboard_dashboard.queries.language.tree import (
    AGGREGATES,
    KEYWORDS,
    OPERATORS,
    SOURCES,
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
)

__all__ = ["MAX_CHARS", "MAX_DEPTH", "MAX_LISTED", "is_query", "parse"]

MAX_CHARS: Final = 4000
MAX_DEPTH: Final = 40
"""Brackets and `not` within one another: far more than anyone reads, far less than the stack."""

MAX_LISTED: Final = 500
"""Values of one `in`; they become parameters of one statement."""

_COMPARED: Final = tuple(sign for sign in OPERATORS if sign != "in")
_TEXT: Final = ("word", "string")

# What a regular expression begins its groups with is no operator of ours.
_GROUP: Final = re.compile(r"\(\?(?:P?<\w*>|[a-zA-Z-]*[:)]|<?[=!])")
_OPERATOR: Final = re.compile(
    r"""[=<>~]
    | (?:^|[\s(])(?:and|or|not)(?=[\s(])
    | \sin\s*\(
    | (?:^|[\s(])[A-Za-z_][\w./-]*\s?:""",
    re.VERBOSE | re.IGNORECASE,
)


def is_query(text: str) -> bool:
    """Tell whether text has an operator; without one it is a regular expression on names."""
    return _OPERATOR.search(_GROUP.sub(" ", text)) is not None


def parse(text: str) -> Node:
    """Return the tree of a query.

    Raises:
        QueryProblem: it is none; says where, and what was expected there.
    """
    if len(text) > MAX_CHARS:
        raise QueryProblem(f"A query has at most {MAX_CHARS} characters.", MAX_CHARS, len(text))
    reader = _Reader(tokens_of(text))
    node = reader.any_of(0)
    reader.finish()
    return node


class _Reader:
    """Reads tokens from left to right; each method one rule of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def any_of(self, depth: int) -> Node:
        parts = [self._all_of(depth)]
        while self._take_word("or"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def finish(self) -> None:
        token = self._peek()
        if token.kind == "end":
            return
        if token.is_sign(")"):
            raise QueryProblem("There is no opening bracket for this one.", token.at, token.end)
        raise _unexpected(token, "`and`, `or`, an operator such as `=`, or the end")

    def _all_of(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self._take_word("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self, depth: int) -> Node:
        token = self._peek()
        if depth > MAX_DEPTH:
            raise QueryProblem(
                f"More than {MAX_DEPTH} brackets within one another.", token.at, token.end
            )
        if self._take_word("not"):
            return Not(self._one(depth + 1))
        if self._take_sign("("):
            inner = self.any_of(depth + 1)
            self._need_sign(")", "`)`, `and` or `or`")
            return inner
        if token.is_word("has") and self._peek(1).is_sign(":"):
            self._next += 2
            return Has(self._field())
        return self._condition()

    def _condition(self) -> Node:
        first = self._peek()
        named = self._field()
        if operator := self._operator():
            test = Test(named, operator, (self._value(),))
            self._refuse_without_statistic(test)
            return test
        if self._take_word("in"):
            return Test(named, "in", self._list())
        if self._peek().is_word("not") and self._peek(1).is_word("in"):
            self._next += 2
            return Not(Test(named, "in", self._list()))
        if named.source or named.aggregate:
            raise _unexpected(self._peek(), "an operator such as `<` or `=`")
        return Text(Value(named.name, first.kind == "string", named.at, named.end))

    def _refuse_without_statistic(self, test: Test) -> None:
        """Say what lacks in `hist:TAG < 1`, which begins like a condition on a field `hist`."""
        (value,), following = test.values, self._peek()
        if test.field.name == "hist" and test.operator == "=" and following.is_sign(*_COMPARED):
            raise QueryProblem(
                f"Say which number of the last histogram: hist:{value.text}:mean, or another"
                " statistic in the place of `mean`.",
                test.field.at,
                value.end,
            )

    def _operator(self) -> Operator | None:
        token = self._peek()
        if not token.is_sign(*_COMPARED, ":"):
            return None
        self._next += 1
        return cast("Operator", "=" if token.text == ":" else token.text)

    def _field(self) -> FieldName:
        token = self._peek()
        if token.kind == "word" and token.text in AGGREGATES and self._peek(1).is_sign("("):
            self._next += 2
            inner = self._name()
            closing = self._need_sign(")", "`)`")
            return replace(inner, aggregate=token.text, at=token.at, end=closing.end)
        return self._name()

    def _name(self) -> FieldName:
        token = self._peek()
        source = ""
        if token.kind == "word" and token.text in SOURCES and self._peek(1).is_sign(":"):
            self._next += 2
            source = token.text
        if self._is_statistic():
            self._next += 2
            named = self._text("the name of a histogram")
            self._next += 1
            of = self._text("a statistic, such as `mean` or `std`")
            return FieldName(
                *(named.text, "hist", None, _statistic(of)),
                at=token.at,
                end=of.end,
                named=(named.at, named.end),
            )
        named = self._text("the name of a field")
        return FieldName(
            *(named.text, cast("Source", source)),
            at=token.at,
            end=named.end,
            named=(named.at, named.end),
        )

    def _is_statistic(self) -> bool:
        """Tell whether `hist:TAG:` comes; a field of that name can be compared as any other."""
        token, tag = self._peek(), self._peek(2)
        signs = self._peek(1).is_sign(":") and self._peek(3).is_sign(":")
        return token.kind == "word" and token.text == "hist" and tag.kind in _TEXT and signs

    def _value(self) -> Value:
        token = self._text("a value")
        return Value(token.text, token.kind == "string", token.at, token.end)

    def _list(self) -> tuple[Value, ...]:
        self._need_sign("(", "`(` and the values, such as `in (adam, sgd)`")
        values = [self._value()]
        while self._take_sign(","):
            values.append(self._value())
            if len(values) > MAX_LISTED:
                last = values[-1]
                raise QueryProblem(f"A list has at most {MAX_LISTED} values.", last.at, last.end)
        self._need_sign(")", "`,` or `)`")
        return tuple(values)

    def _text(self, expected: str) -> Token:
        token = self._peek()
        is_keyword = token.kind == "word" and token.text.lower() in KEYWORDS
        if token.kind not in _TEXT or is_keyword:
            raise _unexpected(token, expected, in_quotes=is_keyword)
        self._next += 1
        return token

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take_word(self, word: str) -> bool:
        taken = self._peek().is_word(word)
        self._next += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self._peek().is_sign(sign)
        self._next += taken
        return taken

    def _need_sign(self, sign: str, expected: str) -> Token:
        token = self._peek()
        if not token.is_sign(sign):
            raise _unexpected(token, expected)
        self._next += 1
        return token


def _statistic(token: Token) -> Statistic:
    for known in STATISTICS:
        if known == token.text:
            return known
    near = tuple(known for known in STATISTICS if known[:1] == token.text[:1].lower())
    raise QueryProblem(
        f"{shown(token.text)} is no statistic of histograms: {', '.join(STATISTICS)}.",
        token.at,
        token.end,
        near,
    )


def _unexpected(token: Token, expected: str, *, in_quotes: bool = False) -> QueryProblem:
    if token.kind == "end":
        return QueryProblem(f"The query ends where {expected} was expected.", token.at, token.end)
    quotes = f' To mean the word, write "{token.text}".' if in_quotes else ""
    return QueryProblem(
        f"Expected {expected}, not {shown(token.text)}.{quotes}", token.at, token.end
    )
