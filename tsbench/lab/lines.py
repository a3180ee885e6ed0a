"""What the page draws of whole series: lines on a common time axis, in whole numbers, small enough to send at once."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from tsbench.lab.cards import day, month
from tsbench.patterns.expressions import PERIODS_PER_YEAR
from tsbench.plots.channels import View
from tsbench.plots.thin import thin
from tsbench.plots.units import Unit, amount, ticks, words
from tsbench.series.scaling import scale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scale = Literal["values", "log", "index100", "zscore"]
SCALES: tuple[Scale, ...] = get_args(Scale)
# Places on the page are whole numbers from 0 to these.
WIDTH, HEIGHT = 2000, 1000
# A longer line is drawn from so many of its values.
MOST_POINTS = 1_000
MOST_TICKS = 8
MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600)
PLAIN = Unit("number")


class Line(NamedTuple):
    """A company's series in one channel.

    values : on the scale asked, NaN = missing or not to be had on it. heights : the same, or their logarithms where the
    axis is logarithmic. doubted : rests on a doubtful value. omitted : values that the scale or the axis cannot show.
    """

    symbol: str
    times: Ints
    values: Floats
    heights: Floats
    doubted: NDArray[np.bool_]
    omitted: int

    def few(self) -> "Line":
        """So many that the page draws them at once: see `thin` for what is kept; all that are doubted are."""
        kept = thin(self.times, self.heights, MOST_POINTS)
        if kept.size == self.values.size:
            return self
        kept = np.union1d(kept, np.flatnonzero(self.doubted))
        parts = (self.times[kept], self.values[kept], self.heights[kept], self.doubted[kept])
        return Line(self.symbol, *parts, self.omitted)


def chart(views: Sequence[View], symbols: Sequence[str], how: Scale) -> dict[str, Any]:
    """Series of several companies, a lane per channel, as plain JSON values.

    Parameters
        views : the channels over a panel. symbols : the companies drawn. how : "values" in units, a logarithm on a
            logarithmic axis; "log" every channel on one; "index100" first value 100, nothing where that is not
            positive; "zscore" mean 0, deviation 1.
    Returns
        from, to ("1993-12"), years: [(place, "2000")]; lanes: title, expression, ticks [(height, "$10B")], values and
        shown (how many there are, and are drawn), omitted (those that the scale cannot show), lines: symbol, x and y
        (whole numbers from 0 to 2000 and 1000; None where a value is missing), text (each value in its unit), when
        ("2003-06"), doubted (positions of doubtful values).
    """
    drawn = [lines(view, symbols, how) for view in views]
    times = [line.times for lane in drawn for line in lane if line.times.size]
    low, high = (int(min(t[0] for t in times)), int(max(t[-1] for t in times))) if times else (0, 0)
    return {
        "from": month(low) if times else "",
        "to": month(high) if times else "",
        "years": _dates(low, high) if times else [],
        "lanes": [_lane(view, lane, how, low, high) for view, lane in zip(views, drawn, strict=True)],
    }


def lines(view: View, symbols: Sequence[str], how: Scale) -> list[Line]:
    """The series of a channel for those of the companies that have it, in their order; `how` as in `chart`."""
    place = {entity: i for i, entity in enumerate(view.full.index["entity"])}
    return [_line(symbol, view, place[symbol], how) for symbol in symbols if symbol in place]


def _line(symbol: str, view: View, row: int, how: Scale) -> Line:
    times, known = view.full.series(row)
    doubted = np.isnan(view.clean.series(row)[1]) & ~np.isnan(known)
    values, whole = known, np.array([0, known.size])
    if how == "zscore" or (how == "index100" and _first(known) > 0):
        values = scale(known, whole, how)
    elif how == "index100":
        values = np.full_like(known, np.nan)
    heights = scale(values, whole, "log") if _logarithmic(view, how) else values
    omitted = int((np.isnan(heights) & ~np.isnan(known)).sum())
    return Line(symbol, times, values, heights, doubted, omitted)


def _logarithmic(view: View, how: Scale) -> bool:
    return how == "log" or (how == "values" and view.unit.log)


def _lane(view: View, drawn: list[Line], how: Scale, low: int, high: int) -> dict[str, Any]:
    unit = view.unit if how in ("values", "log") else PLAIN
    few = [line.few() for line in drawn]
    known = np.concatenate([np.zeros(0), *(line.heights for line in few)])
    known = known[np.isfinite(known)]
    bottom, top = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    pad = max(0.5, abs(bottom) * 1e-6)
    bottom, top = (bottom, top) if top - bottom > abs(bottom) * 1e-12 else (bottom - pad, top + pad)
    marks = _powers(bottom, top, unit) if _logarithmic(view, how) else list(zip(*ticks(bottom, top, unit), strict=True))
    when = month if str(view.full.index["frequency"].iloc[0]) in PERIODS_PER_YEAR else day
    return {
        "title": words(view.expression),
        "expression": view.expression,
        "ticks": [(_place(at, bottom, top, HEIGHT), text) for at, text in marks] if known.size else [],
        "values": sum(line.values.size for line in drawn),
        "shown": sum(line.values.size for line in few),
        "omitted": sum(line.omitted for line in drawn),
        "lines": [
            {
                "symbol": line.symbol,
                "x": [_place(t, low, max(high, low + 1), WIDTH) for t in line.times.tolist()],
                "y": [None if v != v else _place(v, bottom, top, HEIGHT) for v in line.heights.tolist()],
                "text": [amount(v, unit) for v in line.values.tolist()],
                "when": [when(t) for t in line.times.tolist()],
                "doubted": np.flatnonzero(line.doubted).tolist(),
            }
            for line in few
        ],
    }


def _first(values: Floats) -> float:
    solid = values[~np.isnan(values)]
    return float(solid[0]) if solid.size else np.nan


def _place(value: float, low: float, high: float, reach: int) -> int:
    # halved, for the distance of two numbers may be more than a number can hold
    return round((value / 2 - low / 2) / (high / 2 - low / 2) * reach)


def _powers(low: float, high: float, unit: Unit) -> list[tuple[float, str]]:
    """Round values of a logarithmic axis from exp(low) to exp(high), as their logarithms and how they are written."""
    first, last = int(np.floor(low / np.log(10))), int(np.ceil(high / np.log(10)))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        marks = [m * 10.0**k for k in range(first, last + 1) for m in steps if low <= np.log(m * 10.0**k) <= high]
        if len(marks) <= 5:
            break
    else:
        marks = marks[:: -(-len(marks) // 5)]
    if len(marks) < 2:
        marks = ticks(float(np.exp(low)), float(np.exp(high)), unit)[0]
    return [(float(np.log(mark)), amount(mark, unit).replace(".0", "")) for mark in marks if mark > 0]


def _dates(low: int, high: int) -> list[tuple[int, str]]:
    """Round dates from low to high, as places and how they are written."""
    first, last = (np.array([low, high]).astype("datetime64[us]").astype("datetime64[M]")).astype(np.int64)
    step = next((m for m in MONTHS if (last - first) // m <= MOST_TICKS), MONTHS[-1])
    months = np.arange(-(-first // step) * step, last + 1, step)
    starts = months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
    out = []
    for number, at in zip(months.tolist(), starts.tolist(), strict=True):
        if low <= at <= high:
            text = str(np.datetime64(number, "M"))
            out.append((_place(at, low, max(high, low + 1), WIDTH), text[:4] if step >= 12 else text))
    return out
