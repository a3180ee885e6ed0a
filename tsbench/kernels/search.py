"""Sliding z-normalised correlation of templates over gap-free runs.

A template t has mean zero and Euclidean norm one; for the window x[i:i+m] with mean a
    r = sum_j t_j x_{i+j} / sqrt(sum_j (x_{i+j} - a)^2)            (Pearson correlation)
and sum_j t_j x_{i+j} is the least-squares multiple of t in the window: its amplitude. The z-normalised distance
of Mueen et al. (MASS, 2017) is sqrt(2 m (1 - r)).

Work goes block by block (BLOCK positions): the block is copied once, centred near its own level, prefix sums give
every scale its window variance, and the dot products run sixteen positions at a time in scalars, which LLVM turns
into vector registers.
"""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 256


# Reassociation is what lets LLVM's SLP pass pack the sixteen sums: 51 against 10 GFLOP/s on a Zen 4 core. Every sum
# still runs over j in order, so results differ from the plain loop by fused roundings only.
@kernel(reassociate=True)
def dot_products(x: Floats, template: Floats, count: int, out: Floats) -> None:
    """out[i] = sum_j template[j] x[i + j] for i < count; x is readable up to count rounded up to 16."""
    m = template.size
    for i in range(0, count, 16):
        # A slice, so that every index is j plus a constant: LLVM then knows it is not negative and drops numba's
        # wrap-around test, without which the sums do not vectorise (measured: eight times slower).
        window = x[i:]
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
        a8 = a9 = a10 = a11 = a12 = a13 = a14 = a15 = 0.0
        for j in range(m):
            c = template[j]
            a0 += c * window[j]
            a1 += c * window[j + 1]
            a2 += c * window[j + 2]
            a3 += c * window[j + 3]
            a4 += c * window[j + 4]
            a5 += c * window[j + 5]
            a6 += c * window[j + 6]
            a7 += c * window[j + 7]
            a8 += c * window[j + 8]
            a9 += c * window[j + 9]
            a10 += c * window[j + 10]
            a11 += c * window[j + 11]
            a12 += c * window[j + 12]
            a13 += c * window[j + 13]
            a14 += c * window[j + 14]
            a15 += c * window[j + 15]
        out[i] = a0
        out[i + 1] = a1
        out[i + 2] = a2
        out[i + 3] = a3
        out[i + 4] = a4
        out[i + 5] = a5
        out[i + 6] = a6
        out[i + 7] = a7
        out[i + 8] = a8
        out[i + 9] = a9
        out[i + 10] = a10
        out[i + 11] = a11
        out[i + 12] = a12
        out[i + 13] = a13
        out[i + 14] = a14
        out[i + 15] = a15


@kernel
def load_block(values: Floats, low: int, high: int, x: Floats, total: Floats, squares: Floats) -> None:
    """Copy values[low:high] to x, centred and padded with zeros; total, squares = prefix sums of x and x^2."""
    n = high - low
    part = values[low:high]
    level = part[n // 2]
    s = 0.0
    ss = 0.0
    total[0] = 0.0
    squares[0] = 0.0
    for i in range(n):
        v = part[i] - level
        x[i] = v
        s += v
        ss += v * v
        total[i + 1] = s
        squares[i + 1] = ss
    for i in range(n, n + 16):
        x[i] = 0.0


@kernel
def inverse_spread(x: Floats, total: Floats, squares: Floats, m: int, count: int, out: Floats) -> None:
    """out[i] = 1 / sqrt(sum_j (x_{i+j} - mean)^2) for windows of m; 0 for a constant window.

    The difference of prefix sums loses all digits when a small window stands beside huge values (revenue that grew
    a thousandfold); such windows are summed again on their own.
    """
    inverse_m = 1.0 / m
    n = count + m - 1
    suspicious = 1e-7 * squares[n]
    for i in range(count):
        s = total[i + m] - total[i]
        out[i] = squares[i + m] - squares[i] - s * s * inverse_m
    smallest = np.inf
    for i in range(count):
        smallest = min(smallest, out[i])
    if smallest <= suspicious:
        for i in range(count):
            if out[i] <= suspicious:
                out[i] = exact_spread(x, i, m)
    for i in range(count):
        root = np.sqrt(out[i])
        out[i] = 1.0 / root if root > 0.0 else 0.0


@kernel
def exact_spread(x: Floats, i: int, m: int) -> float:
    """sum_j (x_{i+j} - mean)^2 in two passes; exactly 0 when only the rounding of the mean is left."""
    mean = 0.0
    for j in range(m):
        mean += x[i + j]
    mean /= m
    spread = 0.0
    size = 0.0
    for j in range(m):
        d = x[i + j] - mean
        spread += d * d
        size = max(size, abs(x[i + j]))
    return spread if spread > m * (4e-16 * size) ** 2 else 0.0


@kernel
def distance_profiles(values: Floats, start: Ints, stop: Ints, template: Floats, out: Floats) -> None:
    """z-normalised distance of one template to every window of every run.

    Run k is values[start[k]:stop[k]] (no NaN); out[i] belongs to the window that starts at i. A constant window has no
    shape; its distance is sqrt(m), as stumpy has it.
    """
    m = template.size
    shapeless = np.sqrt(1.0 * m)
    x = np.empty(BLOCK + m + 16)
    total = np.empty(BLOCK + m + 16)
    squares = np.empty(BLOCK + m + 16)
    dots = np.empty(BLOCK + 16)
    scale = np.empty(BLOCK + 16)
    for k in range(start.size):
        windows = stop[k] - start[k] - m + 1
        for i0 in range(0, windows, BLOCK):
            count = min(BLOCK, windows - i0)
            low = start[k] + i0
            load_block(values, low, low + count + m - 1, x, total, squares)
            dot_products(x, template, count, dots)
            inverse_spread(x, total, squares, m, count, scale)
            profile = out[low : low + count]
            for i in range(count):
                distance = np.sqrt(max(2.0 * m * (1.0 - dots[i] * scale[i]), 0.0))
                profile[i] = distance if scale[i] > 0.0 else shapeless
