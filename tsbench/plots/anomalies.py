"""The series that a detector was fitted on: what it takes for normal, and what lies outside."""

import math
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.detect.anomaly import LARGEST, Judged
from tsbench.errors import BadInput
from tsbench.plots.theme import BLUE, ORANGE, PALE_BLUE, PAPER, QUIET, figure
from tsbench.plots.thin import thin

if TYPE_CHECKING:
    from tsbench.store.series_versions import SeriesVersion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Of more flagged values those farthest out are marked; the line has so many vertices, theirs among them. Both
# together keep a page that carries plotly.js packed below 2 MB.
MOST_FLAGGED, MOST_DRAWN = 2_000, 3_500
# A number that needs more is told as a power of ten.
MOST_DECIMALS = 9
# Letters of a series' name that the figure shows.
LONGEST = 60
# A line of fewer values shows each.
FEW = 120
# Whole seconds since 1970 from 1990 to 2099. The ranges of the four units lie far apart: one at most holds a series.
FIRST, LAST = 631_152_000, 4_102_444_799
# Of each unit: how many are a second, and by what a count is multiplied and divided to give milliseconds.
EPOCHS = {
    "seconds": (1, 1000.0, 1.0),
    "milliseconds": (10**3, 1.0, 1.0),
    "microseconds": (10**6, 1.0, 1e3),
    "nanoseconds": (10**9, 1.0, 1e6),
}
# The browser counts in float64, which holds every whole number up to here.
EXACT = 2**53


class Clock(NamedTuple):
    """How the times of a series are drawn.

    at : where each stands on the axis. title : of the axis, says how times are read. axis : more of its settings.
    """

    at: Floats
    title: str
    axis: dict[str, Any]


def anomalies(version: "SeriesVersion", times: Ints, values: Floats, judged: Judged, *, height: int = 540) -> go.Figure:
    """The series of a version with the band of its detector; every value outside is marked.

    A long series is drawn from fewer values (see `tsbench.plots.thin`), but no flagged value is left out; of more than
    2,000 those farthest out are marked, and the legend says how many there are.

    Parameters
        version : names the figure. times : int64, increasing, shape (n,); see `clock` for how they are read.
        values : one each, NaN = a gap. judged : of these values, by the detector of the version.
        height : pixels.
    Raises     BadInput: times, values and verdicts of different lengths.
    """
    if not times.shape == values.shape == np.shape(judged.anomaly):
        raise BadInput(f"{times.size} times, {values.size} values and {np.size(judged.anomaly)} verdicts; one of each")
    flagged = np.flatnonzero(judged.anomaly)
    marked = _farthest(flagged, judged.score)
    shown = np.union1d(thin(times, values, MOST_DRAWN - marked.size), marked)
    read = clock(times)
    fig = figure(height=height)
    _draw_line(fig, read.at[shown], values[shown])
    _draw_marks(fig, read.at[marked], values[marked], judged.score[marked], _counted(flagged.size, marked.size))
    _draw_band(fig, judged, _reach(values, judged))
    subtitle = {"text": _told(version, values.size, shown.size), "font": {"size": 12, "color": QUIET}}
    place = {"xref": "container", "x": 0, "yref": "container", "y": 1, "pad": {"t": 6}}
    fig.update_layout(
        title={"text": _headline(flagged.size, values.size, judged), "subtitle": subtitle, "font_size": 15, **place},
        xaxis={"title": {"text": read.title}, **read.axis},
        yaxis={"title": {"text": "value"}},
        margin={"t": 78, "b": 8},
        # below the words of the axis, where more rows of a narrow window find room
        legend={"y": -64 / max(height - 150, 64), "yanchor": "top"},
        showlegend=True,
        modebar={"remove": ["select2d", "lasso2d"]},
    )
    return fig


def clock(times: Ints) -> Clock:
    """Times as dates where the whole series, so read, lies from 1990 to 2099; else as plain numbers.

    Dates are tried as seconds, milliseconds, microseconds and nanoseconds since 1970. Plain numbers beyond 2^53, which
    a browser cannot tell apart, are counted from the first.

    Parameters
        times : increasing, at least one.
    """
    first, last = int(times[0]), int(times[-1])
    for unit, (per_second, times_by, divided_by) in EPOCHS.items():
        if FIRST * per_second <= first and last < (LAST + 1) * per_second:
            at = times.astype(np.float64) * times_by / divided_by
            return Clock(at, f"time (UTC, from epoch {unit})", {"type": "date"})
    plain = {"type": "linear", "exponentformat": "none", "separatethousands": True}
    if max(abs(first), abs(last)) <= EXACT:
        return Clock(times.astype(np.float64), "time (as sent)", plain)
    # the difference of two int64 may need 64 bits, which uint64 has
    since = times.astype(np.uint64) - np.uint64(first % 2**64)
    return Clock(since.astype(np.float64), f"time (as sent, less {first:,})", plain)


