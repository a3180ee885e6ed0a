"""How likely a score is by chance: the null distribution of the best score of a stretch.

The best score over all positions and scales of a stretch grows with its length and depends on its memory and tails,
so one threshold for all companies would favour long and smooth series. Running surrogates of every series answers
that, at the cost of a rescan each. Instead the dependence is learnt once, on surrogates of a background: for every
surrogate the features of that surrogate (what an observer of it would see) and its best score are a training pair.

    y = location(features) + scale(features) * z,  z ~ one distribution for all

where y is the score of the trained head or, of a correlation, its atanh. So
location and log scale are sums of a quadratic in each feature; the distribution of z is the pooled empirical
one, and beyond its 99th percentile the exponential tail that a Gumbel maximum has. p-values below
1 / (number of surrogates + 1) are not supported and are reported as that.

The p-values are right on average over companies like those of the background. A single company may do this or that more
often than its features tell; surrogates of its own series (`PatternDetector.confirm`) say so.

Where constraints leave a stretch without any allowed window, the chance of having one at all is a logistic function
of the same features, and p is that chance times the tail probability.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.kernels.steps import step_statistics

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FEATURES = ("log_length", "memory", "tails", "drift")
FEWEST_STEPS = 12
FOLDS = 5
TAIL = 0.01


def features_of(values: Floats, start: Ints, stop: Ints, match_start: Ints, match_length: Ints) -> Floats:
    """What the null distribution of a best score depends on, measured outside the match.

    A true match would itself change the memory and the tails of its series, and so excuse itself: what that costs in
    power stands in benchmark/README.md. Surrogates are measured in the same way, outside their own best match, so the
    comparison stays fair.

    Parameters
        values : float64 (channels, total). start, stop : int64 (n,), runs without NaN, each of at least 4 values.
        match_start, match_length : int64 (n,), the best window of each run; start -1 for none.
    Returns
        float64 (n, 4): log length; lag-1 autocorrelation of the differences; log ratio of their mean absolute value to
        their root mean square (-0.23 for Gaussian noise, lower with heavier tails); t-statistic of their mean,
        squashed to (-1, 1). Channels are averaged. A run with fewer than 12 differences outside counts whole.
    """
    statistics = np.empty((start.size, 3))
    step_statistics(values, start, stop, match_start, match_start + match_length, FEWEST_STEPS, statistics)
    memory, tails, drift = statistics.T
    return np.column_stack([np.log(stop - start), memory, np.maximum(tails, -3.0), np.tanh(drift / 3.0)])


def _design(features: Floats, centre: Floats, spread: Floats) -> Floats:
    """Columns 1, f, f^2 of standardised features, cut at +-3 so that no stretch is extrapolated far.

    Products of different features, and of length with the others alone, were tried: no better on held-out companies
    within a null, and worse across nulls.
    """
    f = np.clip((features - centre) / spread, -3.0, 3.0)
    return np.column_stack([np.ones(f.shape[0]), f, f * f])


@dataclass(frozen=True, slots=True)
class Odds:
    """The fitted null distribution of best scores for one null, question and channel; see the module's text."""

    centre: Floats
    spread: Floats
    location: Floats
    scale: Floats
    allowed: Floats
    quantiles: Floats
    tail: Floats
    n: int
    bounded: bool

    @classmethod
    def fit(cls, features: Floats, score: Floats, company: Ints | None = None, *, bounded: bool = True) -> "Odds":
        """Learn from surrogates.

        Parameters
            features : shape (n, 4), from `features_of`. score : shape (n,), best scores; -inf where no window was
                allowed. Needs at least 200 finite scores.
            company : int64 (n,), whose surrogate each is: the distribution of z is that of companies left out of the
            fit, which is what a new company meets; None = all the same, z is taken in sample.
            bounded : whether scores are correlations, which end at 1, or go on as a head's do.
        Raises     BadInput: fewer.
        """
        found = np.isfinite(score)
        if found.sum() < 200:
            raise BadInput(
                f"only {found.sum()} of {score.size} surrogates have any allowed window, 200 are needed; widen the "
                "constraints or give a larger background"
            )
        centre = features.mean(axis=0)
        spread = np.maximum(features.std(axis=0), 1e-3)
        design = _design(features, centre, spread)
        x, y = design[found], unbounded(score[found], bounded)
        location, scale = _location_and_scale(x, y)
        z = np.sort(_left_out(x, y, None if company is None else company[found]))
        start = np.quantile(z, 1 - TAIL)
        mean_excess = float((z[z > start] - start).mean())
        keep = np.unique(np.r_[np.linspace(0, z.size - 1, 2001).astype(np.int64), np.arange(z.size)[-200:]])
        quantiles = np.stack([z[keep], 1.0 - keep / z.size])
        allowed = np.zeros(0) if found.all() else _logistic(design, found)
        return cls(
            centre, spread, location, scale, allowed, quantiles, np.array([start, mean_excess]), score.size, bounded
        )

    @property
    def floor(self) -> float:
        """The smallest p-value the surrogates support."""
        return 1.0 / (self.n + 1)

    def p_value(self, features: Floats, score: Floats) -> Floats:
        """P(a surrogate with these features scores at least this), shape (n,); 1 where score is -inf."""
        design = _design(features, self.centre, self.spread)
        z = (unbounded(score, self.bounded) - design @ self.location) / np.exp(design @ self.scale)
        start, mean_excess = self.tail
        p: Floats = np.interp(z, self.quantiles[0], self.quantiles[1])
        p = np.where(z > float(start), TAIL * np.exp(-(z - start) / mean_excess), p)
        if self.allowed.size:
            p = p / (1.0 + np.exp(-design @ self.allowed))
        return np.where(np.isfinite(score), np.clip(p, self.floor, 1.0), 1.0)

    def needed_score(self, features: Floats, p: float) -> Floats:
        """The score at which the p-value reaches `p`, shape (n,); inf means that no score does (p below the floor)."""
        design = _design(features, self.centre, self.spread)
        chance = 1.0 / (1.0 + np.exp(-design @ self.allowed)) if self.allowed.size else np.ones(len(design))
        wanted = p / chance
        start, mean_excess = self.tail
        body = np.interp(-wanted, -self.quantiles[1], self.quantiles[0])
        z = np.where(wanted < TAIL, start - mean_excess * np.log(wanted / TAIL), body)
        y = z * np.exp(design @ self.scale) + design @ self.location
        score = np.where(wanted >= 1.0, -np.inf, np.tanh(y) if self.bounded else y)
        return score if p >= self.floor else np.full(len(design), np.inf)


