"""Common scales for series of different size and unit."""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsbench import checks


def scale(
    values: NDArray[np.float64],
    offsets: NDArray[np.int64],
    how: Literal["zscore", "minmax", "log", "asinh", "index100"],
) -> NDArray[np.float64]:
    """Each series values[offsets[i]:offsets[i + 1]] on a common scale; NaN stays NaN.

    Parameters
        how : "zscore" mean 0 and population sd 1; "minmax" to [0, 1]; "log" natural logarithm (NaN where <= 0);
            "asinh" of the value over the series' median absolute value, for series that change sign;
            "index100" first finite value = 100. A constant series gives 0 for zscore and minmax.
    """
    checks.choice(how, "how", ("zscore", "minmax", "log", "asinh", "index100"))
    if how == "log":
        return np.log(values, out=np.full_like(values, np.nan), where=values > 0)
    out = np.full_like(values, np.nan)
    for a, b in pairwise(offsets):
        part = values[a:b]
        solid = part[~np.isnan(part)]
        if not solid.size:
            continue
        if how == "zscore":
            spread = solid.std()
            out[a:b] = (part - solid.mean()) / spread if spread > 0 else part * 0.0
        elif how == "minmax":
            spread = np.ptp(solid)
            out[a:b] = (part - solid.min()) / spread if spread > 0 else part * 0.0
        elif how == "asinh":
            unit = np.median(np.abs(solid))
            out[a:b] = np.arcsinh(part / unit if unit > 0 else part)
        else:
            out[a:b] = part / solid[0] * 100.0 if solid[0] != 0 else np.nan
    return out
