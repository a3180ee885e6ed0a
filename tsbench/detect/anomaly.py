"""Anomaly detectors: fitted on the values of one series, asked whether others belong to it, and how sure that is.

These look at each value by itself: a level, a spread, a limit. A value is an anomaly when its score, its distance from
the level in spreads, lies beyond the limit on the side that is asked about.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from tsbench import checks
from tsbench.detect.tails import student_tail
from tsbench.errors import BadInput, NotFitted, TooShort
from tsbench.records import State

Floats = NDArray[np.float64]
Side = Literal["upper", "lower", "both"]
SIDES: tuple[Side, ...] = get_args(Side)
LARGEST = float(np.finfo(np.float64).max)
# Of a long series so many scores are kept evenly by rank, and so many of each tail one by one.
RANKS, TAIL = 2_048, 1_024


class Judged(NamedTuple):
    """What a detector says of one value, or of n (then each field but threshold, side and the limits is an array).

    anomaly : whether the value lies beyond a limit. score : distance from `expected` in spreads, positive on the side
        asked; above `threshold` but for rounding where it is an anomaly.
    p_value : how often a value of the same series would lie as far out; see the detector.
    expected, lower, upper : the level and the limits beyond which a value is an anomaly; None where there is none.
    """

    anomaly: Any
    score: Any
    threshold: float
    side: Side
    p_value: Any
    expected: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A level, a spread about it, and of how many values."""

    level: float
    spread: float
    points: int


