"""The drawing of a pattern: what is looked for in each channel, with its tolerance."""

from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.patterns import Channel, Pattern
from tsbench.plots.theme import BAND, DRAWN, QUIET, figure, label
from tsbench.plots.units import rule, words

Floats = NDArray[np.float64]
POINTS, SHAPES = 121, 400
# Characters that fit in one line over the panes of a figure of half a page.
TITLE = 54


def drawing(pattern: Pattern, *, height: int = 240) -> go.Figure:
    """The shape of every channel of a `pattern` side by side, each with its tolerance band; `height` in pixels.

    A channel with points shows its line and the band in which 90 % of the tolerated shapes lie (see `tolerance`).
    A channel without points is held by its constraints only and shows the wedge in which it may end.
    """
    fig = figure(height=height)
    panes = _panes(pattern)
    for i, (title, channel) in enumerate(panes):
        number = str(i + 1) if i else ""
        x, y, axis = f"x{number}", f"y{number}", {"showticklabels": False, "showgrid": False, "fixedrange": True}
        left, right = (i + 0.06) / len(panes), (i + 0.94) / len(panes)
        fig.update_layout(
            {
                f"xaxis{number}": {**axis, "domain": [left, right], "anchor": y},
                f"yaxis{number}": {**axis, "domain": [0.14, 0.82], "anchor": x},
            }
        )
        if channel.points:
            _shape(fig, pattern, channel, x, y)
        else:
            _wedge(fig, pattern, channel, x, y)
        rules = "<br>".join(rule(c) for c in pattern.constraints if c.channel == channel.expression)
        middle = (left + right) / 2
        short = "<br>".join(wrap(title, TITLE // len(panes)))
        label(fig, f"<b>{short}</b>", middle, 0.86, xanchor="center", align="center")
        label(
            fig, rules, middle, 0.1, xanchor="center", yanchor="top", align="center", font={"size": 12, "color": QUIET}
        )
    return fig.update_layout(showlegend=False, margin={"t": 30, "b": 22, "l": 0, "r": 0})


def _panes(pattern: Pattern) -> list[tuple[str, Channel]]:
    """(title, channel) per pane; alternatives that share one shape and no constraint share one pane."""
    channels = pattern.channels
    if pattern.combine == "any" and len({c.points for c in channels}) == 1 and not pattern.constraints:
        names = [words(c.expression) for c in channels]
        return [(" or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names), channels[0])]
    return [(words(c.expression), c) for c in channels]


def tolerance(channel: Channel, *, warp: float, jitter: float, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Where tolerated versions of a channel's shape lie: (x, lower, upper), the 5 % and 95 % quantiles at each x.

    Control points move in height by up to `jitter` of the shape's range and, between the ends, in time by up to
    `warp` of the room to their neighbours.
    """
    rng = np.random.default_rng(seed)
    x, y = np.array(channel.points).T
    grid = np.linspace(0.0, 1.0, POINTS)
    room = np.zeros(x.size)
    room[1:-1] = np.minimum(np.diff(x)[:-1], np.diff(x)[1:])
    moved_x = x + warp * room * rng.uniform(-1, 1, (SHAPES, x.size))
    moved_y = y + jitter * np.ptp(y) * rng.uniform(-1, 1, (SHAPES, x.size))
    shapes = np.stack([np.interp(grid, a, b) for a, b in zip(moved_x, moved_y, strict=True)])
    lower, upper = np.quantile(shapes, [0.05, 0.95], axis=0)
    return grid, lower, upper


def _shape(fig: go.Figure, pattern: Pattern, channel: Channel, x: str, y: str) -> None:
    grid, lower, upper = tolerance(channel, warp=pattern.warp, jitter=pattern.jitter)
    flip = -1.0 if pattern.polarity == "inverted" else 1.0
    xs, ys = np.array(channel.points).T
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "xaxis": x, "yaxis": y}
    fig.add_scatter(x=grid, y=flip * lower, **band)
    fig.add_scatter(x=grid, y=flip * upper, fill="tonexty", fillcolor=BAND, **band)
    fig.add_scatter(
        x=xs, y=flip * ys, mode="lines", line={"color": DRAWN, "width": 3}, hoverinfo="skip", xaxis=x, yaxis=y
    )


def _wedge(fig: go.Figure, pattern: Pattern, channel: Channel, x: str, y: str) -> None:
    """From one level, between the bounds of the channel's change."""
    changes = [c.bounds for c in pattern.constraints if c.channel == channel.expression and "change" in c.kind]
    low, high = changes[0] if changes else (-np.inf, np.inf)
    reach = max([abs(b) for b in (low, high) if np.isfinite(b)], default=1.0)
    low, high = max(low, -3 * reach), min(high, 3 * reach)
    place = {"mode": "lines", "hoverinfo": "skip", "xaxis": x, "yaxis": y}
    fig.add_scatter(x=[0, 1, 1, 0], y=[0, low, high, 0], fill="toself", fillcolor=BAND, line={"width": 0}, **place)
    fig.add_scatter(x=[0, 1], y=[0, (low + high) / 2], line={"color": DRAWN, "width": 2, "dash": "dot"}, **place)
    axis = "yaxis" + y.removeprefix("y")
    fig.update_layout({axis: {"range": [-3 * reach, 3 * reach]}})
