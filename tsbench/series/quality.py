"""Doubts about single values: errors of unit, of period, of entry. Flags are raised, values stay untouched.

A flag says that a value is unlikely to be what its metric and period claim; scans leave flagged values out unless
told otherwise. Every rule reads one series alone and works on all series at once; a rule would rather miss a doubtful
value than flag a genuine one (a crisis is not an error). Thresholds were set on company data by looking at what they
flag, see docs/data.md.
"""

import enum
import re
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.series.calendar import DAY, longest_step_days
from tsbench.series.grouped import Floats, Ints, group_median, offsets_of, series_of_points, shifted
from tsbench.series.panel import Panel

Mask = NDArray[np.bool_]


class Flag(enum.IntFlag):
    """What is doubted about a value; kept as one byte per value."""

    UNIT_ERROR = 1
    ANNUAL_IN_QUARTER = 2
    SPIKE = 4
    STALE = 8
    SPLIT_LIKE = 16


# Words of a metric's name that make ratios of its values say nothing: rates and results may cross zero, and trading
# really does multiply for a day.
RATES = {"roic", "roe", "roa", "roce", "margin", "yield", "rate", "ratio", "growth", "change", "pct", "return"}
RESULTS = {"income", "profit", "earnings", "ebit", "ebitda", "loss", "cash", "fcf", "eps", "accruals"}
BURSTS = {"volume", "turnover", "trades"}
PER_SHARE = {"price", "open", "high", "low", "close", "adj", "share", "shares", "dps"}
SHORTEST = 8
# In decades. A wrong unit is off by 3 or 6 of them. Where the unit comes back within a year, neighbours may differ by
# another factor of two; a step that stays must be a nearly exact thousand, for a start-up's revenue can also take it.
UNIT_TOLERANCE, LASTING_UNIT_TOLERANCE = 0.35, 0.1
SPIKE_HEIGHT, SPIKE_OVER_SEASON, SPIKE_OVER_SCALE = np.log10(3.0), np.log10(2.5), 5.0
# A factor of 10 is a spike in any series; below it, a value like the one a year before or after is a season.
SPIKE_SURELY, SEASON_RETURN = 1.0, np.log10(2.0)
# A year in place of a quarter is 4 quarters when nothing grows or falls.
YEAR_OVER_QUARTER = np.log10(3.0), np.log10(5.5)
CATCH_UP_HEIGHT, CATCH_UP_TOLERANCE = np.log10(1.5), np.log10(1.3)
STALE_LENGTH = 4
SPLIT_RATIOS = np.log10([2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0])
SPLIT_TOLERANCE, SPLIT_OVER_SCALE = np.log10(1.06), 8.0


class Points(NamedTuple):
    """Some points of a panel: their positions in it, logarithm (decades) or value, time and series borders."""

    at: Ints
    x: Floats
    times: Ints
    offsets: Ints

    def where(self, keep: Mask) -> "Points":
        series = series_of_points(self.offsets)[keep]
        lengths = np.bincount(series, minlength=self.offsets.size - 1)
        return Points(self.at[keep], self.x[keep], self.times[keep], offsets_of(lengths))


def flag(panel: Panel) -> NDArray[np.uint8]:
    """The flags of every value of the panel, shape (total,); 0 = no doubt, missing values are never doubted.

    Cost O(total log total), about a second for 2.4 million values.
    """
    flags = np.zeros(panel.values.size, np.uint8)
    if not panel.values.size:
        return flags
    solid = Points(np.arange(panel.values.size), panel.values, panel.times, panel.offsets).where(
        ~np.isnan(panel.values)
    )
    flags[solid.at[_stale(solid)]] |= np.uint8(Flag.STALE)

    words = [set(re.split(r"[^a-z0-9]+", m.lower())) for m in panel.index["metric"]]
    sizes = solid.where(np.repeat(_size_like(solid, words), np.diff(solid.offsets)))
    frequency = panel.index["frequency"].to_numpy()
    positive = sizes.where(sizes.x > 0)
    positive = positive._replace(x=np.log10(positive.x))
    flags[sizes.at[_lone_zero(sizes)]] |= np.uint8(Flag.SPIKE)

    wrong_unit = _unit_errors(positive)
    flags[positive.at[wrong_unit]] |= np.uint8(Flag.UNIT_ERROR)
    rest = positive.where(~wrong_unit)
    annual, spike = _spikes(rest, frequency)
    flags[rest.at[annual]] |= np.uint8(Flag.ANNUAL_IN_QUARTER)
    flags[rest.at[spike]] |= np.uint8(Flag.SPIKE)
    low = (flags[positive.at] & np.uint8(Flag.SPIKE | Flag.UNIT_ERROR)) > 0
    low &= positive.x < shifted(positive.x, positive.offsets, -1)
    flags[positive.at[_catch_up(positive, low, frequency)]] |= np.uint8(Flag.ANNUAL_IN_QUARTER)
    per_share = np.array([bool(w & PER_SHARE) for w in words])
    shares = rest.where(np.repeat(per_share, np.diff(rest.offsets)))
    flags[shares.at[_splits(shares)]] |= np.uint8(Flag.SPLIT_LIKE)
    return flags


