"""Distance profiles equal the obvious ones (benchmark/search.py also holds them to stumpy), friendly or hostile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.kernels.search import BLOCK, distance_profiles


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
