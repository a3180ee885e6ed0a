"""Drawing many warped copies of a polyline, and colouring noise."""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]


@kernel
def draw_polylines(x: Floats, y: Floats, clock: Floats, out: Floats) -> None:
    """out[r, i] = the polyline (x[r], y[r]) at the warped time of point i.

    x, y : f8[rows, points], x ascending from 0 to 1. clock : f8[rows, knots], ascending from 0 to 1: the warped time at
    equally spaced knots, linear between. out : f8[rows, m], m >= 2, sampled at both ends.
    """
    rows, m = out.shape
    points = x.shape[1]
    knots = clock.shape[1]
    for r in range(rows):
        segment = 0
        for i in range(m):
            t = i * (knots - 1) / (m - 1)
            k = min(int(t), knots - 2)
            u = clock[r, k] + (t - k) * (clock[r, k + 1] - clock[r, k])
            while segment < points - 2 and u > x[r, segment + 1]:
                segment += 1
            span = x[r, segment + 1] - x[r, segment]
            share = (u - x[r, segment]) / span if span > 0.0 else 1.0
            out[r, i] = y[r, segment] + share * (y[r, segment + 1] - y[r, segment])


@kernel
def colour(noise: Floats, memory: Floats) -> None:
    """Turn white noise into AR(1) noise of unchanged variance, row by row, in place."""
    rows, m = noise.shape
    for r in range(rows):
        phi = memory[r]
        fresh = np.sqrt(max(1.0 - phi * phi, 0.0))
        for i in range(1, m):
            noise[r, i] = phi * noise[r, i - 1] + fresh * noise[r, i]
