"""One look for every figure: light, quiet, and legible to colour-blind readers."""

from typing import Any

import plotly.graph_objects as go

# Okabe and Ito (2008), "Color Universal Design": told apart with any of the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, PINK, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
SEQUENCE = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)
INK, QUIET, RULE, PAPER = "#1B2733", "#66727F", "#E3E7EB", "#FFFFFF"
# the company and its universe, the drawing and the stretch it was found in
LINE, UNIVERSE, DRAWN, FOUND = BLUE, "#9AA4AE", ORANGE, "rgba(230, 159, 0, 0.16)"
BAND = "rgba(213, 94, 0, 0.13)"
FONT = 'Inter, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", system-ui, sans-serif'

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
