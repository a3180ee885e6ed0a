"""Growth categories: which way a series went, in one word."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tsbench import checks

Growth = Literal["Steady growth", "Declining", "Cyclical patterns"]


def growth_category(values: ArrayLike) -> Growth | None:
    """Which way a series went: the sign of its mean difference, first to last finite value.

    Parameters
        values : shape (n,), in time order. NaN = missing, passed over.
    Returns
        "Steady growth" when the mean difference is above zero, "Declining" below, "Cyclical patterns" at zero; None
        with fewer than two finite values. A coarse word: it says nothing of the way between.
    """
    solid = checks.vector(values, "values")
    solid = solid[~np.isnan(solid)]
    if solid.size < 2:
        return None
    first, last = solid[0], solid[-1]
    return "Steady growth" if last > first else "Declining" if last < first else "Cyclical patterns"
