"""One look for every figure: quiet, legible to colour-blind readers, light by default and dark on demand."""

import re
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito (2008), "Color Universal Design": told apart with any of the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, PINK, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
SEQUENCE = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)
# a loss; not among those of lines, for beside ORANGE it is hard to tell
RED = "#B3261E"
INK, QUIET, RULE, PAPER = "#1B2733", "#66727F", "#E3E7EB", "#FFFFFF"
# the company and its universe, the drawing and the stretch it was found in
LINE, UNIVERSE, DRAWN, FOUND = BLUE, "#9AA4AE", ORANGE, "rgba(230, 159, 0, 0.16)"
BAND = "rgba(213, 94, 0, 0.13)"
# a drawing behind another; bars of what does not count, of the companies that no longer report; the spread of a group
BEHIND, PALE, DEAD = "rgba(213, 94, 0, 0.35)", "#C5CCD3", "#B9C2CB"
PALE_BLUE, PALE_GREY = "rgba(0, 114, 178, 0.25)", "rgba(154, 164, 174, 0.35)"
# Every colour of the light look and its twin in the dark one. The hues stay; their lightness was chosen by search, so
# that with any colour-vision deficiency the closest two are no closer than in the light look. No colour is in both.
DARK = {
    BLUE: "#3F97E6",
    ORANGE: "#E9682B",
    GREEN: "#34D8A0",
    PINK: "#DB74A4",
    SKY: "#B2DCF2",
    AMBER: "#F5CC4B",
    RED: "#E5534B",
    INK: "#E6EAEE",
    QUIET: "#A3ADB7",
    RULE: "#2D353D",
    PAPER: "#16191D",
    UNIVERSE: "#7D8994",
    FOUND: "rgba(245, 204, 75, 0.17)",
    BAND: "rgba(233, 104, 43, 0.22)",
    BEHIND: "rgba(233, 104, 43, 0.45)",
    PALE: "#5E6872",
    DEAD: "#5F6973",
    PALE_BLUE: "rgba(63, 151, 230, 0.36)",
    PALE_GREY: "rgba(125, 137, 148, 0.4)",
}
FONT = 'Inter, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", system-ui, sans-serif'
_LIGHT = re.compile("|".join(map(re.escape, DARK)))

_AXIS: dict[str, Any] = {
    "showgrid": True,
    "gridcolor": RULE,
    "gridwidth": 1,
    "zeroline": False,
    "showline": False,
    "ticks": "",
    "automargin": True,
    "tickfont": {"size": 11, "color": QUIET},
    "title": {"font": {"size": 12, "color": QUIET}, "standoff": 6},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "colorway": list(SEQUENCE),
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "title": {"x": 0, "xanchor": "left", "xref": "paper", "font": {"size": 14}, "yanchor": "top", "pad": {"t": 2}},
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "xaxis": {**_AXIS, "showgrid": False, "showline": True, "linecolor": RULE},
        "yaxis": _AXIS,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": RULE, "font": {"size": 12, "color": INK, "family": FONT}},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "font": {"size": 12}},
    }
)


def figure(*, height: int, title: str = "") -> go.Figure:
    """An empty figure in the house look, `height` pixels high and as wide as its place."""
    return go.Figure(layout={"template": TEMPLATE, "height": height, "title": {"text": title}, "autosize": True})


def label(fig: go.Figure, text: str, x: float, y: float, **style: Any) -> None:
    """Put words at (x, y) in fractions of the plot, their lower left corner there unless `style` says otherwise."""
    corner = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "align": "left"}
    fig.add_annotation(**{**corner, "text": text, "x": x, "y": y, "showarrow": False, **style})


def dark(fig: go.Figure) -> go.Figure:
    """The figure in the dark look, for a notebook in a dark theme.

    Pages of reports need no such call: they follow the reader's preference, whichever look a figure was made in.

    Parameters
        fig : any figure of this room. Only the house colours change, wherever they stand; it is left as it is.
    Returns    a new figure.
    """
    return go.Figure([_darkened(trace.to_plotly_json()) for trace in fig.data], _darkened(fig.layout.to_plotly_json()))


def _darkened(part: Any) -> Any:
    """A figure's part with every light colour in its texts swapped; arrays of numbers pass."""
    if isinstance(part, str):
        return _LIGHT.sub(lambda found: DARK[found[0]], part)
    if isinstance(part, dict):
        return {name: _darkened(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_darkened(value) for value in part]
    return part
