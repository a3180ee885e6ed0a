"""Stage two: a trained judge of the windows that correlation proposes.

Correlation cannot tell the drawing from what nearly is it, nor from a random walk that happens to follow it. The head
has seen both: it learns from copies of the drawing planted in the user's own series, from near misses planted in the
same way (`patterns.near_misses`), and from the highest-scoring false windows of its own first rounds. It reads the
features of `kernels.describe` and answers with boosted trees how far a window coincides with a copy.

There are two judges, each trained on one half of the companies. A company of the background is judged by the one that
never saw it, any other company by the mean of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.detect.bank import Bank
from tsbench.detect.executor import Executor
from tsbench.detect.lessons import Labelled, Lessons
from tsbench.detect.training import Examples, examples, host_room
from tsbench.detect.trees import Trees
from tsbench.evaluate import half_of
from tsbench.kernels.describe import BASIS, CONTEXT, GRID, SCALARS, WIDTH, describe_windows
from tsbench.kernels.matches import near_marked
from tsbench.kernels.steps import step_size
from tsbench.patterns import Pattern
from tsbench.patterns.synthetic import bend

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FOLDS, BOTH = 2, 2
# Series per fold in the first round and in each of the ROUNDS that look for its mistakes; trees likewise.
SERIES, MORE_SERIES, ROUNDS = 1300, 1400, 2
SERIES_NOW, MORE_SERIES_NOW = 1000, 1000
TREES, FINAL_TREES = 40, 300
# How much the score of stage one, correlation with the amplitude gate, adds to the trees' answer: it helps tall copies
# and costs low ones. A clear window, one that beats what this share of chance series hold (within BOUNDS), gets CLEAR
# more for every e-fold that its score comes nearer to 1: it is what a reader calls like the drawing.
SHARE, CLEAR, BEATS, BOUNDS = 0.25, 0.33, 0.95, (0.85, 0.99)
# A window counts as the pattern fully from this overlap with a copy on, not at all up to that.
HALF, WHOLE = 0.3, 0.65
# A false window scores high enough to be learnt from.
MISTAKE = 0.15
# A natural stretch that follows the drawing so closely, and stands so high over the noise, is no counterexample.
NATURAL, NATURAL_HEIGHT = np.arctanh(0.95), np.log(10.0)
CORRELATION = GRID + 2 * CONTEXT + BASIS + SCALARS.index("correlation")
HEIGHT = GRID + 2 * CONTEXT + BASIS + SCALARS.index("height / noise")
EXAMPLES = 400
# The share of series with a copy for which the calibrated score is a probability.
EVEN = 0.5
FEWEST_HOSTS = 5


@dataclass(frozen=True, slots=True)
class Head:
    """The fitted judge of one drawing (of one channel, or of a joint one).

    channels : the rows of a run's values that it reads. points, offset : control points (2, all) of those channels end
    to end, heights from 0 to 1. basis : float64 (channels, BASIS, GRID), the drawing and how examples differ from it.
    folds : a judge per half of the companies. slope, intercept : of the logistic curve from score to probability.
    gate : of stage one. clear : its score from which on a window is a clear one. centre, spread : of the features over
    fresh examples. known : the companies of the background. lessons : what the user's verdicts correct, if any.
    """

    channels: Ints
    points: Floats
    offset: Ints
    basis: Floats
    folds: tuple[Trees, ...]
    slope: float
    intercept: float
    gate: float
    clear: float
    centre: Floats
    spread: Floats
    known: NDArray[np.str_]
    lessons: Lessons | None = None

    def describe(
        self, values: Floats, runs: tuple[Ints, Ints], windows: tuple[Ints, Ints, Floats], rivals: Floats
    ) -> Floats:
        """The features of windows (start, length, sign) in runs (start, stop): float64 (windows, features)."""
        out = np.empty((windows[0].size, self.channels.size * WIDTH))
        rows = np.ascontiguousarray(values[self.channels])
        describe_windows(rows, runs, windows, rivals, (self.points[0], self.points[1], self.offset), self.basis, out)
        return out

    def score(
        self,
        values: Floats,
        runs: tuple[Ints, Ints],
        windows: tuple[Ints, Ints, Floats],
        rivals: Floats,
        proposed: Floats,
        fold: Ints,
        owner: Ints | None = None,
    ) -> Floats:
        """About 0 for no coincidence with the pattern and 1 for full, plus what the score of stage one adds.

        Parameters
            values : float64 (channels, total). runs, windows, rivals : as in `describe`.
            proposed : float64 (windows,), the score of stage one. fold : int64 per window, see `judge_of`.
            owner : int64 per window, whose labels do not count; see `Lessons.owner`.
        """
        features = self.describe(values, runs, windows, rivals)
        out = _added(proposed, self.clear)
        for number, trees in enumerate(self.folds):
            mine = (fold == number) | (fold == BOTH)
            if mine.any():
                out[mine] += np.where(fold[mine] == BOTH, 1.0 / FOLDS, 1.0) * trees.predict(features[mine])
        if self.lessons is not None and owner is not None:
            out += self.lessons.correction(self.standardised(features), owner)
        return out

    def judge_of(self, entities: pd.Series) -> Ints:
        """Which fold judges each entity, int64 (entities,); `BOTH` where it was not in the background."""
        unknown = ~np.isin(entities.to_numpy(dtype=str), self.known)
        return np.where(unknown, BOTH, half_of(entities).astype(np.int64))

    def standardised(self, features: Floats) -> Floats:
        """Features in deviations from those of fresh examples, cut at +-3; all but how a window stands among rivals."""
        z = np.clip((features - self.centre) / self.spread, -3.0, 3.0)
        own: Floats = z.reshape(len(z), self.channels.size, WIDTH)[:, :, :-2].reshape(len(z), -1)
        return own

    def judged(self, values: Floats, runs: tuple[Ints, Ints], seen: Labelled, fold: Ints) -> tuple[Floats, Floats]:
        """Standardised features of labelled windows, and their scores without lessons; `runs`, `fold` per window."""
        windows, none = (seen.start, seen.length, seen.sign), np.zeros((seen.start.size, 2))
        features = self.describe(values, runs, windows, none)
        return self.standardised(features), self.score(
            values, runs, windows, none, self.proposed(values, runs, windows), fold
        )

    def proposed(self, values: Floats, runs: tuple[Ints, Ints], windows: tuple[Ints, Ints, Floats]) -> Floats:
        """The score of stage one of each window, as `kernels.matches.best_matches` gives it."""
        out = np.empty(windows[0].size)
        for i, (low, high, a, m, sign) in enumerate(zip(*runs, *windows, strict=True)):
            scores = []
            for number, channel in enumerate(self.channels):
                corners = slice(self.offset[number], self.offset[number + 1])
                t = np.interp(np.linspace(0, 1, m), self.points[0, corners], self.points[1, corners])
                t -= t.mean()
                t *= sign / np.sqrt(t @ t)
                row = values[channel]
                w = row[a : a + m] - row[a : a + m].mean()
                along, noise = float(t @ w), step_size(row[low:high])
                usual = self.gate * noise * np.sqrt(m)
                height = abs(along) * float(np.ptp(t))
                scores.append(along / (np.sqrt(w @ w) + 1e-300) * (min(1.0, height / usual) if usual > 0 else 1.0))
            out[i] = min(scores)
        return out

    def probability(self, score: Floats) -> Floats:
        """Of a window being the pattern, where half of the series carry it: the calibrated score, in [0, 1]."""
        return np.where(np.isfinite(score), 1.0 / (1.0 + np.exp(-(self.slope * score + self.intercept))), np.nan)


def fit_head(
    pattern: Pattern,
    channels: list[int],
    bank: Bank,
    hosts: list[Floats],
    companies: Sequence[str],
    *,
    now: bool,
    seed: int,
    share: float = 1.0,
    executor: Executor | None = None,
) -> Head:
    """Train the judge of some channels of a pattern.

    Parameters
        channels : positions of the pattern's channels that the hosts' rows are; one, or all of a joint pattern.
        bank : its templates, for values that hold only these channels. hosts : arrays (channels, points) without NaN.
        companies : whose each host is; those of the second half are judged by the second fold and teach the first.
        now : trained for windows in the last two periods, else anywhere.
        seed : fixes all draws; the calibration draws from a stream of its own, on the companies that did not teach.
        share : of the usual series and trees; less is quicker and coarser. executor : the folds go through its `map`.
    Raises     TooShort: no host has room for the pattern.
    """
    shaped = [i for i, k in enumerate(channels) if pattern.channels[k].points]
    drawings = [pattern.channels[channels[i]].drawing for i in shaped]
    rng = np.random.default_rng([seed, 1])
    head = Head(
        np.array(shaped, np.int64),
        np.concatenate([np.stack(d) for d in drawings], axis=1),
        np.r_[0, np.cumsum([d[0].size for d in drawings])].astype(np.int64),
        np.stack([_basis(pattern, d, rng) for d in drawings]),
        (), 0.0, 0.0, bank.gate, 1.0, np.zeros(0), np.zeros(0), np.unique(np.asarray(companies, dtype=str)),
    )  # fmt: skip
    room = host_room(hosts, pattern.length[1])
    half = half_of(companies)
    sides = [[h for h, second in zip(hosts, half, strict=True) if second == wanted and room(h)] for wanted in (0, 1)]
    # With too few companies on a side both sides teach and are judged; nothing can be held out then.
    if min(map(len, sides)) < FEWEST_HOSTS:
        sides = [[h for h in hosts if room(h)]] * FOLDS
    fit = partial(_fit_fold, head, pattern, channels, bank, now, seed, share)
    found = list((executor.map if executor else map)(fit, range(FOLDS), sides[::-1], sides))
    folds, answer, unseen, features, by_chance = zip(*found, strict=True)
    clear = float(np.clip(np.quantile(np.concatenate(by_chance), BEATS), *BOUNDS))
    score = np.concatenate(answer) + _added(np.concatenate([new.proposed for new in unseen]), clear)
    slope, intercept = _platt(score, np.concatenate([new.overlap >= 0.5 for new in unseen]))
    fresh = np.concatenate(features)
    centre, spread = fresh.mean(axis=0), fresh.std(axis=0) + 1e-9
    return replace(head, folds=folds, slope=slope, intercept=intercept, clear=clear, centre=centre, spread=spread)


def _fit_fold(
    head: Head,
    pattern: Pattern,
    channels: list[int],
    bank: Bank,
    now: bool,
    seed: int,
    share: float,
    fold: int,
    teachers: list[Floats],
    judged: list[Floats],
) -> tuple[Trees, Floats, Examples, Floats, Floats]:
    """Trees after two rounds of looking for mistakes, and what companies that did not teach show of them.

    Returns    the trees; their answers to unseen examples, these examples and their features; the best scores of stage
    one in chance series.
    """
    make = partial(examples, pattern, bank, channels=channels, now=now)
    usual = (SERIES_NOW, MORE_SERIES_NOW) if now else (SERIES, MORE_SERIES)
    first, more, final = (round(share * size) for size in (*usual, FINAL_TREES))
    rng = np.random.default_rng([seed, 2, fold])
    seen = make(teachers, first, rng)
    x, y = _known(head, seen)
    by_chance = [seen.by_chance]
    for number in range(ROUNDS):
        trees = Trees.fit(x, _wanted(y), TREES, seed=[seed, 3, fold, number])
        seen = make(teachers, more, rng)
        fresh, overlap = _known(head, seen)
        by_chance.append(seen.by_chance)
        hard = (overlap > HALF) | (trees.predict(fresh) > MISTAKE)
        x, y = np.concatenate([x, fresh[hard]]), np.concatenate([y, overlap[hard]])
    trees = Trees.fit(x, _wanted(y), final, seed=[seed, 3, fold, ROUNDS])
    rng = np.random.default_rng([seed, 4, fold])
    new = make(judged, first // 4, rng, carriers=EVEN)
    features = _features(head, new)
    return trees, trees.predict(features), new, features, np.concatenate(by_chance)


def _added(proposed: Floats, clear: float) -> Floats:
    """What the score of stage one adds to the trees' answer."""
    beyond = np.log((1.0 - clear) / np.maximum(1.0 - proposed, 1e-6))
    return SHARE * proposed + CLEAR * np.maximum(beyond, 0.0)