class AnomalyDetector:
    """What detectors of single values have in common; `fit` first.

    kind : what `model=` calls it. min_length : values that it needs. threshold : its limit, in spreads.
    """

    kind: ClassVar[str]
    min_length: ClassVar[int] = 3
    threshold: ClassVar[float]

    def __init__(self) -> None:
        self._fitted: Spread | None = None

    def __repr__(self) -> str:
        if self._fitted is None:
            return f"{type(self).__name__}(not fitted)"
        level, spread, points = self._fitted.level, self._fitted.spread, self._fitted.points
        return f"{type(self).__name__}(level {level:.6g}, spread {spread:.6g}, of {points} values)"

    @property
    def fitted(self) -> Spread:
        """Level and spread. Raises NotFitted."""
        if self._fitted is None:
            raise NotFitted(f"this {self.kind} detector is not fitted; call fit(values) first")
        return self._fitted

    def fit(self, values: ArrayLike, times: ArrayLike | None = None) -> Self:
        """Learn the level and the spread.

        Parameters
            values : shape (n,). NaN = missing, left out.
            times : not looked at: a value is judged by itself.
        Raises     TooShort: fewer than `min_length` values. BadInput: infinite, all equal, or no spread in float64.
        """
        known, self._fitted = self.measure(values)
        self._learn(known)
        return self

    def measure(self, values: ArrayLike) -> tuple[Floats, Spread]:
        """The values that are not missing, and their spread: what `fit` looks at first. Raises as `fit`."""
        known = checks.vector(values, "values")
        known = known[~np.isnan(known)]
        if known.size < self.min_length:
            raise TooShort(f"{known.size} values, at least {self.min_length} are needed to fit {self.kind}")
        if known.min() == known.max():
            raise BadInput(f"all {known.size} values are {known[0]:g}; without spread nothing can be called far")
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            level, spread = self._measured(known)
        if not (np.isfinite(level) and 0 < spread < np.inf):
            raise BadInput(f"values from {known.min():g} to {known.max():g} have no spread in float64; rescale them")
        return known, Spread(float(level), float(spread), int(known.size))

    def score(self, values: ArrayLike, *, side: Side = "both") -> Floats:
        """The distance of each value from the level, in spreads, positive on the `side` asked; NaN stays NaN.

        Parameters
            values : shape (n,).
            side : "upper", "lower", or "both" for the distance whichever way.
        """
        return _sided(self._signed(checks.vector(values, "values")), checks.choice(side, "side", SIDES))

    def judge(self, values: ArrayLike, *, side: Side = "both") -> Judged:
        """Which of these values are anomalies; a scalar in gives scalars out.

        Parameters
            values : a number, or shape (n,). A missing value (NaN) is no anomaly and has no score.
            side : on which side values count as anomalies.
        """
        checks.choice(side, "side", SIDES)
        if np.ndim(values) == 0:
            (value,) = checks.vector(np.atleast_1d(np.asarray(values, np.float64)), "values").tolist()
            return self.judge_one(value, side)
        asked = checks.vector(values, "values")
        signed = self._signed(asked)
        score, p_value = _sided(signed, side), self._p_value(signed, side)
        lower, upper = self.limits(side)
        anomaly = (asked < (-np.inf if lower is None else lower)) | (asked > (np.inf if upper is None else upper))
        return Judged(anomaly, score, self.threshold, side, p_value, self.fitted.level, lower, upper)

    def judge_one(self, value: float, side: Side) -> Judged:
        """`judge` of a single value in Python's own floats, unchecked: what a service asks of a warm model.

        Parameters
            value : finite or NaN. side : one of `SIDES`.
        """
        fitted = self.fitted
        signed = (value - fitted.level) / fitted.spread
        signed = LARGEST if signed > LARGEST else -LARGEST if signed < -LARGEST else signed
        lower, upper = self.limits(side)
        anomaly = (lower is not None and value < lower) or (upper is not None and value > upper)
        score = signed if side == "upper" else -signed if side == "lower" else abs(signed)
        p_value = self._p_one(signed, side)
        return Judged(anomaly, score, self.threshold, side, p_value, fitted.level, lower, upper)

    def limits(self, side: Side) -> tuple[float | None, float | None]:
        """Below which and above which value there is an anomaly; None on a side that is not asked.

        Parameters
            side : as of `judge`.
        """
        level, reach = self.fitted.level, self.threshold * self.fitted.spread
        lower = None if side == "upper" else max(level - reach, -LARGEST)
        upper = None if side == "lower" else min(level + reach, LARGEST)
        return lower, upper

    def to_state(self) -> State:
        """All that the detector is."""
        fitted = self.fitted
        meta = {"level": fitted.level, "spread": fitted.spread, "points": fitted.points}
        return State(self.kind, 1, meta, self._arrays())

    @classmethod
    def from_state(cls, state: State) -> Self:
        """The detector of a state. Raises BadInput: of another kind or version."""
        if state.kind != cls.kind or state.version != 1:
            raise BadInput(f"a state of kind {state.kind} v{state.version} is no {cls.kind} v1; fit it again")
        made = cls()
        made._fitted = Spread(**state.meta)
        made._restore(state.arrays)
        return made

    def _signed(self, values: Floats) -> Floats:
        fitted = self.fitted
        with np.errstate(over="ignore"):
            return np.clip((values - fitted.level) / fitted.spread, -LARGEST, LARGEST)

    def _measured(self, values: Floats) -> tuple[float, float]:
        """Level and spread of finite values."""
        raise NotImplementedError

    def _p_value(self, signed: Floats, side: Side) -> Floats:
        raise NotImplementedError

    def _p_one(self, signed: float, side: Side) -> float:
        return float(self._p_value(np.array([signed]), side)[0])

    def _learn(self, values: Floats) -> None:
        """More than level and spread, where a kind has more."""

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """The inverse of `_arrays`."""


