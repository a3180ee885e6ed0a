"""Slow, obvious versions of what the package computes fast: the oracles of its tests."""

import math
from itertools import pairwise

import numpy as np


def correlation_profile(series, template):
    """Pearson correlation of the template with every window; 0 where the window is constant."""
    m = len(template)
    out = []
    for i in range(len(series) - m + 1):
        window = series[i : i + m]
        spread = window.std()
        if spread <= 1e-12 * max(np.abs(window).max(), 1e-300):
            out.append(0.0)
        else:
            out.append(np.corrcoef(window, template)[0, 1])
    return np.array(out)


def one_step_noise(x):
    return np.sqrt(np.pi / 2) * np.abs(np.diff(x)).mean()


def window_scores(channels, templates, gate):
    """score = min over channels of r * min(1, height / (gate * noise * sqrt(m))), for every start of one scale."""
    score = None
    for x, t in zip(channels, templates, strict=True):
        if t is None:
            continue
        m = len(t)
        r = correlation_profile(x, t)
        height = np.array([abs(t @ x[i : i + m]) for i in range(len(x) - m + 1)]) * np.ptp(t)
        unit = gate * one_step_noise(x) * np.sqrt(m)
        own = r * np.minimum(1.0, height / unit) if unit > 0 else r
        score = own if score is None else np.minimum(score, own)
    return score


def best_match(channels, bank, gate, first_end=0, allowed=lambda start, m: True):
    """(score, start, scale) of the best allowed window; bank is a list over scales of lists over channels."""
    best = (-np.inf, -1, -1)
    for s, templates in enumerate(bank):
        m = next(len(t) for t in templates if t is not None)
        if len(channels[0]) < m:
            continue
        for i, value in enumerate(window_scores(channels, templates, gate)):
            if i + m >= first_end and value > best[0] and allowed(i, m):
                best = (value, i, s)
    return best


def intersection_over_union(a, m, b, k):
    """Of the windows [a, a + m) and [b, b + k), counted point by point."""
    one, other = set(range(a, a + m)), set(range(b, b + k))
    return len(one & other) / len(one | other)


def enter(kept, window, size, limit):
    """A list of (score, start, length), best first, after one more: no entry where a better one overlaps it."""
    clash = [w for w in kept if intersection_over_union(*w[1:], *window[1:]) > limit]
    if any(w[0] >= window[0] for w in clash):
        return kept
    rest = [w for w in kept if w not in clash]
    return sorted([*rest, window], key=lambda w: -w[0])[:size]


def local_maxima(channels, bank, gate, first_end=0):
    """(score, start, length) of every window that no neighbour of its scale beats, scale by scale."""
    out = []
    for templates in bank:
        m = next(len(t) for t in templates if t is not None)
        if len(channels[0]) < m:
            continue
        first = max(0, first_end - m)
        score = window_scores(channels, templates, gate)[first:]
        for i, value in enumerate(score):
            if not (i > 0 and score[i - 1] > value) and not (i + 1 < len(score) and score[i + 1] >= value):
                out.append((value, first + i, m))
    return out


def settled(windows, kept, apart, first_end=0, clear=()):
    """(score, start, length, which) of the best windows (score, start, length); all but clear ones are spread out."""
    left, out = list(range(len(windows))), []
    while left and len(out) < kept:
        best = max(left, key=lambda c: windows[c][0])
        score, a, m = windows[best]
        near = [c for c in left if intersection_over_union(a, m, *windows[c][1:]) > apart]
        left = [c for c in left if c not in near]
        weight = [max(windows[c][0], 1e-3) ** 2 for c in near]
        # counted from the window itself, for sums of floats decide ties
        begin = sum(w * (windows[c][1] - a) for w, c in zip(weight, near, strict=True)) / sum(weight)
        end = sum(w * (windows[c][1] + windows[c][2] - a - m) for w, c in zip(weight, near, strict=True)) / sum(weight)
        first, last = a + math.floor(begin + 0.5), a + m + math.floor(end + 0.5)
        mean = (first, last - first)
        tries = [] if best in clear or mean[1] < 4 or sum(mean) < first_end else [mean]
        for first, length in [*tries, (a, m)]:
            if all(intersection_over_union(first, length, b, k) <= apart for _, b, k, _ in out):
                out.append((score, first, length, best))
                break
    return out


