"""Joining two sources of one series, on request and with a report: nothing is ever joined silently."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.errors import BadInput, NotFound
from tsbench.series.calendar import DAY, NOMINAL_DAYS, missing_periods
from tsbench.series.frames import Floats, Ints
from tsbench.series.grouped import offsets_of
from tsbench.series.identity import KEY_COLUMNS
from tsbench.series.panel import Panel

IDENTITY = ["entity", "metric", "frequency", "basis"]
# Two sources may label one period a few days apart (31 March, or the Saturday before).
SAME_PERIOD = 0.25


@dataclass(frozen=True, slots=True)
class SpliceReport:
    """What joining did, one row per series.

    table : entity, metric, frequency, basis; older, newer (points used of each); overlap (periods both have); ratio
        (median of newer / older over the overlap, NaN without one: 1.0 = the sources agree); ratio_low, ratio_high
        (its quartiles: far apart = the sources measure different things); hole (fiscal periods missing at the
        seam); rescaled.
    only_older, only_newer : series that had no partner and were carried over as they are.
    """

    table: pd.DataFrame
    only_older: int
    only_newer: int

    def __str__(self) -> str:
        t = self.table
        apart = int(((t["ratio"] - 1).abs() > 0.05).sum())
        return (
            f"{len(t)} series joined; {int((t['overlap'] == 0).sum())} without overlap, {apart} with sources more than "
            f"5 % apart, {int((t['hole'] > 0).sum())} with a hole at the seam; {self.only_older} only in the older "
            f"source, {self.only_newer} only in the newer"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.table.to_html(index=False, max_rows=20)}"


def splice(
    panel: Panel, older: str | Panel, newer: str | None = None, *, rescale: bool = False
) -> tuple[Panel, SpliceReport]:
    """The series of two sources as one, the newer taking over at its first period.

    Parameters
        panel : holds both sources; or, with `older` a Panel and no `newer`, the newer one itself.
        older, newer : names of the two sources in `panel.index.source`. Series pair up by entity, metric, frequency
            and basis.
        rescale : multiply the older values by the median ratio of the overlap, so that the level does not jump at
            the seam; without an overlap nothing is rescaled.
    Returns
        (Panel, SpliceReport). Joined series carry the source "older+newer"; of the older source only periods before
        the newer's first are used, and a hole at the seam stays a hole. Values missing (NaN) in the newer stay so.
    Raises     NotFound: a named source is not in the panel. BadInput: a source pairs with itself.
    """
    first, second = _two_panels(panel, older, newer)
    rows_of = {tuple(row): i for i, row in enumerate(first.index[IDENTITY].itertuples(index=False))}
    if len(rows_of) < len(first) or second.index.duplicated(subset=IDENTITY).any():
        raise BadInput("a side of the splice has one series from several sources; select one source of each first")
    table: list[tuple[object, ...]] = []
    pieces = [_points(second, i) for i in range(len(second))]
    source = second.index["source"].to_numpy(dtype=object).copy()
    joined: set[int] = set()
    for i, row in enumerate(second.index[IDENTITY].itertuples(index=False)):
        partner = rows_of.get(tuple(row))
        if partner is not None:
            joined.add(partner)
            pieces[i], facts = _join(_points(first, partner), pieces[i], str(row.frequency), rescale)
            source[i] = f"{first.index['source'].iloc[partner]}+{source[i]}"
            table.append((*row, *facts))
    alone = [i for i in range(len(first)) if i not in joined]
    pieces += [_points(first, i) for i in alone]
    index = pd.concat([second.index.assign(source=source), first.index.iloc[alone]], ignore_index=True)
    columns = [*IDENTITY, "older", "newer", "overlap", "ratio", "ratio_low", "ratio_high", "hole", "rescaled"]
    report = SpliceReport(pd.DataFrame(table, columns=columns), len(alone), len(second) - len(table))
    return _assemble(pieces, index), report


class Points(NamedTuple):
    """One series."""

    values: Floats
    times: Ints
    available_at: Ints
    flags: NDArray[np.uint8]


def _points(panel: Panel, i: int) -> Points:
    part = slice(panel.offsets[i], panel.offsets[i + 1])
    return Points(panel.values[part], panel.times[part], panel.available_at[part], panel.flags[part])


def _assemble(pieces: list[Points], index: pd.DataFrame) -> Panel:
    order = index.sort_values(list(KEY_COLUMNS), kind="stable").index.to_numpy()
    ordered = [pieces[i] for i in order]
    offsets = offsets_of(np.array([p.values.size for p in ordered], dtype=np.int64))
    values, times, available_at, flags = (np.concatenate(column) for column in zip(*ordered, strict=True))
    return Panel.from_parts(values, offsets, times, index.iloc[order], available_at, flags)


def _two_panels(panel: Panel, older: str | Panel, newer: str | None) -> tuple[Panel, Panel]:
    if isinstance(older, Panel):
        if newer is not None:
            raise BadInput(f"two panels need no source name, got newer={newer!r}; or name both sources of one panel")
        return older, panel
    if newer is None or newer == older:
        raise BadInput(f"name two different sources, got older={older!r} and newer={newer!r}")
    source = panel.index["source"].to_numpy()
    for name in (older, newer):
        if name not in source:
            raise NotFound(f"the panel has no source {name!r}; it has {', '.join(map(repr, sorted(set(source))))}")
    return panel.take(source == older), panel.take(source == newer)


def _join(older: Points, newer: Points, frequency: str, rescale: bool) -> tuple[Points, tuple[object, ...]]:
    tolerance = int(SAME_PERIOD * NOMINAL_DAYS.get(frequency, 0.0) * DAY)
    ratios = _overlap_ratios(older, newer, tolerance)
    low, ratio, high = np.quantile(ratios, [0.25, 0.5, 0.75]) if ratios.size else (np.nan, np.nan, np.nan)
    rescaled = rescale and bool(ratio > 0)
    before = older.times < newer.times[0] - tolerance if newer.times.size else np.ones(older.times.size, dtype=bool)
    seam = np.concatenate([older.times[before][-1:], newer.times[:1]])
    hole = int(missing_periods(seam, frequency).sum())
    whole = Points(
        np.concatenate([older.values[before] * (ratio if rescaled else 1.0), newer.values]),
        np.concatenate([older.times[before], newer.times]),
        np.concatenate([older.available_at[before], newer.available_at]),
        np.concatenate([older.flags[before], newer.flags]),
    )
    return whole, (int(before.sum()), newer.values.size, ratios.size, ratio, low, high, hole, rescaled)


def _overlap_ratios(older: Points, newer: Points, tolerance: int) -> Floats:
    """newer / older for every period both have, the labels being at most `tolerance` microseconds apart."""
    if not older.times.size:
        return np.zeros(0)
    right = np.clip(np.searchsorted(older.times, newer.times), 0, older.times.size - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = np.abs(newer.times - older.times[left]) <= np.abs(older.times[right] - newer.times)
    nearest = np.where(nearer_left, left, right)
    same = np.abs(older.times[nearest] - newer.times) <= tolerance
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = newer.values[same] / older.values[nearest[same]]
    return ratios[np.isfinite(ratios)]