def names(flags: int) -> list[str]:
    """The names of the flags set in one byte: 5 -> ["unit error", "spike"]."""
    return [str(f.name).lower().replace("_", " ") for f in Flag if flags & f]


def summarize(panel: Panel) -> pd.DataFrame:
    """One row per metric and kind of flag that occurs: metric, flag, points, entities, share of the metric's points."""
    metric = panel.index["metric"].to_numpy()[series_of_points(panel.offsets)]
    entity = panel.index["entity"].to_numpy()[series_of_points(panel.offsets)]
    total = pd.Series(metric).value_counts()
    rows = []
    for kind in Flag:
        hit = (panel.flags & kind) > 0
        for name in sorted(set(metric[hit])):
            these = hit & (metric == name)
            points = int(these.sum())
            rows.append((name, names(kind)[0], points, len(set(entity[these])), points / int(total[name])))
    return pd.DataFrame(rows, columns=["metric", "flag", "points", "entities", "share"])


def _size_like(points: Points, words: list[set[str]]) -> Mask:
    """Series of sizes (revenue, market cap, prices): nearly always positive, long enough, named as nothing else."""
    n = points.offsets.size - 1
    count = np.diff(points.offsets)
    positive = np.bincount(series_of_points(points.offsets), weights=points.x > 0, minlength=n)
    other = np.array([bool(w & (RATES | RESULTS | BURSTS)) for w in words])
    sizes: Mask = (count >= SHORTEST) & (positive >= 0.95 * count) & ~other
    return sizes


def _stale(points: Points) -> Mask:
    """Repeats of one value over four periods or more, in a series where repeats are rare otherwise; zeros pass."""
    n = points.offsets.size - 1
    series = series_of_points(points.offsets)
    same = (shifted(points.x, points.offsets, -1) == points.x) & (points.x != 0)
    run = np.cumsum(~same) - 1
    length = np.bincount(run)[run]
    repeat = same & (length >= STALE_LENGTH)
    others = np.bincount(series, weights=same & ~repeat, minlength=n)
    moves = np.bincount(series, weights=~same, minlength=n)
    lively = (others <= 0.05 * np.diff(points.offsets)) & (moves >= 0.5 * np.diff(points.offsets))
    stale: Mask = repeat & lively[series]
    return stale


def _lone_zero(points: Points) -> Mask:
    """A zero between two positive values."""
    before, after = shifted(points.x, points.offsets, -1), shifted(points.x, points.offsets, 1)
    lone: Mask = (points.x == 0) & (before > 0) & (after > 0)
    return lone


def _unit_errors(points: Points) -> Mask:
    """Values written in another unit: reached by a step of about 3 or 6 decades, on the rarer side of it."""
    n = points.offsets.size - 1
    series = series_of_points(points.offsets)
    step = np.nan_to_num(points.x - shifted(points.x, points.offsets, -1))
    thousands = np.sign(step) * np.clip(np.rint(np.abs(step) / 3), 0, 2)
    excess = np.abs(step - 3 * thousands)
    thousands[(thousands == 0) | (excess > UNIT_TOLERANCE)] = 0
    back = np.zeros(step.size, dtype=bool)
    for k in range(1, 5):
        back |= shifted(thousands, points.offsets, k) == -thousands
        back |= shifted(thousands, points.offsets, -k) == -thousands
    thousands[~back & (excess > LASTING_UNIT_TOLERANCE)] = 0

    running = offsets_of(thousands.astype(np.int64))
    level = running[1:] - running[points.offsets[:-1]][series]
    wrong = np.zeros(points.x.size, dtype=bool)
    mine = (np.bincount(series, weights=level != 0, minlength=n) > 0)[series]
    wrong[mine] = _unusual(series[mine], level[mine])
    return wrong


def _unusual(series: Ints, level: Ints) -> Mask:
    """Which levels are not the most frequent one of their series."""
    pairs, of_point, count = np.unique(np.stack([series, level]), axis=1, return_inverse=True, return_counts=True)
    order = np.lexsort((-count, pairs[0]))
    usual = order[np.unique(pairs[0][order], return_index=True)[1]]
    return ~np.isin(of_point, usual)


def _spikes(points: Points, frequency: NDArray[np.object_]) -> tuple[Mask, Mask]:
    """(annual in quarter, isolated spike): three times higher or lower than both neighbours, which agree.

    A season is no spike: the height must stand out from the same calendar quarter's (or month's) usual height,
    and from the scatter of the series.
    """
    spike = np.abs(_height(points, frequency)) >= SPIKE_HEIGHT
    suspect = np.bincount(series_of_points(points.offsets), weights=spike, minlength=points.offsets.size - 1) > 0
    mine = np.repeat(suspect, np.diff(points.offsets))
    annual = np.zeros(spike.size, dtype=bool)
    annual[mine], spike[mine] = _spikes_of(points.where(mine), frequency)
    return annual, spike


