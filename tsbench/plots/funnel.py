"""The funnel of a scan: from every company in the store to those that show the pattern, and why the rest fell out."""

from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import BLUE, INK, QUIET, figure

DEAD = "#B9C2CB"
# Characters of a reason per line; more would run out of a half-width figure.
WRAP = 40


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
    fig = figure(height=height or 36 * len(rows) + 20)
    bar = {"y": rows, "orientation": "h", "hoverinfo": "text"}
    fig.add_bar(x=companies - dead, marker_color=BLUE, hovertext=[f"{n} alive" for n in companies - dead], **bar)
    fig.add_bar(x=dead, marker_color=DEAD, hovertext=[f"{n} no longer reporting" for n in dead], **bar)
    for i in rows:
        reasons = [f"{dead[i]} of them no longer report"] if dead[i] else []
        reason = "<br>".join(wrap("; ".join([*reasons, *([notes[i]] if notes[i] else [])]), WRAP))
        for text, x, colour, weight in ((f"<b>{companies[i]}</b>", 0, INK, 13), (reason, 34, QUIET, 11)):
            fig.add_annotation(
                x=companies[i], y=i, text=text, xshift=x + 4, xanchor="left", align="left", showarrow=False,
                font={"size": weight, "color": colour},
            )  # fmt: skip
    fig.update_xaxes(visible=False, range=[0, 2.7 * max(companies.max(initial=1), 1)], fixedrange=True)
    fig.update_yaxes(
        tickvals=rows, ticktext=stages, autorange="reversed", showgrid=False, fixedrange=True, tickfont={"size": 12, "color": INK}
    )
    return fig.update_layout(barmode="stack", bargap=0.35, showlegend=False, margin={"t": 6, "b": 4, "l": 4, "r": 4})
