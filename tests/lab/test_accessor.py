"""`.tsb`: what pandas holds, searched without further ado."""

import numpy as np
import pandas as pd
import pytest

import tsbench.lab  # noqa: F401  registers .tsb
from tsbench.errors import BadInput, NotFound
from tsbench.patterns import Channel, Pattern

VEE = Pattern("vee", (Channel("value", ((0, 1), (0.5, 0), (1, 1))),), length=(11, 11))
DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


@pytest.fixture
def walk():
    """A walk with a V of 11 values from position 30 on."""
    x = np.random.default_rng(0).normal(size=60).cumsum()
    x[30:41] = x[30] - 20 + 4 * np.abs(np.arange(-5, 6))
    return x


def test_a_series_tells_where_it_shows_a_pattern(walk):
    found = pd.Series(walk, index=DAYS, name="sales").tsb.match(VEE, top=1)
    first = found.iloc[0]
    assert (first["entity"], first["start"], first["end"], first["length"]) == ("sales", DAYS[30], DAYS[40], 11)
    assert first["score"] == pytest.approx(1.0)


def test_without_dates_positions_are_told(walk):
    first = pd.Series(walk).tsb.match(VEE).iloc[0]
    assert (first["entity"], first["start"], first["end"]) == ("series", 30, 40)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_a_wide_table_is_a_series_per_column(walk, zone):
    frame = pd.DataFrame({"b": walk, "a": walk[::-1]}, index=DAYS.tz_localize(zone))
    found = frame.tsb.match(VEE, top=2, per_entity=1).set_index("entity")
    assert found.loc["b", "start"] == frame.index[30]
    assert found.loc["a", "start"] == frame.index[19]
    assert frame.tsb.panel("price").entities == ["a", "b"]


def test_a_long_table_is_what_panels_are_made_of(walk):
    frame = pd.DataFrame({"ticker": "X", "date": DAYS, "metric": "close", "value": walk})
    assert len(frame.tsb.panel()) == 1
    found = frame.tsb.match(VEE, top=1)
    assert found.loc[0, "start"] == DAYS[30].tz_localize("UTC")
    two = pd.concat([frame, frame.assign(metric="open")])
    with pytest.raises(BadInput, match="several metrics"):
        two.tsb.match(VEE)


def test_a_hole_is_not_bridged(walk):
    walk[35] = np.nan
    found = pd.Series(walk, index=DAYS).tsb.match(VEE, top=10, per_entity=10)
    assert ((found["end"] < DAYS[35]) | (found["start"] > DAYS[35])).all()


def test_shipped_patterns_go_by_name_and_alternatives_alike_count_as_one(walk):
    assert len(pd.Series(walk).tsb.match("dip_recovery")) > 0
    with pytest.raises(BadInput, match="channels"):
        pd.Series(walk).tsb.match("overlooked")
    with pytest.raises(NotFound):
        pd.Series(walk).tsb.match("dip")


def test_text_is_refused_by_name():
    with pytest.raises(BadInput, match="'b'"):
        pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}).tsb.panel()
