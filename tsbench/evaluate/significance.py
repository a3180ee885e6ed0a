"""From many p-values to a set one can trust."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsbench.errors import BadInput


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """q-values: the smallest false discovery rate at which each hypothesis would be accepted.

    Accepting all with q <= a keeps the expected share of false ones among the accepted at or below a, for independent
    or positively dependent p-values. Cost O(n log n).

    Parameters
        p : p-values, shape (n,). NaN = not tested: it does not count in the family and stays NaN.
    Returns
        float64, shape (n,), each >= its p and <= 1.
    Raises     BadInput: a value outside [0, 1].
    Source     Benjamini & Hochberg (1995), Controlling the false discovery rate, theorem 1, as step-up q-values.
    Examples
        >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
        [0.04, 0.0533, 0.0533, 0.5]
    """
    p = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise BadInput(f"p-values lie in [0, 1], got {p[tested].min():g} to {p[tested].max():g}")
    family = p[tested]
    order = np.argsort(family)
    ratio = family[order] * family.size / np.arange(1, family.size + 1)
    q = np.empty_like(family)
    q[order] = np.minimum(np.minimum.accumulate(ratio[::-1])[::-1], 1.0)
    out = np.full_like(p, np.nan)
    out[tested] = q
    return out


def any_of(p: ArrayLike, tries: ArrayLike) -> NDArray[np.float64]:
    """The p-value of the smallest of `tries` p-values: 1 - (1 - p)^tries (Sidak 1967).

    Exact when the tries are independent, on the safe side when they depend positively.
    """
    p = np.asarray(p, dtype=np.float64)
    combined = -np.expm1(np.asarray(tries) * np.log1p(-np.minimum(p, 1 - 1e-16)))
    return np.where(p < 1, combined, p)
