"""The batched search equals the obvious one (benchmark/search.py also holds it to stumpy), friendly or hostile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.kernels.search import BLOCK, best_matches, distance_profiles

NO_CONSTRAINTS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def unit(shape):
    shape = np.asarray(shape, float) - np.mean(shape)
    return shape / np.sqrt(shape @ shape)


def profiles(series, template):
    """Correlations, from the distances: r = 1 - d^2 / (2 m)."""
    start = np.cumsum([0, *[len(s) for s in series[:-1]]])
    stop = start + [len(s) for s in series]
    values = np.concatenate(series)
    out = np.full(values.size, np.nan)
    distance_profiles(values, start, stop, template, out)
    m = len(template)
    r = 1 - out**2 / (2 * m)
    parts = [r[a : max(b - m + 1, a)] for a, b in zip(start, stop, strict=True)]
    assert np.isnan(out).sum() == values.size - sum(p.size for p in parts)
    return parts


def best(channels, bank, gate=3.0, first_end=0, constraints=NO_CONSTRAINTS):
    values = np.ascontiguousarray(np.stack(channels))
    flat, offset, at = [], [], 0
    for templates in bank:
        row = []
        for t in templates:
            row.append(-1 if t is None else at)
            at += 0 if t is None else len(t)
            flat += [] if t is None else [t]
        offset.append(row)
    length = np.array([next(len(t) for t in ts if t is not None) for ts in bank])
    out = (np.empty(1), np.empty(1, np.int64), np.empty(1, np.int64))
    runs = (np.zeros(1, np.int64), np.array([values.shape[1]]), np.array([first_end]))
    best_matches(values, runs, (np.concatenate(flat), np.array(offset), length), constraints, gate, out)
    return out[0][0], out[1][0], out[2][0]


@pytest.mark.parametrize("n", [8, 9, 23, 24, 100, BLOCK + 7, BLOCK + 8, 2 * BLOCK + 30])
def test_the_profile_equals_the_obvious_one_at_every_length(n):
    rng = np.random.default_rng(n)
    x, t = rng.standard_normal(n).cumsum(), unit(rng.standard_normal(8))
    np.testing.assert_allclose(profiles([x], t)[0], naive.correlation_profile(x, t), atol=1e-10)


def test_runs_do_not_see_each_other():
    rng = np.random.default_rng(2)
    series = [rng.standard_normal(n).cumsum() for n in (40, 12, 300, 7, 16)]
    t = unit(np.arange(12.0) ** 2)
    for x, got in zip(series, profiles(series, t), strict=True):
        wanted = naive.correlation_profile(x, t) if len(x) >= 12 else np.zeros(0)
        np.testing.assert_allclose(got, wanted, atol=1e-10)


def test_a_constant_stretch_has_no_shape():
    x = np.r_[np.full(30, 7.3), np.arange(30.0), np.full(30, 1e9)]
    r = profiles([x], unit(np.arange(10.0)))[0]
    # distance sqrt(m), as stumpy has it
    np.testing.assert_allclose(r[:21], 0.5)
    np.testing.assert_allclose(r[-21:], 0.5)
    assert r[35] == pytest.approx(1.0)


def test_small_windows_beside_huge_values_keep_their_digits():
    rng = np.random.default_rng(3)
    x = np.exp(np.linspace(0, 25, 120)) * (1 + 0.1 * rng.standard_normal(120))
    t = unit([1, 0, 0, 1, 2, 1, 0, 3])
    np.testing.assert_allclose(profiles([x], t)[0], naive.correlation_profile(x, t), atol=1e-8)


@given(st.integers(0, 10_000), st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
@settings(max_examples=60, deadline=None)
def test_the_profile_does_not_depend_on_level_and_scale(seed, level, scale):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal(60).cumsum(), unit(rng.standard_normal(9))
    np.testing.assert_allclose(profiles([level + scale * x], t)[0], profiles([x], t)[0], atol=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(20, 400), st.sampled_from([0.0, 1.0, 3.0]))
@settings(max_examples=60, deadline=None)
def test_the_best_match_equals_the_obvious_search(seed, n_channels, n, gate):
    rng = np.random.default_rng(seed)
    channels = [rng.standard_normal(n).cumsum() for _ in range(n_channels)]
    shapes = [None if k == 1 else rng.standard_normal(5) for k in range(n_channels)]
    bank = [
        [None if s is None else unit(np.interp(np.linspace(0, 4, m), range(5), s)) for s in shapes]
        for m in (6, 9, 14, 20)
    ]
    first_end = int(rng.choice([0, n - 1, n // 2]))
    wanted = naive.best_match(channels, bank, gate, first_end)
    got = best(channels, bank, gate, first_end)
    assert got[0] == pytest.approx(wanted[0], abs=1e-9)
    assert got[1:] == wanted[1:]


def test_now_means_the_window_ends_late_enough():
    x = np.r_[unit([3, 0, 3, 1, 5, 0]), np.random.default_rng(4).standard_normal(40) * 0.01]
    bank = [[unit([3, 0, 3, 1, 5, 0])]]
    assert best([x], bank, 0.0)[1] == 0
    _, start, _ = best([x], bank, 0.0, first_end=45)
    assert start + 6 >= 45


def test_a_series_shorter_than_every_template_has_no_match():
    assert best([np.arange(5.0)], [[unit(np.arange(8.0))]]) == (-np.inf, -1, -1)


def test_the_gate_discounts_flat_wiggles():
    rng = np.random.default_rng(5)
    wiggle = np.sin(np.linspace(0, np.pi, 12))
    noise = rng.standard_normal(80)
    low, high = noise.copy(), noise.copy()
    low[40:52] = 0.5 * wiggle
    high[40:52] = 30 * wiggle
    bank = [[unit(wiggle)]]
    assert best([high], bank, 3.0)[0] > 0.9
    assert best([low], bank, 3.0)[0] < 0.3
    assert best([low], bank, 0.0)[0] > 0.9


@pytest.mark.parametrize(
    ("kind", "low", "high", "quantity"),
    [
        (0, 2.0, 9.0, lambda w: w.mean()),
        (1, 0.5, 3.0, lambda w: w[-1] - w[0]),
        (2, -10.0, 10.0, lambda w: 100 * (w[-1] - w[0]) / abs(w[0])),
        (3, 0.05, 1.0, lambda w: np.polyfit(np.arange(len(w)), w, 1)[0]),
    ],
)
def test_constraints_rule_windows_out(kind, low, high, quantity):
    rng = np.random.default_rng(6)
    bank = [[unit(rng.standard_normal(7))], [unit(rng.standard_normal(11))]]
    constraints = (np.array([kind]), np.array([0]), np.array([low]), np.array([high]))
    for _ in range(20):
        x = rng.standard_normal(60).cumsum()
        wanted = naive.best_match([x], bank, 3.0, allowed=lambda i, m, x=x: low <= quantity(x[i : i + m]) <= high)
        got = best([x], bank, 3.0, constraints=constraints)
        assert got[0] == pytest.approx(wanted[0], abs=1e-9)
        assert got[1:] == wanted[1:]
