"""Fiscal time on its own and on the shipped companies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.series import Panel
from tsbench.series.calendar import (
    DAY,
    LONGEST_STEP_DAYS,
    NOMINAL_DAYS,
    assumed_available_at,
    calendar_quarter,
    infer_frequencies,
    infer_frequency,
    is_live,
    missing_periods,
    period_of,
)

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="module")
def revenue():
    frame = pd.read_parquet(COMPANIES).rename(columns={"ticker": "entity", "date": "time"})
    return Panel.from_frame(frame[frame["metric"] == "revenue"])


def micros(*dates):
    return pd.to_datetime(list(dates), format="ISO8601").as_unit("us").to_numpy().astype(np.int64)


def lags(times, frequency="quarterly"):
    return (assumed_available_at(times, frequency) - times) // DAY


def ends(start, months, n):
    return micros(*[pd.Timestamp(start) + pd.offsets.MonthEnd(months * i) for i in range(n)])


def weeks(start, lengths):
    return micros(start) + np.concatenate([[0], np.cumsum(lengths)]) * 7 * DAY


@pytest.mark.parametrize("company", ["COST", "PEP"])
def test_16_and_17_week_quarters_are_no_holes(revenue, company):
    times, _ = revenue.select(entity=company).series(0)
    steps = np.diff(times) / DAY
    assert steps.max() >= 112
    assert missing_periods(times, "quarterly").sum() == 0


def test_azo_has_16_and_17_week_quarters_and_one_real_hole_of_one_period(revenue):
    times, _ = revenue.select(entity="AZO").series(0)
    steps = np.diff(times) / DAY
    missing = missing_periods(times, "quarterly")
    assert list(steps[missing > 0]) == [203]
    assert missing.sum() == 1
    assert (steps >= 112).sum() > 10


@pytest.mark.parametrize(
    ("frequency", "days", "missing"),
    [
        ("quarterly", [84, 91, 98, 119, 130], [0, 0, 0, 0, 0]),
        ("quarterly", [131, 182, 203, 273, 365, 1826], [1, 1, 1, 2, 3, 19]),
        ("annual", [350, 365, 371, 460, 520, 731, 1096], [0, 0, 0, 0, 0, 1, 2]),
        ("monthly", [28, 31, 45, 59, 91], [0, 0, 0, 1, 2]),
        ("weekly", [5, 7, 10, 14, 21], [0, 0, 0, 1, 2]),
        ("daily", [1, 3, 5, 6, 10], [0, 0, 0, 5, 9]),
        ("irregular", [1, 10_000], [0, 0]),
    ],
)
def test_missing_periods_counts_whole_periods_beyond_the_longest_one(frequency, days, missing):
    for step, wanted in zip(days, missing, strict=True):
        assert list(missing_periods(np.array([0, step * DAY]), frequency)) == [wanted]


@pytest.mark.parametrize(
    ("step", "frequency"),
    [
        *[(1, "daily"), (7, "weekly"), (30, "monthly"), (91, "quarterly"), (84, "quarterly"), (365, "annual")],
        *[(0.3, "irregular"), (15, "irregular"), (183, "irregular"), (3000, "irregular")],
    ],
)
def test_the_frequency_is_read_off_the_median_step(step, frequency):
    assert infer_frequency((np.arange(9) * step * DAY).astype(np.int64)) == frequency


def test_too_few_times_tell_no_frequency():
    assert infer_frequency(np.zeros(0, np.int64)) == infer_frequency(micros("2019-06-30")) == "irregular"


def test_frequencies_of_many_series_are_those_of_each(revenue):
    rng = np.random.default_rng(0)
    parts = [np.cumsum(rng.integers(1, 400, n)) * DAY for n in rng.integers(0, 9, 300)]
    offsets = np.cumsum([0] + [p.size for p in parts])

    def naive(times):
        if len(times) < 2:
            return "irregular"
        ratio = {f: np.median(np.diff(times)) / DAY / d for f, d in NOMINAL_DAYS.items()}
        best = min(ratio, key=lambda f: abs(np.log(ratio[f])))
        return best if 0.6 <= ratio[best] <= 1.6 else "irregular"

    assert infer_frequencies(np.concatenate(parts), offsets) == [naive(p) for p in parts]
    assert set(infer_frequencies(revenue.times, revenue.offsets)) == {"quarterly"}


def test_quarters_of_the_calendar_year_are_filed_after_45_days_and_the_last_after_90():
    assert list(lags(ends("2015-03-31", 3, 8))) == [45, 45, 45, 90] * 2


def test_retail_years_end_in_january_also_when_52_weeks_end_in_february():
    assert list(lags(ends("2015-04-30", 3, 4))) == [45, 45, 45, 90]
    assert list(lags(micros("2015-05-02", "2015-08-01", "2015-10-31", "2016-01-30", "2017-02-04"))) == [
        45,
        45,
        45,
        90,
        90,
    ]


def test_where_the_dates_do_not_tell_the_year_end_every_quarter_waits_the_longer():
    assert list(lags(ends("2015-02-28", 3, 8))) == [90] * 8


def test_a_long_quarter_ends_the_year_once_it_has_been_seen_twice():
    times = weeks("2015-02-28", [12, 12, 16] + [12, 12, 12, 16] * 3)
    wanted = [90] * 8 + [45, 45, 45, 90] * 2
    assert list(lags(times)) == wanted


def test_annual_values_wait_90_days_and_bars_none():
    times = ends("2015-12-31", 12, 3)
    assert list(lags(times, "annual")) == [90] * 3
    for frequency in ("monthly", "weekly", "daily", "irregular"):
        assert list(lags(times, frequency)) == [0] * 3


def test_a_series_cut_short_gives_the_same_dates_of_knowledge(revenue):
    whole = revenue.available_at
    for i in range(len(revenue)):
        a, b = revenue.offsets[i], revenue.offsets[i + 1]
        for stop in (a + 1, (a + b) // 2, b - 1):
            np.testing.assert_array_equal(assumed_available_at(revenue.times[a:stop], "quarterly"), whole[a:stop])


def test_what_became_known_earlier_ended_earlier(revenue):
    inside = np.ones(revenue.times.size, dtype=bool)
    inside[revenue.offsets[:-1]] = False
    assert (np.diff(revenue.available_at)[inside[1:]] > 0).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(NOMINAL_DAYS)), st.lists(st.integers(1, 400), max_size=12)), max_size=6)
)
def test_many_series_at_once_are_each_on_its_own(series):
    parts = [np.cumsum(np.array(days, dtype=np.int64)) * DAY for _, days in series]
    offsets = np.cumsum([0] + [p.size for p in parts]).astype(np.int64)
    times = np.concatenate([np.zeros(0, np.int64), *parts])
    together = assumed_available_at(times, [f for f, _ in series], offsets)
    alone = [assumed_available_at(p, f) for (f, _), p in zip(series, parts, strict=True)]
    np.testing.assert_array_equal(together, np.concatenate([np.zeros(0, np.int64), *alone]))


@pytest.mark.parametrize(
    ("frequency", "late", "live"),
    [
        *[("quarterly", 136, True), ("quarterly", 138, False), ("annual", 540, True), ("annual", 550, False)],
        *[("daily", 5, True), ("daily", 6, False), ("monthly", 45, True), ("monthly", 47, False)],
        ("irregular", 10_000, True),
    ],
)
def test_a_series_is_live_until_it_lags_by_more_than_one_and_a_half_periods(frequency, late, live):
    assert is_live(0, late * DAY, frequency).item() is live


def test_liveness_of_many_takes_each_its_frequency():
    last = np.array([0, 0, 0])
    assert list(is_live(last, 200 * DAY, ["quarterly", "annual", "irregular"])) == [False, True, True]
    assert list(is_live(last, np.array([10, 20, 30]) * DAY, "weekly")) == [True, False, False]


def test_shipped_companies_are_live_or_dead_as_their_last_quarter_says(revenue):
    last = pd.to_datetime(revenue.times[revenue.offsets[1:] - 1], unit="us")
    live = is_live(last.as_unit("us").to_numpy().astype(np.int64), revenue.times.max(), "quarterly")
    np.testing.assert_array_equal(live, last >= pd.Timestamp("2019-02-13 01:00"))
    assert 150 < live.sum() < len(live) - 40


def test_fiscal_ends_of_one_season_share_a_calendar_quarter():
    season = calendar_quarter(micros("2015-03-31", "2015-02-15", "2015-04-30", "2015-05-09"))
    assert len(set(season)) == 1
    assert calendar_quarter(micros("2015-06-30"))[0] == season[0] + 1


@pytest.mark.parametrize(
    ("frequency", "same", "later"),
    [
        ("annual", ["2018-12-31", "2018-08-31", "2019-01-31", "2019-06-28"], "2019-08-31"),
        ("quarterly", ["2015-03-31", "2015-02-15", "2015-05-09"], "2015-06-30"),
        ("monthly", ["2018-01-31", "2018-01-26", "2018-02-03"], "2018-02-28"),
        ("monthly", ["2018-12-31", "2019-01-05"], "2019-01-31"),
        ("weekly", ["2018-01-05", "2018-01-07", "2018-01-04", "2018-01-08"], "2018-01-12"),
        ("weekly", ["1969-12-28"], "1970-01-04"),
        ("daily", ["2018-01-05", "2018-01-05 21:00"], "2018-01-06"),
        ("irregular", ["2018-01-05"], "2018-01-05 00:01"),
    ],
)
def test_a_fiscal_period_belongs_to_the_calendar_period_of_most_of_it(frequency, same, later):
    period = period_of(micros(*same, later), frequency)
    assert len(set(period[:-1])) == 1
    assert period[-1] > period[0]
    if frequency != "irregular":
        assert period[-1] == period[0] + 1


def test_the_longest_step_of_a_frequency_is_shorter_than_two_short_periods():
    for frequency, days in LONGEST_STEP_DAYS.items():
        assert NOMINAL_DAYS[frequency] < days
    assert LONGEST_STEP_DAYS["quarterly"] < 2 * 84
