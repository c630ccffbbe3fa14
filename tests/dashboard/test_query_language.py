"""Queries as text: what they mean as a tree, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orgboard_dashboard.histograms.percentiles import STATISTICS
from orgboard_dashboard.queries.language import (
    AGGREGATES,
    MAX_CHARS,
    MAX_DEPTH,
    MAX_LISTED,
    OPERATORS,
    And,
    FieldName,
    Has,
    Node,
    Not,
    Or,
    QueryProblem,
    Test,
    Text,
    Value,
    is_query,
    parse,
    write,
)

words = st.text("abAZ019._-/[]*+?|\\^$é", min_size=1, max_size=8)
anything = st.text(st.characters(codec="utf-8"), max_size=12)
plain_words = words.filter(lambda text: text.lower() not in {"and", "or", "not", "in"})
values = st.builds(Value, plain_words) | st.builds(Value, anything, quoted=st.just(True))
fields = st.builds(
    FieldName,
    plain_words | anything,
    source=st.sampled_from(["", "hp", "metric"]),
    aggregate=st.none() | st.sampled_from(AGGREGATES),
) | st.builds(
    FieldName,
    plain_words | anything,
    source=st.just("hist"),
    statistic=st.sampled_from(STATISTICS),
)
tests = st.builds(
    Test,
    fields,
    st.sampled_from([operator for operator in OPERATORS if operator != "in"]),
    st.tuples(values),
) | st.builds(
    lambda field, listed: Test(field, "in", tuple(listed)),
    fields,
    st.lists(values, min_size=1, max_size=4),
)
trees: st.SearchStrategy[Node] = st.recursive(
    tests | st.builds(Has, fields) | st.builds(Text, values),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=12,
)

PIECES = (
    *("lr", "<", "<=", "=", "!=", "~", "!~", "(", ")", ",", ":", "and", "or", "not", "in", "has"),
    *("min", "hp", "hist", "'a b'", '"', "'", "\\", "1e-3", " ", "!", "\0", "\ud800", "é"),
)
query_like = st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join)


def _test(name: str, operator: str, *listed: str) -> Test:
    return Test(FieldName(name), operator, tuple(map(Value, listed)))  # type: ignore[arg-type]


@given(trees)
@example(Test(FieldName("a"), "~", (Value('\\\\"\\', quoted=True),)))
@example(Text(Value("ends with a line\n", quoted=True)))
@example(Test(FieldName("NOT"), "=", (Value("In", quoted=True),)))
def test_a_tree_that_is_written_and_read_is_the_same_tree(tree: Node) -> None:
    assert parse(write(tree)) == tree


@given(anything | query_like)
def test_whatever_is_typed_is_a_tree_or_a_problem_within_the_text(text: str) -> None:
    problem: QueryProblem | None = None
    try:
        tree = parse(text)
        assert parse(write(tree)) == tree
    except QueryProblem as raised:
        problem = raised

    assert is_query(text) in (True, False)
    if problem:
        assert 0 <= problem.at <= problem.end <= len(text)
        assert len(str(problem)) > 10


def test_the_example_of_the_documentation_means_what_it_says() -> None:
    text = 'lr < 0.01 and optimizer = adam and val/loss < 0.3 and name ~ "resnet.*"'

    assert parse(text) == And(
        (
            _test("lr", "<", "0.01"),
            _test("optimizer", "=", "adam"),
            _test("val/loss", "<", "0.3"),
            Test(FieldName("name"), "~", (Value("resnet.*", quoted=True),)),
        )
    )


def test_and_binds_closer_than_or_and_not_closest() -> None:
    assert parse("not a=1 and b=2 or c=3") == Or(
        (And((Not(_test("a", "=", "1")), _test("b", "=", "2"))), _test("c", "=", "3"))
    )
    assert parse("a=1 and (b=2 or c=3)") == And(
        (_test("a", "=", "1"), Or((_test("b", "=", "2"), _test("c", "=", "3"))))
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("status:live", _test("status", "=", "live")),
        ("status: live", _test("status", "=", "live")),
        ("lr==1", _test("lr", "=", "1")),
        ("seed IN (1, 2)", _test("seed", "in", "1", "2")),
        ("seed not in (1)", Not(_test("seed", "in", "1"))),
        ("has:lr", Has(FieldName("lr"))),
        ("has:min(loss)", Has(FieldName("loss", aggregate="min"))),
        ("hp:lr > 1", Test(FieldName("lr", "hp"), ">", (Value("1"),))),
        (
            "max(metric:'top 1') >= 0.9",
            Test(FieldName("top 1", "metric", "max"), ">=", (Value("0.9"),)),
        ),
        (r'name ~ "^a\d+\"$"', Test(FieldName("name"), "~", (Value(r'^a\d+"$', quoted=True),))),
        ("resnet and lr<1", And((Text(Value("resnet")), _test("lr", "<", "1")))),
        ("min = 3", _test("min", "=", "3")),
        ("hp = 3", _test("hp", "=", "3")),
        (
            "hist:layer1/kernel:std < 0.1",
            Test(FieldName("layer1/kernel", "hist", statistic="std"), "<", (Value("0.1"),)),
        ),
        ('has:hist:"a:b" : p50', Has(FieldName("a:b", "hist", statistic="p50"))),
        ("hist:3", _test("hist", "=", "3")),
    ],
)
def test_conditions_are_written_in_several_ways(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "at", "end", "said"),
    [
        ("", 0, 0, "ends where the name of a field"),
        ("lr <", 4, 4, "ends where a value"),
        ("lr < and", 5, 8, 'write "and"'),
        ("lr < 1 and", 10, 10, "ends where the name of a field"),
        ("(lr < 1", 7, 7, "ends where `)`"),
        ("lr < 1)", 6, 7, "no opening bracket"),
        ("lr 5 < 1", 3, 4, "`and`, `or`, an operator"),
        ('name = "abc', 7, 11, 'no closing "'),
        ("lr ! 1", 3, 4, "stands alone"),
        ("seed in 1", 8, 9, "Expected `(`"),
        ("seed in (1 2)", 11, 12, "Expected `,` or `)`"),
        ("min(loss < 1", 9, 10, "Expected `)`"),
        ("hp:lr", 5, 5, "an operator such as"),
        ("a=1 < 2", 4, 5, "`and`, `or`"),
        ("hist:w < 2", 0, 6, "hist:w:mean"),
        ("hist:w: < 2", 8, 9, "Expected a statistic"),
        ("hist:w:std", 10, 10, "an operator such as"),
        ("a = 1 or hist:w:sdt < 2", 16, 19, "`sdt` is no statistic of histograms: mean, std"),
    ],
)
def test_a_problem_says_where_it_is_and_what_was_expected(
    text: str, at: int, end: int, said: str
) -> None:
    with pytest.raises(QueryProblem, match=r".") as raised:
        parse(text)

    assert (raised.value.at, raised.value.end) == (at, end)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "not " * (MAX_CHARS // 4),
        "(" * (MAX_DEPTH + 2) + "a=1" + ")" * (MAX_DEPTH + 2),
        "a=" + "x" * MAX_CHARS,
        f"a in ({','.join('1' * (MAX_LISTED + 1))})",
    ],
    ids=["brackets", "nots", "deep", "long", "listed"],
)
def test_what_is_too_much_is_refused_and_not_tried(text: str) -> None:
    with pytest.raises(QueryProblem, match=r"at most|More than"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "resnet", "cosine/a$", "lr0.1 | w64", "^a.*b{2}", "(?i)RES", "(?:a|b)c"),
        *("(?P<n>x)y", "two words", "a(b|c)", "12:30", "android", "(?=a)"),
    ],
)
def test_text_without_an_operator_stays_a_regular_expression(text: str) -> None:
    assert not is_query(text)


@pytest.mark.parametrize(
    "text", ["lr<1", "a and b", "not x", "status:live", "seed in (1)", "name ~ x", "(not x)"]
)
def test_text_with_an_operator_is_a_query(text: str) -> None:
    assert is_query(text)


def test_a_hostile_character_is_shown_as_a_replacement_and_a_long_name_cut() -> None:
    with pytest.raises(QueryProblem) as raised:
        parse("a=1 \u202e" + "x" * 3000)

    assert "\u202e" not in str(raised.value)
    assert len(str(raised.value)) < 200
