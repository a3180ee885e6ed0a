"""The best windows of many stretches, in pieces that an executor may run side by side.

Stage one correlates at every position and scale and proposes a few windows of each stretch; stage two, where there is a
trained head, judges these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsbench import checks
from tsbench.detect.bank import Bank, Stretches, Where, of_channel
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head
from tsbench.detect.training import CANDIDATES, CANDIDATES_NOW, OVERLAP
from tsbench.errors import BadInput
from tsbench.kernels.describe import compare_rivals
from tsbench.kernels.matches import best_matches, settle_matches
from tsbench.kernels.search import distance_profiles
from tsbench.series import Panel
from tsbench.series.calendar import is_live

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Points per piece: large enough that a call costs nothing beside its work, small enough to spread and to interrupt.
PIECE_POINTS = 25_000
# Shorter runs have too few differences to resample and to describe.
SHORTEST_RUN = 10
# Two matches of one run share at most this much of what they cover together.
APART = 0.3


@dataclass(frozen=True, slots=True)
class Best:
    """The best windows of every run, best first; arrays of shape (runs, kept).

    score : -inf where there is no (further) window. start : position in the values, -1. length : periods, 0. scale : of
    the bank, as which it was proposed, -1.
    """

    score: Floats
    start: Ints
    length: Ints
    scale: Ints

    @classmethod
    def nothing(cls, runs: int, kept: int) -> "Best":
        """No window in any run."""
        shape = (runs, kept)
        return cls(np.full(shape, -np.inf), np.full(shape, -1), np.zeros(shape, np.int64), np.full(shape, -1))


def best_windows(
    values: Floats,
    runs: tuple[Ints, Ints, Ints],
    bank: Bank,
    *,
    head: Head | None = None,
    fold: Ints | None = None,
    owner: Ints | None = None,
    kept: int = 1,
    executor: Executor | None = None,
) -> Best:
    """The best windows of every run, no two of which coincide.

    Parameters
        values : float64 (channels, total), C-contiguous.
        runs : (start, stop, first_end) positions; ascending in start. No NaN inside a run.
        bank : the templates of every channel and scale.
        head : judges the windows that correlation proposes; None = correlation alone.
        fold, owner : int64 per run, whose fold of the head judges and whose labels do not count; needed with a head.
        kept : windows per run.
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
        whose = None if fold is None or owner is None else (fold[a:b], owner[a:b])
        pieces.append((part, (start, stop, first_end), bank, head, whose, kept, low))
    found = list((executor.map if executor else map)(_search_piece, pieces))
    if not found:
        return Best.nothing(0, kept)
    return Best(*(np.concatenate(column) for column in zip(*found, strict=True)))


Piece = tuple[Floats, tuple[Ints, Ints, Ints], Bank, Head | None, tuple[Ints, Ints] | None, int, int]


def _search_piece(piece: Piece) -> tuple[Floats, Ints, Ints, Ints]:
    values, runs, bank, head, whose, kept, low = piece
    n = runs[0].size
    recent = bool((runs[2] > runs[0]).all())
    size = kept if head is None else max(kept, CANDIDATES_NOW if recent else CANDIDATES)
    best = Best.nothing(n, size)
    limit = APART if head is None else OVERLAP
    first = (best.score, best.start, best.scale)
    best_matches(values, runs, (bank.flat, bank.offset, bank.length), bank.constraints, bank.gate, limit, first)
    length = np.where(best.scale >= 0, bank.length[best.scale], 0)
    if head is None:
        return best.score, np.where(best.start >= 0, best.start + low, -1), length, best.scale
    run, place = map(np.ascontiguousarray, np.nonzero(best.score > 0))
    windows = (best.start[run, place], length[run, place], bank.sign[best.scale[run, place]])
    judged = np.full((n, size), -np.inf)
    assert whose is not None
    fold, owner = whose
    proposed = best.score[run, place]
    rivals = np.empty((run.size, 2))
    compare_rivals(run, windows[0], windows[1], proposed, rivals)
    of_runs = (runs[0][run], runs[1][run])
    judged[run, place] = head.score(values, of_runs, windows, rivals, proposed, fold[run], owner[run])
    out = Best.nothing(n, kept)
    settled = (out.score, out.start, out.length, out.scale)
    start = np.where(np.isfinite(judged), best.start, -1)
    settle_matches(values, runs, (start, length, judged, best.score > head.clear), bank.constraints, APART, settled)
    scale = np.where(out.scale >= 0, np.take_along_axis(best.scale, np.maximum(out.scale, 0), axis=1), -1)
    return out.score, np.where(out.start >= 0, out.start + low, -1), out.length, scale


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


def search_runs(
    stretches: Stretches,
    question: Question,
    bank: Bank,
    *,
    heads: Mapping[int, Head],
    kept: int = 1,
    executor: Executor | None = None,
) -> Best:
    """The best windows of every run that is asked about, in the order of all runs; -inf for the others.

    `heads` : by channel of a run, -1 for the joint pattern; a channel without one is judged by correlation alone.
    """
    best = Best.nothing(question.runs.size, kept)
    for channel in np.unique(stretches.channel[question.runs]):
        rows = np.flatnonzero(question.runs & (stretches.channel == channel))
        runs = (stretches.start[rows], stretches.stop[rows], question.first_end[rows])
        head = heads.get(int(channel))
        fold, owner = (of[stretches.entity[rows]] for of in judges(head, stretches))
        found = best_windows(
            stretches.of_channel(int(channel)), runs, of_channel(bank, int(channel)),
            head=head, fold=fold, owner=owner, kept=kept, executor=executor,
        )  # fmt: skip
        for name in Best.__dataclass_fields__:
            getattr(best, name)[rows] = getattr(found, name)
    return best


def judges(head: Head | None, stretches: Stretches) -> tuple[Ints, Ints]:
    """Per entity, which fold of the head judges it, and whose labels do not count then; zeros without a head."""
    entities = stretches.index["entity"]
    nobody = np.zeros(len(entities), np.int64)
    if head is None:
        return nobody, nobody
    return head.judge_of(entities), nobody if head.lessons is None else head.lessons.owner(entities)


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
