"""One row per fiscal period: nothing moves, holes become rows, k positions are k periods."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import naive
from tsbench.patterns import evaluate
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


# ---- dates some days apart ----------------------------------------------------------------------------------------


def quarterly(series, **more):
    """A panel of company A from {metric: (dates, values)}."""
    frames = [pd.DataFrame({"entity": "A", "metric": m, "time": t, "value": v}) for m, (t, v) in series.items()]
    return Panel.from_frame(pd.concat(frames).assign(frequency="quarterly", **more))


QUARTERS = pd.date_range("2010-03-31", periods=16, freq="QE")


def test_metrics_dated_some_days_apart_share_the_rows_of_their_quarters():
    revenue = 100 * 1.02 ** np.arange(16)
    for days in (-20, -1, 3, 30):
        other = QUARTERS + pd.Timedelta(days=days)
        panel = quarterly({"revenue": (QUARTERS, revenue), "roic": (other, np.arange(16.0))})
        aligned = panel.aligned()
        np.testing.assert_array_equal(aligned.values, panel.values)
        np.testing.assert_array_equal(aligned.series(0)[0], aligned.series(1)[0])
        latest = np.maximum(panel.series(0)[0], panel.series(1)[0])
        np.testing.assert_array_equal(aligned.series(0)[0], latest)
        np.testing.assert_array_equal(aligned.available_at, panel.available_at)
        growth = evaluate("yoy(revenue) + 0 * roic", panel).values
        np.testing.assert_allclose(growth[4:], 1.02**4 - 1)


def test_a_hole_is_counted_between_quarters_whose_dates_differ():
    panel = quarterly({"x": (QUARTERS.delete([5, 6]), 1.0), "y": (QUARTERS.delete([5, 6]) - pd.Timedelta(days=2), 2.0)})
    aligned = panel.aligned()
    assert np.diff(aligned.offsets).tolist() == [16, 16]
    assert np.flatnonzero(np.isnan(aligned.series(0)[1])).tolist() == [5, 6]


def test_a_stub_period_keeps_its_row_and_each_value_finds_the_nearest():
    stub = pd.DatetimeIndex(["1997-09-30", "1997-12-31", "1998-01-31", "1998-04-30"])
    lone = {"before": "1997-12-30", "after": "1998-01-02", "early": "1998-01-29", "late": "1998-02-01"}
    for day in lone.values():
        panel = quarterly({"x": (stub, [1.0, 2.0, 3.0, 4.0]), "y": (pd.DatetimeIndex([day]), 9.0)})
        aligned = panel.aligned()
        np.testing.assert_array_equal(aligned.series(0)[1], [1.0, 2.0, 3.0, 4.0])
        y = aligned.series(1)[1]
        assert int(np.flatnonzero(y == 9.0)[0]) == (1 if day < "1998-01-15" else 2)


def test_a_flagged_value_holds_its_row_when_it_is_left_out():
    stub = pd.DatetimeIndex(["1997-09-30", "1997-12-31", "1998-01-31", "1998-04-30"])
    panel = quarterly({"x": (stub, [1.0, 2.0, 3.0, 4.0])}, flags=0)
    panel.flags[1] = 1
    left_out = panel.without_flagged().aligned()
    np.testing.assert_array_equal(left_out.times, panel.aligned().times)
    np.testing.assert_array_equal(left_out.values, [1.0, np.nan, 3.0, 4.0])


def test_the_missing_cells_of_a_wide_table_do_not_keep_quarters_apart():
    wide = pd.DataFrame({"x": pd.Series(np.arange(16.0), QUARTERS)})
    wide = wide.join(pd.Series(np.arange(16.0), QUARTERS - pd.Timedelta(days=1), name="y"), how="outer")
    long = wide.rename_axis("time").reset_index().melt("time", var_name="metric").assign(entity="A")
    aligned = Panel.from_frame(long.assign(frequency="quarterly")).aligned()
    np.testing.assert_array_equal(aligned.values, np.tile(np.arange(16.0), 2))


def test_times_without_a_frequency_meet_only_when_equal():
    irregular = quarterly({"x": (QUARTERS, 1.0), "y": (QUARTERS + pd.Timedelta(seconds=1), 2.0)}).to_frame()
    aligned = Panel.from_frame(irregular.assign(frequency="irregular")).aligned()
    assert np.diff(aligned.offsets).tolist() == [32, 32]


def naive_periods(points, nominal):
    """{(series, time): period's time}, one value at a time; points is a list of (time, series)."""
    periods = [([t], {s for u, s in points if u == t}) for t in sorted({t for t, _ in points})]
    for share in (0.1, 0.4):
        joined = periods[-1:]
        for times, owners in periods[-2::-1]:
            later_times, later_owners = joined[-1]
            if max(later_times) - max(times) <= share * nominal and not owners & later_owners:
                joined[-1] = (times + later_times, owners | later_owners)
            else:
                joined.append((times, owners))
        periods = joined[::-1]
    return {(s, t): max(times) for times, owners in periods for t, s in points if t in times and s in owners}


@pytest.mark.parametrize("seed", range(30))
def test_any_dates_share_rows_as_the_naive_rule_says_and_no_value_is_lost(seed):
    rng = np.random.default_rng(seed)
    spread = rng.choice([3, 20, 60])
    rows = [
        (entity, metric, int(91 * k + rng.integers(-spread, spread + 1)))
        for entity in "AB"
        for metric in "xyz"
        for k in np.flatnonzero(rng.random(12) < 0.8)
    ]
    rows = sorted(set(rows))
    frame = pd.DataFrame(rows, columns=["entity", "metric", "day"])
    frame = frame.assign(time=pd.to_datetime(frame.pop("day"), unit="D"), value=np.arange(1.0, len(rows) + 1))
    panel = Panel.from_frame(frame.assign(frequency="quarterly"))
    aligned = panel.aligned()
    assert sorted(aligned.values[~np.isnan(aligned.values)]) == frame["value"].tolist()
    assert (np.diff(aligned.times)[np.diff(np.repeat(range(len(panel)), np.diff(aligned.offsets))) == 0] > 0).all()
    for entity in panel.entities:
        at = np.flatnonzero(panel.index["entity"] == entity)
        wanted = naive_periods([(t, i) for i in at for t in panel.series(i)[0].tolist()],
                               NOMINAL_DAYS["quarterly"] * DAY)  # fmt: skip
        for i in at:
            times, values = aligned.series(i)
            assert times[~np.isnan(values)].tolist() == [wanted[i, t] for t in panel.series(i)[0].tolist()]
            np.testing.assert_array_equal(values[~np.isnan(values)], panel.series(i)[1])
    again = aligned.aligned()
    np.testing.assert_array_equal(again.values, aligned.values)
    np.testing.assert_array_equal(again.times, aligned.times)
