"""Stage one over many stretches: the best window of each, in pieces that an executor may run side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tsbench.detect.bank import Bank
from tsbench.kernels.search import best_matches

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Points per piece: large enough that a call costs nothing beside its work, small enough to spread and to interrupt.
PIECE_POINTS = 50_000


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
