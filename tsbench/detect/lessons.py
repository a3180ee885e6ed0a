"""What a user's verdicts on matches teach: "not this one" lowers what looks like it, "this one" raises it.

A handful of labels among tens of thousands of planted examples would not move the trees. So they correct the score
directly: kernel ridge regression from a window's features to what its score lacks of 1 where the user accepts it, or
has beyond 0 where the user rejects it. Only windows that resemble a labelled one move. A company is never judged with
its own labels, so they cannot excuse it; its own surrogates are corrected in the same way, and the odds hold as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.detect.bank import SIGNS, Stretches
from tsbench.errors import BadInput
from tsbench.patterns import Pattern
from tsbench.series.frames import moment

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WANTED = {"accept": 1.0, "reject": 0.0}
NEEDED = ("entity", "channels", "start", "end", "verdict")
# Width of the kernel in standard deviations of a feature, and the noise of a verdict.
WIDTH, NOISE = 0.6, 0.2


@dataclass(frozen=True, slots=True)
class Lessons:
    """The correction of one head.

    features : float64 (labels, features), standardised. names : the companies that have labels. weights : float64
    (companies + 1, labels): row j is for judging company j, without its own labels; the last row is for all others.
    """

    features: Floats
    names: tuple[str, ...]
    weights: Floats

    @classmethod
    def learn(cls, features: Floats, residual: Floats, companies: Sequence[str]) -> "Lessons":
        """From the features of labelled windows and what the verdicts differ from the scores, one company each."""
        names = tuple(dict.fromkeys(companies))
        gram = _kernel(features, features) + NOISE * np.eye(len(features))
        weights = np.zeros((len(names) + 1, len(features)))
        for row in range(len(names) + 1):
            kept = np.array([row == len(names) or c != names[row] for c in companies])
            if kept.any():
                weights[row, kept] = np.linalg.solve(gram[np.ix_(kept, kept)], residual[kept])
        return cls(features, names, weights)

    def owner(self, entities: pd.Series) -> Ints:
        """Which row of the weights judges each entity, int64 (entities,)."""
        at = {name: row for row, name in enumerate(self.names)}
        return np.array([at.get(name, len(self.names)) for name in entities], dtype=np.int64)

    def correction(self, features: Floats, owner: Ints) -> Floats:
        """What to add to the scores of windows with these standardised features; `owner` as from `owner`."""
        out: Floats = np.einsum("ij,ij->i", _kernel(features, self.features), self.weights[owner])
        return out


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled windows that the data hold: run, start (position), length and sign of each, and what was said."""

    run: Ints
    start: Ints
    length: Ints
    sign: Floats
    wanted: Floats


def labelled_windows(pattern: Pattern, stretches: Stretches, labels: pd.DataFrame) -> Labelled:
    """Where the labelled stretches lie in the data.

    Parameters
        labels : columns entity, channels (list of expressions), start, end (first and last period, both included) and
            verdict; "unsure" teaches nothing. Stretches that the data no longer hold are left out.
    Raises     BadInput: a column is missing, a verdict unknown, or nothing accepted or rejected is found.
    """
    if missing := [c for c in NEEDED if c not in labels.columns]:
        raise BadInput(f"labels lack {', '.join(missing)}; give what store.labels.of(pattern) returns")
    strange = set(labels["verdict"]) - {*WANTED, "unsure"}
    if strange:
        raise BadInput(f"verdicts are accept, reject or unsure, got {sorted(map(str, strange))}")
    position = {name: i for i, name in enumerate(stretches.index["entity"])}
    rows = []
    for label in labels[labels["verdict"].isin(WANTED)].to_dict("records"):
        entity = position.get(label["entity"])
        channel = _channel(pattern, label["channels"])
        if entity is None or channel is None:
            continue
        low, high = stretches.offsets[entity], stretches.offsets[entity + 1]
        times = stretches.times[low:high]
        a = low + int(np.searchsorted(times, moment(label["start"])))
        b = low + int(np.searchsorted(times, moment(label["end"]), side="right"))
        holds = (stretches.entity == entity) & (stretches.channel == channel)
        run = np.flatnonzero(holds & (stretches.start <= a) & (stretches.stop >= b))
        if run.size and b - a >= 4:
            sign = _sign(pattern, stretches.values[:, a:b], max(channel, 0))
            rows.append((int(run[0]), a, b - a, sign, WANTED[label["verdict"]]))
    if not rows:
        raise BadInput(
            f"none of the {len(labels)} labels of {pattern.name!r} is an accepted or rejected stretch of these data"
        )
    run_, start, length, sign_, wanted = zip(*rows, strict=True)
    return Labelled(np.array(run_), np.array(start), np.array(length), np.array(sign_, float), np.array(wanted))


def _channel(pattern: Pattern, channels: Sequence[str]) -> int | None:
    """Which channel a label is about, -1 for all of a joint pattern; None: of other ones, under the same name."""
    if pattern.combine == "all":
        return -1 if set(channels) == set(pattern.expressions) else None
    known = [pattern.expressions.index(c) for c in channels if c in pattern.expressions]
    return known[0] if known else None


def _sign(pattern: Pattern, window: Floats, channel: int) -> float:
    signs = SIGNS[pattern.polarity]
    shaped = (
        channel if pattern.channels[channel].points else next(k for k, c in enumerate(pattern.channels) if c.points)
    )
    return max(signs, key=lambda s: s * float(pattern.template(shaped, window.shape[1]) @ window[shaped]))


def _kernel(a: Floats, b: Floats) -> Floats:
    distance = (a**2).mean(axis=1)[:, None] + (b**2).mean(axis=1) - 2.0 * a @ b.T / a.shape[1]
    near: Floats = np.exp(-np.maximum(distance, 0.0) / (2.0 * WIDTH**2))
    return near