def unbounded(score: Floats, bounded: bool) -> Floats:
    """Scores on a scale without ends: correlations by atanh, others as they are."""
    return np.arctanh(np.clip(score, -0.9999, 0.999999)) if bounded else score


def _location_and_scale(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """E log|residual| fixes the scale up to a constant, which the pooled distribution of z absorbs."""
    location = _ridge(x, y)
    return location, _ridge(x, np.log(np.abs(y - x @ location) + 1e-3))


def _left_out(x: Floats, y: Floats, company: Ints | None) -> Floats:
    """z of every row by a fit on the other companies, in FOLDS folds; in sample where there are too few companies."""
    names, number = np.unique(np.zeros(len(y)) if company is None else company, return_inverse=True)
    fold = number % FOLDS if names.size >= 2 * FOLDS else np.full(len(y), -1)
    z = np.empty(len(y))
    for f in np.unique(fold):
        here = fold == f
        location, scale = _location_and_scale(*((x, y) if f < 0 else (x[~here], y[~here])))
        z[here] = (y[here] - x[here] @ location) / np.exp(x[here] @ scale)
    return z


def _ridge(x: Floats, y: Floats) -> Floats:
    """Least squares with a light penalty on all columns but the first: a background has few different companies."""
    gram = x.T @ x
    penalty = np.full(len(gram), 0.02 * len(x))
    penalty[0] = 0.0
    gram[np.diag_indices_from(gram)] += penalty
    weights: Floats = np.asarray(np.linalg.solve(gram, x.T @ y), dtype=np.float64)
    return weights


def _logistic(design: Floats, found: NDArray[np.bool_]) -> Floats:
    """Logistic regression by Newton's method with a light ridge penalty."""
    weights = np.zeros(design.shape[1])
    penalty = 1e-3 * len(design)
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (found - chance) - penalty * weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        curvature[np.diag_indices_from(curvature)] += penalty
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return weights
