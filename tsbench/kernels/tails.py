"""Tail probabilities from a table."""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]


@kernel
def student_tail(t: Floats, dof: float, table: Floats, per_unit: float, out: Floats) -> None:
    """P(T >= t) of Student's t, from a table of P(T >= t) exp(z^2 / 2) over z = sqrt(dof log(1 + t^2 / dof)) >= 0.

    table : entry i is at z = (i - 1) / per_unit. out : as t. NaN stays NaN. Cubic through the four nearest entries.
    """
    last = table.size - 4
    for i in range(t.size):
        far = abs(t[i])
        if far != far:
            out[i] = np.nan
            continue
        # t^2 would overflow where log1p(t^2 / dof) is 2 log t - log dof to the last digit
        z = np.sqrt(dof * (np.log1p(far * far / dof) if far < 1e150 else 2 * np.log(far) - np.log(dof)))
        place = z * per_unit
        if place >= last:
            tail = 0.0
        else:
            k = int(place)
            u = place - k
            a, b, c, d = table[k], table[k + 1], table[k + 2], table[k + 3]
            cubic = b + u * ((c - a / 3 - b / 2 - d / 6) + u * ((a + c) / 2 - b + u * ((d - a) / 6 + (b - c) / 2)))
            tail = np.exp(-0.5 * z * z) * cubic
        out[i] = tail if t[i] > 0 else 1.0 - tail
