"""Long series drawn from fewer values: what the eye cannot tell from all of them, within a number of bytes."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from tsdownsample import MinMaxLTTBDownsampler

from tsbench.errors import BadInput
from tsbench.plots.theme import QUIET, label

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Bytes of JSON that a figure may take: some 6,000 values. Beside plotly.js a page of 6 MB has room for three such.
BUDGET = 300_000
# A value of a line takes at least so many bytes: its date in words and its number in base 64.
LEAST_BYTES = 32
# A line of fewer values says nothing, and has no room for its ends, its extremes and two gaps.
FEWEST = 16


def thin(times: Ints, values: Floats, most: int) -> Ints:
    """The positions of the values to draw, in order; all of them when there are at most `most`.

    The values are chosen by MinMaxLTTB (Van Der Donckt et al. 2023, arXiv 2305.00332), which may miss the extremes, and
    joined by those. Kept are the first and the last position, the first and last value, the least and the greatest
    value, and of each gap one position and the values on both sides of it. With more than `most` / 6 gaps the widest
    remain; the others are closed.

    Parameters
        times : int64 microseconds, increasing.
        values : one each; NaN or infinite = a gap.
        most : positions to return at most, 16 or more.
    """
    if values.size <= most:
        return np.arange(values.size)
    known = np.flatnonzero(np.isfinite(values))
    ends = np.array([0, values.size - 1])
    if not known.size:
        return ends
    before = np.flatnonzero(np.diff(known) > 1)
    width = times[known[before + 1]] - times[known[before]]
    before = before[np.argsort(-width, kind="stable")[: most // 6]]
    gaps = np.concatenate([known[before], known[before] + 1, known[before + 1]])
    y = values[known]
    marks = known[np.array([0, known.size - 1, y.argmin(), y.argmax()])]
    kept = np.unique(np.concatenate([ends, marks, gaps]))
    room = most - kept.size
    if known.size > room:
        chosen = MinMaxLTTBDownsampler().downsample(times[known] - times[0], y, n_out=room)
        known = known[chosen.astype(np.int64)]
    return np.union1d(kept, known)


def within(budget: int, lengths: Sequence[int], draw: Callable[[int], go.Figure]) -> go.Figure:
    """The figure with as many values per line as `budget` bytes of JSON allow.

    Parameters
        budget : bytes of the figure's JSON.
        lengths : values of each line.
        draw : makes the figure from at most so many values per line.
    Raises     BadInput: even with 16 values per line it is larger.
    """
    most = _share(lengths, budget // LEAST_BYTES)
    while True:
        fig = draw(max(most, FEWEST))
        size = len(fig.to_json().encode())
        if size <= budget:
            return fig
        if most <= FEWEST:
            raise BadInput(
                f"the figure takes {size:,} bytes with {FEWEST} values per line and every doubtful value, more than "
                f"its {budget:,}; select fewer series or a shorter stretch, or give a larger budget"
            )
        most = int(0.97 * most * budget / size)


def say_thinned(fig: go.Figure, lines: Sequence[tuple[Floats, Floats]]) -> None:
    """Say in the upper right corner what the figure leaves out of its `lines`, each (all values, those drawn)."""
    whole, drawn = (sum(side[i].size for side in lines) for i in (0, 1))
    closed = sum(_gaps(values) - _gaps(shown) for values, shown in lines)
    if drawn < whole:
        said = f"drawn from {whole:,} values, {drawn:,} shown" + (f", {closed:,} narrow gaps closed" if closed else "")
        label(fig, said, 1, 1, xanchor="right", font={"size": 11, "color": QUIET})


def _gaps(values: Floats) -> int:
    return int((np.diff(np.flatnonzero(np.isfinite(values))) > 1).sum())


def _share(lengths: Sequence[int], room: int) -> int:
    """Values per line such that all lines together have `room`; short lines leave theirs to the long."""
    for i, length in enumerate(sorted(lengths)):
        share = room // (len(lengths) - i)
        if length > share:
            return share
        room -= length
    return max(lengths, default=0)
