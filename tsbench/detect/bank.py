"""What a pattern becomes before a search: a bank of templates, and the stretches where they may lie."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.evaluate import half_of
from tsbench.patterns import Pattern, evaluate_all
from tsbench.patterns.constraints import Encoded, encode
from tsbench.series import Panel
from tsbench.series.grouped import offsets_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Where = Literal["now", "history", "forming"]
WHERE: tuple[Where, ...] = ("now", "history", "forming")
# A match is "now" when it ends in one of the last two periods; "forming" when at least 60 % of it is there.
RECENT_PERIODS = 2
SIGNS = {"as_drawn": (1.0,), "inverted": (-1.0,), "either": (1.0, -1.0)}
FORMING = (0.6, 0.7, 0.8, 0.9)
# Squares of larger values overflow; no metric is that large, so they count as missing.
LARGEST = 1e100


@dataclass(frozen=True, slots=True)
class Bank:
    """Templates of every scale and channel, as the search kernel reads them.

    flat : all templates end to end. offset : int64 (scales, channels), -1 where a channel has no shape.
    length : int64 (scales,), periods. complete : (scales,), the share of the drawing a scale shows.
    sign : (scales,), -1 for the mirror image. constraints : encoded. gate : prominence.
    """

    flat: Floats
    offset: Ints
    length: Ints
    complete: Floats
    sign: Floats
    constraints: Encoded
    gate: float

    def template(self, scale: int, channel: int) -> Floats:
        """The template of one scale and channel (a view)."""
        at = self.offset[scale, channel]
        return self.flat[at : at + self.length[scale]]


def bank_of(pattern: Pattern, where: Where) -> Bank:
    """The templates of a pattern for one question; "forming" has the first 60 to 90 % of every scale."""
    shares = FORMING if where == "forming" else (1.0,)
    pieces: list[Floats] = []
    offset, length, complete, sign = [], [], [], []
    at = 0
    for m_full in pattern.scales():
        for share in shares:
            m = int(np.rint(share * m_full))
            if m < 4:
                continue
            for s in SIGNS[pattern.polarity]:
                row = []
                for k, channel in enumerate(pattern.channels):
                    if not channel.points:
                        row.append(-1)
                        continue
                    try:
                        pieces.append(s * pattern.template(k, m, complete=share))
                    except BadInput:
                        if share == 1.0:
                            raise
                        row.append(-1)  # the first part of this drawing is flat: nothing to see yet
                        continue
                    row.append(at)
                    at += m
                if all(o < 0 for o in row) or (pattern.combine == "any" and min(row) < 0):
                    continue
                offset.append(row)
                length.append(m)
                complete.append(share)
                sign.append(s)
    if not length:
        raise BadInput(f"no part of {pattern.name!r} has a shape to look for while it is forming; use where='now'")
    return Bank(
        np.concatenate(pieces),
        np.array(offset, np.int64).reshape(len(length), len(pattern.channels)),
        np.array(length, np.int64),
        np.array(complete),
        np.array(sign),
        encode(pattern.constraints, pattern.expressions),
        float(pattern.prominence),
    )


def of_channel(bank: Bank, channel: int) -> Bank:
    """The bank for values that hold only that channel of several alternatives (all of them when it is -1)."""
    if channel < 0:
        return bank
    kinds, channels, low, high = bank.constraints
    mine = channels == channel
    constraints = (kinds[mine], np.zeros(mine.sum(), np.int64), low[mine], high[mine])
    offset = np.ascontiguousarray(bank.offset[:, channel : channel + 1])
    return Bank(bank.flat, offset, bank.length, bank.complete, bank.sign, constraints, bank.gate)


@dataclass(frozen=True, slots=True)
class Stretches:
    """A panel as one pattern sees it: its channels on one grid, and the gap-free runs in which it may lie.

    values : float64 (channels, total). offsets, times, index : of the entities, as in Panel.
    entity, start, stop : int64 per run; values[:, start:stop] has no NaN in `channel` (in all when channel is -1).
    last : int64 per entity: position after the last period with a value in every (any, when alternatives) channel.
    flagged : int64 per entity: flagged points that were left out.
    known : microseconds: when the latest value of the panel became public.
    """

    values: Floats
    offsets: Ints
    times: Ints
    index: pd.DataFrame
    entity: Ints
    start: Ints
    stop: Ints
    channel: Ints
    last: Ints
    flagged: Ints
    known: int

    @property
    def half(self) -> Ints:
        """Per entity, 0 or 1: the half of the companies it belongs to, see `evaluate.half_of`."""
        return half_of(self.index["entity"]).astype(np.int64)

    def of_channel(self, channel: int) -> Floats:
        """The rows of values a run of that channel is searched in: its own, or all for the joint -1."""
        return self.values if channel < 0 else self.values[channel : channel + 1]

    def first_end(self, where: Where) -> Ints:
        """Per run, the earliest end a window may have: 0 for all of history, else within the last two periods."""
        if where == "history":
            return np.zeros(self.entity.size, np.int64)
        return self.last[self.entity] - (RECENT_PERIODS - 1)

    def keep(self, runs: NDArray[np.bool_]) -> "Stretches":
        """Only the runs marked; the entities stay."""
        kept = {name: getattr(self, name)[runs] for name in ("entity", "start", "stop", "channel")}
        return replace(self, **kept)

    def only(self, entities: Ints) -> "Stretches":
        """The entities at these positions (ascending) on their own: a sector, or a chunk of a scan."""
        length = np.diff(self.offsets)[entities]
        offsets = offsets_of(length)
        shift = offsets[:-1] - self.offsets[entities]
        points = np.arange(offsets[-1]) - np.repeat(shift, length)
        position = np.full(len(self.index), -1, np.int64)
        position[entities] = np.arange(entities.size)
        runs = position[self.entity] >= 0
        entity = position[self.entity[runs]]
        return Stretches(
            np.ascontiguousarray(self.values[:, points]),
            offsets,
            self.times[points],
            self.index.iloc[entities].reset_index(drop=True),
            entity,
            self.start[runs] + shift[entity],
            self.stop[runs] + shift[entity],
            self.channel[runs],
            np.where(self.last[entities] > 0, self.last[entities] + shift, 0),
            self.flagged[entities],
            self.known,
        )


def stretches_of(pattern: Pattern, panel: Panel, *, flagged: bool = False) -> Stretches:
    """The pattern's channels over a panel of raw metrics; values with quality flags are missing unless `flagged`."""
    clean = panel if flagged else panel.without_flagged()
    channels = evaluate_all(pattern.expressions, clean)
    values = np.stack([channel.values for channel in channels])
    values[np.abs(values) > LARGEST] = np.nan
    grid = channels[0]
    solid = ~np.isnan(values)
    joint = pattern.combine == "all"
    masks: NDArray[np.bool_] = np.atleast_2d(np.logical_and.reduce(solid)) if joint else solid
    entity, start, stop, channel = [], [], [], []
    for k, mask in enumerate(masks):
        edge = np.zeros(mask.size + 1, bool)
        edge[grid.offsets] = True
        inside = np.r_[False, mask]
        a = np.flatnonzero(mask & (~inside[:-1] | edge[:-1]))
        b = np.flatnonzero(mask & (~np.r_[mask[1:], False] | edge[1:])) + 1
        start.append(a)
        stop.append(b)
        entity.append(np.searchsorted(grid.offsets, a, side="right") - 1)
        channel.append(np.full(a.size, -1 if joint else k))
    runs = [np.concatenate(x).astype(np.int64) for x in (entity, start, stop, channel)]
    order = np.lexsort((runs[1], runs[3], runs[0]))
    usable = masks.any(axis=0)
    position = np.where(usable, np.arange(usable.size) + 1, 0)
    filled = np.diff(grid.offsets) > 0
    last = np.zeros(len(grid), np.int64)
    if usable.size:
        last[filled] = np.maximum.reduceat(position, grid.offsets[:-1][filled])
    doubted = np.zeros(len(grid), np.int64)
    if usable.size and not flagged:
        doubted[filled] = np.add.reduceat((grid.flags > 0).astype(np.int64), grid.offsets[:-1][filled])
    entity_, start_, stop_, channel_ = (x[order] for x in runs)
    known = int(panel.available_at.max()) if panel.available_at.size else 0
    return Stretches(
        values, grid.offsets, grid.times, grid.index, entity_, start_, stop_, channel_, last, doubted, known
    )
