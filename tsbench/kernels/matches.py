"""The best windows of many runs: templates of every scale, an amplitude gate and conditions in units.

The correlation of a window is computed as in `tsbench.kernels.search`, block by block; a short list per run keeps the
best windows that do not overlap much.
"""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel
from tsbench.kernels.search import BLOCK, dot_products, inverse_spread, load_block
from tsbench.kernels.steps import step_size

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@kernel
def fits_constraints(values: Floats, low: int, m: int, constraints: tuple[Ints, Ints, Floats, Floats]) -> bool:
    """Whether the window [low, low + m) obeys every constraint; see `tsbench.patterns.constraints` for the kinds."""
    kinds, channels, lows, highs = constraints
    for c in range(kinds.size):
        row = values[channels[c]]
        first = row[low]
        last = row[low + m - 1]
        if kinds[c] == 0:  # level: the mean of the window
            q = 0.0
            for j in range(low, low + m):
                q += row[j]
            q /= m
        elif kinds[c] == 1:  # change: last minus first, in units of the channel
            q = last - first
        elif kinds[c] == 2:  # percent_change: of the first value's size
            q = 100.0 * (last - first) / abs(first)
        else:  # slope: least squares, per period
            q = 0.0
            middle = 0.5 * (m - 1)
            for j in range(m):
                q += (j - middle) * row[low + j]
            q /= m * (m * m - 1.0) / 12.0
        if not lows[c] <= q <= highs[c]:
            return False
    return True


@kernel
def overlaps(a: int, a_length: int, b: int, b_length: int, limit: float) -> bool:
    """Whether two windows share more than `limit` of what they cover together."""
    shared = min(a + a_length, b + b_length) - max(a, b)
    return shared > limit * (max(a + a_length, b + b_length) - min(a, b))


@kernel
def stands_apart(a: int, m: int, others: tuple[Ints, Ints], limit: float) -> bool:
    """Whether a window overlaps none of others (start, length) by more than `limit`."""
    near = 0
    for j in range(others[0].size):
        near += overlaps(others[0][j], others[1][j], a, m, limit)
    return near == 0


@kernel
def near_marked(run: Ints, first: Ints, length: Ints, marked: Bools, limit: float, out: Bools) -> None:
    """Whether each window overlaps a marked one of its run by more than `limit`; the windows of a run lie together."""
    n = run.size
    begin = 0
    for i in range(n):
        if run[i] != run[begin]:
            begin = i
        out[i] = False
        j = begin
        while j < n and run[j] == run[i] and not out[i]:
            out[i] = marked[j] and overlaps(first[j], length[j], first[i], length[i], limit)
            j += 1


@kernel
def keep_window(
    score: float, start: int, scale: int, length: Ints, limit: float, kept: tuple[Floats, Ints, Ints]
) -> None:
    """Enter a window into a list, best score first, unless it overlaps a better one there; worse ones give way.

    kept = (score, start, scale), each of the list's full size; free places have score -inf.
    """
    scores, starts, scales = kept
    size = scores.size
    m = length[scale]
    place = 0
    while place < size and scores[place] >= score:
        if overlaps(starts[place], length[scales[place]], start, m, limit):
            return
        place += 1
    if place == size:
        return
    # The worse ones that overlap leave; the last one leaves where none does and the list is full.
    free = place
    while free < size and scores[free] > -np.inf:
        if overlaps(starts[free], length[scales[free]], start, m, limit):
            break
        free += 1
    free = min(free, size - 1)
    for j in range(free, place, -1):
        scores[j] = scores[j - 1]
        starts[j] = starts[j - 1]
        scales[j] = scales[j - 1]
    scores[place] = score
    starts[place] = start
    scales[place] = scale
    write = free + 1
    for j in range(free + 1, size):
        if scores[j] > -np.inf and not overlaps(starts[j], length[scales[j]], start, m, limit):
            scores[write] = scores[j]
            starts[write] = starts[j]
            scales[write] = scales[j]
            write += 1
    for j in range(write, size):
        scores[j] = -np.inf
        starts[j] = -1
        scales[j] = -1


