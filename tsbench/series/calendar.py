"""Fiscal time: which steps are one period, where periods are missing, when a value became known.

Time is int64 microseconds UTC and labels the *end* of a period. A gap is counted in fiscal periods and not in
days: a retailer's 12/12/12/16-week year has none, although its steps range from 84 to 119 days.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tsbench.series.grouped import group_median, series_of_points

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAY = 86_400_000_000
MONDAY = -3 * DAY  # 29 December 1969: the first of the weeks that are counted since 1970
NOMINAL_DAYS = {"annual": 365.25, "quarterly": 91.3125, "monthly": 30.4375, "weekly": 7.0, "daily": 1.0}
# The longest step that is still one period. Quarterly: a 17-week quarter has 119 days and two short retail
# quarters together 168; annual: a 53-week year has 371 and a year with a transition stub up to about 460;
# daily: a long weekend with two holidays has 5.
LONGEST_STEP_DAYS = {"annual": 520.0, "quarterly": 130.0, "monthly": 45.0, "weekly": 10.0, "daily": 5.0}
# A company that files on time is never further behind the newest one: its last quarter is at worst five months
# older than another's, while a 10-K is awaited. One filing missed makes it two periods.
LIVE_PERIODS = 1.5
# Filing rules of thumb when the filing date is unknown (US: 10-Q within 45 days, 10-K within 90).
FILING_LAG_DAYS, ANNUAL_FILING_LAG_DAYS = 45, 90
# A quarter of 15 weeks or more ends the year of the retailers and bottlers that have one.
LONG_QUARTER_DAYS = 105.0


def nominal_days(frequency: Sequence[str] | NDArray[np.object_]) -> Floats:
    """The usual length of one period of each frequency in days; infinite for "irregular"."""
    return np.array([NOMINAL_DAYS.get(f, np.inf) for f in frequency], dtype=np.float64)


def longest_step_days(frequency: Sequence[str] | NDArray[np.object_]) -> Floats:
    """The longest step in days that is still one period of each frequency; infinite for "irregular"."""
    return np.array([LONGEST_STEP_DAYS.get(f, np.inf) for f in frequency], dtype=np.float64)


def infer_frequencies(times: Ints, offsets: Ints) -> list[str]:
    """The frequency of each series: the one whose nominal step is nearest (in ratio) to its median step.

    "irregular" when a series has fewer than two points or no nominal step is within a factor 0.6 to 1.6.

    Parameters
        times : int64 microseconds, shape (total,), ascending inside a series.
        offsets : int64, shape (n_series + 1,).
    """
    n = offsets.size - 1
    series = series_of_points(offsets)
    inside = series[1:] == series[:-1]
    days = group_median(np.diff(times)[inside] / DAY, series[1:][inside], n)
    names, nominal = list(NOMINAL_DAYS), np.array(list(NOMINAL_DAYS.values()))
    days[~(days > 0)] = np.nan
    ratio = np.where(np.isnan(days), 1.0, days)[:, None] / nominal
    best = np.abs(np.log(ratio)).argmin(axis=1)
    fits = ratio[np.arange(n), best]
    told = ~np.isnan(days) & (fits >= 0.6) & (fits <= 1.6)
    return [names[b] if t else "irregular" for b, t in zip(best, told, strict=True)]


def infer_frequency(times: Ints) -> str:
    """`infer_frequencies` of one series."""
    return infer_frequencies(times, np.array([0, times.size], dtype=np.int64))[0]


def missing_in_steps(days: Floats, nominal: Floats | float, longest: Floats | float) -> Ints:
    """How many periods are missing inside steps of so many days.

    Zero for a step of at most `longest` days, however long that period was; else the whole number of nominal
    periods in it less one, and never less than one.
    """
    wide = days > longest
    periods = np.maximum(np.rint(np.where(wide, days / nominal, 0.0)), 2.0)
    return np.where(wide, periods - 1, 0.0).astype(np.int64)


def missing_periods(times: Ints, frequency: str) -> Ints:
    """How many fiscal periods are missing between each time and the next.

    Parameters
        times : int64 microseconds, shape (n,), ascending.
        frequency : one of `FREQUENCIES`; "irregular" has no calendar, so nothing is ever missing.
    Returns
        int64, shape (n - 1,).
    """
    return missing_in_steps(np.diff(times) / DAY, nominal_days([frequency])[0], longest_step_days([frequency])[0])


def is_live(
    last: Ints | int, newest: Ints | int, frequency: str | Sequence[str] | NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Whether a series that ends at `last` still goes on when the newest of its frequency ends at `newest`.

    It does unless it lags by more than 1.5 periods (for daily bars: more than a long weekend). "irregular" has
    no period to lag by and counts as live.

    Parameters
        last, newest : int64 microseconds, scalars or shape (n,).
        frequency : one for all, or one for each.
    """
    names = [frequency] if isinstance(frequency, str) else list(frequency)
    limit = np.maximum(LIVE_PERIODS * nominal_days(names), longest_step_days(names))
    return np.atleast_1d((np.asarray(newest) - np.asarray(last)) / DAY <= limit)


