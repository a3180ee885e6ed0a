"""What chance looks like: surrogate series, p-values against scores, and the score each length needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import NotFound
from tsbench.patterns import NULLS, surrogates
from tsbench.plots.lines import axis, line
from tsbench.plots.theme import LINE, QUIET, SEQUENCE, UNIVERSE, figure, label
from tsbench.plots.thin import BUDGET, say_thinned, thin, within
from tsbench.plots.units import unit_of, words
from tsbench.series import Panel

NULL_NAMES = {
    "block_bootstrap": "its own steps, blocks shuffled",
    "phase_randomized": "same rhythm, random phases",
    "sign_flip": "its own steps, random signs",
}
COPIES = 6


def nulls(panel: Panel, entity: str, *, seed: int = 0, height: int = 260, budget: int = BUDGET) -> go.Figure:
    """One series beside what each model of chance makes of it: the real one in colour, six surrogates in grey.

    Parameters
        panel : one evaluated channel, a series per entity (see `tsbench.patterns.evaluate`).
        entity : whose.
        seed : fixes the surrogates.
        height : pixels.
        budget : bytes of JSON that the figure may take; long series are drawn from fewer values, as in `series`.
    Raises     NotFound: the panel does not hold it.
    """
    real = panel.select(entity=entity)
    if not len(real):
        raise NotFound(f"{entity} has no values to resample")
    made: dict[str, Panel] = {kind: surrogates(real, COPIES, kind=kind, seed=seed) for kind in NULLS}
    lines = [real.values.size] * len(made) * (COPIES + 1)
    return within(budget, lines, lambda most: _nulls(real, entity, made, height, most))


def _nulls(real: Panel, entity: str, made: Mapping[str, Panel], height: int, most: int) -> go.Figure:
    """The figure of `nulls` from at most `most` values per line."""
    expression = str(real.index["metric"].iloc[0])
    unit = unit_of(expression)
    level = np.exp if unit.log else np.array
    fig = figure(height=height)

    def drawn(panel: Panel, k: int, colour: str) -> dict[str, Any]:
        times, values = panel.series(k)
        shown = thin(times, values, most)
        return line(times[shown], level(values[shown]), unit, colour)

    for i, (kind, copies) in enumerate(made.items()):
        number, left = str(i + 1) if i else "", i / 3 + 0.02
        place = {"xaxis": f"x{number}", "yaxis": f"y{number}", "showlegend": i == 0}
        fig.update_layout(
            {
                f"xaxis{number}": {"domain": [left, left + 0.29], "anchor": f"y{number}", "tickformat": "%Y"},
                f"yaxis{number}": {"domain": [0, 0.86], "anchor": f"x{number}", "showticklabels": i == 0, **axis(unit)},
            }
        )
        if i:
            fig.update_layout({f"yaxis{number}": {"matches": "y"}})
        for k in range(len(copies)):
            grey = {**drawn(copies, k, UNIVERSE), "hoverinfo": "skip", "hovertemplate": None, "text": None}
            fig.add_scatter(**grey, **{**place, "showlegend": i == 0 and k == 0}, name="made by chance")
            fig.data[-1].line.width = 1
        fig.add_scatter(**drawn(real, 0, LINE), **place, name=f"{entity}, {words(expression)}")
        label(fig, NULL_NAMES[kind], left, 0.88, font={"size": 12, "color": QUIET})
    say_thinned(fig, [(real.values, fig.data[-1].y)])
    return fig.update_layout(margin={"t": 30})


def odds(matches: pd.DataFrame, *, p_limit: float | None = None, height: int = 340) -> go.Figure:
    """p-value against score under each model of chance, a point per company tested.

    Parameters
        matches : rows of a scan: entity, name, score, p_block_bootstrap, p_phase_randomized, p_sign_flip.
        p_limit : drawn as a line: what a single company would need to pass.
        height : pixels.
    """
    tested = matches[matches["score"].notna() & matches["p_value"].notna()]
    fig = figure(height=height)
    said = [f"{n or e} ({e})" for n, e in zip(tested["name"], tested["entity"], strict=True)]
    for kind, colour, symbol in zip(NULLS, SEQUENCE, ("circle", "diamond", "triangle-up"), strict=False):
        fig.add_scatter(
            x=tested["score"],
            y=tested[f"p_{kind}"],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.75},
            text=said,
            hovertemplate="%{text}: score %{x:.2f}, p %{y:.2g}<extra></extra>",
            name=NULL_NAMES[kind],
        )
    if p_limit is not None:
        fig.add_hline(y=p_limit, line={"color": QUIET, "width": 1, "dash": "dot"})
        said_of_it, style = f"p = {p_limit:.2g}: enough to pass alone", {"size": 12, "color": QUIET}
        label(fig, said_of_it, 0, float(np.log10(p_limit)), yref="y", xanchor="left", font=style)
    ticks = [1, 0.1, 0.01, 0.001, 0.0001]
    fig.update_xaxes(title="score of the best stretch")
    fig.update_yaxes(type="log", title="p: how often chance scores that high")
    fig.update_yaxes(tickvals=ticks, ticktext=[f"{t:g}" for t in ticks])
    return fig.update_layout(margin={"t": 34})


def needed(frame: pd.DataFrame, *, height: int = 320) -> go.Figure:
    """The score a single company would need to pass, by how many periods its series has.

    Parameters
        frame : length, channel, needed (see `PatternDetector.needed_score`); 1 = no score is enough.
        height : pixels.
    """
    fig = figure(height=height)
    channels: Sequence[str] = list(dict.fromkeys(frame["channel"]))
    for channel, colour in zip(channels, SEQUENCE, strict=False):
        part = frame[frame["channel"] == channel].sort_values("length")
        reachable = part["needed"] < 1.0
        name = " and ".join(words(e) for e in channel.split(" & ")) if len(channels) > 1 else "score needed to pass"
        fig.add_scatter(
            x=part["length"], y=part["needed"].where(reachable), mode="lines", name=name,
            line={"color": colour, "width": 2.2}, hovertemplate="%{x} periods: score %{y:.2f}<extra></extra>",
        )  # fmt: skip
        never = part.loc[~reachable, "length"]
        if len(never):
            cross = {"color": colour, "symbol": "x-thin", "size": 6, "line": {"width": 1.4, "color": colour}}
            fig.add_scatter(
                x=never, y=np.ones(len(never)), mode="markers", marker=cross,
                name="no score is enough" if len(channels) == 1 else f"{name}: no score is enough",
                hovertemplate="%{x} periods: no score is enough<extra></extra>",
            )  # fmt: skip
    fig.update_xaxes(title="periods in the gap-free series")
    lowest = float(np.floor(20 * frame["needed"].min() - 0.5) / 20) if len(frame) else 0.0
    fig.update_yaxes(title="score needed", range=[lowest, 1.01])
    return fig.update_layout(margin={"t": 34}, showlegend=True)
