"""A series as bars, coloured by how each value changed from the one before."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tsbench.plots.lines import axis, dates
from tsbench.plots.theme import AMBER, BLUE, GREEN, RED, figure
from tsbench.plots.thin import say_thinned, thin
from tsbench.plots.units import amount, unit_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FIRST, RISE, DIP, FALL = range(4)
# A fall of more than this share is another colour than a smaller one.
SMALL = 0.07
# AMBER is what Okabe and Ito call orange.
LOOKS = (
    (FIRST, BLUE, "first value"),
    (RISE, GREEN, "rise"),
    (DIP, AMBER, f"fall of up to {SMALL:.0%}"),
    (FALL, RED, f"fall of more than {SMALL:.0%}, or below zero"),
)
# More bars than these are narrower than a pixel.
MOST_BARS = 1_000


def changes(values: Floats) -> Ints:
    """How each value changed from the last one known before it: FIRST, RISE, DIP or FALL; -1 where it is missing.

    The first value is FIRST whatever it is; any other below zero is a FALL. One that stays is a DIP (of nothing).
    """
    kinds = np.full(values.size, -1, np.int64)
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return kinds
    after, before = values[known[1:]], values[known[:-1]]
    # a fall of just 7 % must not depend on how its decimals are held in binary
    dips = before - after <= SMALL * before * (1 + 1e-9)
    kinds[known[1:]] = np.select([after < 0, after > before, dips], [FALL, RISE, DIP], FALL)
    kinds[known[0]] = FIRST
    return kinds


def bars(times: Ints, values: Floats, *, metric: str, height: int = 380) -> go.Figure:
    """A bar per value, blue for the first, green for a rise, orange for a fall of up to 7 %, red beyond or below zero.

    Of more than a thousand values so many are drawn, the extremes among them, and the figure says so; their colours
    stay those of their change from the value before in the whole series.

    Parameters
        times : int64 microseconds UTC, increasing, shape (n,).
        values : shape (n,); a missing one (NaN) is a gap, and the next is compared with the last one known.
        metric : what they measure; tells the unit of the axis.
        height : pixels.
    """
    kinds, unit = changes(values), unit_of(metric)
    shown = thin(times, values, MOST_BARS)
    fig = figure(height=height)
    width = 0.8 * _step(times[shown])
    for kind, colour, said in LOOKS:
        mine = shown[kinds[shown] == kind]
        fig.add_bar(
            x=dates(times[mine]),
            y=values[mine],
            width=width,
            marker={"color": colour, "line": {"width": 0}},
            name=said,
            hovertext=[amount(v, unit) for v in values[mine]],
            hovertemplate="%{x|%-d %b %Y}: %{hovertext}<extra></extra>",
        )
    say_thinned(fig, [(values, values[shown])])
    fig.update_xaxes(type="date")
    fig.update_yaxes(zeroline=True, **axis(unit))
    return fig.update_layout(barmode="overlay", showlegend=True, margin={"t": 44})


def _step(times: Ints) -> float:
    """Milliseconds from one bar to the next, as a rule; a day when there is but one."""
    return float(np.median(np.diff(times))) / 1_000 if times.size > 1 else 86_400_000.0
