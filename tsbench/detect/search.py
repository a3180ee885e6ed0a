"""Stage one over many stretches: the best window of each, in pieces that an executor may run side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsbench import checks
from tsbench.detect.bank import Bank, Stretches, Where, of_channel
from tsbench.errors import BadInput
from tsbench.kernels.search import best_matches, distance_profiles
from tsbench.series import Panel
from tsbench.series.calendar import is_live

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Points per piece: large enough that a call costs nothing beside its work, small enough to spread and to interrupt.
PIECE_POINTS = 25_000
# Shorter runs have too few differences to resample and to describe.
SHORTEST_RUN = 10


class Executor(Protocol):
    """What a fan-out needs: `map`. Thread pools and dask's client executor both have it."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any]) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class Best:
    """Per run: the best score (-inf where no window was allowed), its start (position in the values) and scale."""

    score: Floats
    start: Ints
    scale: Ints


def best_windows(
    values: Floats,
    runs: tuple[Ints, Ints, Ints],
    bank: Bank,
    *,
    executor: Executor | None = None,
) -> Best:
    """The best window of every run.

    Parameters
        values : float64 (channels, total), C-contiguous.
        runs : (start, stop, first_end) positions; ascending in start. No NaN inside a run.
        bank : the templates of every channel and scale.
        executor : pieces go through its `map`; None = one after another in this thread.
    """
    pieces = []
    n = runs[0].size
    cuts = np.searchsorted(np.cumsum(runs[1] - runs[0]), np.arange(PIECE_POINTS, values.size, PIECE_POINTS))
    edges = np.unique(np.r_[0, cuts, n])
    for a, b in pairwise(edges):
        # The slice of values a piece needs, so that a remote worker is sent no more.
        low, high = int(runs[0][a:b].min()), int(runs[1][a:b].max())
        part = np.ascontiguousarray(values[:, low:high])
        start, stop, first_end = (column[a:b] - low for column in runs)
        pieces.append((part, (start, stop, first_end), bank, low))
    found = list((executor.map if executor else map)(_search_piece, pieces))
    if not found:
        return Best(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Best(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _search_piece(piece: tuple[Floats, tuple[Ints, Ints, Ints], Bank, int]) -> tuple[Floats, Ints, Ints]:
    values, runs, bank, low = piece
    n = runs[0].size
    out = (np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64))
    best_matches(values, runs, (bank.flat, bank.offset, bank.length), bank.constraints, bank.gate, out)
    return out[0], np.where(out[1] >= 0, out[1] + low, -1), out[2]


def distance_profile(query: ArrayLike, panel: Panel, *, executor: Executor | None = None) -> Floats:
    """The z-normalised Euclidean distance of a query to every window of every series: where else does this happen?

    Low means alike whatever level and size; sqrt(2 m) is no relation. Cost O(total * m).

    Parameters
        query : shape (m,), m >= 3, no NaN, not constant.
        panel : windows that would hold NaN or bridge a hole have no distance.
        executor : pieces go through its `map`.
    Returns
        float64, shape (panel.values.size,), in [0, 2 sqrt(m)]. Entry i belongs to the window that starts at
        panel.values[i]; NaN where none does.
    Raises     BadInput: the query holds NaN or is constant; TooShort: fewer than 3 values.
    Source     Mueen et al. (2017), MASS; here by direct sums, which beat the FFT at usual lengths.
    """
    x = checks.vector(query, "query", min_length=3)
    x = x - x.mean()
    norm = float(np.sqrt(x @ x))
    if not norm > 0:
        raise BadInput("the query is constant or holds NaN, so it has no shape to look for")
    runs = panel.runs()
    out = np.full(panel.values.size, np.nan)
    fill_distances(panel.values, runs.start, runs.stop, x / norm, out, executor=executor)
    return out


def fill_distances(
    values: Floats, start: Ints, stop: Ints, template: Floats, out: Floats, *, executor: Executor | None = None
) -> None:
    """`distance_profile` for runs known to be free of NaN, into `out`; threads only: the pieces share `out`."""
    cuts = np.searchsorted(np.cumsum(stop - start), np.arange(PIECE_POINTS, values.size, PIECE_POINTS))
    edges = np.unique(np.r_[0, cuts, start.size])
    fill = partial(_fill_piece, values, start, stop, template, out)
    list((executor.map if executor else map)(fill, pairwise(edges)))


def _fill_piece(values: Floats, start: Ints, stop: Ints, template: Floats, out: Floats, edge: tuple[int, int]) -> None:
    part = slice(*edge)
    distance_profiles(values, start[part], stop[part], template, out)


@dataclass(frozen=True, slots=True)
class Question:
    """Where a pattern is looked for: which entities are live, which runs are searched, and the earliest end there."""

    live: NDArray[np.bool_]
    runs: NDArray[np.bool_]
    first_end: Ints


def question_of(
    stretches: Stretches, bank: Bank, where: Where, newest: int | None = None, example: str = ""
) -> Question:
    """The runs that can hold an answer: long enough, recent enough, but for history live, and not of the example."""
    live = live_entities(stretches, newest)
    first_end = stretches.first_end(where)
    runs = long_enough(stretches, bank) & (stretches.stop >= first_end)
    runs &= live[stretches.entity] | (where == "history")
    return Question(live, runs & (stretches.index["entity"] != example).to_numpy()[stretches.entity], first_end)


def search_runs(stretches: Stretches, question: Question, bank: Bank, *, executor: Executor | None = None) -> Best:
    """The best window of every run that is asked about, in the order of all runs; -inf for the others."""
    n = question.runs.size
    best = Best(np.full(n, -np.inf), np.full(n, -1), np.full(n, -1))
    for channel in np.unique(stretches.channel[question.runs]):
        rows = np.flatnonzero(question.runs & (stretches.channel == channel))
        runs = (stretches.start[rows], stretches.stop[rows], question.first_end[rows])
        found = best_windows(
            stretches.of_channel(int(channel)), runs, of_channel(bank, int(channel)), executor=executor
        )
        best.score[rows], best.start[rows], best.scale[rows] = found.score, found.start, found.scale
    return best


def shortest_run(bank: Bank) -> int:
    """The shortest run that holds a template with room and can be compared with surrogates of itself."""
    return max(SHORTEST_RUN, int(bank.length.min()) + 1)


def long_enough(stretches: Stretches, bank: Bank) -> NDArray[np.bool_]:
    """Per run, whether it reaches `shortest_run`."""
    enough: NDArray[np.bool_] = stretches.stop - stretches.start >= shortest_run(bank)
    return enough


def live_entities(stretches: Stretches, newest: int | None = None) -> NDArray[np.bool_]:
    """Which entities of `stretches` still report: their last period is at most 1.5 periods behind the newest of all."""
    has = stretches.last > 0
    last = np.where(has, stretches.times[np.maximum(stretches.last, 1) - 1] if stretches.times.size else 0, 0)
    if not has.any():
        return has
    limit = int(last[has].max()) if newest is None else newest
    return has & is_live(last, limit, stretches.index["frequency"].to_numpy(dtype=object))
