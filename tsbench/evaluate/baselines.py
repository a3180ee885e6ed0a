"""What a detector must beat: windows by lot, and the recipe that most first tries follow."""

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import TooShort
from tsbench.patterns import Pattern, evaluate_all
from tsbench.patterns.synthetic import draw
from tsbench.series import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Two matches of an entity share at most this much of what they cover together.
APART = 0.3
# The recipe: drawings of so many points, so many of them and as many rows of uniform noise, with a little noise on top.
POINTS, EXAMPLES, NOISE = 32, 2000, 0.1
LAYERS, BATCH, ROUNDS = (64, 32), 32, 10


def random_windows(pattern: Pattern, panel: Panel, *, per_entity: int = 5, seed: int = 0) -> pd.DataFrame:
    """Any windows in any order: the floor under every ranking.

    Parameters
        pattern : its channels say which stretches are free of gaps, its lengths how long a window is.
        panel : raw metrics of the entities to draw from.
        per_entity : at most so many windows of each, apart from each other.
        seed : fixes the lots.
    Returns
        DataFrame as `PatternDetector.find` gives it: entity, start, end (half-open positions), score.
    Raises     TooShort: no stretch holds a window.
    """
    rng = np.random.default_rng(checks.whole(seed, "seed", 0))
    names, lanes = _lanes(pattern, panel)
    windows = [lane.windows(int(m)) for lane in lanes for m in pattern.scales()]
    return _best(names, windows, [rng.random(w.at.size) for w in windows], per_entity)


def uniform_noise_recipe(pattern: Pattern, panel: Panel, *, per_entity: int = 5, seed: int = 0) -> pd.DataFrame:
    """A small network taught drawings against uniform noise: the usual first try.

    2,000 copies of the drawing with a little Gaussian noise are the positives, 2,000 rows of independent uniform
    numbers the negatives, all scaled to run from 0 to 1; the windows of the panel are resampled to 32 points, scaled
    alike and ranked by the network's answer. No window of a real series is like uniform noise, and any smooth one is
    more like a drawing: that is what the network learns.

    Parameters
        pattern, panel, per_entity : as in `random_windows`. Alternatives have a network for each drawing.
        seed : fixes examples and training.
    Returns
        DataFrame as `random_windows`; score is the network's answer before it becomes a probability.
    Raises     TooShort: no stretch holds a window.
    """
    rng = np.random.default_rng(checks.whole(seed, "seed", 0))
    nets: dict[object, list[tuple[Floats, Floats]]] = {}
    windows, scores = [], []
    names, lanes = _lanes(pattern, panel)
    for lane in lanes:
        key = tuple(pattern.channels[k].points for k in lane.shaped)
        if key not in nets:
            copies = draw(pattern, EXAMPLES, POINTS, rng=rng)[lane.shaped].swapaxes(0, 1)
            nets[key] = _taught(copies + NOISE * rng.standard_normal(copies.shape), rng)
        for m in pattern.scales():
            windows.append(lane.windows(int(m)))
            scores.append(_answer(nets[key], lane.sampled(windows[-1])))
    return _best(names, windows, scores, per_entity)


class _Windows(NamedTuple):
    """Windows of one length: position in the values, entity and start in its series of each."""

    at: Ints
    entity: Ints
    start: Ints
    length: int


class _Lane(NamedTuple):
    """Channels that are matched together: their positions and values, and the stretches where all are known."""

    shaped: list[int]
    values: Floats
    first: Ints
    entity: Ints
    begin: Ints
    end: Ints

    def windows(self, m: int) -> _Windows:
        count = np.maximum(self.end - self.begin - m + 1, 0)
        run = np.repeat(np.arange(count.size), count)
        at = self.begin[run] + np.arange(run.size) - np.repeat(np.cumsum(count) - count, count)
        entity = self.entity[run]
        return _Windows(at, entity, at - self.first[entity], m)

    def sampled(self, windows: _Windows) -> Floats:
        """The windows at equally spaced points, straight lines between, each channel from 0 to 1: one row each."""
        if not windows.at.size:
            return np.zeros((0, len(self.values) * POINTS))
        places = np.linspace(0, windows.length - 1, POINTS)
        weights = np.stack([np.interp(places, np.arange(windows.length), unit) for unit in np.eye(windows.length)])
        views = np.lib.stride_tricks.sliding_window_view(self.values, windows.length, axis=1)
        return _unit_range((views[:, windows.at] @ weights).swapaxes(0, 1)).reshape(windows.at.size, -1)


