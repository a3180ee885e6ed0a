"""One row per fiscal period: nothing moves, holes become rows, k positions are k periods."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import naive
from tsbench.series import Panel
from tsbench.series.calendar import DAY, LONGEST_STEP_DAYS, NOMINAL_DAYS

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="module")
def companies():
    frame = pd.read_parquet(COMPANIES).rename(columns={"ticker": "entity", "date": "time"})
    return Panel.from_frame(frame[frame["entity"].isin(["COST", "AZO", "PEP", "GRA", "CMVT", "MPC"])])


def test_every_axis_is_the_naive_grid(companies):
    aligned = companies.aligned()
    nominal, longest = NOMINAL_DAYS["quarterly"] * DAY, LONGEST_STEP_DAYS["quarterly"] * DAY
    for entity in companies.entities:
        rows = np.flatnonzero(companies.index["entity"] == entity)
        grid = naive.fiscal_grid([companies.series(i)[0].tolist() for i in rows], nominal, longest)
        for i in rows:
            np.testing.assert_allclose(aligned.series(i)[0], grid, atol=1)


def test_values_knowledge_and_flags_move_with_their_times(companies):
    rng = np.random.default_rng(0)
    flags = rng.integers(0, 3, companies.values.size).astype(np.uint8)
    panel = Panel(companies.values, companies.offsets, companies.times, companies.index, companies.available_at, flags)
    aligned = panel.aligned()
    for i in range(len(panel)):
        a, b = (slice(p.offsets[i], p.offsets[i + 1]) for p in (panel, aligned))
        there = np.isin(aligned.times[b], panel.times[a])
        for part in ("values", "times", "available_at", "flags"):
            np.testing.assert_array_equal(getattr(aligned, part)[b][there], getattr(panel, part)[a])
        assert np.isnan(aligned.values[b][~there]).all()
        assert not aligned.flags[b][~there].any()


def test_all_series_of_an_entity_get_the_same_rows(companies):
    aligned = companies.aligned()
    lengths = pd.Series(np.diff(aligned.offsets)).groupby(aligned.index["entity"].to_numpy()).nunique()
    assert (lengths == 1).all()


def test_the_hole_of_azo_becomes_one_row_and_its_long_quarters_none(companies):
    azo = companies.select(entity="AZO", metric="revenue")
    aligned = azo.aligned()
    assert aligned.values.size == azo.values.size + 1
    cost = companies.select(entity="COST", metric="revenue")
    np.testing.assert_array_equal(cost.aligned().values, cost.values)


def test_frequencies_of_one_entity_keep_axes_of_their_own():
    quarters, years = (pd.date_range("2010-01-01", periods=8, freq=f) for f in ("QE", "YE"))
    rows = [("A", "x", "quarterly", t, 1.0) for t in quarters] + [("A", "x", "annual", t, 4.0) for t in years]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["entity", "metric", "frequency", "time", "value"]))
    aligned = panel.aligned()
    np.testing.assert_array_equal(aligned.values, panel.values)
    np.testing.assert_array_equal(aligned.times, panel.times)


def test_aligning_again_changes_nothing(companies):
    once = companies.aligned()
    twice = once.aligned()
    np.testing.assert_array_equal(twice.values, once.values)
    np.testing.assert_array_equal(twice.times, once.times)
