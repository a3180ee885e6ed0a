"""What was public of a channel on a day, and what came after: one answer for every company of a panel."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.errors import BadInput, NotFound
from tsbench.evaluate.episodes import NO_DATE
from tsbench.patterns import evaluate, evaluate_all
from tsbench.series import Panel
from tsbench.series.calendar import DAY, is_live, nominal_days
from tsbench.series.frames import microseconds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
REACHED, ENDED, NOT_YET, NO_VALUE = "reached", "ended", "not yet", "no value"
# A value so many periods older than the time it is wanted for still stands for it; an older one does not.
STALE = 2


class Paths:
    """One channel of every company, values one after the other; a position points into them, -1 is none.

    panel : raw metrics. expression : the channel.
    """

    def __init__(self, expression: str, panel: Panel) -> None:
        channel = evaluate(expression, panel)
        self.values, self.times, self.available = channel.values, channel.times, channel.available_at
        self.entities = channel.index["entity"].to_numpy(dtype=object)
        self.frequency = str(channel.index["frequency"].iloc[0])
        self.period = float(nominal_days([self.frequency])[0]) * DAY
        self.start, self.stop = channel.offsets[:-1], channel.offsets[1:]
        self.series = np.repeat(np.arange(len(channel)), np.diff(channel.offsets))
        self.filled = self._latest(np.isfinite(self.values))
        last = self.filled[self.stop - 1]
        ends = self.times[last]
        self.newest = int(ends[last >= 0].max()) if (last >= 0).any() else 0
        self.live = is_live(ends, self.newest, self.frequency) & (last >= 0)

    def _latest(self, good: NDArray[np.bool_]) -> Ints:
        """At each position, the last good one of its series up to there."""
        place = np.maximum.accumulate(np.where(good, np.arange(good.size), -1))
        return np.where(place >= self.start[self.series], place, -1)

    def public(self, day: int, end: int) -> Ints:
        """Per company, its last value that was public on `day`, if that is of `end` or not long before."""
        place = self._latest(np.isfinite(self.values) & (self.available <= day))[self.stop - 1]
        fresh = self.times[place] >= end - (STALE + 0.5) * self.period
        return np.where(fresh, place, -1)

    def after(self, base: Ints, horizon: int) -> tuple[Ints, NDArray[np.object_]]:
        """The last value up to `horizon` periods after each base (all >= 0), and the outcome.

        Every value after a base became public later than it did: the base was the last one that was.
        """
        stop = self.stop[self.series[base]]
        last, target = self.filled[stop - 1], base + horizon
        place = self.filled[np.minimum(target, stop - 1)]
        due = self.times[last] + np.maximum(target - last, 1) * self.period
        beyond = self.live[self.series[base]] | (due > self.newest + self.period / 2)
        here = np.where((place > base) & (target - place <= STALE), REACHED, NO_VALUE)
        return place, np.where(target <= last, here, np.where(beyond, NOT_YET, ENDED))

    def changes(self, base: Ints, horizon: int) -> Floats:
        """The changes of those that reached the horizon or ended before it."""
        place, outcome = self.after(base, horizon)
        counted = np.isin(outcome, (REACHED, ENDED))
        return self.values[place[counted]] - self.values[base[counted]]

    def told(self, base: Ints, horizon: int) -> dict[str, object]:
        """One company's outcome in full, from its base; an empty `base` is none."""
        told = {"outcome": NO_VALUE, "from": NO_DATE, "base": np.nan, "to": NO_DATE, "value": np.nan, "change": np.nan}
        if not base.size:
            return told
        at = base[0]
        place, outcome = (found[0] for found in self.after(base, horizon))
        told |= {"outcome": outcome, "from": self.times[at], "base": self.values[at]}
        if outcome in (REACHED, ENDED):
            value = self.values[place]
            told |= {"to": self.times[place], "value": value, "change": value - self.values[at]}
        return told


def known(matches: pd.DataFrame, panel: Panel) -> tuple[Ints, Ints]:
    """When every figure of each match, from its first to its last period, was public; and when that last one ended."""
    start, end = (microseconds(matches[column], column) for column in ("start", "end"))
    channels = [tuple(names) for names in matches["channels"]]
    poor = np.flatnonzero((start == NO_DATE) | (end == NO_DATE) | np.array([not c for c in channels], bool))
    if poor.size:
        raise BadInput(f"the match of {matches['entity'].iloc[poor[0]]} lacks a date or a channel; leave it out")
    public = np.zeros(len(matches), np.int64)
    for group in dict.fromkeys(channels):
        channel = evaluate_all(group, panel)[0]
        period = float(nominal_days([str(channel.index["frequency"].iloc[0])])[0]) * DAY
        near = period / 2 if np.isfinite(period) else 0.0
        row = {entity: j for j, entity in enumerate(channel.index["entity"])}
        for i in (i for i, names in enumerate(channels) if names == group):
            entity = matches["entity"].iloc[i]
            part = slice(*channel.offsets[row[entity] : row[entity] + 2]) if entity in row else slice(0)
            inside = (channel.times[part] >= start[i] - near) & (channel.times[part] <= end[i] + near)
            if not (channel.times[part][inside] >= end[i] - near).any():
                day = f"{matches['end'].iloc[i]:%Y-%m-%d}"
                raise NotFound(f"the panel has no {' or '.join(group)} of {entity} in the period that ends {day}")
            public[i] = channel.available_at[part][inside].max()
    return public, end