def _height(points: Points, frequency: NDArray[np.object_]) -> Floats:
    """How far a point stands above (below: negative) both its neighbours; 0 unless they are near and agree."""
    longest = 2 * longest_step_days(frequency)[series_of_points(points.offsets)]
    before, after = shifted(points.x, points.offsets, -1), shifted(points.x, points.offsets, 1)
    days = shifted(points.times / DAY, points.offsets, 1) - points.times / DAY
    near = (days <= longest) & (shifted(days, points.offsets, -1) <= longest)
    up, down = np.minimum(points.x - before, points.x - after), np.maximum(points.x - before, points.x - after)
    height = np.where(up > 0, up, np.where(down < 0, down, 0.0))
    height[~near | (np.abs(before - after) > 0.5 * np.abs(height))] = 0.0
    return height


def _spikes_of(points: Points, frequency: NDArray[np.object_]) -> tuple[Mask, Mask]:
    n = points.offsets.size - 1
    series = series_of_points(points.offsets)
    height = _height(points, frequency)
    before, after = shifted(points.x, points.offsets, -1), shifted(points.x, points.offsets, 1)
    bump = points.x - (before + after) / 2
    bump -= _usual_in_season(points, bump, frequency)
    scale = 1.4826 * group_median(np.abs(bump), series, n)[series]
    spike = (
        (np.abs(height) >= SPIKE_HEIGHT)
        & (np.abs(bump) >= SPIKE_OVER_SEASON)
        & (np.abs(height) >= np.minimum(SPIKE_OVER_SCALE * scale, SPIKE_SURELY))
        & ~((np.abs(height) < SPIKE_SURELY) & _like_last_or_next_year(points, frequency))
    )
    low, high = YEAR_OVER_QUARTER
    over_neighbours = points.x - np.log10((10**before + 10**after) / 2)
    over_year = points.x - shifted(points.x, points.offsets, -4)
    four = ((over_neighbours >= low) & (over_neighbours <= high)) | ((over_year >= low) & (over_year <= high))
    annual: Mask = spike & (height > 0) & four & (frequency == "quarterly")[series]
    return annual, spike & ~annual


def _like_last_or_next_year(points: Points, frequency: NDArray[np.object_]) -> Mask:
    """Within a factor of two of the value four quarters (twelve months) before or after."""
    series = series_of_points(points.offsets)
    like = np.zeros(points.x.size, dtype=bool)
    for name, periods in (("quarterly", 4), ("monthly", 12)):
        mine = (frequency == name)[series]
        for k in (-periods, periods):
            like |= mine & (np.abs(points.x - shifted(points.x, points.offsets, k)) <= SEASON_RETURN)
    return like


def _catch_up(points: Points, low: Mask, frequency: NDArray[np.object_]) -> Mask:
    """Quarters that hold what one of the three before them lacks.

    Vendors derive the fourth quarter as the year less three quarters, so a quarter written too small comes back on
    top of it.
    """
    found = np.zeros(points.x.size, dtype=bool)
    low = low & (frequency == "quarterly")[series_of_points(points.offsets)]
    value, year_before = 10**points.x, 10 ** shifted(points.x, points.offsets, -4)
    for k in (1, 2, 3):
        lacking = year_before - value
        lacking[~low] = np.nan
        expected = year_before + shifted(lacking, points.offsets, -k)
        with np.errstate(invalid="ignore", divide="ignore"):
            fits = np.abs(points.x - np.log10(expected)) <= CATCH_UP_TOLERANCE
            found |= fits & (points.x - np.log10(year_before) >= CATCH_UP_HEIGHT)
    return found


def _usual_in_season(points: Points, bump: Floats, frequency: NDArray[np.object_]) -> Floats:
    """The median bump of the same month (quarter) over the years of a series; 0 where fewer than three are known."""
    series = series_of_points(points.offsets)
    month = points.times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    season = np.where((frequency == "quarterly")[series], month // 3, month)
    season[~np.isin(frequency, ("quarterly", "monthly"))[series]] = 0
    group = series * 12 + season
    n_groups = 12 * (points.offsets.size - 1)
    usual = group_median(bump, group, n_groups)
    usual[np.bincount(group[~np.isnan(bump)], minlength=n_groups) < 3] = 0.0
    return usual[group]


def _splits(points: Points) -> Mask:
    """The first value after a lasting step by a whole ratio (2:1, 1:10, ...) in a per-share series."""
    n = points.offsets.size - 1
    series = series_of_points(points.offsets)
    step = points.x - shifted(points.x, points.offsets, -1)
    scale = 1.4826 * group_median(np.abs(step), series, n)[series]
    distance = np.abs(np.abs(step)[:, None] - SPLIT_RATIOS).min(axis=1)
    # Lasting: two points later and two points earlier still lie the same step apart.
    lasting = shifted(points.x, points.offsets, 2) - shifted(points.x, points.offsets, -3)
    split: Mask = (
        (np.abs(step) >= SPLIT_RATIOS[0] - SPLIT_TOLERANCE)
        & (distance <= SPLIT_TOLERANCE)
        & (np.abs(step) >= SPLIT_OVER_SCALE * scale)
        & (np.abs(lasting - step) <= 0.5 * np.abs(step))
    )
    return split
