"""Slow, obvious versions of what the package computes fast: the oracles of its tests."""

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
