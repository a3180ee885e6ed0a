"""The channels of a pattern as a figure shows them: in their units, on their dates, against the median company."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.patterns import Pattern, evaluate_all
from tsbench.plots.units import Unit, unit_of
from tsbench.series import Panel
from tsbench.series.calendar import period_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Fewer companies than this have no median worth a line.
FEWEST_FOR_MEDIAN = 5


@dataclass(frozen=True, slots=True)
class Window:
    """A company's channel around a stretch.

    times, values : the periods shown; a logarithm is undone, so values are in the channel's unit. NaN = missing or
        left out.
    inside : which of them belong to the stretch.
    left_out : the doubtful values, NaN elsewhere.
    """

    times: Ints
    values: Floats
    inside: NDArray[np.bool_]
    left_out: Floats


@dataclass(frozen=True, slots=True)
class View:
    """One channel evaluated over a whole panel, with and without the doubtful values."""

    expression: str
    unit: Unit
    clean: Panel
    full: Panel

    def window(self, entity: str, start: pd.Timestamp, end: pd.Timestamp, *, before: int, after: int) -> Window | None:
        """The stretch from start to end (both shown) and the context around it; None when the entity has no value."""
        row = np.flatnonzero(self.clean.index["entity"].to_numpy() == entity)
        if not row.size:
            return None
        times, values = self.clean.series(int(row[0]))
        full = self.full.series(int(row[0]))[1]
        a, b = np.searchsorted(times, [_micros(start), _micros(end)])
        part = slice(max(a - before, 0), min(b + 1 + after, times.size))
        inside = np.zeros(times.size, bool)
        inside[a : b + 1] = True
        left_out = np.where(np.isnan(values), full, np.nan)
        return Window(times[part], values[part], inside[part], left_out[part])

    def median(self, window: Window) -> Floats:
        """The median company at each time of the window, NaN where fewer than five report.

        Shares are compared as they are. Money is not comparable between companies: there the median is of each
        company's value over its value when the stretch began, drawn from this company's value at that time.
        """
        frequency = str(self.clean.index["frequency"].iloc[0])
        quarter = period_of(self.clean.times, frequency)
        values = self.clean.values
        wanted = period_of(window.times, frequency)
        if self.unit.kind != "share":
            begin = int(np.flatnonzero(window.inside)[0])
            base = np.full(len(self.clean), np.nan)
            owner = np.repeat(np.arange(len(self.clean)), np.diff(self.clean.offsets))
            at = (quarter == wanted[begin]) & (values > 0)
            base[owner[at]] = values[at]
            values = values / base[owner] * window.values[begin]
        usable = np.isin(quarter, wanted) & np.isfinite(values)
        by_quarter = pd.Series(values[usable]).groupby(quarter[usable]).agg(["median", "count"])
        enough = by_quarter.loc[by_quarter["count"] >= FEWEST_FOR_MEDIAN, "median"]
        return enough.reindex(wanted).to_numpy(np.float64)


def views(pattern: Pattern, panel: Panel, expressions: Sequence[str] | None = None) -> dict[str, View]:
    """The pattern's channels (or some of them) over the panel, by expression."""
    return view(tuple(pattern.expressions if expressions is None else expressions), panel)


def view(expressions: Sequence[str], panel: Panel) -> dict[str, View]:
    """Expressions over the panel, each in its unit: a logarithm is undone, and drawn on a logarithmic axis."""
    linear = tuple(_without_log(e) for e in expressions)
    both = zip(expressions, evaluate_all(linear, panel.without_flagged()), evaluate_all(linear, panel), strict=True)
    return {e: View(e, unit_of(e), clean, full) for e, clean, full in both}


def fitted(pattern: Pattern, expression: str, window: Window, unit: Unit, complete: float = 1.0) -> Floats:
    """The pattern's shape over the stretch, scaled and shifted to the values by least squares.

    NaN outside the stretch, and everywhere for a channel without a shape or a stretch with fewer than three values.
    Of a logarithmic channel the logarithm is fitted.
    """
    out = np.full(window.times.size, np.nan)
    place = np.flatnonzero(window.inside)
    channel = pattern.channels[pattern.expressions.index(expression)]
    y = window.values[place]
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(y) if unit.log else y
    known = np.isfinite(y)
    if not channel.points or known.sum() < 3:
        return out
    shape = pattern.template(expression, place.size, complete=complete)
    design = np.stack([np.ones(known.sum()), shape[known]], axis=1)
    level, size = np.linalg.lstsq(design, y[known], rcond=None)[0]
    line = level + size * shape
    out[place] = np.exp(line) if unit.log else line
    return out


def _without_log(expression: str) -> str:
    node = ast.parse(expression, mode="eval").body
    if unit_of(expression).log and isinstance(node, ast.Call):
        return ast.unparse(node.args[0])
    return expression


def _micros(moment: pd.Timestamp) -> int:
    return int(pd.Timestamp(moment).as_unit("us").to_numpy().astype(np.int64))
