"""The funnel of a scan: from every company in the store to those that show the pattern, and why the rest fell out."""

from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import BLUE, DEAD, INK, QUIET, figure

# Characters of a reason per line; more would run out of a half-width figure.
WRAP = 40


def funnel(frame: pd.DataFrame, *, height: int | None = None) -> go.Figure:
    """A bar per stage, its dead companies (no longer reporting) set apart, and the reason beside it.

    Parameters
        frame : one row per stage from the widest down: stage, companies, dead (how many of them are dead), note (what
            the stage asks for, or why companies fell out).
        height : pixels; None = by the number of stages.
    """
    missing = {"stage", "companies", "dead", "note"} - set(frame.columns)
    if missing:
        raise BadInput(f"the funnel lacks {', '.join(sorted(missing))}; it has {', '.join(map(str, frame.columns))}")
    stages, notes = list(frame["stage"].astype(str)), list(frame["note"].fillna("").astype(str))
    companies, dead = frame["companies"].to_numpy(int), frame["dead"].to_numpy(int)
    rows = list(range(len(stages)))
    fig = figure(height=height or 36 * len(rows) + 20)
    bar = {"y": rows, "orientation": "h", "hoverinfo": "text"}
    fig.add_bar(x=companies - dead, marker_color=BLUE, hovertext=[f"{n} still report" for n in companies - dead], **bar)
    fig.add_bar(x=dead, marker_color=DEAD, hovertext=[f"{n} no longer report" for n in dead], **bar)
    for i in rows:
        if i == 0 and dead[i]:
            notes[i] = f"{notes[i]}; grey: {dead[i]} no longer report".removeprefix("; ")
        reason = "<br>".join(wrap(notes[i], WRAP))
        for text, x, colour, size in ((f"<b>{companies[i]}</b>", 0, INK, 13), (reason, 34, QUIET, 11)):
            fig.add_annotation(
                x=companies[i], y=i, text=text, xshift=x + 4, xanchor="left", align="left", showarrow=False,
                font={"size": size, "color": colour},
            )  # fmt: skip
        if dead[i] > 0.1 * companies.max():
            fig.add_annotation(x=companies[i] - dead[i] / 2, y=i, text=str(dead[i]), showarrow=False, font={"size": 11})
    fig.update_xaxes(visible=False, range=[0, 2.7 * max(companies.max(initial=1), 1)], fixedrange=True)
    fig.update_yaxes(tickvals=rows, ticktext=stages, tickfont={"size": 12, "color": INK})
    fig.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True)
    return fig.update_layout(barmode="stack", bargap=0.35, showlegend=False, margin={"t": 6, "b": 4, "l": 4, "r": 4})
