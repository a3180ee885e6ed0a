"""One time axis per entity and frequency, with a row for every fiscal period."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsbench.series.calendar import DAY, longest_step_days, missing_in_steps, nominal_days
from tsbench.series.frames import Parts
from tsbench.series.grouped import offsets_of

if TYPE_CHECKING:
    from tsbench.series.panel import Panel

Ints = NDArray[np.int64]
# Times of one axis so near, in nominal periods, name the same period: a metric dated at the quarter's last trading
# day and one at its last day. The nearest meet first, so that beside a stub period each value finds its own.
SAME_PERIOD = (0.1, 0.4)


def align(panel: "Panel") -> Parts:
    """See `Panel.aligned`. Values, available_at and flags move with their times; new rows are NaN, unflagged.

    Times of one axis within 0.4 nominal periods of each other are one period, dated by the latest of them. Two
    values of one series never share a row, however near: a stub period after a change of fiscal year keeps its own.
    """
    if not panel.values.size:
        return Parts(panel.values, panel.offsets, panel.times, panel.index, panel.available_at, panel.flags)
    axis_of_series = panel.index.groupby(["entity", "frequency"], sort=False).ngroup().to_numpy(np.int64)
    lengths = np.diff(panel.offsets)
    axis_of_point = np.repeat(axis_of_series, lengths)

    order = np.lexsort((panel.times, axis_of_point))
    group, times = axis_of_point[order], panel.times[order]
    first = np.concatenate([[True], (group[1:] != group[:-1]) | (times[1:] != times[:-1])])
    group, times = group[first], times[first]
    row_of_point = np.empty(order.size, np.int64)
    row_of_point[order] = np.cumsum(first) - 1

    frequency = panel.index["frequency"].to_numpy()[np.unique(axis_of_series, return_index=True)[1]]
    period = nominal_days(frequency) * DAY
    period[np.isinf(period)] = 0.0
    # A value left out for a doubt still holds its row, so that leaving it out never moves the others.
    held = ~np.isnan(panel.values) | (panel.flags > 0)
    owner = np.repeat(np.arange(lengths.size), lengths)[held]
    for share in SAME_PERIOD:
        leader = _latest_of_period(group, times, share * period[group], row_of_point[held], owner)
        leads = leader == np.arange(group.size)
        row_of_point = (np.cumsum(leads) - leads)[row_of_point]
        group, times = group[leads], times[leads]

    # Periods missing before each row, by the frequency of its axis.
    step = np.zeros(group.size)
    step[1:] = np.where(group[1:] == group[:-1], np.diff(times) / DAY, 0.0)
    missing = missing_in_steps(step, nominal_days(frequency)[group], longest_step_days(frequency)[group])

    place = np.arange(group.size) + np.cumsum(missing)
    total = int(place[-1]) + 1
    grid_times = np.interp(np.arange(total), place, times.astype(np.float64)).astype(np.int64)
    grid_times[place] = times
    grid_group = np.repeat(group, missing + 1)

    start = np.searchsorted(grid_group, axis_of_series, side="left")
    stop = np.searchsorted(grid_group, axis_of_series, side="right")
    offsets = offsets_of(stop - start)
    shift = np.repeat(offsets[:-1] - start, lengths)
    target = place[row_of_point] + shift
    pick = np.repeat(start - offsets[:-1], stop - start) + np.arange(offsets[-1])

    values = np.full(offsets[-1], np.nan)
    available = grid_times[pick]
    flags = np.zeros(offsets[-1], np.uint8)
    for points in (np.flatnonzero(~held), np.flatnonzero(held)):  # a value wins over a NaN of the same period
        values[target[points]] = panel.values[points]
        available[target[points]] = panel.available_at[points]
        flags[target[points]] = panel.flags[points]
    return Parts(values, offsets, grid_times[pick], panel.index, available, flags)


def _latest_of_period(group: Ints, times: Ints, reach: NDArray[np.float64], row: Ints, owner: Ints) -> Ints:
    """For each row the latest row of the period it belongs to.

    From the latest row of an axis backwards, a row joins the one after it while that period's latest row is within
    reach and holds, as do the rows between, no value of the same series. Every crowd of near rows takes its next
    step at the same time: O(rows) in all, and as many rounds as the longest crowd has rows.

    Parameters
        group, times, reach : axis, time and reach in microseconds of each row, ascending by (group, times).
        row, owner : the row and the series of each value, ascending by (owner, row).
    """
    leader = np.arange(group.size)
    near = np.zeros(group.size, bool)
    near[:-1] = (group[1:] == group[:-1]) & (np.diff(times) <= reach[:-1])
    following = np.full(row.size, group.size)
    following[:-1] = np.where(owner[1:] == owner[:-1], row[1:], group.size)
    next_own = np.full(group.size, group.size)
    np.minimum.at(next_own, row, following)

    at = np.flatnonzero(~near) - 1
    while (at := at[(at >= 0) & near[at]]).size:
        latest = leader[at + 1]
        joins = (times[latest] - times[at] <= reach[at]) & (next_own[at] > latest)
        leader[at[joins]] = latest[joins]
        at = at - 1
    return leader
