"""Arithmetic on tags: what is read, what it gives, and what is refused in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from orgboard_dashboard.aligned import Curve, apply
from orgboard_dashboard.api import expressions
from orgboard_dashboard.api.codec import column, decode
from orgboard_dashboard.api.expressions import parse_chart_question
from orgboard_dashboard.expressions import (
    MAX_CHARS,
    Call,
    Expression,
    ExpressionError,
    Number,
    Tag,
    parse_chart,
    quoted,
    tags_of,
)
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars

ROUTE = "/api/ui/v1/p/default/board/expressions"

A, B, C = Tag("a"), Tag("b"), Tag("c")


def parsed(text: str) -> Expression:
    """Read one expression."""
    ((_, expression),) = parse_chart(text)
    return expression


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("a", A),
        ("train/loss", Tag("train/loss")),
        ("a/b.c:d_1", Tag("a/b.c:d_1")),
        ("é/ü", Tag("é/ü")),
        ('"lr-Adam \\"x\\" \\\\"', Tag('lr-Adam "x" \\')),
        ("a / b", Call("/", (A, B))),
        ("a-b", Call("-", (A, B))),
        ("a - b - c", Call("-", (Call("-", (A, B)), C))),
        ("a + b * c", Call("+", (A, Call("*", (B, C))))),
        ("(a + b) * c", Call("*", (Call("+", (A, B)), C))),
        ("-a", Call("-", (Number(0.0), A))),
        ("1e-3*a", Call("*", (Number(0.001), A))),
        ("min(a, b,2)", Call("min", (A, B, Number(2.0)))),
        ("log(abs(a))", Call("log", (Call("abs", (A,)),))),
        ("max", Tag("max")),
    ],
)
def test_an_expression_is_read(text: str, expression: Expression) -> None:
    assert parsed(text) == expression
    assert parsed(f"  {text}\n") == expression


def test_a_chart_has_several_expressions_each_with_its_text() -> None:
    assert parse_chart('a ; b-c;"x;y"') == (
        ("a", A),
        ("b-c", Call("-", (B, C))),
        ('"x;y"', Tag("x;y")),
    )


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_every_tag_can_be_written_and_read_back(name: str) -> None:
    assert parsed(quoted(name)) == Tag(name)
    assert list(tags_of(parsed(f"2 * {quoted(name)} - {quoted(name)}"))) == [name, name]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends where a tag"),
        ("a;", "ends where a tag"),
        ("a b", "b does not fit here (character 3)"),
        ("a +", "ends where a tag"),
        ("(a", "ends"),
        ("a)", ") does not fit here (character 2)"),
        ('"a', "This quote is not closed"),
        ("a $ b", "Not understood: $ b (character 3)"),
        ("sin(a)", "no function sin; there are abs, log, min, max"),
        ("log(a, b)", "log takes one value, not 2"),
        ("1 + 2", "at least one tag"),
        ("a;" * 12 + "a", "at most 12 expressions"),
        ("a" * (MAX_CHARS + 1), f"at most {MAX_CHARS} characters"),
        ("(" * 900 + "a", "nested too deep"),
        ("-" * 900 + "a", "too many signs"),
        ("a" + "+a" * 900, "at most 100 operators"),
    ],
)
def test_what_is_no_expression_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_chart(text)

    assert words in str(refused.value)


@given(st.text('ab1.5/-+*(),;"\\ \n$é', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parts = parse_chart(text)
    except ExpressionError as error:
        refusal = str(error)
    else:
        refusal = "."
        assert all(list(tags_of(expression)) for _, expression in parts)
    assert refusal.endswith(".")


points = st.lists(
    st.tuples(st.integers(-9, 9).map(float), st.integers(-5, 5).map(float)), max_size=12
)


def curve(pairs: list[tuple[float, float]]) -> Curve:
    """Return points as a curve that counts in steps."""
    x = np.array([x for x, _ in pairs])
    return Curve(x, np.array([y for _, y in pairs]), x, x)


@given(points, points)
def test_tags_are_aligned_by_the_last_value_at_or_before_a_place(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    difference = apply(parsed("a - b"), {"a": curve(one), "b": curve(other)})

    expected = []
    for place in sorted({x for x, _ in (*one, *other)}):
        values = []
        for pairs in (one, other):
            before = [pair for pair in sorted(pairs, key=lambda pair: pair[0]) if pair[0] <= place]
            if before and any(x >= place for x, _ in pairs):
                values.append(before[-1][1])
        if len(values) == 2:
            expected.append((place, values[0] - values[1]))
    assert list(zip(difference.x.tolist(), difference.y.tolist(), strict=True)) == expected


def test_a_tag_alone_keeps_all_its_points() -> None:
    alone = apply(A, {"a": curve([(1, 5), (0, 4), (1, 6)])})

    assert alone.y.tolist() == [4, 5, 6]


class Charted:
    """The answer about a chart of all runs, unpacked."""

    def __init__(self, board: Board, chart: str, **question: Any) -> None:
        asked = {"chart": chart, "runs": list(board.uids.values()), **question}
        answer = board.ask("POST", ROUTE, json=asked)
        assert answer.status_code == 200, answer.text
        self.header, self.data = decode(answer.content)
        self.lines: list[dict[str, Any]] = self.header["cards"][0]["lines"]

    def column(self, name: str, line: int = 0) -> NDArray[Any]:
        """Return a column of a line."""
        return column(self.lines[line]["blocks"][name], self.data)


def test_a_difference_of_two_tags_is_a_line_of_each_run_that_has_both(any_board: Board) -> None:
    any_board.log("a", [scalars("train/loss", [1, 2, 3]), scalars("val/loss", [5, 9], step=[0, 2])])
    any_board.log("b", [scalars("train/loss", [1])])

    charted = Charted(any_board, "val/loss - train/loss; train/loss")

    assert charted.header["parts"] == ["val/loss - train/loss", "train/loss"]
    assert [(line["part"], line["run"]) for line in charted.lines] == [
        (0, any_board.uids["a"]),
        (1, any_board.uids["a"]),
        (1, any_board.uids["b"]),
    ]
    assert charted.column("y").tolist() == [4, 3, 6]
    assert charted.column("step").tolist() == [0, 1, 2]
    assert charted.column("y", 1).tolist() == [1, 2, 3]


def test_a_quotient_by_nothing_is_a_mark(any_board: Board) -> None:
    any_board.log("a", [scalars("x", [1, 0, 4]), scalars("y", [0, 0, 2])])

    line = Charted(any_board, "x / y").lines[0]

    assert [(mark["x"], mark["value"]) for mark in line["marks"]] == [(0, "Infinity"), (1, "NaN")]
    assert (line["n"], line["shown"], line["nonfinite"]) == (3, 1, 2)


def test_a_long_difference_is_reduced_and_keeps_its_spike(any_board: Board) -> None:
    value = np.zeros(9000)
    value[4321] = 5
    any_board.log("a", [scalars("x", value), scalars("y", np.zeros(9000))])

    charted = Charted(any_board, "x - y", width=100)

    assert charted.lines[0]["n"] == 9000
    assert charted.column("y").size <= 400
    assert charted.column("y").max() == 5


def test_what_a_restart_replaced_is_not_calculated_with(any_board: Board) -> None:
    any_board.log("a", [scalars("x", [1, 2, 3])])
    any_board.log(
        "a", [scalars("x", [9], step=[1], attempt=1)], restarts=[Restart(1, None, None, 1)]
    )

    assert Charted(any_board, "2 * x").column("y").tolist() == [2, 18]


def test_one_clock_serves_all_tags_of_a_run(any_board: Board) -> None:
    any_board.log(
        "a", [scalars("x", [1, 2], wall=[100, 110]), scalars("y", [5, 6], wall=[105, 115])]
    )

    charted = Charted(any_board, "x + y", x="relative")

    assert charted.column("x").tolist() == [5, 10]
    assert charted.column("y").tolist() == [6, 7]


def test_relative_steps_of_all_tags_of_a_run_have_one_beginning(any_board: Board) -> None:
    any_board.log(
        "a", [scalars("x", [1, 2], step=[100, 110]), scalars("y", [5, 6], step=[105, 115])]
    )

    charted = Charted(any_board, "x + y", x="rstep")

    assert charted.column("x").tolist() == [5, 10]
    assert charted.column("y").tolist() == [6, 7]


def test_tags_in_one_chart_are_drawn_by_a_metric(any_board: Board) -> None:
    any_board.log("a", [scalars("x", [1, 2]), scalars("y", [5, 6]), scalars("epoch", [0.5, 0.25])])

    charted = Charted(any_board, "x; y", x="m:epoch")

    assert charted.column("x", 1).tolist() == [0.25, 0.5]
    assert charted.column("y", 1).tolist() == [6, 5]


def test_a_log_axis_draws_what_is_above_zero(any_board: Board) -> None:
    any_board.log("a", [scalars("x", [1, 2, 3], step=[0, 1, 100])])

    charted = Charted(any_board, "2 * x", lx=True)

    assert charted.column("x").tolist() == [1, 100]
    assert charted.lines[0]["without_x"] == 1


@pytest.mark.parametrize("axis", ["active", "m:epoch"])
def test_a_formula_by_an_axis_that_it_has_no_place_on_is_refused_in_words(axis: str) -> None:
    asked = {"chart": "a; a - b", "runs": [], "x": axis}

    with pytest.raises(BadQuery, match="A formula cannot be drawn by active time or by a metric"):
        parse_chart_question(json.dumps(asked).encode())


def test_very_long_series_are_calculated_with_too(any_board: Board) -> None:
    value = np.zeros(70_000)
    value[43_210] = 3
    any_board.log("a", [scalars("x", value), scalars("y", value)])

    charted = Charted(any_board, "x + y", width=50)

    assert charted.column("y").max() == 6


def test_groups_of_expressions_have_a_band(any_board: Board) -> None:
    uids = [any_board.log(name, [scalars("x", [n, n])]) for n, name in enumerate("abc")]

    charted = Charted(any_board, "x * 2", groups=[{"id": "g0", "runs": uids}], band="minmax")

    assert charted.lines[0]["run"] == "g0"
    assert charted.column("y").tolist() == [2, 2]
    assert charted.column("low").tolist() == [0, 0]
    assert charted.column("high").tolist() == [4, 4]


def test_a_tag_that_no_shown_run_has_is_told_alike_wherever_else_it_is(board: Board) -> None:
    board.log("theirs", [scalars("secret", [1])], project="default/other", logdir="/other")
    board.log("mine", [scalars("x", [1])])

    charted = Charted(board, "secret; nowhere; x")

    assert charted.header["missing"] == ["secret", "nowhere"]
    assert [line["part"] for line in charted.lines] == [2]


def test_a_formula_that_would_take_very_long_is_refused_in_words(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = board.log("a", [scalars("x", [1, 2, 3])])
    # Three points; each part, and each operator in it.
    monkeypatch.setattr(expressions, "MAX_OPERATIONS", 9)

    answers = [
        board.ask("POST", ROUTE, json={"chart": chart, "runs": [uid]})
        for chart in ("x + x + 1", "x; x + 1", "x + x + x + 1", "x; x + x + 1")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 413, 413]
    assert "12 operations on points" in answers[2].json()["error"]


@pytest.mark.parametrize(
    "wrong", [{"chart": 1}, {"chart": "a +"}, {"runs": 1}, {"groups": 1}, {"x": "up"}]
)
def test_what_is_no_question_is_refused(board: Board, wrong: dict[str, Any]) -> None:
    board.log("a")

    answer = board.ask("POST", ROUTE, json={"chart": "a", "runs": [], **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


def test_a_project_that_is_not_there_has_no_charts(board: Board) -> None:
    path = "/api/ui/v1/p/default/nothing/expressions"

    answer = board.ask("POST", path, json={"chart": "a", "runs": []})

    assert answer.status_code == 404
