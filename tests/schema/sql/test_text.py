from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_ids, tag_names
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.text import from_sql, sha256, to_sql

special = st.sampled_from("\0\ud800\udcff\udfff\U000f0000\U000f0001\U000fdcff\U000fd800a")
anything = st.one_of(st.text(st.characters(exclude_categories=())), st.text(special, max_size=8))


@given(anything)
def test_any_text_comes_back(text: str) -> None:
    assert from_sql(to_sql(text)) == text


@given(anything)
def test_stored_text_has_nothing_that_an_engine_refuses(text: str) -> None:
    stored = to_sql(text)

    assert "\0" not in stored
    stored.encode("utf-8")


@given(anything, anything)
def test_two_texts_never_look_the_same(left: str, right: str) -> None:
    assert (to_sql(left) == to_sql(right)) == (left == right)
    assert (sha256(left) == sha256(right)) == (left == right)


def test_names_of_any_characters_are_stored_and_found(engine: Engine) -> None:
    names = ["loss", "a\0b", "\udcff", "\U000f0000", "é", "e\u0301", "x" * 100_000, ""]

    with begin_write(engine) as conn:
        ids = tag_ids(conn, names)
    with begin_write(engine) as conn:
        again = tag_ids(conn, names)

    with begin_read(engine) as conn:
        assert again == ids
        assert tag_names(conn, list(ids.values())) == {ids[name]: name for name in names}


def test_names_sort_by_code_point_on_both_engines(engine: Engine) -> None:
    names = ["b", "B", "a", "é", "z", "_", "Z"]
    with begin_write(engine) as conn:
        tag_ids(conn, names)

    with begin_read(engine) as conn:
        stored = list(conn.scalars(select(tables.tag.c.name).order_by(tables.tag.c.name)))

    assert stored == sorted(names)
