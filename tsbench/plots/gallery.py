"""Many small drawings on one sheet: the library, what resembles a pattern, and where it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.patterns import Pattern, Synthetic
from tsbench.patterns.near_misses import near_misses as almost
from tsbench.plots.channels import View, fitted, views
from tsbench.plots.lines import dates
from tsbench.plots.theme import BEHIND, BLUE, DRAWN, FOUND, INK, LINE, QUIET, figure, label
from tsbench.plots.units import amount, words
from tsbench.series import Panel

Floats = NDArray[np.float64]
TITLE, NAME, GAP = 26, 18, 14
# Context on each side of a match, as a share of its length.
AROUND = 1.0


class _Cell(NamedTuple):
    """A place on the sheet: left and width in columns, top and height in pixels from the upper edge."""

    left: float
    top: float
    width: float
    height: float

    def part(self, i: int, n: int) -> "_Cell":
        """The i-th of n cells side by side in this one."""
        return _Cell(self.left + i * self.width / n, self.top, self.width / n * (0.92 if n > 1 else 1.0), self.height)


class _Sheet:
    """A figure whose axes are columns across and pixels down, so that one pair of axes holds all drawings."""

    def __init__(self, columns: float) -> None:
        self.fig, self.columns = figure(height=100), columns

    def line(self, cell: _Cell, x: Floats, y: Floats, colour: str, **style: Any) -> None:
        """A line; x and y from 0 to 1 of the cell, y upwards. `style`: width, dash, text (told to the pointer)."""
        text = style.pop("text", None)
        told = {"text": text, "hovertemplate": "%{text}<extra></extra>"} if text is not None else {"hoverinfo": "skip"}
        self.fig.add_scatter(
            x=cell.left + np.asarray(x) * cell.width, y=cell.top + (1 - np.asarray(y)) * cell.height, mode="lines",
            line={"color": colour, "width": 1.8, **style}, **told,
        )  # fmt: skip

    def shade(self, cell: _Cell, x0: float, x1: float) -> None:
        """Shade the cell from x0 to x1, shares of its width."""
        self.fig.add_shape(
            type="rect", x0=cell.left + x0 * cell.width, x1=cell.left + x1 * cell.width, y0=cell.top,
            y1=cell.top + cell.height, fillcolor=FOUND, line_width=0, layer="below",
        )  # fmt: skip

    def text(self, left: float, top: float, words: str, **font: Any) -> None:
        """Words whose upper left corner is at (left, top)."""
        label(self.fig, words, left, top, xref="x", yref="y", yanchor="top", font={"size": 12, "color": QUIET, **font})

    def finished(self, pixels: float) -> go.Figure:
        """The figure, `pixels` high."""
        self.fig.update_xaxes(visible=False, range=[0, self.columns], fixedrange=True)
        self.fig.update_yaxes(visible=False, range=[pixels, 0], fixedrange=True)
        return self.fig.update_layout(height=int(pixels), showlegend=False, margin={"t": 0, "b": 0, "l": 0, "r": 0})


def gallery(groups: Mapping[str, Sequence[Pattern]], *, columns: int = 6, height: int = 46) -> go.Figure:
    """Every pattern as a small drawing over its name, group after group.

    Channels that must match together stand side by side, alternatives of one shape once; the pointer names them.

    Parameters
        groups : patterns by the name of their group.
        columns : drawings in a row.
        height : pixels of one drawing.
    Raises     BadInput: there is no pattern.
    """
    if not any(groups.values()):
        raise BadInput("there is no pattern to draw")
    checks.whole(columns, "columns", 1)
    sheet, top = _Sheet(columns), 0.0
    for group, patterns in groups.items():
        sheet.text(0, top, f"<b>{group}</b>", size=14, color=INK)
        top += TITLE
        for i, pattern in enumerate(patterns):
            cell = _Cell(i % columns, top + i // columns * (height + NAME + GAP), 0.8, height)
            sheet.text(cell.left, cell.top + height, pattern.name)
            lanes = _lanes(pattern)
            for place, k in enumerate(lanes):
                x, y = _upright(pattern, k)
                lane = cell.part(place, len(lanes))
                sheet.line(lane, x, 0.06 + 0.88 * y, BLUE, text=[words(pattern.expressions[k])] * x.size)
        top += -(-len(patterns) // columns) * (height + NAME + GAP)
    return sheet.finished(top)


def near_misses(pattern: Pattern, *, seed: int = 0, most: int = 24, columns: int = 8, height: int = 52) -> go.Figure:
    """What a detector of the `pattern` is taught to refuse, each over the pattern in pale orange.

    Its drawing backwards, upside down, with its sections in another order, parts of it, and the drawings of other
    patterns; channels that must match together stand side by side, and a dotted one shows nothing.

    Parameters
        pattern : whose near misses.
        seed : draws the orders of the sections.
        most : at most so many, evenly from all.
        columns : drawings in a row.
        height : pixels of one drawing.
    """
    checks.whole(most, "most", 1)
    checks.whole(columns, "columns", 1)
    if pattern.combine == "any":  # each alternative is a drawing of its own; here the first
        pattern = replace(pattern, channels=pattern.channels[:1], constraints=())
    every = almost(pattern, np.random.default_rng(seed))
    chosen = [every[i] for i in np.unique(np.linspace(0, len(every) - 1, most).astype(int))]
    lanes, sheet = _lanes(pattern), _Sheet(columns)
    for i, drawings in enumerate(chosen):
        whole = _Cell(i % columns, i // columns * (height + GAP) + 4, 0.8, height)
        for place, k in enumerate(lanes):
            cell, other = whole.part(place, len(lanes)), drawings[k]
            sheet.line(cell, *pattern.channels[k].drawing, BEHIND, width=3)
            x, y = other if other is not None else (np.array([0.0, 1.0]), np.array([0.5, 0.5]))
            sheet.line(cell, x, y, BLUE, **({} if other is not None else {"dash": "dot"}))
    return sheet.finished(-(-len(chosen) // columns) * (height + GAP) + 4)


def copies(made: Mapping[str, Synthetic], *, columns: int = 6, height: int = 74) -> go.Figure:
    """Generated copies of a pattern in the series they were planted in: the stretch shaded, the drawing over it.

    Parameters
        made : what `patterns.synthesize` gives, by the name of its row.
        columns : copies of each.
        height : pixels of one.
    Raises     BadInput: no copy was planted.
    """
    if not any(len(one.truth) for one in made.values()):
        raise BadInput("no copy was planted; give `synthesize` a share above 0")
    checks.whole(columns, "columns", 1)
    sheet, top = _Sheet(columns), 0.0
    for name, one in made.items():
        sheet.text(0, top, f"<b>{name}</b>", size=13, color=INK)
        top += TITLE
        lanes = _lanes(one.pattern)
        places = {
            key: i for i, key in enumerate(zip(one.panel.index["entity"], one.panel.index["metric"], strict=True))
        }
        for i, row in enumerate(one.truth.head(columns).to_dict("records")):
            whole = _Cell(i, top, 0.9, height)
            for place, k in enumerate(lanes):
                values = one.panel.series(places[row["entity"], one.pattern.expressions[k]])[1]
                template = one.pattern.template(k, row["length"])
                _stretch(sheet, whole.part(place, len(lanes)), values, row["start"], row["end"], template)
        top += height + GAP
    return sheet.finished(top)


def side_by_side(
    panel: Panel, found: Sequence[tuple[Pattern, pd.DataFrame]], *, rows: int = 5, height: int = 84
) -> go.Figure:
    """The first matches of several patterns, a column each: which stretches of real companies each of them picks.

    Each shows the values (of a logarithm the logarithm) with context on both sides, the stretch shaded and the drawing
    fitted to it; the pointer tells dates and values.

    Parameters
        panel : the series that were searched.
        found : patterns with their matches as `PatternDetector.scan` gives them, best first.
        rows : matches of each.
        height : pixels of one.
    Raises     BadInput: no pattern is given.
    """
    if not found:
        raise BadInput("give at least one pattern with its matches")
    checks.whole(rows, "rows", 1)
    sheet = _Sheet(len(found))
    for column, (pattern, matches) in enumerate(found):
        sheet.text(column, 0, f"<b>{pattern.name}</b>", size=14, color=INK)
        shown = matches[matches["start"].notna()].head(rows)
        channels = views(pattern, panel) if len(shown) else {}
        for i, row in enumerate(shown.to_dict("records")):
            top = TITLE + i * (height + 2 * NAME + GAP)
            name = str(row.get("name") or row["entity"])
            ticker = "" if name == row["entity"] else f" ({row['entity']})"
            sheet.text(column, top, f"<b>{i + 1}  {name[:34]}</b>{ticker}", color=INK)
            shaped = [e for e in row["channels"] if pattern.channels[pattern.expressions.index(e)].points]
            about = f"{row['start']:%b %Y} – {row['end']:%b %Y}, {' and '.join(words(e) for e in shaped)}"
            sheet.text(column, top + NAME, about)
            whole = _Cell(column, top + 2 * NAME + 4, 0.94, height)
            for place, expression in enumerate(shaped):
                _match(sheet, whole.part(place, len(shaped)), pattern, channels[expression], row)
    return sheet.finished(TITLE + rows * (height + 2 * NAME + GAP))


def _match(sheet: _Sheet, cell: _Cell, pattern: Pattern, view: View, row: Mapping[Any, Any]) -> None:
    around = round(AROUND * int(row["length"]))
    window = view.window(row["entity"], row["start"], row["end"], before=around, after=around)
    if window is None or not window.inside.any():
        return
    drawn = fitted(pattern, view.expression, window, view.unit)
    told = [f"{day:%b %Y}: {amount(v, view.unit)}" for day, v in zip(dates(window.times), window.values, strict=True)]
    values = window.values
    if view.unit.log:
        values, drawn = (np.log(np.where(v > 0, v, np.nan)) for v in (values, drawn))
    inside = np.flatnonzero(window.inside)
    _draw(sheet, cell, values, int(inside[0]), int(inside[-1]) + 1, drawn, told)


def _stretch(sheet: _Sheet, cell: _Cell, values: Floats, start: int, end: int, template: Floats) -> None:
    """A stretch of plain values with as much context as fits, the template fitted to it."""
    around = round(AROUND * (end - start))
    low, high = max(start - around, 0), min(end + around, values.size)
    drawn = np.full(high - low, np.nan)
    inside = values[start:end]
    drawn[start - low : end - low] = inside.mean() + (template @ inside) * template
    _draw(sheet, cell, values[low:high], start - low, end - low, drawn)


def _draw(
    sheet: _Sheet, cell: _Cell, values: Floats, start: int, end: int, drawn: Floats, told: list[str] | None = None
) -> None:
    both = np.concatenate([values, drawn])
    low, high = np.nanmin(both), np.nanmax(both)
    x = np.linspace(0, 1, values.size)
    sheet.shade(cell, x[start], x[end - 1])
    for line, style in ((values, {"text": told}), (drawn, {"width": 2.2, "dash": "6px,3px"})):
        y = (line - low) / max(high - low, 1e-300)
        sheet.line(cell, x, y, LINE if line is values else DRAWN, **style)


def _lanes(pattern: Pattern) -> list[int]:
    """The channels worth a line: of equal drawings the first, none without points."""
    points = [channel.points for channel in pattern.channels]
    alike = pattern.combine == "any"
    return [k for k, own in enumerate(points) if own and not (alike and own in points[:k])]


def _upright(pattern: Pattern, k: int) -> tuple[Floats, Floats]:
    x, y = pattern.channels[k].drawing
    return x, 1 - y if pattern.polarity == "inverted" else y
