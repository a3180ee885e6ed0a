"""The funnel of a scan: from every company in the store to those that show the pattern, and why the rest fell out."""

import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import BLUE, GREEN, INK, QUIET, figure

DEAD = "#B9C2CB"


def funnel(frame: pd.DataFrame, *, height: int | None = None) -> go.Figure:
    """A bar per stage, its dead companies (no longer reporting) set apart, and the reason beside it.

    Parameters
        frame : one row per stage from the widest down: stage, companies, dead (how many of them are dead), note (what
            the stage asks for, or why companies fell out).
    """
    missing = {"stage", "companies", "dead", "note"} - set(frame.columns)
    if missing:
        raise BadInput(f"the funnel lacks {', '.join(sorted(missing))}; it has {', '.join(map(str, frame.columns))}")
    stages, notes = list(frame["stage"].astype(str)), list(frame["note"].fillna("").astype(str))
    companies, dead = frame["companies"].to_numpy(int), frame["dead"].to_numpy(int)
    rows = list(range(len(stages)))
    fig = figure(height=height or 34 * len(rows) + 44)
    last = [GREEN if i == len(rows) - 1 else BLUE for i in rows]
    bar = {"y": rows, "orientation": "h", "hoverinfo": "text"}
    fig.add_bar(x=companies - dead, marker_color=last, hovertext=[f"{n} alive" for n in companies - dead], **bar)
    fig.add_bar(x=dead, marker_color=DEAD, hovertext=[f"{n} no longer reporting" for n in dead], **bar)
    for i in rows:
        tail = f"  of these {dead[i]} no longer report" if dead[i] else ""
        fig.add_annotation(
            x=companies[i],
            y=i,
            xanchor="left",
            showarrow=False,
            xshift=4,
            align="left",
            text=f"<b>{companies[i]}</b><span style='color:{QUIET}'>{tail}{'; ' if tail and notes[i] else '  '}{notes[i]}</span>",
            font={"size": 12, "color": INK},
        )
    fig.update_xaxes(visible=False, range=[0, 2.1 * max(companies.max(initial=1), 1)], fixedrange=True)
    fig.update_yaxes(
        tickvals=rows, ticktext=stages, autorange="reversed", showgrid=False, fixedrange=True, tickfont={"size": 12, "color": INK}
    )
    return fig.update_layout(barmode="stack", bargap=0.35, showlegend=False, margin={"t": 6, "b": 4, "l": 4, "r": 4})