def assumed_available_at(times: Ints, frequency: str | Sequence[str], offsets: Ints | None = None) -> Ints:
    """When each value became public if nothing says so: period end + 45 days, + 90 at the fiscal year's end.

    Annual values are filed with the year, so all take 90 days; bars (monthly and finer) are known at their end.
    Which quarter ends the fiscal year is judged from that quarter and those before it alone, so that cutting
    the series later never changes an answer:

    - a calendar that has shown long (16-17 week) quarters ends its year with them;
    - quarters ending in March, June, September and December end it in December, those ending in January, April,
      July and October in January (retail);
    - for February, May, August and November the dates do not tell, and each quarter takes 90 days (later is
      safe: it can hide a value, never leak one).

    Parameters
        times : int64 microseconds, shape (total,), ascending inside a series.
        frequency : of all series, or one per series.
        offsets : int64, shape (n_series + 1,); None = one series.
    """
    offsets = np.array([0, times.size], dtype=np.int64) if offsets is None else offsets
    names = [frequency] * (offsets.size - 1) if isinstance(frequency, str) else list(frequency)
    lengths = np.diff(offsets)
    quarterly = np.repeat(np.array([f == "quarterly" for f in names], dtype=bool), lengths)
    annual = np.repeat(np.array([f == "annual" for f in names], dtype=bool), lengths)

    # An end on the first days of a month belongs to the month before (52/53-week years drift over it).
    month = _month(times - 7 * DAY)
    position = np.arange(times.size) - np.repeat(offsets[:-1], lengths)
    days = np.zeros(times.size)
    days[1:] = np.diff(times) / DAY
    long = (position > 0) & (days >= LONG_QUARTER_DAYS) & (days <= LONGEST_STEP_DAYS["quarterly"])
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(long)])
    seen = running[1:] - np.repeat(running[offsets[:-1]], lengths)
    has_long_quarter = (seen >= 2) & (seen >= 0.15 * position)
    year_end = np.where(has_long_quarter, long, (month % 3 == 2) | (month == 12) | (month == 1))

    lag = np.where(quarterly, np.where(year_end, ANNUAL_FILING_LAG_DAYS, FILING_LAG_DAYS), 0)
    return times + np.where(annual, ANNUAL_FILING_LAG_DAYS, lag).astype(np.int64) * DAY


def calendar_quarter(times: Ints) -> Ints:
    """The calendar quarter whose end is nearest, as quarters since 1970; fiscal ends of one season compare."""
    return _months_since_1970(times - 45 * DAY) // 3


def period_of(times: Ints, frequency: str) -> Ints:
    """The calendar period of its frequency in which most of each fiscal period lies, as a number that only compares.

    Companies meet in it although their books close days apart; the ends that meet lie less than one period apart.

    Parameters
        times : int64 microseconds, the end of each period.
        frequency : "quarterly" is `calendar_quarter`, "annual" the year, "monthly" the month, "weekly" the ISO week
            (Monday to Sunday), "daily" the day; any other has no calendar: only equal times meet.
    """
    match frequency:
        case "quarterly":
            return calendar_quarter(times)
        case "annual":
            return _months_since_1970(times - 182 * DAY) // 12
        case "monthly":
            return _months_since_1970(times - 15 * DAY)
        case "weekly":
            return (times - 3 * DAY - MONDAY) // (7 * DAY)
        case "daily":
            return times // DAY
    return times


def _months_since_1970(times: Ints) -> Ints:
    months: Ints = times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return months


def _month(times: Ints) -> Ints:
    return _months_since_1970(times) % 12 + 1