def resampled(x, low, high, cells):
    """Means over equal cells of [low, high) of the line through the points, point i in the middle of [i, i + 1)."""
    parts = max(1, int(np.ceil((high - low) / cells)))
    at = low + (np.arange(cells * parts) + 0.5) * (high - low) / (cells * parts) - 0.5
    return np.interp(at, np.arange(len(x)), x).reshape(cells, parts).mean(axis=1)


def walk_trees(x, column, threshold, value):
    """The sum of all trees for every row, one question at a time; node j of a level leads to 2 j and 2 j + 1."""
    out = []
    for row in x:
        total = 0.0
        for columns, thresholds, values in zip(column, threshold, value, strict=True):
            node, level = 0, 0
            while 2**level - 1 < len(columns):
                place = 2**level - 1 + node
                node = 2 * node + int(row[columns[place]] > thresholds[place])
                level += 1
            total += values[node]
        out.append(total)
    return np.array(out)


def boosted(x, y, edges, columns, rows, rate, penalty, fewest, depth):
    """Boosted trees by trying every split: per tree its columns and rows; (column, threshold, value) of each."""
    answer, trees = np.zeros(len(y)), []
    for some, sample in zip(columns, rows, strict=True):
        residual = y[sample] - answer[sample]
        nodes = [np.arange(len(sample))]
        column, threshold = [], []
        for _ in range(depth):
            deeper = []
            for inside in nodes:
                best = (1e-12, 0, np.inf)
                r = residual[inside]
                for c in some:
                    for edge in edges[c]:
                        right = x[sample[inside], c] > edge
                        if min(right.sum(), (~right).sum()) < fewest:
                            continue
                        gain = sum(r[side].sum() ** 2 / (side.sum() + penalty) for side in (right, ~right))
                        gain -= r.sum() ** 2 / (len(r) + penalty)
                        if gain > best[0] * (1 + 1e-9):
                            best = (gain, c, edge)
                column.append(best[1])
                threshold.append(best[2])
                right = x[sample[inside], best[1]] > best[2]
                deeper += [inside[~right], inside[right]]
            nodes = deeper
        value = [rate * residual[leaf].sum() / (len(leaf) + penalty) for leaf in nodes]
        trees.append((column, threshold, value))
        answer += walk_trees(x, [column], [threshold], [value])
    return tuple(np.array(part) for part in zip(*trees, strict=True))


def benjamini_hochberg(p):
    n = len(p)
    order = sorted(range(n), key=lambda i: p[i])
    q = [0.0] * n
    for rank, i in enumerate(order, start=1):
        q[i] = min([1.0] + [p[j] * n / r for r, j in enumerate(order, start=1) if r >= rank])
    return q


def gap_free_runs(times, values, longest):
    """(start, stop) of every stretch without NaN and without a step longer than `longest`, one point at a time."""
    out, start = [], None
    for i, value in enumerate(values):
        if start is not None and (np.isnan(value) or times[i] - times[i - 1] > longest):
            out.append((start, i))
            start = None
        if start is None and not np.isnan(value):
            start = i
    if start is not None:
        out.append((start, len(values)))
    return out


def fiscal_grid(times_of_series, nominal, longest):
    """All times of all series of one company, with a row for every period that lies in a hole between them."""
    known = sorted({t for times in times_of_series for t in times})
    grid = known[:1]
    for before, after in pairwise(known):
        missing = 0 if after - before <= longest else max(round((after - before) / nominal), 2) - 1
        grid += [before + (after - before) * k / (missing + 1) for k in range(1, missing + 1)] + [after]
    return grid
