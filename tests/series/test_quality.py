"""Doubts: the errors known in the shipped data are flagged, the crises in it are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.series import Panel
from tsbench.series.calendar import DAY
from tsbench.series.quality import Flag, flag, names, summarize

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="module")
def companies():
    panel = Panel.from_frame(pd.read_parquet(COMPANIES).rename(columns={"ticker": "entity", "date": "time"}))
    return replace(panel, flags=flag(panel))


def flags_of(panel, entity, metric="revenue"):
    part = panel.select(entity=entity, metric=metric)
    days = pd.to_datetime(part.times, unit="us").strftime("%Y-%m")
    return {day: Flag(int(f)) for day, f in zip(days, part.flags, strict=True) if f}


def quarterly(values, metric="revenue"):
    times = pd.date_range("2000-03-31", periods=len(values), freq="QE").to_numpy()
    return Panel.from_arrays([values], times=[times], metric=metric, frequency="quarterly")


def daily(values, metric="close"):
    times = np.arange(len(values)) * DAY
    return Panel.from_arrays([values], times=[times.astype("datetime64[us]")], metric=metric, frequency="daily")


def steady(n=40, seed=0, growth=0.01, noise=0.04, level=1e9):
    rng = np.random.default_rng(seed)
    return level * np.exp(np.cumsum(rng.normal(growth, noise, n)))


def marks(panel):
    return {int(i): Flag(int(f)) for i, f in enumerate(flag(panel)) if f}


# ---- known errors of the shipped data ----------------------------------------------------------------------


def test_gild_2018_03_is_a_unit_error_and_the_year_end_that_makes_up_for_it_is_flagged_too(companies):
    found = flags_of(companies, "GILD")
    assert found["2018-03"] == Flag.UNIT_ERROR
    assert found["2018-12"] == Flag.ANNUAL_IN_QUARTER


def test_mpc_2013_12_is_a_year_in_a_quarter(companies):
    found = flags_of(companies, "MPC")
    assert found["2013-12"] == Flag.ANNUAL_IN_QUARTER
    assert {"2014-12", "2015-12"} <= set(found)


@pytest.mark.parametrize(
    ("entity", "quarter", "kind"),
    [
        ("MKC", "2016-08", Flag.SPIKE),
        ("MKC", "2016-11", Flag.ANNUAL_IN_QUARTER),
        ("IDXX", "2018-06", Flag.SPIKE),
        ("IDXX", "2018-12", Flag.ANNUAL_IN_QUARTER),
        ("AES", "2017-03", Flag.SPIKE),
        ("NBL", "2018-03", Flag.SPIKE),
    ],
)
def test_quarters_that_fall_to_a_tenth_and_come_back_are_flagged_with_what_makes_up_for_them(
    companies, entity, quarter, kind
):
    assert flags_of(companies, entity)[quarter] == kind


def test_few_values_are_flagged_and_only_in_metrics_of_size(companies):
    table = summarize(companies)
    assert set(table["metric"]) == {"revenue", "invested_capital"}
    assert table["share"].sum() < 0.005
    assert (companies.flags > 0).mean() < 0.001


def test_no_market_value_of_the_crisis_is_called_an_error(companies):
    crisis = companies.select(since="2008-06-01", until="2010-01-01", metric=["market_cap", "roic", "net_income"])
    assert not crisis.flags.any()
    fall = companies.select(entity="GNW", metric="market_cap", since="2008-09-01", until="2009-10-01").values
    assert fall.min() < 0.5 * fall.max()


def test_16_week_quarters_are_no_spikes(companies):
    for entity in ("COST", "AZO"):
        assert flags_of(companies, entity) == {}


def test_a_season_that_comes_and_goes_is_no_spike(companies):
    # Ore ships no longer wait for the ice to melt: the first quarters of Cleveland-Cliffs are low in some years only.
    assert flags_of(companies, "CLF") == {}


# ---- each rule on series made for it -----------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e-6, 1e6])
@pytest.mark.parametrize("at", [1, 17, 38])
def test_a_value_in_another_unit_is_a_unit_error(factor, at):
    values = steady()
    values[at] *= factor
    assert marks(quarterly(values)) == {at: Flag.UNIT_ERROR}


@pytest.mark.parametrize("at", [0, 39])
def test_a_unit_error_at_an_end_is_flagged_when_it_is_nearly_exact(at):
    values = steady(noise=0.02)
    values[at] /= 1000
    assert marks(quarterly(values)) == {at: Flag.UNIT_ERROR}


def test_a_stretch_in_thousands_is_flagged_as_a_whole():
    values = steady(noise=0.02)
    values[:9] /= 1000
    assert marks(quarterly(values)) == dict.fromkeys(range(9), Flag.UNIT_ERROR)


def test_a_start_up_that_grows_a_thousandfold_is_no_unit_error():
    values = np.concatenate([np.geomspace(1e5, 2e6, 8), steady(32, level=1.3e9)])
    assert marks(quarterly(values)) == {}
    assert marks(quarterly(np.geomspace(1e6, 1e10, 40))) == {}


def test_a_year_in_place_of_a_quarter_is_flagged():
    values = steady()
    values[19] = values[16:20].sum()
    assert marks(quarterly(values)) == {19: Flag.ANNUAL_IN_QUARTER}


def test_an_isolated_value_of_ten_times_is_a_spike_in_both_directions():
    for factor in (0.1, 10):
        values = steady()
        values[20] *= factor
        assert marks(quarterly(values))[20] == Flag.SPIKE


def test_a_fourth_quarter_that_makes_up_for_a_wrong_one_is_flagged():
    values = steady()
    lacking = values[20] * 0.98
    values[20] -= lacking
    values[23] += lacking
    assert marks(quarterly(values)) == {20: Flag.SPIKE, 23: Flag.ANNUAL_IN_QUARTER}


def test_a_season_however_strong_is_no_spike():
    season = np.tile([1, 1, 1, 12.0], 10)
    assert marks(quarterly(steady(noise=0.05) * season)) == {}
    tax = np.tile([1, 15.0, 1.2, 1], 10)
    assert marks(quarterly(steady(noise=0.1) * tax)) == {}


def test_a_fall_that_takes_its_time_to_recover_is_no_spike():
    values = steady()
    values[20:23] *= [0.4, 0.2, 0.45]
    assert marks(quarterly(values, "market_cap")) == {}
    values = steady()
    values[20:] *= 0.1
    assert marks(quarterly(values)) == {}


def test_a_zero_between_values_is_a_spike_and_zeros_before_the_first_sale_are_not():
    values = steady()
    values[11] = 0.0
    assert marks(quarterly(values)) == {11: Flag.SPIKE}
    assert marks(quarterly(np.concatenate([np.zeros(2), steady(58)]))) == {}


def test_a_hole_beside_a_value_leaves_it_without_a_witness():
    values = steady()
    values[20] *= 10
    panel = quarterly(values)
    times = panel.times.copy()
    times[20:] += 5 * 365 * DAY
    assert flag(replace(panel, times=times))[20] == 0


@pytest.mark.parametrize("metric", ["roic", "net_income", "gross margin", "price change", "volume", "dividend-yield"])
def test_rates_results_and_trading_volume_may_leap(metric):
    values = steady()
    values[20] *= 100
    assert marks(quarterly(values, metric)) == {}


def test_series_that_cross_zero_or_are_short_are_left_alone():
    values = steady() * np.where(np.arange(40) % 5 == 0, -1, 1)
    values[21] *= 1000
    assert marks(quarterly(values)) == {}
    assert marks(quarterly(np.array([1e9, 1e9, 1e6, 1e9, 1e9]))) == {}


def test_a_value_repeated_four_times_is_stale_in_a_series_that_moves():
    values = steady()
    values[10:14] = values[10]
    assert marks(quarterly(values)) == dict.fromkeys((11, 12, 13), Flag.STALE)
    assert marks(quarterly(values, "roic")) == dict.fromkeys((11, 12, 13), Flag.STALE)
    values[13] *= 1.01
    assert marks(quarterly(values)) == {}


def test_a_series_of_steps_is_not_stale():
    assert marks(quarterly(np.repeat(np.arange(1.0, 9.0), 5), "rate")) == {}
    assert marks(quarterly(np.full(40, 3.0), "rate")) == {}


@pytest.mark.parametrize("ratio", [2, 3, 1 / 4, 10, 1 / 20])
def test_a_lasting_step_of_a_whole_ratio_in_a_price_is_like_a_split(ratio):
    values = steady(300, growth=0, noise=0.015, level=50)
    values[120:] *= ratio
    assert marks(daily(values)) == {120: Flag.SPLIT_LIKE}
    assert marks(daily(values, "revenue")) == {}


def test_a_crash_of_another_ratio_or_one_that_comes_back_is_no_split():
    values = steady(300, growth=0, noise=0.015, level=50)
    crash = values.copy()
    crash[120:] *= 0.62
    assert marks(daily(crash)) == {}
    bounce = values.copy()
    bounce[120:122] *= 0.5
    assert Flag.SPLIT_LIKE not in marks(daily(bounce)).values()


# ---- properties --------------------------------------------------------------------------------------------


def test_each_series_is_judged_alone_and_values_stay(companies):
    before = companies.values.copy()
    part = companies.select(entity=["GILD", "MPC", "MKC", "COST"])
    alone = np.concatenate([flag(part.take([i])) for i in range(len(part))])
    np.testing.assert_array_equal(alone, part.flags)
    np.testing.assert_array_equal(companies.values, before)


def test_missing_values_are_never_doubted_and_do_not_hide_their_neighbours():
    values = steady()
    values[20] *= 1e-3
    values[19] = values[30] = np.nan
    assert marks(quarterly(values)) == {20: Flag.UNIT_ERROR}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-2.9, 2.9), st.integers(0, 10_000))
def test_the_unit_of_the_whole_series_does_not_matter(decades, seed):
    values = steady(seed=seed)
    rng = np.random.default_rng(seed)
    values[rng.integers(1, 39)] *= rng.choice([1e-3, 0.1, 1, 4, 10, 1e3])
    np.testing.assert_array_equal(flag(quarterly(values * 10**decades)), flag(quarterly(values)))


def test_random_walks_are_hardly_ever_flagged():
    rng = np.random.default_rng(1)
    walks = np.exp(np.cumsum(rng.normal(0, 0.15, (500, 80)), axis=1)) * 1e8
    times = [pd.date_range("2000-03-31", periods=80, freq="QE").to_numpy()] * 500
    panel = Panel.from_arrays(list(walks), times=times, metric="market_cap", frequency="quarterly")
    assert (flag(panel) > 0).mean() < 1e-4


def test_an_empty_panel_has_no_flags():
    assert flag(Panel.from_arrays([])).size == 0
    assert flag(Panel.from_arrays([np.full(9, np.nan)])).tolist() == [0] * 9
    assert summarize(Panel.from_arrays([np.arange(3.0)])).empty


def test_flags_have_names():
    assert names(0) == []
    assert names(Flag.UNIT_ERROR | Flag.SPIKE) == ["unit error", "spike"]
    assert max(Flag) < 256
