"""The address is the state: whatever is seen can be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.settings_view import Axis, AxisScale, Brush, Settings
from orgboard_dashboard.urls import (
    ACCOUNT_SECTIONS,
    ADMIN_SECTIONS,
    PAGES,
    Place,
    decode_place,
    decode_view,
    encode_place,
    encode_view,
)
from orgboard_dashboard.view_state import (
    COLUMN_PX,
    MAX_CARD,
    MAX_SMOOTHING,
    MIN_CARD,
    Column,
    Compared,
    GraphColor,
    GraphSide,
    GraphTrace,
    GroupBand,
    GroupLine,
    TipOrder,
    ViewState,
)
from support.vectors import read_vectors

words = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
uids = st.text("0123456789abcdefXYZ", min_size=12, max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
ranges = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1])


def named_ranges(of: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    rows = st.builds(lambda name, limits: (name, *limits), of, ranges)
    return st.lists(rows, max_size=3, unique_by=lambda row: row[0]).map(tuple)


brushes = st.one_of(
    st.builds(lambda key, pair: Brush(key, "range", *pair), names, ranges),
    st.builds(
        lambda key, kind, values: Brush(key, kind, values=tuple(values)),
        names,
        st.sampled_from(["in", "out"]),
        st.lists(words, min_size=1, max_size=3, unique=True),
    ),
    st.builds(Brush, names, st.sampled_from(["none", "odd"])),
)
settings = st.builds(
    Settings,
    axes=st.none()
    | st.lists(
        st.builds(Axis, names, st.sampled_from(get_args(AxisScale))),
        max_size=4,
        unique_by=lambda axis: axis.key,
    ).map(tuple),
    brushes=st.lists(brushes, max_size=3, unique_by=lambda brush: brush.key).map(tuple),
    colour=words,
    target=words,
    pair=st.none() | st.tuples(names, names),
    shown=st.booleans(),
)
views = st.builds(
    ViewState,
    run_filter=words,
    tag_filter=words,
    smoothing=st.floats(0, MAX_SMOOTHING),
    x_axis=st.sampled_from(["step", "rstep", "index", "relative", "wall", "active"])
    | names.map("m:{}".format),
    y_axis=st.sampled_from(["lin", "log", "sym"]),
    selected=st.none() | st.lists(uids, max_size=5).map(tuple),
    zoom=st.none() | ranges,
    collapsed=st.lists(words, max_size=4).map(tuple),
    superseded=st.booleans(),
    by_metric=st.sampled_from([None, True, False]),
    log_x=st.booleans(),
    y_range=st.none() | ranges,
    section_ranges=named_ranges(words),
    card_ranges=named_ranges(names),
    outliers_clipped=st.booleans(),
    smoothing_kind=st.sampled_from(["ema", "twema", "gauss", "mean"]),
    pinned=st.lists(names, max_size=4, unique=True).map(tuple),
    card_width=st.integers(MIN_CARD, MAX_CARD),
    card_height=st.none() | st.integers(MIN_CARD, MAX_CARD),
    tip_order=st.sampled_from(get_args(TipOrder)),
    selected_range=st.none() | ranges,
    group_by=st.sampled_from(["", "hp:lr", "hp:a:b,c & d", "re:-s(\\d+)$"]),
    group_line=st.sampled_from(get_args(GroupLine)),
    group_band=st.sampled_from(get_args(GroupBand)),
    baseline=words,
    compared=st.sampled_from(get_args(Compared)),
    charts=st.lists(words.filter(str.strip), max_size=3).map(tuple),
    columns=st.none()
    | st.lists(
        st.builds(Column, names, st.none() | st.integers(*COLUMN_PX), st.booleans()),
        max_size=4,
        unique_by=lambda column: column.key,
    ).map(tuple),
    sort=names,
    value_columns=st.lists(names, max_size=4, unique=True).map(tuple),
    settings=settings,
    histograms=st.sampled_from(["offset", "overlay", "dist", "heat"]),
    at_step=st.none() | numbers,
    layer_map=st.sampled_from(["", "w1", "js,aB3", "std,aB3,x9Z"]),
    graph_run=words,
    graph_tag=words,
    graph_open=st.lists(names, max_size=4, unique=True).map(tuple),
    graph_moved=st.lists(names, max_size=4, unique=True).map(tuple),
    graph_node=words,
    graph_color=st.sampled_from(get_args(GraphColor)),
    graph_trace=st.sampled_from(get_args(GraphTrace)),
    graph_aside=st.booleans(),
    graph_base=words,
    graph_stats=words,
    graph_side=st.sampled_from(get_args(GraphSide)),
)
saved_views = st.builds(
    lambda view, saved, keys: replace(view, saved=saved, without=keys),
    views,
    uids,
    st.lists(st.sampled_from(["q", "s", "x0", "c", "sort"]), unique=True, max_size=4).map(tuple),
)
places = st.one_of(
    st.just(Place("projects")),
    st.builds(lambda section: Place("account", section=section), st.sampled_from(ACCOUNT_SECTIONS)),
    st.just(Place("dictionary")),
    st.builds(lambda section: Place("admin", section=section), st.sampled_from(ADMIN_SECTIONS)),
    st.builds(lambda run: Place("run", run=run), names),
    st.builds(
        lambda page, team, project: Place(page, team=team, project=project),
        st.sampled_from(PAGES),
        names,
        names,
    ),
)


@given(views | saved_views)
def test_a_view_comes_back_from_its_address(view: ViewState) -> None:
    assert decode_view(encode_view(view)) == view


@given(st.text(max_size=200))
def test_no_address_fails(query: str) -> None:
    view = decode_view(query)

    assert 0 <= view.smoothing <= MAX_SMOOTHING
    assert view.zoom is None or view.zoom[0] < view.zoom[1]


def test_an_untouched_view_has_a_clean_address() -> None:
    assert encode_view(ViewState()) == ""


@given(places, st.sampled_from(["/", "/board/"]))
def test_a_page_comes_back_from_its_path(place: Place, base: str) -> None:
    assert decode_place(encode_place(place, base), base) == place


@pytest.mark.parametrize(
    "path", ["/p/a/b/nothing", "/p/a/b", "/p//b/runs", "/r/", "/x", "//", "/admin/x", "/account/x"]
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert decode_place(path) is None


def test_the_first_section_of_the_admin_pages_needs_no_name() -> None:
    assert decode_place("/admin") == decode_place("/admin/people")


def view_of(case: dict[str, Any]) -> ViewState:
    tuples: Any = {key: _frozen(value) for key, value in case["view"].items()}
    if "columns" in tuples:
        tuples["columns"] = tuple(Column(**column) for column in tuples["columns"])
    if "settings" in tuples:
        tuples["settings"] = _settings_of(tuples["settings"])
    return replace(ViewState(), **tuples)


def _settings_of(given: dict[str, Any]) -> Settings:
    told = {key: _frozen(value) for key, value in given.items()}
    if told.get("axes") is not None:
        told["axes"] = tuple(Axis(**axis) for axis in told["axes"])
    brushes = [{**brush, "values": tuple(brush["values"])} for brush in told.get("brushes", ())]
    return Settings(**{**told, "brushes": tuple(Brush(**brush) for brush in brushes)})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("case", read_vectors("urls"), ids=lambda case: case["query"])
def test_python_writes_and_reads_the_shared_addresses(case: dict[str, Any]) -> None:
    assert encode_view(view_of(case)) == case["query"]
    assert decode_view(case["query"]) == view_of(case)


@pytest.mark.parametrize("case", read_vectors("urls_odd"), ids=lambda case: case["query"])
def test_python_reads_broken_addresses_as_the_browser_does(case: dict[str, Any]) -> None:
    assert decode_view(case["query"]) == view_of(case)
