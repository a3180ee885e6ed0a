"""Whether a score of 0.8 is right eight times of ten."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import SEQUENCE, UNIVERSE, figure


def calibration(tables: Mapping[str, pd.DataFrame], *, height: int = 360) -> go.Figure:
    """The share of right matches against the score they were given, a line per set; on the diagonal the score is true.

    The bars are 95 % intervals; the legend tells the expected calibration error, the mean distance from the diagonal
    over all matches.

    Parameters
        tables : by set, what `evaluate.calibration` gives.
        height : pixels.
    Raises     BadInput: there is no set, or more than colours can tell apart.
    """
    if not 0 < len(tables) <= len(SEQUENCE):
        raise BadInput(f"{len(tables)} sets to tell apart; give 1 to {len(SEQUENCE)}")
    fig = figure(height=height)
    fig.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": UNIVERSE, "width": 1.4, "dash": "dot"}, hoverinfo="skip",
        name="as promised",
    )  # fmt: skip
    for (name, table), colour in zip(tables.items(), SEQUENCE, strict=False):
        share, n = table["share"], table["matches"]
        error = float(np.average((table["score"] - share).abs(), weights=n)) if len(table) else np.nan
        fig.add_scatter(
            x=table["score"], y=share, mode="lines+markers", name=f"{name}: error {error:.2f}",
            line={"color": colour, "width": 2}, marker={"size": 7}, customdata=n,
            error_y={
                "type": "data", "array": table["high"] - share, "arrayminus": share - table["low"], "symmetric": False,
                "color": colour, "thickness": 1, "width": 3,
            },
            hovertemplate="score %{x:.2f}: %{y:.0%} of %{customdata} matches are right<extra></extra>",
        )  # fmt: skip
    axis = {"range": [-0.02, 1.02], "dtick": 0.2, "fixedrange": True}
    fig.update_xaxes(title="score of a match", **axis)
    fig.update_yaxes(title="share of such matches that are right", tickformat=".0%", **axis)
    return fig.update_layout(margin={"t": 34}, showlegend=True)
