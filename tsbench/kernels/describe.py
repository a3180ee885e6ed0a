"""What a window looks like beside a drawing: the numbers that a trained head reads.

Per channel, in this order:
    CONTEXT cells before the window, GRID cells of it and CONTEXT cells after it, all in units of the window's own
    deviation from its own mean; the window's share along the drawing and along BASIS - 1 directions in which drawn
    examples differ from it; and the SCALARS, named in the tuple below.
The scalars hold what z-normalisation destroys; what lies around the window is looked at up to REACH lengths each side.
"""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel
from tsbench.kernels.steps import step_size

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID, CONTEXT, BASIS, REACH = 32, 8, 7, 4
SCALARS = (
    "correlation", "height / noise", "height / residual noise", "residual / noise", "residual / residual noise",
    "residual memory", "log length", "noise inside / outside", "residual noise / noise outside", "worst section",
    "sections that agree", "room before", "room after", "residual at start", "residual at end", "memory outside",
    "memory inside", "spread outside / noise", "line / residual", "parabola / residual", "cubic / residual",
    "break / residual", "examples / residual", "examples / window", "height / error", "break at",
    "correlation of steps", "correlation of half-whitened", "later", "earlier", "without start", "without end",
    "with more before", "with more after", "lead over rivals", "rivals ahead",
)  # fmt: skip
WIDTH = GRID + 2 * CONTEXT + BASIS + len(SCALARS)


@kernel
def resample(x: Floats, low: float, high: float, out: Floats) -> None:
    """Means of x over equal cells of [low, high), linear between points, held at the ends."""
    n = x.size
    cells = out.size
    wide = (high - low) / cells
    parts = max(1, int(np.ceil(wide)))
    for g in range(cells):
        s = 0.0
        for j in range(parts):
            p = min(max(low + g * wide + (j + 0.5) * wide / parts - 0.5, 0.0), n - 1.0)
            i = int(p)
            s += x[i] + (p - i) * (x[min(i + 1, n - 1)] - x[i])
        out[g] = s / parts


@kernel
def step_memory(x: Floats) -> tuple[float, float]:
    """(sum of products of neighbouring centred differences, sum of their squares); zeros for short x."""
    n = x.size - 1
    if n < 3:
        return 0.0, 0.0
    mean = (x[n] - x[0]) / n
    products = squares = before = 0.0
    for i in range(1, n + 1):
        d = x[i] - x[i - 1] - mean
        squares += d * d
        products += d * before
        before = d
    return products, squares


@kernel
def draw_at(px: Floats, py: Floats, out: Floats) -> None:
    """The polyline (px, py), px from 0 to 1, at equal steps."""
    segment = 0
    for j in range(out.size):
        u = j / (out.size - 1)
        while segment < px.size - 2 and u > px[segment + 1]:
            segment += 1
        out[j] = py[segment] + (u - px[segment]) / (px[segment + 1] - px[segment]) * (py[segment + 1] - py[segment])


@kernel
def whitened_correlation(x: Floats, start: int, t: Floats, memory: float) -> float:
    """Correlation of x[i] - memory x[i-1] with t[j] - memory t[j-1] from `start` on; x is held at its ends."""
    last = x.size - 1
    level = x[min(max(start, 0), last)]
    st = sx = stt = sxx = stx = 0.0
    t_before = x_before = 0.0
    count = 0
    for j in range(t.size):
        v = x[min(max(start + j, 0), last)] - level
        a = t[j] - memory * t_before
        b = v - memory * x_before
        t_before, x_before = t[j], v
        if memory > 0.0 and j == 0:
            continue
        st += a
        sx += b
        stt += a * a
        sxx += b * b
        stx += a * b
        count += 1
    spread = (stt - st * st / count) * (sxx - sx * sx / count)
    return (stx - st * sx / count) / np.sqrt(spread) if spread > 1e-300 else 0.0


