"""How many companies report, quarter by quarter."""

import numpy as np
import plotly.graph_objects as go

from tsbench.plots.theme import SEQUENCE, figure
from tsbench.plots.units import words
from tsbench.series import Panel
from tsbench.series.calendar import calendar_quarter


def coverage(panel: Panel, *, height: int = 280) -> go.Figure:
    """The number of companies with a value in each calendar quarter, a line per metric.

    A rise is companies entering the `panel`; a fall before the end is companies that stopped reporting. `height` is in
    pixels.
    """
    quarter = calendar_quarter(panel.times)
    metric = np.repeat(panel.index["metric"].to_numpy(dtype=object), np.diff(panel.offsets))
    entity = np.repeat(panel.index["entity"].to_numpy(dtype=object), np.diff(panel.offsets))
    known = np.isfinite(panel.values)
    fig = figure(height=height)
    for name, colour in zip(dict.fromkeys(panel.index["metric"]), SEQUENCE, strict=False):
        here = known & (metric == name)
        pairs = {(int(q), e) for q, e in zip(quarter[here], entity[here], strict=True)}
        quarters, counts = np.unique([q for q, _ in pairs], return_counts=True)
        # the last day of the quarter, from quarters since 1970
        days = ((quarters + 1) * 3).astype("datetime64[M]").astype("datetime64[D]") - 1
        fig.add_scatter(
            x=days, y=counts, mode="lines", line={"color": colour, "width": 1.8}, name=words(str(name)),
            hovertemplate="%{x|%b %Y}: %{y} companies",
        )  # fmt: skip
    fig.update_yaxes(title="companies with a value", rangemode="tozero")
    return fig.update_layout(margin={"t": 34}, showlegend=True)
