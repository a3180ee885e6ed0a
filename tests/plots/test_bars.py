"""Bars: the colour of every change, and long series drawn from fewer."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench import plots
from tsbench.plots.bars import DIP, FALL, FIRST, MOST_BARS, RISE, changes
from tsbench.plots.theme import AMBER, BLUE, GREEN, RED

QUARTER = 91 * 86_400_000_000
# steps of just 7 % are frequent among them, and no float holds them
AMOUNTS = st.one_of(
    st.none(),
    st.integers(-30, 300).map(lambda n: Decimal(n) / 10),
    st.sampled_from([Decimal("27.9"), Decimal("30"), Decimal("0.93"), Decimal("1"), Decimal("0")]),
)


def times_of(values):
    return np.arange(len(values)) * QUARTER


def naive(values):
    """The rule as it is written, in exact decimals."""
    kinds, before = [], None
    for value in values:
        if value is None:
            kinds.append(-1)
            continue
        if before is None:
            kinds.append(FIRST)
        elif value < 0:
            kinds.append(FALL)
        elif value > before:
            kinds.append(RISE)
        elif before - value <= before * Decimal("0.07"):
            kinds.append(DIP)
        else:
            kinds.append(FALL)
        before = value
    return kinds


def drawn(figure):
    """(date, value, colour) of every bar, by date."""
    bars = [(x, y, t.marker.color) for t in figure.data for x, y in zip(t.x, t.y, strict=True)]
    return sorted(bars, key=lambda bar: bar[0])


@given(st.lists(AMOUNTS, max_size=30))
def test_colours_follow_the_rule_exactly(values):
    floats = np.array([np.nan if v is None else float(v) for v in values])
    assert changes(floats).tolist() == naive(values)


@pytest.mark.parametrize(
    ("values", "colours"),
    [
        ([100, 101, 101, 94, 87, -1, 5, 0, 0, 2], [BLUE, GREEN, AMBER, AMBER, RED, RED, GREEN, RED, AMBER, GREEN]),
        ([100, 93], [BLUE, AMBER]),
        ([30, 27.9], [BLUE, AMBER]),
        ([100, 92.99], [BLUE, RED]),
        ([-5, -4, -4, 3], [BLUE, RED, RED, GREEN]),
        ([7], [BLUE]),
    ],
)
def test_known_changes_have_known_colours(values, colours):
    figure = plots.bars(times_of(values), np.array(values, float), metric="revenue")
    assert [colour for _, _, colour in drawn(figure)] == colours


def test_a_missing_value_has_no_bar_and_the_next_is_compared_with_the_last_known():
    values = np.array([np.nan, 10.0, np.nan, 9.0, np.nan])
    figure = plots.bars(times_of(values), values, metric="revenue")
    assert [(y, colour) for _, y, colour in drawn(figure)] == [(10.0, BLUE), (9.0, RED)]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_of_no_value_there_is_no_bar(values):
    assert drawn(plots.bars(times_of(values), np.array(values, float), metric="roic")) == []


def test_the_axis_is_in_the_unit_of_the_metric_and_odd_names_are_read_as_numbers():
    values = np.array([0.1, 0.2])
    assert plots.bars(times_of(values), values, metric="roic").layout.yaxis.tickformat == ".0%"
    assert plots.bars(times_of(values), values, metric="revenue").layout.yaxis.tickprefix == "$"
    assert plots.bars(times_of(values), values, metric="cash, net").layout.yaxis.tickformat is None


def test_a_long_series_is_drawn_from_fewer_bars_with_its_extremes_and_its_own_colours():
    values = np.random.default_rng(5).normal(0, 1, 200_000).cumsum() + 500
    figure = plots.bars(times_of(values) // 91, values, metric="close")
    bars = drawn(figure)
    assert len(bars) <= MOST_BARS
    assert {values.min(), values.max(), values[0], values[-1]} <= {y for _, y, _ in bars}
    colour = dict(zip((FIRST, RISE, DIP, FALL), (BLUE, GREEN, AMBER, RED), strict=True))
    place = {value: i for i, value in enumerate(values)}
    kinds = changes(values)
    assert [c for _, _, c in bars] == [colour[kinds[place[y]]] for _, y, _ in bars]
    assert "drawn from 200,000 values" in figure.layout.annotations[0].text
    assert len(figure.to_json()) < 100_000