@kernel
def best_matches(
    values: Floats,
    runs: tuple[Ints, Ints, Ints],
    bank: tuple[Floats, Ints, Ints],
    constraints: tuple[Ints, Ints, Floats, Floats],
    gate: float,
    limit: float,
    out: tuple[Floats, Ints, Ints],
) -> None:
    """The best-scoring windows of every run over all templates of a bank.

    values : f8[channels, total], channels aligned; runs = (start, stop, first_end): run k is free of NaN in every
        channel and only windows that end at or after first_end count. bank = (flat, offset, length): the template of
        scale s and channel k is the length[s] values of flat from offset[s, k], or none when that is -1.
        constraints = (kind, channel, low, high). out = (score, start, scale), each [runs, kept].
    score = correlation * min(1, height / (gate * noise * sqrt(length))); of several channels the smallest counts. Kept
    are the highest allowed ones, no two of which overlap by more than `limit` (intersection over union); where more
    than one is kept, only maxima in time among those of their scale. Places without an allowed window keep score -inf
    and start -1.
    """
    run_start, run_stop, first_end = runs
    flat, offset, length = bank
    best_score, best_start, best_scale = out
    kept = best_score.shape[1]
    longest = length.max()
    channels = offset.shape[1]
    x = np.empty((channels, BLOCK + longest + 16))
    total = np.empty((channels, BLOCK + longest + 16))
    squares = np.empty((channels, BLOCK + longest + 16))
    dots = np.empty(BLOCK + 16)
    spread = np.empty(BLOCK + 16)
    score = np.empty(BLOCK + 16)
    per_noise = np.empty(channels)
    for r in range(run_start.size):
        begin, end = run_start[r], run_stop[r]
        best_score[r] = -np.inf
        best_start[r] = -1
        best_scale[r] = -1
        if end - begin < 2:
            continue
        mine = (best_score[r], best_start[r], best_scale[r])
        for k in range(channels):
            noise = step_size(values[k, begin:end])
            per_noise[k] = 1.0 / (gate * noise) if gate * noise > 0.0 else 0.0
        # Windows start where the shortest one could still end at first_end; longer ones start earlier, so the
        # blocks begin at the earliest start that any scale may use.
        low_start = max(begin, first_end[r] - longest)
        for i0 in range(low_start, end - 1, BLOCK):
            high = min(end, i0 + BLOCK + longest - 1)
            for k in range(channels):
                if offset[0, k] >= 0:
                    load_block(values[k], i0, high, x[k], total[k], squares[k])
            for s in range(length.size):
                m = length[s]
                count = min(BLOCK, high - i0 - m + 1)
                if count <= 0:
                    continue
                skip = max(0, first_end[r] - m - i0)
                if skip >= count:
                    continue
                for i in range(count):
                    score[i] = np.inf
                for k in range(channels):
                    if offset[s, k] < 0:
                        continue
                    template = flat[offset[s, k] : offset[s, k] + m]
                    dot_products(x[k], template, count, dots)
                    inverse_spread(x[k], total[k], squares[k], m, count, spread)
                    if per_noise[k] > 0.0:
                        reach = (template.max() - template.min()) * per_noise[k] / np.sqrt(m)
                        for i in range(count):
                            score[i] = min(score[i], dots[i] * spread[i] * min(1.0, abs(dots[i]) * reach))
                    else:
                        for i in range(count):
                            score[i] = min(score[i], dots[i] * spread[i])
                # Before maxima are looked for, and all of them: what the list asks of a window may fall again.
                for i in range(skip, count if constraints[0].size else skip):
                    if (kept > 1 or score[i] > mine[0][0]) and not fits_constraints(values, i0 + i, m, constraints):
                        score[i] = -np.inf
                for i in range(skip, count):
                    if score[i] <= mine[0][kept - 1]:
                        continue
                    if kept > 1 and (
                        (i > skip and score[i - 1] > score[i]) or (i + 1 < count and score[i + 1] >= score[i])
                    ):
                        continue
                    keep_window(score[i], i0 + i, s, length, limit, mine)


@kernel
def settle_matches(
    values: Floats,
    runs: tuple[Ints, Ints, Ints],
    windows: tuple[Ints, Ints, Floats, Bools],
    constraints: tuple[Ints, Ints, Floats, Floats],
    apart: float,
    out: tuple[Floats, Ints, Ints, Ints],
) -> None:
    """From many overlapping windows of every run, judged by a second score, to few that stand apart.

    runs as in `best_matches`. windows = (start, length, score, clear), each [runs, candidates], start -1 for none.
    out = (score, start, length, candidate), each [runs, kept], best first, -inf and -1 where there are no more.
    The best window is kept with its score, and those that overlap it by more than `apart` (intersection over union)
    leave; then the next. A clear one keeps its bounds; another gets the mean of its own and of those that leave,
    weighed by their squared scores, for noise moves the best fit of a faint one. A mean that breaks a constraint, ends
    too early, or comes too near a better match gives way to the window itself; one still too near is left out.
    """
    starts, lengths, scores, clear = windows
    best_score, best_start, best_length, best_from = out
    kept = best_score.shape[1]
    size = starts.shape[1]
    left = np.empty(size, np.bool_)
    for r in range(starts.shape[0]):
        best_score[r] = -np.inf
        best_start[r] = -1
        best_length[r] = 0
        best_from[r] = -1
        for c in range(size):
            left[c] = starts[r, c] >= 0
        place = 0
        while place < kept:
            best = -1
            for c in range(size):
                if left[c] and (best < 0 or scores[r, c] > scores[r, best]):
                    best = c
            if best < 0:
                break
            a, m = starts[r, best], lengths[r, best]
            begin = end = weights = 0.0
            for c in range(size):
                if left[c] and overlaps(starts[r, c], lengths[r, c], a, m, apart):
                    w = max(scores[r, c], 1e-3) ** 2
                    begin += w * (starts[r, c] - a)
                    end += w * (starts[r, c] + lengths[r, c] - a - m)
                    weights += w
                    left[c] = False
            # Counted from the best window itself, so that the same series gives the same match wherever it lies.
            first = a + int(np.floor(begin / weights + 0.5))
            length = a + m + int(np.floor(end / weights + 0.5)) - first
            others = (best_start[r, :place], best_length[r, :place])
            if (
                clear[r, best]
                or length < 4
                or first + length < runs[2][r]
                or not fits_constraints(values, first, length, constraints)
                or not stands_apart(first, length, others, apart)
            ):
                first, length = a, m
                if not stands_apart(first, length, others, apart):
                    continue
            best_score[r, place] = scores[r, best]
            best_start[r, place] = first
            best_length[r, place] = length
            best_from[r, place] = best
            place += 1