class ZScore(AnomalyDetector):
    """Mean and population standard deviation; three deviations are the limit (Shewhart 1931).

    p_value : Student's t of a new value of a normal series whose mean and deviation are those of n values (the
    predictive distribution, n - 1 degrees of freedom). Where values are not normal, or not independent of each other,
    it is often too small. Of many values at once it comes from a table, exact to 1e-9 of itself.
    """

    kind = "zscore"
    threshold = 3.0

    def _measured(self, values: Floats) -> tuple[float, float]:
        return float(values.mean()), float(values.std())

    def _p_value(self, signed: Floats, side: Side) -> Floats:
        tail = student_tail(_sided(signed, side) / self._widening, self.fitted.points - 1)
        return 2 * tail if side == "both" else tail

    def _p_one(self, signed: float, side: Side) -> float:
        t = signed / self._widening
        if side == "both":
            return 2 * float(stdtr(self.fitted.points - 1, -abs(t)))
        return float(stdtr(self.fitted.points - 1, t if side == "lower" else -t))

    @property
    def _widening(self) -> float:
        """Sample deviation in place of the population's, and the error of the mean."""
        n = self.fitted.points
        return math.sqrt(n / (n - 1) * (1 + 1 / n))


class Robust(AnomalyDetector):
    """Median and median absolute deviation; 3.5 scaled deviations are the limit (Iglewicz and Hoaglin 1993).

    The deviation is scaled by 1.4826 to that of a normal series; where more than half of the values are equal it is
    the mean absolute deviation by 1.2533. Up to half of the fitted values may be wrong without moving it far.

    p_value : (1 + values of the fit as high) / (n + 1), or as low; on both sides twice the smaller of the two. True of
    any distribution whose values are exchangeable (Vovk et al. 2005, conformal p-values); never below 1 / (n + 1). Of
    more than 4,096 values it is rounded up to kept ranks.
    """

    kind = "robust"
    threshold = 3.5

    def _measured(self, values: Floats) -> tuple[float, float]:
        level = float(np.median(values))
        away = np.abs(values - level)
        spread = 1.4826 * float(np.median(away))
        return level, spread if spread > 0 else 1.2533 * float(away.mean())

    def _learn(self, values: Floats) -> None:
        n = values.size
        whole = np.sort(self._signed(values))
        few = n <= 2 * TAIL + RANKS
        rank = np.arange(n) if few else np.unique(np.r_[:TAIL, np.linspace(0, n - 1, RANKS).round(), n - TAIL : n])
        self._rank = rank.astype(np.int64)
        self._seen = whole[self._rank]

    def _p_value(self, signed: Floats, side: Side) -> Floats:
        known = np.nan_to_num(signed)
        n = self.fitted.points
        upper, lower = (1 + self._as_high(known)) / (n + 1), (1 + self._as_low(known)) / (n + 1)
        p = upper if side == "upper" else lower if side == "lower" else np.minimum(2 * np.minimum(upper, lower), 1.0)
        return np.where(np.isnan(signed), np.nan, p)

    def _as_high(self, signed: Floats) -> NDArray[np.int64]:
        """How many values of the fit score at least this, at most."""
        place = np.searchsorted(self._seen, signed, side="left")
        return self.fitted.points - np.where(place > 0, self._rank[np.maximum(place - 1, 0)] + 1, 0)

    def _as_low(self, signed: Floats) -> NDArray[np.int64]:
        """How many values of the fit score at most this, at most."""
        place = np.searchsorted(self._seen, signed, side="right")
        last = self._rank.size - 1
        return np.where(place <= last, self._rank[np.minimum(place, last)], self.fitted.points)

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"seen": self._seen, "rank": self._rank}

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._seen, self._rank = arrays["seen"], arrays["rank"]


DETECTORS: dict[str, type[AnomalyDetector]] = {one.kind: one for one in (ZScore, Robust)}


def anomaly_detector(kind: str) -> AnomalyDetector:
    """A new detector of that kind, to be fitted. Raises NotFound, naming those there are."""
    return DETECTORS[checks.known(kind, "anomaly detector", list(DETECTORS))]()


def restored(state: State) -> AnomalyDetector:
    """The fitted detector of a `state`, of whatever kind. Raises NotFound, BadInput."""
    return DETECTORS[checks.known(state.kind, "anomaly detector", list(DETECTORS))].from_state(state)


def _sided(signed: Floats, side: Side) -> Floats:
    return signed if side == "upper" else -signed if side == "lower" else np.abs(signed)
