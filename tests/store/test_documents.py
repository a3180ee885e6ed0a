"""Panels as documents and back, through a real jsonb column."""

import math
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput
from tsbench.series import Panel
from tsbench.series.identity import FREQUENCIES
from tsbench.store.documents import UNKNOWN, documents_of, nulls_as_nan, panel_of, to_json, with_assumed_availability
from tsbench.store.engine import transaction

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"
SEPARATORS = "|\n\r\t"
names = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc"), exclude_characters=SEPARATORS),
    min_size=1,
    max_size=12,
)
numbers = st.floats(allow_infinity=False) | st.sampled_from([5e-324, 1.7976931348623157e308, -0.0, 1e16, 0.1 + 0.2])
moments = st.integers(-(2**52), 2**52)


@st.composite
def panels(draw):
    keys = draw(st.sets(st.tuples(names, names, st.sampled_from(FREQUENCIES), names | st.just(""), names), max_size=6))
    parts, rows = [], sorted(keys)
    for _ in rows:
        times = sorted(draw(st.sets(moments, min_size=1, max_size=8)))
        parts.append(
            (
                draw(st.lists(numbers, min_size=len(times), max_size=len(times))),
                times,
                draw(st.lists(moments | st.just(UNKNOWN), min_size=len(times), max_size=len(times))),
                draw(st.lists(st.integers(0, 255), min_size=len(times), max_size=len(times))),
            )
        )
    values, times, available, flags = ([x for part in parts for x in part[i]] for i in range(4))
    index = pd.DataFrame(rows, columns=["entity", "metric", "frequency", "basis", "source"], dtype="str")
    index["name"], index["sector"] = index["entity"], pd.Series(["Unknown"] * len(rows), dtype="str")
    return Panel.from_parts(
        np.array(values, dtype=float),
        np.cumsum([0] + [len(p[1]) for p in parts]),
        np.array(times, dtype=np.int64),
        index,
        np.array(available, dtype=np.int64),
        np.array(flags, dtype=np.uint8),
    )


def as_rows(cursor, panel):
    """The documents as PostgreSQL gives them back."""
    texts = [(symbol, to_json(series)) for symbol, series in documents_of(panel)]
    rows = []
    for symbol, text in texts:
        cursor.execute("SELECT s.key, s.value FROM jsonb_each(%s::jsonb) s", (text,))
        rows += [(symbol, symbol, "Unknown", key, value) for key, value in cursor.fetchall()]
    return rows


@pytest.fixture(scope="module")
def cursor(companies):
    with transaction(companies.engine) as opened:
        yield opened


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(panel=panels())
def test_any_panel_comes_back_from_jsonb_as_it_was(cursor, panel):
    rows = as_rows(cursor, panel)
    back = panel_of(reversed(rows))
    pd.testing.assert_frame_equal(back.index, panel.index)
    np.testing.assert_array_equal(back.offsets, panel.offsets)
    np.testing.assert_array_equal(back.times, panel.times)
    np.testing.assert_array_equal(back.values, panel.values)
    np.testing.assert_array_equal(back.available_at, panel.available_at)
    np.testing.assert_array_equal(back.flags, panel.flags)


def test_the_shipped_companies_come_back_to_the_last_bit(companies):
    stored = companies.series_of(metric="roic")
    frame = pd.read_parquet(COMPANIES)
    frame = frame[frame["metric"] == "roic"].rename(columns={"ticker": "entity", "date": "time"})
    direct = Panel.from_frame(frame)
    np.testing.assert_array_equal(stored.values, direct.values)
    np.testing.assert_array_equal(stored.times, direct.times)
    np.testing.assert_array_equal(stored.available_at, direct.available_at)
    assert list(stored.index["entity"]) == list(direct.index["entity"])


def test_nan_is_null_in_jsonb_and_nan_again_after():
    text = to_json({"a": [1.5, math.nan], "b": np.array([np.nan, 2.0]), "c": np.float32("nan")})
    assert text == '{"a":[1.5,null],"b":[null,2.0],"c":null}'
    back = nulls_as_nan(orjson.loads(text))
    assert math.isnan(back["a"][1])
    assert math.isnan(back["b"][0])
    assert math.isnan(back["c"])


@pytest.mark.parametrize(
    "document", [{"a": math.inf}, {"a": [1, -math.inf]}, {"a": np.array([np.inf])}, (np.float64("inf"),)]
)
def test_infinity_is_refused_rather_than_lost(document):
    with pytest.raises(BadInput, match="infinite"):
        to_json(document)


@pytest.mark.parametrize("document", [{"a": object()}, {1: 2}, {"a": "x\0y"}])
def test_what_has_no_place_in_jsonb_is_refused(document):
    with pytest.raises(BadInput, match=r"cannot be written as JSON|NUL"):
        to_json(document)


def test_dates_numpy_scalars_and_missing_dates_are_written():
    moment = pd.Timestamp("2019-06-30", tz="UTC")
    document = {"d": moment, "n": np.int8(3), "t": pd.NaT, "s": np.str_("x"), "b": np.bool_(True)}
    assert orjson.loads(to_json(document)) == {"d": "2019-06-30T00:00:00+00:00", "n": 3, "t": None, "s": "x", "b": True}


def test_a_panel_says_which_dates_of_knowledge_are_assumed():
    quarter = 91 * 86_400_000_000
    told = {"time": [0, quarter], "value": [1, 2], "available_at": [5, 6], "flags": None}
    some = {"time": [0, quarter], "value": [1, 2], "available_at": [5, None], "flags": None}
    none = {"time": [0, quarter], "value": [1, None], "available_at": None, "flags": [0, 3]}
    rows = [("A", "A", "s", f"{m}|quarterly||", d) for m, d in (("told", told), ("some", some), ("none", none))]
    panel = with_assumed_availability(panel_of(rows))
    assert dict(zip(panel.index["metric"], panel.index["availability"], strict=True)) == {
        "told": "filed",
        "some": "mixed",
        "none": "assumed",
    }
    part = panel.select(metric="some")
    assert part.available_at[0] == 5
    assert part.available_at[1] > quarter
    assert list(panel.select(metric="none").flags) == [0, 3]
    assert np.isnan(panel.select(metric="none").values[1])
