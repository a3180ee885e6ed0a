"""Drawing many warped copies of a polyline, colouring noise, and putting copies into series."""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# of the prediction that tells noise from what was to be expected
ORDER = 4


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


@kernel
def one_step_noise(x: Floats) -> Floats:
    """What the best linear prediction from the last ORDER values leaves of each value of x, centred: f8[n - ORDER].

    For a random walk these are its steps, for noise around a level or a season the noise. Jumps, which are events and
    no noise, are cut at 4 robust standard deviations (1.4826 times the median absolute value).
    Source     Burg (1967), as a lattice of forward and backward errors.
    """
    n = x.size
    ahead = x - x.mean()
    behind = ahead.copy()
    for p in range(1, ORDER + 1):
        products = squares = 0.0
        for i in range(p, n):
            products += ahead[i] * behind[i - 1]
            squares += ahead[i] ** 2 + behind[i - 1] ** 2
        share = 2.0 * products / squares if squares > 0.0 else 0.0
        for i in range(n - 1, p - 1, -1):
            forward = ahead[i]
            ahead[i] = forward - share * behind[i - 1]
            behind[i] = behind[i - 1] - share * forward
    noise = ahead[ORDER:].copy()
    noise -= np.median(noise)
    most = 4.0 * 1.4826 * np.median(np.abs(noise))
    for i in range(noise.size):
        noise[i] = min(max(noise[i], -most), most)
    centred: Floats = noise - noise.mean()
    return centred


@kernel
def splice(x: Floats, start: int, shape: Floats, height: float, memory: float, blocks: Ints, block: int) -> None:
    """Put a shape and fresh noise in the place of x[start : start + m], joined at both ends, in place.

    shape : f8[m], starts at 0. height : its scale, in the geometric mean of the standard deviations of the steps
    of x and of its one-step noise: alike for a walk, and between the two where steps are to be expected. The new noise
    is AR(1); its innovations are blocks of the one-step noise, each `block` long from the positions in `blocks` on, so
    that texture and tails stay. What follows the stretch moves to where the stretch ends.
    """
    n = x.size
    m = shape.size
    fresh = one_step_noise(x)
    spread = np.sqrt(fresh.std() * np.diff(x).std())
    level = x[start]
    tail = x[start + m - 1]
    noise = 0.0
    for j in range(m):
        noise = memory * noise + fresh[(blocks[j // block] + j % block) % fresh.size]
        x[start + j] = level + height * spread * shape[j] + noise
    move = x[start + m - 1] - tail
    for i in range(start + m, n):
        x[i] += move


@kernel
def splice_all(
    values: Floats,
    windows: tuple[Ints, Ints, Ints, Ints],
    curves: Floats,
    height: Floats,
    memory: Floats,
    blocks: Ints,
    block: int,
) -> None:
    """`splice` a curve into each of many series; values f8[channels, total] changes in place.

    windows = (series start, series stop, start, length), positions in `values`. curves : f8[channels, windows, grid],
    NaN = that channel stays as it is. height, memory : f8[windows]. blocks : i8[channels, windows, enough].
    """
    grid = curves.shape[2]
    for i in range(height.size):
        a, m = windows[2][i], windows[3][i]
        shape = np.empty(m)
        for k in range(values.shape[0]):
            curve = curves[k, i]
            if curve[0] != curve[0]:
                continue
            for j in range(m):
                p = j * (grid - 1) / (m - 1)
                g = min(int(p), grid - 2)
                shape[j] = curve[g] + (p - g) * (curve[g + 1] - curve[g])
            x = values[k, windows[0][i] : windows[1][i]]
            splice(x, a - windows[0][i], shape, height[i], memory[i], blocks[k, i], block)
