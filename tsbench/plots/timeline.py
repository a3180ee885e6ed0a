"""When matches ended: whether they stand alone or came in a crowd."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.evaluate import episodes
from tsbench.plots.theme import BLUE, FOUND, INK, PALE, QUIET, figure, label
from tsbench.series.calendar import calendar_quarter

NEEDED = {"end", "q_value"}
QUARTER_MS = 91.3125 * 86_400_000
# Episodes that follow each other keep a seam between their shades.
SEAM = np.array([5, -5], "m8[D]")


def timeline(
    matches: pd.DataFrame, *, q_limit: float = 0.1, frequency: str = "quarterly", height: int = 250
) -> go.Figure:
    """A bar per calendar quarter: of how many companies the best stretch ended then, those that pass in colour.

    Where several that pass form one episode, its quarters are shaded and their number stands above.

    Parameters
        matches : rows of a scan: end, q_value (NaN = not tested).
        q_limit : a company passes when its q is at most this.
        frequency : of the series, for the episodes (see `tsbench.evaluate.episodes`).
        height : pixels.
    Raises     BadInput: a column is missing.
    """
    absent = NEEDED - set(matches.columns)
    if absent:
        raise BadInput(f"the matches lack {', '.join(sorted(absent))}")
    tested = matches[matches["q_value"].notna()]
    dated = tested[tested["end"].notna()]
    fig = figure(height=height)
    if dated.empty:
        label(fig, "No match to draw.", 0, 0.5, font={"color": QUIET})
        return fig.update_layout(height=60, xaxis={"visible": False}, yaxis={"visible": False})
    quarter = calendar_quarter(pd.DatetimeIndex(dated["end"]).as_unit("us").asi8)
    passes = (dated["q_value"] <= q_limit).to_numpy()
    quarters = np.arange(quarter.min(), quarter.max() + 1)
    there, among = (np.bincount(q - quarters[0], minlength=quarters.size) for q in (quarter, quarter[passes]))
    said = [
        f"{_quarter_name(q)}: {n} of {len(tested)} tested ({n / len(tested):.1%}), {k} pass"
        for q, n, k in zip(quarters, there, among, strict=True)
    ]
    bar = {"x": _start(quarters) + np.timedelta64(45, "D"), "width": 0.86 * QUARTER_MS, "hovertext": said}
    bar |= {"hoverinfo": "text", "marker_line_width": 0}
    fig.add_bar(y=among, marker_color=BLUE, name=f"passes q ≤ {q_limit:g}{'' if passes.any() else ' (none)'}", **bar)
    fig.add_bar(y=there - among, marker_color=PALE, name="best stretch of a company that does not pass", **bar)
    group = episodes(dated[passes], frequency=frequency)
    for crowd in (quarter[passes][group == g] for g in np.unique(group)):
        if crowd.size > 1:
            left, right = _start(np.array([crowd.min(), crowd.max() + 1])) + SEAM
            fig.add_vrect(x0=left, x1=right, fillcolor=FOUND, line_width=0, layer="below")
            middle = left + (right - left) / 2
            label(fig, f"<b>{crowd.size}</b>", middle, 1, xref="x", xanchor="center", yanchor="top", font_color=INK)
    top = int(there.max())
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if top / s <= 4 or s == 5000)
    places = list(range(0, top + step, step))
    words = [f"{n} ({n / len(tested):.0%})" if n else "0" for n in places]
    fig.update_yaxes(title="companies", tickvals=places, ticktext=words, range=[0, 1.14 * top], fixedrange=True)
    fig.update_xaxes(type="date", fixedrange=True)
    return fig.update_layout(barmode="stack", margin={"t": 30}, showlegend=True, legend={"traceorder": "normal"})


def _start(quarters: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """The first day of each quarter, counted since 1970."""
    return (3 * quarters).astype("datetime64[M]").astype("datetime64[D]")


def _quarter_name(quarter: int) -> str:
    return f"Q{quarter % 4 + 1} {1970 + quarter // 4}"