def _farthest(flagged: NDArray[np.intp], score: Floats) -> NDArray[np.intp]:
    """The flagged positions to mark, in order."""
    if flagged.size <= MOST_FLAGGED:
        return flagged
    return np.sort(flagged[np.argpartition(-score[flagged], MOST_FLAGGED)[:MOST_FLAGGED]])


def _draw_line(fig: go.Figure, x: Floats, y: Floats) -> None:
    few = x.size <= FEW
    fig.add_scatter(
        x=x,
        y=y,
        name="values",
        mode="lines+markers" if few else "lines",
        line={"color": BLUE, "width": 1.8 if few else 1.1},
        marker={"color": BLUE, "size": 6},
        hovertemplate="%{x}<br>%{y:.12~g}<extra></extra>",
    )


def _draw_marks(fig: go.Figure, x: Floats, y: Floats, score: Floats, name: str) -> None:
    few = x.size <= FEW
    fig.add_scatter(
        x=x,
        y=y,
        customdata=np.minimum(score, np.finfo(np.float32).max).astype(np.float32),
        name=name,
        mode="markers",
        marker={"color": ORANGE, "size": 10 if few else 6, "line": {"color": PAPER, "width": 1.2 if few else 0.6}},
        hovertemplate="<b>flagged</b><br>%{x}<br>%{y:.12~g}, %{customdata:.3~g} spreads out<extra></extra>",
    )


def _draw_band(fig: go.Figure, judged: Judged, reach: tuple[float, float]) -> None:
    """What is normal, its limits, and the level, from edge to edge however far the reader goes."""
    lower, upper, level = judged.lower, judged.upper, judged.expected
    bottom, top = reach
    # no side without a limit ends in sight
    below, above = max(bottom - 50 * (top - bottom), -LARGEST), min(top + 50 * (top - bottom), LARGEST)
    across: dict[str, Any] = {"xref": "x domain", "x0": 0, "x1": 1}
    fig.add_shape(
        type="rect",
        **across,
        y0=below if lower is None else lower,
        y1=above if upper is None else upper,
        layer="below",
        fillcolor=PALE_BLUE,
        opacity=0.45,
        line={"width": 0},
        name=f"normal: {_normal(judged)}",
        showlegend=True,
    )
    for limit in _limits(judged):
        fig.add_shape(type="line", **across, y0=limit, y1=limit, line={"color": BLUE, "width": 1.2})
    dashed = {"color": QUIET, "width": 1.2, "dash": "4px,4px"}
    said = f"expected: {_amount(level, judged)}"
    fig.add_shape(type="line", **across, y0=level, y1=level, line=dashed, name=said, showlegend=True)
    fig.update_yaxes(range=reach)


def _reach(values: Floats, judged: Judged) -> tuple[float, float]:
    """The stretch of values that the figure opens on: everything that it draws, and air."""
    known = values[np.isfinite(values)]
    drawn = [judged.expected, *_limits(judged)]
    if known.size:
        drawn += [float(known.min()), float(known.max())]
    bottom, top = min(drawn), max(drawn)
    air = 0.07 * top - 0.07 * bottom
    return max(bottom - air, -LARGEST), min(top + air, LARGEST)


def _headline(flagged: int, points: int, judged: Judged) -> str:
    where = {"upper": "above", "lower": "below", "both": "outside"}[judged.side]
    return f"<b>{f'{flagged:,}' if flagged else 'None'} of {points:,} values {where} {_span(judged)}</b>"


def _told(version: "SeriesVersion", points: int, shown: int) -> str:
    """Which version this is and, in a second line, how much of it is drawn."""
    name = version.series_id if len(version.series_id) <= LONGEST else version.series_id[: LONGEST - 1] + "…"
    when = f"{version.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    told = f"{escape(name, quote=False)}, version {version.version}: {version.model}, fitted {when}"
    return f"{told}<br>" + (f"drawn from {points:,} values, {shown:,} shown" if shown < points else "every value shown")


def _counted(flagged: int, marked: int) -> str:
    return f"flagged: {flagged:,}" + (f", the {marked:,} farthest out marked" if marked < flagged else "")


def _normal(judged: Judged) -> str:
    return {"upper": "up to ", "lower": "from ", "both": ""}[judged.side] + _span(judged)


def _span(judged: Judged) -> str:
    return " to ".join(_amount(limit, judged) for limit in _limits(judged))


def _limits(judged: Judged) -> list[float]:
    return [limit for limit in (judged.lower, judged.upper) if limit is not None]


def _amount(value: float, judged: Judged) -> str:
    """A value to a thousandth of the way from the level to a limit."""
    way = abs(_limits(judged)[0] - judged.expected)
    decimals = max(3 - math.floor(math.log10(way)), 0) if way > 0 else MOST_DECIMALS + 1
    if abs(value) >= 1e15 or decimals > MOST_DECIMALS:
        return f"{value:.5g}".replace("-", "−")
    # no minus before what is rounded to zero
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", "−")
