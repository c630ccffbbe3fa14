from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from orgboard_dashboard.queries.hparam_texts import HparamTexts
from orgboard_schema.sql.text import to_sql

_NAMES = ("lr", "a b", 'q"', "\\", "é", "\n", "\0", "r")
_names = st.sampled_from(_NAMES)
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.sampled_from('lr":\\ \n,{}é\ud800')),
    st.sampled_from(['"lr": 1', '\\"lr": 1', "lr"]),
)
_hparams = st.dictionaries(_names, _values, max_size=4)
_forms = st.tuples(st.booleans(), st.sampled_from([None, 1]), st.sampled_from([":", ": "]))


@given(st.lists(st.tuples(_hparams, _forms), max_size=5))
@example([({"r": '\\"lr": 1'}, (True, None, ":")), ({"lr": 2}, (True, None, ":"))])
def test_one_value_out_of_many_texts_is_what_reading_each_gives(
    runs: list[tuple[dict[str, Any], tuple[bool, int | None, str]]],
) -> None:
    stored = [
        to_sql(json.dumps(said, ensure_ascii=ascii_only, indent=indent, separators=(",", colon)))
        for said, (ascii_only, indent, colon) in runs
    ]

    texts = HparamTexts(stored)

    for name in _NAMES:
        expected = {
            at: said[name] for at, (said, _) in enumerate(runs) if said.get(name) is not None
        }
        assert texts.values(name) == expected
