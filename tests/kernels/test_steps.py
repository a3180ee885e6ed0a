import numpy as np
import pytest

from tsbench.kernels.steps import step_statistics


def statistics(x, match=(-1, -1), fewest=4):
    x = np.atleast_2d(x)
    out = np.empty((1, 3))
    ends = (np.array([0]), np.array([x.shape[1]]), np.array([match[0]]), np.array([match[1]]))
    step_statistics(np.ascontiguousarray(x), *ends, fewest, out)
    return out[0]


def obvious(steps):
    centred = steps - steps.mean()
    memory = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
    tails = np.log(np.abs(steps).mean() / np.sqrt((steps**2).mean()))
    return memory, tails, steps.mean() * steps.size / np.sqrt((centred**2).sum())


def test_it_equals_the_obvious_statistics():
    x = np.random.default_rng(0).standard_normal(50).cumsum()
    np.testing.assert_allclose(statistics(x), obvious(np.diff(x)), rtol=1e-9)


def test_the_match_is_left_out():
    x = np.random.default_rng(1).standard_normal(60).cumsum()
    bent = x.copy()
    bent[20:31] += 40 * np.sin(np.linspace(0, np.pi, 11))
    np.testing.assert_allclose(statistics(bent, (20, 31)), statistics(x, (20, 31)), rtol=1e-9)
    assert abs(statistics(bent)[0] - statistics(x)[0]) > 0.1


def test_a_run_that_is_nearly_all_match_counts_whole():
    x = np.random.default_rng(2).standard_normal(20).cumsum()
    np.testing.assert_array_equal(statistics(x, (2, 19)), statistics(x))


def test_channels_are_averaged():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(40).cumsum(), rng.standard_normal(40).cumsum()
    np.testing.assert_allclose(statistics(np.stack([a, b])), (statistics(a) + statistics(b)) / 2)


def test_a_constant_run_is_finite():
    assert np.isfinite(statistics(np.full(30, 2.0))).all()


def test_gaussian_noise_has_the_known_tails():
    x = np.random.default_rng(4).standard_normal(200_000).cumsum()
    assert statistics(x)[1] == pytest.approx(np.log(np.sqrt(2 / np.pi)), abs=0.01)
