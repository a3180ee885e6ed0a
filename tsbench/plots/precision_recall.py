"""How much of what was planted is found, and how many wrong finds it costs."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import QUIET, SEQUENCE, figure, label

COLUMNS, TITLE_PIXELS, GAP_PIXELS, BOTTOM_PIXELS = 2, 26, 62, 48
# Of a pane's width: where its axes begin and end; the labels stand to the right of them.
LEFT, RIGHT = 0.08, 0.61
LINE_PIXELS = 20


def precision_recall(curves: Mapping[str, Mapping[str, pd.DataFrame]], *, height: int = 250) -> go.Figure:
    """A pane per set, a line per detector (or any other name) with its average precision beside it.

    A line runs over the matches that are right, best first, so the mean of its heights, with 0 for every stretch that
    was never found, is the average precision. It ends where the matches end.

    Parameters
        curves : by set, then by name, what `evaluate.precision_recall` gives.
        height : pixels of one pane.
    Raises     BadInput: there is no curve, or more names than colours can tell apart.
    """
    names = list(dict.fromkeys(name for of_set in curves.values() for name in of_set))
    if not 0 < len(names) <= len(SEQUENCE):
        raise BadInput(f"{len(names)} curves to tell apart; give 1 to {len(SEQUENCE)}")
    row = TITLE_PIXELS + height + GAP_PIXELS
    inner = -(-len(curves) // COLUMNS) * row - GAP_PIXELS
    fig = figure(height=inner + BOTTOM_PIXELS)
    for i, (title, of_set) in enumerate(curves.items()):
        number, left, top = str(i + 1) if i else "", (i % COLUMNS) / COLUMNS, i // COLUMNS * row
        begin, end = left + LEFT / COLUMNS, left + RIGHT / COLUMNS
        up = [1 - (top + TITLE_PIXELS + height) / inner, 1 - (top + TITLE_PIXELS) / inner]
        percent = {"range": [0, 1.02], "tickformat": ".0%", "nticks": 5, "fixedrange": True, "automargin": False}
        across = {**percent, "domain": [begin, end], "anchor": f"y{number}", "title": "share of the planted found"}
        fig.update_layout({f"xaxis{number}": across})
        fig.update_layout({f"yaxis{number}": {**percent, "domain": [max(up[0], 0), up[1]], "anchor": f"x{number}"}})
        heading = (
            f"<b>{title}</b>  <span style='color:{QUIET}; font-size:12px'>share of the finds that are right</span>"
        )
        label(fig, heading, begin, up[1], yshift=4)
        label(fig, "average precision", end, up[1], xshift=14, yshift=4, font={"size": 12, "color": QUIET})
        for k, (name, curve) in enumerate(of_set.items()):
            colour = SEQUENCE[names.index(name)]
            right = curve[curve["hit"].astype(bool)]
            said = f"{name}: %{{x:.0%}} found, %{{y:.0%}} of the finds right<extra></extra>"
            fig.add_scatter(
                x=right["recall"], y=right["precision"], mode="lines+markers" if len(right) == 1 else "lines",
                line={"color": colour, "width": 2}, xaxis=f"x{number}", yaxis=f"y{number}", hovertemplate=said,
                name=name, showlegend=False,
            )  # fmt: skip
            # recall rises by the same step at every hit: the area is the average precision
            step = right["recall"].iloc[0] if len(right) else 0.0
            beside = f"<b>{step * right['precision'].sum():.2f}</b>  {name}"
            down = 4 - (k + 1) * LINE_PIXELS
            label(fig, beside, end, up[1], xshift=14, yshift=down, font={"size": 13, "color": colour})
    return fig.update_layout(margin={"t": 0, "b": BOTTOM_PIXELS, "l": 4, "r": 4})