@kernel
def shape_residuals(w: Floats, mean: float, total: float) -> tuple[float, float, float, float, float]:
    """Sums of squares left by a line, a parabola, a cubic and one break in level, and the place of the break."""
    m = w.size
    z2 = z4 = 0.0
    for j in range(m):
        z = 2.0 * j / (m - 1) - 1.0
        z2 += z * z
        z4 += z * z * z * z
    q2 = q3 = p1 = p2 = p3 = 0.0
    cumulated = best = 0.0
    at = 0
    for j in range(m):
        z = 2.0 * j / (m - 1) - 1.0
        v = w[j] - mean
        second = z * z - z2 / m
        third = z * z * z - z4 / z2 * z
        p1 += z * v
        p2 += second * v
        q2 += second * second
        p3 += third * v
        q3 += third * third
        if j < m - 1:
            cumulated += v
            gain = cumulated * cumulated * (1.0 / (j + 1) + 1.0 / (m - j - 1))
            if gain > best:
                best = gain
                at = j
    line = total - p1 * p1 / z2
    parabola = line - p2 * p2 / q2
    return line, parabola, parabola - p3 * p3 / q3, total - best, at / m


@kernel
def describe_channel(
    x: Floats, a: int, m: int, px: Floats, py: Floats, basis: Floats, rivals: Floats, out: Floats
) -> None:
    """All features of the window x[a : a + m] beside the drawing (px, py), py from 0 to 1; see the module's text."""
    n = x.size
    w = x[a : a + m]
    noise = step_size(x) + 1e-300
    tiny = 1e-9 * noise
    t = np.empty(m)
    draw_at(px, py, t)
    mean = w.mean()
    t -= t.mean()
    tt = tw = ww = 0.0
    for j in range(m):
        v = w[j] - mean
        tt += t[j] * t[j]
        tw += t[j] * v
        ww += v * v
    r = tw / np.sqrt(tt * ww + 1e-300)
    height = tw / tt
    tall = max(abs(height), tiny)
    left = np.empty(m)
    rs = products = 0.0
    for j in range(m):
        left[j] = w[j] - mean - height * t[j]
        rs += left[j] * left[j]
        if j:
            products += left[j] * left[j - 1]
    residual = np.sqrt(rs / m) + tiny
    residual_noise = step_size(left) + tiny
    inside = step_size(w) + tiny
    before, after = x[: a + 1], x[a + m - 1 :]
    steps_outside = before.size + after.size - 2
    outside = noise
    if steps_outside > 3:
        outside = (step_size(before) * (before.size - 1) + step_size(after) * (after.size - 1)) / steps_outside
    outside += tiny
    s = ss = 0.0
    for i in range(n):
        if i < a or i >= a + m:
            s += x[i] - x[0]
            ss += (x[i] - x[0]) ** 2
    count = n - m
    spread_outside = np.sqrt(max(ss / count - (s / count) ** 2, 0.0)) if count > 5 else 0.0
    p1, s1 = step_memory(x[:a])
    p2, s2 = step_memory(x[a + m :])
    p3, s3 = step_memory(w)
    line, parabola, cubic, broken, broken_at = shape_residuals(w, mean, ww)

    cells = out[: GRID + 2 * CONTEXT]
    resample(x, a - m / 2, float(a), cells[:CONTEXT])
    resample(x, float(a), float(a + m), cells[CONTEXT : CONTEXT + GRID])
    resample(x, float(a + m), a + m + m / 2, cells[CONTEXT + GRID :])
    deviation = np.sqrt(ww / m) + tiny
    for g in range(cells.size):
        cells[g] = min(max((cells[g] - mean) / deviation, -4.0), 4.0)
    grid = cells[CONTEXT : CONTEXT + GRID]
    middle = grid.mean()
    energy = 1e-300
    for g in range(GRID):
        energy += (grid[g] - middle) ** 2
    along = 0.0
    o = cells.size
    for k in range(BASIS):
        share = 0.0
        for g in range(GRID):
            share += basis[k, g] * (grid[g] - middle)
        along += share * share
        out[o] = share / np.sqrt(energy)
        o += 1
    beyond = max(energy - along, 1e-6 * energy + 1e-12)

    worst = 9.0
    agree = sections = 0.0
    for k in range(px.size - 1):
        move = py[k + 1] - py[k]
        if abs(move) < 0.1:
            continue
        got = w[int(px[k + 1] * (m - 1) + 0.5)] - w[int(px[k] * (m - 1) + 0.5)]
        share = got / (abs(height) + inside) / move
        worst = min(worst, share)
        agree += 1.0 if share > 0.0 else 0.0
        sections += 1.0
    quarter = max(m // 4, 1)
    eighth, sixth = m // 8, m // 6
    t_more, t_less = np.empty(m + sixth), np.empty(m - eighth)
    draw_at(px, py, t_more)
    draw_at(px, py, t_less)
    eps = 1e-9 * noise * noise * m
    rs += eps
    scalars = (
        np.arctanh(min(max(r, -0.999), 0.999)), np.log(tall / noise), np.log(tall / residual_noise),
        np.log(residual / noise), np.log(residual / residual_noise), products / rs, np.log(1.0 * m),
        np.log(inside / outside), np.log(residual_noise / outside), worst, agree / max(sections, 1.0),
        min(a / m, 0.5), min((n - a - m) / m, 0.5),
        left[:quarter].mean() / residual, left[m - quarter :].mean() / residual,
        (p1 + p2) / (s1 + s2 + 1e-300), p3 / (s3 + 1e-300), np.log(spread_outside / outside + 1e-6),
        np.log((line + eps) / rs), np.log((parabola + eps) / rs), np.log((cubic + eps) / rs),
        np.log((broken + eps) / rs),
        np.log(beyond / (energy * (1.0 - min(r * r, 0.9999)) + 1e-12)), np.log(beyond / energy + 1e-9),
        height / residual * np.sqrt(m) / 50.0, broken_at,
        whitened_correlation(x, a, t, 1.0) * np.sqrt(m), whitened_correlation(x, a, t, 0.6) * np.sqrt(m),
        r - whitened_correlation(x, a + eighth, t, 0.0), r - whitened_correlation(x, a - eighth, t, 0.0),
        r - whitened_correlation(x, a + eighth, t_less, 0.0), r - whitened_correlation(x, a, t_less, 0.0),
        r - whitened_correlation(x, a - sixth, t_more, 0.0), r - whitened_correlation(x, a, t_more, 0.0),
        rivals[0], rivals[1],
    )  # fmt: skip
    for v in scalars:
        out[o] = min(max(v, -12.0), 12.0) if v == v else 0.0
        o += 1


@kernel
def describe_windows(
    values: Floats,
    runs: tuple[Ints, Ints],
    windows: tuple[Ints, Ints, Floats],
    rivals: Floats,
    drawings: tuple[Floats, Floats, Ints],
    basis: Floats,
    out: Floats,
) -> None:
    """Features of many windows.

    values : f8[channels, total]. runs = (start, stop) and windows = (start, length, sign), one entry per window, all
    positions in `values`; sign -1 turns the series upside down first. drawings = (x, y,
    offset): channel k's control points are x[offset[k]:offset[k + 1]]. basis : f8[channels, BASIS, GRID].
    out : f8[windows, channels * WIDTH].
    """
    px, py, offset = drawings
    for i in range(windows[0].size):
        start, m = windows[0][i], windows[1][i]
        low = max(runs[0][i], start - REACH * m)
        high = min(runs[1][i], start + (REACH + 1) * m)
        for k in range(values.shape[0]):
            x = windows[2][i] * values[k, low:high]
            points = slice(offset[k], offset[k + 1])
            part = out[i, k * WIDTH : (k + 1) * WIDTH]
            describe_channel(x, start - low, m, px[points], py[points], basis[k], rivals[i], part)


@kernel
def compare_rivals(run: Ints, start: Ints, length: Ints, score: Floats, out: Floats) -> None:
    """How each proposed window stands among the others of its run: f8[windows, 2], windows sorted by run.

    The lead of its score over the best window that shares less than 30 % with it, and the share of windows ahead.
    """
    n = run.size
    a = 0
    while a < n:
        b = a
        while b < n and run[b] == run[a]:
            b += 1
        for i in range(a, b):
            best = 0.0
            ahead = 0.0
            for j in range(a, b):
                if score[j] > score[i]:
                    ahead += 1.0
                shared = min(start[i] + length[i], start[j] + length[j]) - max(start[i], start[j])
                union = max(start[i] + length[i], start[j] + length[j]) - min(start[i], start[j])
                if shared < 0.3 * union:
                    best = max(best, score[j])
            out[i, 0] = score[i] - best
            out[i, 1] = ahead / (b - a)
        a = b