def _lanes(pattern: Pattern, panel: Panel) -> tuple[NDArray[np.object_], list[_Lane]]:
    """The entities' names, and what is searched in them."""
    channels = evaluate_all(pattern.expressions, panel.without_flagged())
    values = np.stack([channel.values for channel in channels])
    every = list(range(len(channels)))
    lanes = []
    for together in [every] if pattern.combine == "all" else [[k] for k in every]:
        shaped = [k for k in together if pattern.channels[k].points]
        runs = replace(channels[0], values=values[together].sum(axis=0)).runs()
        lanes.append(_Lane(shaped, values[shaped], channels[0].offsets, runs.series, runs.start, runs.stop))
    if all((lane.end - lane.begin < pattern.length[0]).all() for lane in lanes):
        raise TooShort(f"no gap-free stretch of {', '.join(pattern.expressions)} has {pattern.length[0]} periods")
    return channels[0].index["entity"].to_numpy(dtype=object), lanes


def _taught(positives: Floats, rng: np.random.Generator) -> list[tuple[Floats, Floats]]:
    """(weights, bias) of each layer of the network."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    x = np.concatenate([_unit_range(positives), rng.random(positives.shape)]).reshape(2 * len(positives), -1)
    net = MLPClassifier(LAYERS, batch_size=BATCH, max_iter=ROUNDS, random_state=int(rng.integers(1 << 31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten rounds are the recipe
        net.fit(x, np.arange(len(x)) < len(positives))
    return list(zip(net.coefs_, net.intercepts_, strict=True))


def _answer(net: list[tuple[Floats, Floats]], x: Floats) -> Floats:
    """The logit: as a probability many answers would be 1 and no longer rank."""
    for weights, bias in net[:-1]:
        x = np.maximum(x @ weights + bias, 0.0)
    weights, bias = net[-1]
    answer: Floats = (x @ weights + bias)[:, 0]
    return answer


def _unit_range(x: Floats) -> Floats:
    x = x - x.min(axis=-1, keepdims=True)
    scaled: Floats = x / np.maximum(x.max(axis=-1, keepdims=True), 1e-12)
    return scaled


def _best(names: NDArray[np.object_], windows: list[_Windows], scores: list[Floats], per_entity: int) -> pd.DataFrame:
    """The best windows of every entity that stand apart, best first."""
    checks.whole(per_entity, "per_entity", 1)
    entity, start = (np.concatenate([getattr(w, name) for w in windows]) for name in ("entity", "start"))
    end = start + np.repeat([w.length for w in windows], [w.at.size for w in windows])
    score = np.concatenate(scores)
    order = np.lexsort((-score, entity))
    rows = []
    for mine in np.split(order, np.flatnonzero(np.diff(entity[order])) + 1):
        left = mine
        for _ in range(per_entity):
            if not left.size:
                break
            best = left[0]
            rows.append(best)
            shared = np.minimum(end[left], end[best]) - np.maximum(start[left], start[best])
            whole = np.maximum(end[left], end[best]) - np.minimum(start[left], start[best])
            left = left[shared <= APART * whole]
    found = pd.DataFrame({"entity": names[entity[rows]], "start": start[rows], "end": end[rows], "score": score[rows]})
    return found.sort_values("score", ascending=False, kind="stable", ignore_index=True)
