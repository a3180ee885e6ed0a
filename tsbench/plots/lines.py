"""Series over time, as they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.plots.theme import INK, PAPER, SEQUENCE, figure, label
from tsbench.plots.thin import BUDGET, say_thinned, thin, within
from tsbench.plots.units import Unit, amount, unit_of, words
from tsbench.series import Panel

MOST_ENTITIES = 12


def series(panel: Panel, *, height: int = 150, budget: int = BUDGET) -> go.Figure:
    """Every series of a panel, one row of the figure per metric, a line per entity; a missing value is a gap.

    Lines that would take more than the `budget` are drawn from fewer values, and the figure says from how many; see
    `tsbench.plots.thin` for what is kept. Doubtful values are always all there.

    Parameters
        panel : up to 12 entities. Values that the quality pass doubts are hollow.
        height : pixels per metric.
        budget : bytes of JSON that the figure may take.
    Raises     BadInput: the panel is empty, holds more entities than a reader can tell apart, or more doubtful values
        than the budget.
    """
    entities, metrics = panel.entities, list(dict.fromkeys(panel.index["metric"]))
    if not 0 < len(entities) <= MOST_ENTITIES:
        raise BadInput(f"{len(entities)} entities to draw; select 1 to {MOST_ENTITIES}")
    lengths = [int(n) for n in np.diff(panel.offsets)]
    return within(budget, lengths, lambda most: _drawn(panel, entities, metrics, height, most))


def _drawn(panel: Panel, entities: Sequence[str], metrics: list[str], height: int, most: int) -> go.Figure:
    """Every series from at most `most` values."""
    fig = figure(height=height * len(metrics) + 60)
    room = 1 / len(metrics)
    for i, metric in enumerate(metrics):
        number, top, last = str(i + 1) if i else "", 1 - i * room, i == len(metrics) - 1
        across = {"anchor": f"y{number}", "type": "date", "showticklabels": last, **({"matches": "x"} if i else {})}
        up = {"anchor": f"x{number}", "domain": [top - 0.8 * room, top], **axis(unit_of(metric))}
        fig.update_layout({f"xaxis{number}": across, f"yaxis{number}": up})
        label(fig, f"<b>{words(metric)}</b>", 0, top)
    drawn = []
    for row in range(len(panel)):
        entity, metric = panel.index["entity"].iloc[row], panel.index["metric"].iloc[row]
        number = str(metrics.index(metric) + 1) if metrics.index(metric) else ""
        place = {"xaxis": f"x{number}", "yaxis": f"y{number}", "legendgroup": entity, "name": entity}
        named = len(entities) > 1 and metric == metrics[0]
        times, values = panel.series(row)
        again, hue = divmod(entities.index(entity), len(SEQUENCE))
        shown = thin(times, values, most)
        drawing = line(times[shown], values[shown], unit_of(metric), SEQUENCE[hue])
        fig.add_scatter(**drawing, **place, showlegend=named)
        if again:
            fig.data[-1].line.dash = "5px,2px"
        drawn.append((values, values[shown]))
        doubted = panel.flags[panel.offsets[row] : panel.offsets[row + 1]] > 0
        if doubted.any():
            fig.add_scatter(**hollow(times[doubted], values[doubted]), **place, showlegend=False)
    say_thinned(fig, drawn)
    # above the name of the first metric
    return fig.update_layout(margin={"t": 44}, legend_y=1 + 20 / (height * len(metrics)))


def line(times: NDArray[np.int64], values: NDArray[np.float64], unit: Unit, colour: str) -> dict[str, Any]:
    """The arguments of a scatter trace: a line with gaps at NaN whose hover tells the value in its unit."""
    return {
        "x": dates(times),
        "y": values,
        "mode": "lines",
        "connectgaps": False,
        "line": {"color": colour, "width": 1.8},
        "text": [amount(v, unit) for v in values],
        "hovertemplate": "%{x|%b %Y}: %{text}",
    }


def hollow(times: NDArray[np.int64], values: NDArray[np.float64], said: list[str] | None = None) -> dict[str, Any]:
    """The arguments of a scatter trace: hollow points for values that are doubted and left out."""
    return {
        "x": dates(times),
        "y": values,
        "mode": "markers",
        "marker": {"color": PAPER, "size": 7, "line": {"color": INK, "width": 1.4}},
        "text": said or "doubtful value, left out",
        "hovertemplate": "%{x|%b %Y}: %{text}<extra></extra>",
    }


def axis(unit: Unit) -> dict[str, Any]:
    """The y axis of a unit: "$10B", "10%", plain; logarithmic when the expression is."""
    scale: dict[str, Any] = {"type": "log"} if unit.log else {}
    if unit.kind == "share":
        return {**scale, "tickformat": ".0%", "nticks": 5}
    if unit.kind == "money":
        return {**scale, "tickprefix": "$", "exponentformat": "B", "nticks": 5}
    return {**scale, "nticks": 5}


def dates(times: NDArray[np.int64]) -> pd.DatetimeIndex:
    """Microseconds UTC as dates without a zone, which plotly shows as they are."""
    return pd.DatetimeIndex(times.astype("datetime64[us]"))
