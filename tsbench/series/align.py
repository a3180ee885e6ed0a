"""One time axis per entity and frequency, with a row for every fiscal period."""

from typing import TYPE_CHECKING

import numpy as np

from tsbench.series.calendar import DAY, longest_step_days, missing_in_steps, nominal_days
from tsbench.series.frames import Parts
from tsbench.series.grouped import offsets_of

if TYPE_CHECKING:
    from tsbench.series.panel import Panel


def align(panel: "Panel") -> Parts:
    """See `Panel.aligned`. Values, available_at and flags move with their times; new rows are NaN, unflagged."""
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

    # Periods missing before each row, by the frequency of its axis.
    frequency = panel.index["frequency"].to_numpy()[np.unique(axis_of_series, return_index=True)[1]]
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
    values[target] = panel.values
    available = grid_times[pick]
    available[target] = panel.available_at
    flags = np.zeros(offsets[-1], np.uint8)
    flags[target] = panel.flags
    return Parts(values, offsets, grid_times[pick], panel.index, available, flags)
