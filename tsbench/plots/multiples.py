"""Small multiples: each match with its raw values, its dates, its context, and the drawing laid over it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.patterns import Pattern
from tsbench.plots.channels import View, Window, fitted, views
from tsbench.plots.lines import dates, hollow, line
from tsbench.plots.theme import DRAWN, FOUND, LINE, QUIET, UNIVERSE, figure, label
from tsbench.plots.units import Unit, ticks, words
from tsbench.series import Panel
from tsbench.series.calendar import DAY

Floats = NDArray[np.float64]
Match = dict[str, Any]
NEEDED = {"entity", "start", "end", "channels"}
# Periods of context: at least so many, and as a multiple of the match's length.
BEFORE, AFTER = (12, 1.5), (8, 1.0)
TITLE_PIXELS, GAP_PIXELS, TOP_PIXELS, BOTTOM_PIXELS = 40, 28, 34, 22
COMPANY, DRAWING, MEDIAN, DOUBTED = LEGEND = (
    "this company",
    "the drawing, scaled to fit",
    "median company",
    "doubtful value, left out",
)
YEAR = 365.25 * DAY


def matches(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern, *, universe: Panel | None = None, height: int = 108
) -> go.Figure:
    """One row per match with a small figure per channel; for alternatives (combine="any") a small figure per match.

    Each shows the values in their own unit on their own dates with context on both sides, the matched stretch shaded,
    the drawing scaled to it by least squares, the median company in grey and left-out values hollow.

    Parameters
        panel : the series that were scanned; one frequency, basis and source per metric.
        matches : rows of a scan in the order to draw: entity, start, end, channels; name, length, complete and q_value
            if known.
        pattern : what was looked for.
        universe : the companies the grey median is taken over; None = those of `panel`.
        height : pixels of one small figure.
    Raises     BadInput: a column is missing.
    """
    absent = NEEDED - set(matches.columns)
    if absent:
        raise BadInput(
            f"the matches lack {', '.join(sorted(absent))}; they have {', '.join(map(str, matches.columns))}"
        )
    if matches.empty:
        return _nothing()
    joint = pattern.combine == "all"
    rows: list[Match] = [{str(k): v for k, v in row.items()} for row in matches.to_dict("records")]
    cells = [(i, row, e) for i, row in enumerate(rows) for e in (pattern.expressions if joint else row["channels"][:1])]
    shown = list(dict.fromkeys(e for _, _, e in cells))
    own = views(pattern, panel, shown)
    background = own if universe is None else views(pattern, universe, shown)
    grid = _Grid(len(cells), len(pattern.channels) if joint else 3, height)
    fig = figure(height=grid.pixels)
    for place, (i, row, expression) in enumerate(cells):
        axes = grid.axes(fig, place)
        if joint and place % grid.columns == 0:
            grid.title(fig, place, f"{_name(i + 1, row)} <span style='color:{QUIET}'>{_dates(row)}</span>")
        elif not joint:
            grid.title(fig, place, _name(i + 1, row))
        grid.subtitle(fig, place, words(expression) if joint else f"{words(expression)}, {_dates(row)}")
        _Small(fig, axes, own[expression], background[expression]).draw(pattern, row)
    return fig.update_layout(
        margin={"t": TOP_PIXELS, "b": BOTTOM_PIXELS, "l": 4, "r": 4},
        legend={"y": 1 + 4 / grid.inner, "itemclick": False, "itemdoubleclick": False},
    )


@dataclass(frozen=True, slots=True)
class _Small:
    """One small figure: one channel of one match."""

    fig: go.Figure
    axes: dict[str, str]
    view: View
    background: View

    def draw(self, pattern: Pattern, row: Match) -> None:
        """Shade, median, values, drawing and left-out points, from back to front."""
        length = int(row.get("length") or BEFORE[0])
        before, after = (int(max(least, times * length)) for least, times in (BEFORE, AFTER))
        window = self.view.window(row["entity"], row["start"], row["end"], before=before, after=after)
        if window is None or not window.inside.any():
            return
        drawn = fitted(pattern, self.view.expression, window, self.view.unit, float(row.get("complete") or 1.0))
        median = self.background.median(window)
        stretch = dates(window.times[window.inside])
        self.fig.add_shape(
            type="rect", x0=stretch[0], x1=stretch[-1], y0=0, y1=1, xref=self.axes["xaxis"],
            yref=f"{self.axes['yaxis']} domain", fillcolor=FOUND, line_width=0, layer="below",
        )  # fmt: skip
        self._line(MEDIAN, window, median, UNIVERSE, width=1.3)
        self._line(COMPANY, window, window.values, LINE)
        self._line(DRAWING, window, drawn, DRAWN, width=2.4, dash="6px,3px")
        limits = _limits(window, drawn, median, self.view.unit)
        self._left_out(window, limits)
        self._scale(window, limits)

    def _line(self, name: str, window: Window, values: Floats, colour: str, **style: Any) -> None:
        if np.isfinite(values).any():
            self._trace(name, line(window.times, values, self.view.unit, colour))
            self.fig.data[-1].line.update(style)

    def _left_out(self, window: Window, limits: tuple[float, float]) -> None:
        """Doubted values; one out of range stands at the edge and tells its value to the pointer."""
        doubted = np.isfinite(window.left_out)
        if doubted.any():
            told = line(window.times, window.left_out, self.view.unit, LINE)["text"]
            said = [f"{text}, {DOUBTED}" for text, doubt in zip(told, doubted, strict=True) if doubt]
            self._trace(DOUBTED, hollow(window.times[doubted], np.clip(window.left_out[doubted], *limits), said))

    def _trace(self, name: str, arguments: dict[str, Any]) -> None:
        new = all(trace.name != name for trace in self.fig.data)
        legend = {"legendgroup": name, "legendrank": LEGEND.index(name), "showlegend": new}
        self.fig.add_scatter(**arguments, **self.axes, **legend, name=name)

    def _scale(self, window: Window, limits: tuple[float, float]) -> None:
        log = self.view.unit.log
        ends = np.log10(limits) if log else np.array(limits)
        places, texts = ticks(*limits, self.view.unit)
        years = (window.times[-1] - window.times[0]) / YEAR
        x, y = (self.fig.layout[name + self.axes[name][1:]] for name in ("xaxis", "yaxis"))
        x.update(dtick=f"M{12 * max(round(years / 5), 1)}")
        y.update(type="log" if log else "linear", tickvals=places, ticktext=texts)
        y.update(range=list(ends + np.array([-0.08, 0.08]) * np.ptp(ends)))


class _Grid:
    """Where each small figure lies: pixels from the top, turned into plotly's fractions."""

    def __init__(self, cells: int, columns: int, height: int) -> None:
        self.columns, self.height = columns, height
        self.row = height + TITLE_PIXELS + GAP_PIXELS
        self.inner = -(-cells // columns) * self.row - GAP_PIXELS
        self.pixels = self.inner + TOP_PIXELS + BOTTOM_PIXELS

    def corner(self, place: int) -> tuple[float, float]:
        """The upper left corner of the small figure, below its titles."""
        row, column = divmod(place, self.columns)
        return column / self.columns, 1 - (row * self.row + TITLE_PIXELS) / self.inner

    def axes(self, fig: go.Figure, place: int) -> dict[str, str]:
        """The axes of the small figure, laid out in the figure; their names as a trace needs them."""
        left, top = self.corner(place)
        number = str(place + 1) if place else ""
        across = {"domain": [left + 0.046, left + 1 / self.columns - 0.012], "anchor": f"y{number}", "type": "date"}
        up = {"domain": [max(top - self.height / self.inner, 0), top], "anchor": f"x{number}", "automargin": False}
        fig.update_layout({f"xaxis{number}": {**across, "tickformat": "%Y", "fixedrange": True}})
        fig.update_layout({f"yaxis{number}": {**up, "fixedrange": True}})
        return {"xaxis": f"x{number}", "yaxis": f"y{number}"}

    def title(self, fig: go.Figure, place: int, text: str) -> None:
        label(fig, text, *self.corner(place), yshift=18, font={"size": 14})

    def subtitle(self, fig: go.Figure, place: int, text: str) -> None:
        label(fig, text, *self.corner(place), yshift=1, font={"size": 12, "color": QUIET})


def _limits(window: Window, drawn: Floats, median: Floats, unit: Unit) -> tuple[float, float]:
    """The range of the y axis: the company and the drawing decide; the median may widen it by half as much again."""
    own, grey = np.concatenate([window.values, drawn]), median
    if unit.log:
        own, grey = (np.log(np.where(v > 0, v, np.nan)) for v in (own, grey))
    low, high = float(np.nanmin(own)), float(np.nanmax(own))
    reach = max(high - low, 1e-3 * max(abs(low), 1e-9))
    low, high = low - 0.02 * reach, high + 0.02 * reach
    if np.isfinite(grey).any():
        low = max(min(low, float(np.nanmin(grey))), low - 0.5 * reach)
        high = min(max(high, float(np.nanmax(grey))), high + 0.5 * reach)
    return (float(np.exp(low)), float(np.exp(high))) if unit.log else (low, high)


def _name(rank: int, row: Match) -> str:
    """The company with its rank and ticker; one without a name goes by its ticker."""
    name = str(row.get("name") or row["entity"])
    ticker = "" if name == row["entity"] else f" ({row['entity']})"
    return f"<b>{rank}  {name if len(name) <= 34 else name[:32] + '…'}</b>{ticker}"


def _dates(row: Match) -> str:
    sure = f", q {row['q_value']:.2g}" if np.isfinite(row.get("q_value", np.nan)) else ""
    return f"{row['start']:%b %Y} – {row['end']:%b %Y}{sure}"


def _nothing() -> go.Figure:
    """A line of text in place of figures."""
    fig = figure(height=60)
    label(fig, "No company to draw.", 0, 0.5, font={"color": QUIET})
    return fig.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
