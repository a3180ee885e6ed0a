"""Small multiples: each match with its raw values, its dates, its context, and the drawing laid over it."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.patterns import Pattern
from tsbench.plots.channels import View, Window, fitted, views
from tsbench.plots.lines import dates, hollow, line
from tsbench.plots.theme import DRAWN, FOUND, INK, LINE, PAPER, QUIET, UNIVERSE, figure
from tsbench.plots.units import ticks, words
from tsbench.series import Panel
from tsbench.series.calendar import DAY

NEEDED = {"entity", "start", "end", "channels"}
# Periods of context, at least and as a multiple of the match's length.
YEAR = 365.25 * DAY
BEFORE, AFTER = (12, 1.5), (8, 1.0)
TITLE_PIXELS, GAP_PIXELS, LEGEND_PIXELS = 40, 28, 34
LEGEND = ("this company", "the drawing, scaled to fit", "median company", "doubtful value, left out")


def matches(
    panel: Panel,
    matches: pd.DataFrame,
    pattern: Pattern,
    *,
    universe: Panel | None = None,
    height: int = 108,
) -> go.Figure:
    """One row per match with a small figure per channel; for alternatives (combine="any") a small figure per match.

    Each shows the values in their own unit on their own dates with context on both sides, the matched stretch shaded,
    the drawing scaled to it by least squares, the median company in grey and left-out values hollow.

    Parameters
        panel : the series that were scanned; one frequency, basis and source per metric.
        matches : rows of a scan in the order to draw: entity, start, end, channels; name, p_value, q_value if known.
        pattern : what was looked for.
        universe : the companies the grey median is taken over; None = those of `panel`.
        height : pixels of one small figure.
    Raises     BadInput: a column is missing, or there is no row to draw.
    """
    absent = NEEDED - set(matches.columns)
    if absent or matches.empty:
        raise BadInput(f"{len(matches)} matches to draw, columns {sorted(absent) or 'complete'} missing")
    joint = pattern.combine == "all"
    columns = len(pattern.channels) if joint else min(3, len(matches))
    cells = [
        (i, row, expression)
        for i, row in enumerate(matches.to_dict("records"))
        for expression in (pattern.expressions if joint else tuple(row["channels"])[:1])
    ]
    own = views(pattern, panel, list(dict.fromkeys(e for _, _, e in cells)))
    all_of_them = own if universe is None else views(pattern, universe, list(own))
    grid = _Grid(rows=-(-len(cells) // columns), columns=columns, height=height)
    fig = figure(height=grid.total)
    shown: set[str] = set()
    for place, (i, row, expression) in enumerate(cells):
        at = grid.cell(fig, place)
        if not joint:
            grid.title(fig, at, _name(i + 1, row))
            grid.subtitle(fig, at, f"{words(expression)}, {_dates(row)}")
        elif place % columns == 0:
            grid.title(fig, at, f"{_name(i + 1, row)} <span style='color:{QUIET}'>{_dates(row)}</span>")
        if joint:
            grid.subtitle(fig, at, words(expression))
        _draw(fig, at, own[expression], all_of_them[expression], pattern, row, shown)
    return fig.update_layout(
        margin={"t": LEGEND_PIXELS, "b": 22, "l": 4, "r": 4},
        legend={"y": 1 + 4 / grid.inner, "itemclick": False, "itemdoubleclick": False},
    )


def _draw(
    fig: go.Figure, at: dict[str, Any], view: View, all_of_it: View, pattern: Pattern, row: dict[str, Any], shown: set[str]
) -> None:
    """One small figure: shade, median, values, drawing, left-out points, in this order from back to front."""
    complete = float(row.get("complete", 1.0) or 1.0)
    length = int(row.get("length") or 8)
    before, after = (int(max(least, times * length)) for least, times in (BEFORE, AFTER))
    window = view.window(row["entity"], row["start"], row["end"], before=before, after=after)
    if window is None or not window.inside.any():
        return
    stretch = dates(window.times[window.inside])
    fig.add_shape(
        type="rect", x0=stretch[0], x1=stretch[-1], y0=0, y1=1, yref=f"{at['yaxis']} domain", xref=at["xaxis"],
        fillcolor=FOUND, line_width=0, layer="below",
    )  # fmt: skip
    median, drawn = all_of_it.median(window), fitted(pattern, view.expression, window, view.unit, complete)
    place = {"xaxis": at["xaxis"], "yaxis": at["yaxis"]}

    def trace(name: str, **arguments: Any) -> None:
        fig.add_scatter(**arguments, **place, name=name, legendgroup=name, legendrank=LEGEND.index(name), showlegend=name not in shown)
        shown.add(name)

    grey = line(window.times, median, view.unit, UNIVERSE)
    trace("median company", **{**grey, "line": {"color": UNIVERSE, "width": 1.3}})
    trace("this company", **line(window.times, window.values, view.unit, LINE))
    if np.isfinite(drawn).any():
        orange = line(window.times, drawn, view.unit, DRAWN)
        trace("the drawing, scaled to fit", **{**orange, "line": {"color": DRAWN, "width": 2.4, "dash": "6px,3px"}})
    limits = _limits(view, window, drawn, median)
    doubted = np.isfinite(window.left_out)
    if doubted.any():
        clipped = np.clip(window.left_out[doubted], *limits)
        said = [f"{text}, doubtful, left out" for text in line(window.times, window.left_out, view.unit, INK)["text"]]
        trace("doubtful value, left out", **hollow(window.times[doubted], clipped, list(np.array(said)[doubted])))
    years = (window.times[-1] - window.times[0]) / YEAR
    fig.layout["xaxis" + at["xaxis"].removeprefix("x")].update(dtick=f"M{12 * max(round(years / 5), 1)}")
    room = np.log10(limits) if view.unit.log else np.array(limits)
    places, texts = ticks(*limits, view.unit)
    fig.layout["yaxis" + at["yaxis"].removeprefix("y")].update(
        type="log" if view.unit.log else "linear",
        range=list(room + np.array([-0.08, 0.08]) * np.ptp(room)),
        tickvals=places,
        ticktext=texts,
    )


def _limits(view: View, window: Window, drawn: np.ndarray, median: np.ndarray) -> tuple[float, float]:
    """The range of the y axis: the company and the drawing decide; the median may widen it by half as much again."""
    own, grey = np.concatenate([window.values, drawn]), median
    if view.unit.log:
        own, grey = (np.log(np.where(v > 0, v, np.nan)) for v in (own, grey))
    low, high = float(np.nanmin(own)), float(np.nanmax(own))
    reach = max(high - low, 1e-3 * max(abs(low), 1e-9))
    low, high = low - 0.02 * reach, high + 0.02 * reach
    if np.isfinite(grey).any():
        low = max(min(low, float(np.nanmin(grey))), low - 0.5 * reach)
        high = min(max(high, float(np.nanmax(grey))), high + 0.5 * reach)
    return (float(np.exp(low)), float(np.exp(high))) if view.unit.log else (low, high)


def _name(rank: int, row: dict[str, Any]) -> str:
    """"3  Costco (COST)"; companies without a name go by their ticker."""
    name = str(row.get("name") or row["entity"])
    ticker = "" if name == row["entity"] else f" ({row['entity']})"
    return f"<b>{rank}  {name if len(name) <= 34 else name[:32] + '…'}</b>{ticker}"


def _dates(row: dict[str, Any]) -> str:
    sure = f", q {row['q_value']:.2g}" if np.isfinite(row.get("q_value", np.nan)) else ""
    return f"{row['start']:%b %Y} – {row['end']:%b %Y}{sure}"


class _Grid:
    """Where each small figure lies, in pixels turned into plotly's fractions."""

    def __init__(self, rows: int, columns: int, height: int) -> None:
        self.columns, self.height = columns, height
        self.row = height + TITLE_PIXELS + GAP_PIXELS
        self.inner = rows * self.row
        self.total = self.inner + LEGEND_PIXELS + 22

    def cell(self, fig: go.Figure, place: int) -> dict[str, Any]:
        """The axes of small figure number `place`, laid out, and where it begins."""
        row, column = divmod(place, self.columns)
        number = str(place + 1) if place else ""
        top = 1 - (row * self.row + TITLE_PIXELS) / self.inner
        width = 1 / self.columns
        left, inset = column * width, 0.046
        fig.update_layout(
            {
                f"xaxis{number}": {
                    "domain": [left + inset, left + width - 0.012],
                    "anchor": f"y{number}",
                    "type": "date",
                    "tickformat": "%Y",
                    "fixedrange": True,
                },
                f"yaxis{number}": {
                    "domain": [max(top - self.height / self.inner, 0), top],
                    "anchor": f"x{number}",
                    "automargin": False,
                    "fixedrange": True,
                },
            }
        )
        return {"xaxis": f"x{number}", "yaxis": f"y{number}", "left": left, "inset": left + inset, "top": top}

    def title(self, fig: go.Figure, at: dict[str, Any], text: str) -> None:
        fig.add_annotation(**_above(at["left"], at["top"]), text=text, yshift=18, font={"size": 14})

    def subtitle(self, fig: go.Figure, at: dict[str, Any], text: str) -> None:
        fig.add_annotation(**_above(at["left"], at["top"]), text=text, yshift=1, font={"size": 12, "color": QUIET})


def _above(x: float, y: float) -> dict[str, Any]:
    return {
        "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False,
        "align": "left", "bgcolor": PAPER,
    }  # fmt: skip
