"""How a service bears load: rates against waiting, a stall as two loops see it, kinds of requests, sizes of batches."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.plots.theme import BLUE, INK, ORANGE, PAPER, QUIET, RULE, UNIVERSE, figure, label

# What a reader is told of each time, with the size of its point.
PERCENTILES = {"p50": "half", "p95": "95 %", "p99": "99 %", "max": "the slowest"}


def throughput(sweep: pd.DataFrame, stored: pd.DataFrame | None = None, *, height: int = 380) -> go.Figure:
    """How long requests wait at growing rates, up to where the service cannot keep up; times on a logarithmic axis.

    Parameters
        sweep : a row per rate: asked (per second), p50, p99 (milliseconds from when a request was due), sent_p99 (from
            when it was sent), kept (whether the rate was kept up).
        stored : the same of another record, drawn in grey behind; None = none.
        height : pixels.
    Raises     BadInput: a column is missing.
    """
    _need(sweep, ("asked", "p50", "p99", "sent_p99", "kept"))
    fig = figure(height=height)
    if stored is not None and len(stored):
        _need(stored, ("asked", "p99"))
        _line(fig, stored["asked"], stored["p99"], "99 %, stored record", UNIVERSE, "dot")
    _line(fig, sweep["asked"], sweep["sent_p99"], "99 %, counted from when sent", ORANGE, "5px,3px")
    _line(fig, sweep["asked"], sweep["p99"], "99 % of the requests", ORANGE)
    _line(fig, sweep["asked"], sweep["p50"], "half of them", BLUE)
    kept = sweep.loc[sweep["kept"].astype(bool), "asked"]
    if len(kept):
        fig.add_vline(x=float(kept.max()), line={"color": QUIET, "width": 1, "dash": "2px,3px"})
        said = f"kept up: {kept.max():,.0f}"
        fig.add_annotation(
            x=float(kept.max()), y=1, yref="paper", text=said, showarrow=False, xanchor="right", xshift=-6,
            yanchor="top", font={"size": 12, "color": QUIET},
        )  # fmt: skip
    fig.update_xaxes(title="requests per second", rangemode="tozero", fixedrange=True, tickformat=",d")
    fig.update_yaxes(**_milliseconds([*sweep["p50"], *sweep["p99"], *sweep["sent_p99"]]))
    return fig.update_layout(margin={"t": 40}, showlegend=True)


def stall(loops: pd.DataFrame, *, height: int = 300) -> go.Figure:
    """The same stall as the open loop and the closed loop tell of it: percentiles of the waiting, a line per loop.

    Parameters
        loops : a row per loop: loop (its name), p50, p95, p99, max (milliseconds). The first is drawn as the true one.
        height : pixels.
    Raises     BadInput: a column is missing, or there are more loops than two.
    """
    _need(loops, ("loop", *PERCENTILES))
    if not 0 < len(loops) <= 2:
        raise BadInput(f"{len(loops)} loops to compare; give 1 or 2")
    fig = figure(height=height)
    for row, colour in zip(loops.to_dict("records"), (ORANGE, BLUE), strict=False):
        fig.add_scatter(
            x=list(PERCENTILES.values()), y=[row[key] for key in PERCENTILES], mode="lines+markers", name=row["loop"],
            line={"color": colour, "width": 2}, marker={"size": 8},
            hovertemplate=f"{row['loop']}: %{{x}} within %{{y:.3g}} ms<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(title="of the requests were answered within", type="category", fixedrange=True)
    fig.update_yaxes(**_milliseconds([value for key in PERCENTILES for value in loops[key]]))
    return fig.update_layout(margin={"t": 40}, showlegend=True)


def request_mix(requests: pd.DataFrame, stored: pd.DataFrame | None = None, *, height: int | None = None) -> go.Figure:
    """Each kind of request: how long half, 95 %, 99 % and the slowest of them took, on one logarithmic axis.

    Parameters
        requests : a row per kind: name, requests, failures (how many), p50, p95, p99, max (milliseconds).
        stored : the same of another record; its 95 % stand as grey strokes. None = none.
        height : pixels; None = by the number of kinds.
    Raises     BadInput: a column is missing.
    """
    _need(requests, ("name", "requests", "failures", *PERCENTILES))
    rows = list(range(len(requests)))
    fig = figure(height=height or 44 * len(rows) + 92)
    for row, kind in zip(rows, requests.to_dict("records"), strict=True):
        span = [max(kind["p50"], 1e-3), max(kind["max"], 1e-3)]
        fig.add_scatter(
            x=span, y=[row, row], mode="lines", line={"color": RULE, "width": 6}, hoverinfo="skip", showlegend=False
        )
    for (key, words), (colour, filled) in zip(PERCENTILES.items(), LOOKS, strict=True):
        mark = {"size": 11, "color": colour if filled else PAPER, "line": {"color": colour, "width": 1.6}}
        fig.add_scatter(
            x=requests[key].clip(lower=1e-3), y=rows, mode="markers", name=words, marker=mark,
            customdata=requests["name"],
            hovertemplate=f"%{{customdata}}, {words}: %{{x:.3g}} ms<extra></extra>",
        )  # fmt: skip
    before = {} if stored is None else dict(zip(stored["name"], stored["p95"], strict=True))
    known = [(row, before[name]) for row, name in zip(rows, requests["name"], strict=True) if name in before]
    if known:
        fig.add_scatter(
            x=[x for _, x in known], y=[y for y, _ in known], mode="markers", name="95 %, stored record",
            marker={"symbol": "line-ns", "size": 20, "line": {"color": UNIVERSE, "width": 2}},
            hovertemplate="stored record: 95 % within %{x:.3g} ms<extra></extra>",
        )  # fmt: skip
    names = [
        f"{kind['name']}<br>{_counted(kind['requests'], kind['failures'])}" for kind in requests.to_dict("records")
    ]
    fig.update_yaxes(tickvals=rows, ticktext=names, autorange="reversed", showgrid=False, fixedrange=True)
    fig.update_yaxes(tickfont={"size": 12, "color": INK})
    scale = _milliseconds([value for key in PERCENTILES for value in requests[key]] + [x for _, x in known])
    fig.update_xaxes(**{**scale, "title": "milliseconds to the answer"}, showgrid=True)
    return fig.update_layout(margin={"t": 40}, showlegend=True)


LOOKS = ((BLUE, True), (ORANGE, True), (ORANGE, False), (QUIET, False))


def batch_sizes(sizes: pd.DataFrame, *, height: int = 340) -> go.Figure:
    """Values per second against values per request, both on logarithmic axes; with timestamps and without.

    Parameters
        sizes : a row per size and kind: values (in a request), timestamps (whether each value has one),
            values_per_second, p99 (milliseconds).
        height : pixels.
    Raises     BadInput: a column is missing.
    """
    _need(sizes, ("values", "timestamps", "values_per_second", "p99"))
    fig = figure(height=height)
    for times, name, colour in ((False, "values alone", BLUE), (True, "with a timestamp each", ORANGE)):
        rows = sizes[sizes["timestamps"].astype(bool) == times].sort_values("values")
        fig.add_scatter(
            x=rows["values"], y=rows["values_per_second"], mode="lines+markers", name=name, customdata=rows["p99"],
            line={"color": colour, "width": 2}, marker={"size": 7},
            hovertemplate="%{x:,} values: %{y:.3s} per second, 99 % within %{customdata:.3g} ms<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(title="values in a request", type="log", dtick=1, tickformat=",d", fixedrange=True)
    fig.update_yaxes(type="log", dtick=1, exponentformat="SI", fixedrange=True)
    label(fig, "values per second", 0, 1, yshift=6, font={"size": 12, "color": QUIET})
    return fig.update_layout(margin={"t": 52}, showlegend=True, legend={"x": 1, "xanchor": "right"})


def _line(fig: go.Figure, x: pd.Series, y: pd.Series, name: str, colour: str, dash: str = "solid") -> None:
    fig.add_scatter(
        x=x, y=y, mode="lines+markers", name=name, line={"color": colour, "width": 2, "dash": dash},
        marker={"size": 6}, hovertemplate=f"{name}: %{{x:,.0f}} per second, %{{y:.3g}} ms<extra></extra>",
    )  # fmt: skip


def _milliseconds(values: Sequence[float]) -> dict[str, object]:
    """A logarithmic axis of milliseconds whose ticks are powers of ten, a little wider than the values."""
    known = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    ends = [math.log10(min(known)) - 0.15, math.log10(max(known)) + 0.15]
    powers = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
    ticks = [10.0**power for power in powers]
    return {
        "type": "log", "range": ends, "tickvals": ticks, "ticktext": [f"{tick:g} ms" for tick in ticks],
        "fixedrange": True,
    }  # fmt: skip


def _counted(requests: float, failures: float) -> str:
    """How many, in a quiet second line."""
    failed = f", {failures:,.0f} failed" if failures else ""
    return f"<span style='color:{QUIET}; font-size:11px'>{requests:,.0f} requests{failed}</span>"


def _need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise BadInput(
            f"the frame lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns)) or 'nothing'}"
        )
