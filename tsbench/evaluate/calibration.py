"""Whether a score that calls itself a probability is one."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.evaluate.precision import wilson


def calibration(score: ArrayLike, hit: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """What share of the matches with about the same score are right.

    Parameters
        score : probabilities in [0, 1]; NaN are left out.
        hit : whether each match is right, as `hits` says.
        bins : equal steps of the score from 0 to 1.
    Returns
        DataFrame, a row per bin that holds a match: score (mean), share (of hits), low and high (its Wilson interval of
        95 %), matches.
    Raises     BadInput: a score outside [0, 1], or score and hit of unequal length.
    """
    checks.whole(bins, "bins", 1)
    p, right = np.asarray(score, dtype=np.float64), np.asarray(hit, dtype=bool)
    if p.ndim != 1 or p.shape != right.shape:
        raise BadInput(f"score and hit must be two lists of one length, got shapes {p.shape} and {right.shape}")
    p, right = p[~np.isnan(p)], right[~np.isnan(p)]
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise BadInput(f"a calibrated score lies in [0, 1], got {p.min():g} to {p.max():g}")
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    rows = []
    for i in np.unique(place):
        inside = place == i
        n, successes = int(inside.sum()), int(right[inside].sum())
        rows.append((p[inside].mean(), successes / n, *wilson(successes, n), n))
    return pd.DataFrame(rows, columns=["score", "share", "low", "high", "matches"])


def expected_calibration_error(score: ArrayLike, hit: ArrayLike, *, bins: int = 10) -> float:
    """How far, on average over the matches, the share of hits in a bin is from the mean score there; NaN for none.

    0 = the score is a probability; 0.1 = off by ten points of a hundred on average, upwards or downwards.

    Parameters
        score, hit, bins : as in `calibration`.
    Source     Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, equation 3.
    """
    table = calibration(score, hit, bins=bins)
    if table.empty:
        return float("nan")
    return float(np.average((table["score"] - table["share"]).abs(), weights=table["matches"]))