def _features(head: Head, seen: Examples) -> Floats:
    return head.describe(seen.values, seen.runs, seen.windows, seen.rivals)


def _known(head: Head, seen: Examples) -> tuple[Floats, Floats]:
    """Features and overlaps, without natural stretches that may well be the pattern or part of it."""
    x = _features(head, seen)
    each = x.reshape(len(x), head.channels.size, WIDTH)
    like = (each[:, :, CORRELATION].min(axis=1) >= NATURAL) & (each[:, :, HEIGHT].min(axis=1) >= NATURAL_HEIGHT)
    near = np.empty(len(x), np.bool_)
    near_marked(seen.run, seen.first, seen.length, seen.natural & like, HALF, near)
    kept = ~(seen.natural & near)
    return x[kept], seen.overlap[kept]


def _wanted(overlap: Floats) -> Floats:
    return np.clip((overlap - HALF) / (WHOLE - HALF), 0.0, 1.0)


def _basis(pattern: Pattern, drawing: tuple[Floats, Floats], rng: np.random.Generator) -> Floats:
    """Orthonormal rows: the drawing on GRID points, and the directions in which drawn examples differ most from it."""
    copies = bend([drawing], EXAMPLES, GRID, warp=pattern.warp, jitter=pattern.jitter, rng=rng)[0]
    copies -= copies.mean(axis=1, keepdims=True)
    copies /= np.sqrt((copies**2).sum(axis=1, keepdims=True)) + 1e-12
    shape = np.interp(np.linspace(0, 1, GRID), *drawing)
    shape -= shape.mean()
    shape /= np.sqrt(shape @ shape) + 1e-12
    beyond = copies - np.outer(copies @ shape, shape)
    directions = np.linalg.svd(beyond, full_matrices=False)[2][: BASIS - 1]
    return np.ascontiguousarray(np.vstack([shape, directions]))


def _platt(score: Floats, hit: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of the logistic curve from score to the share of hits (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(score[:, None], hit)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
