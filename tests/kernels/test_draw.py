"""Copies of a drawing, their noise, and how they take the place of a stretch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.kernels.draw import ORDER, colour, draw_polylines, one_step_noise, splice, splice_all

BLOCK = 8


def walk(seed, n=200):
    return np.random.default_rng(seed).standard_normal(n).cumsum()


def vee(m):
    return np.interp(np.linspace(0, 1, m), [0, 0.5, 1], [0, -1, 0])


@given(st.integers(0, 1000), st.integers(2, 50), st.integers(2, 9))
@settings(max_examples=50, deadline=None)
def test_a_copy_is_the_line_at_the_warped_time(seed, m, knots):
    rng = np.random.default_rng(seed)
    x = np.c_[np.zeros(3), np.sort(rng.uniform(0.01, 0.99, (3, 3))), np.ones(3)]
    y = rng.standard_normal((3, 5))
    clock = np.c_[np.zeros(3), np.cumsum(rng.uniform(0.1, 1, (3, knots - 1)), axis=1)]
    clock /= clock[:, -1:]
    out = np.empty((3, m))
    draw_polylines(x, y, clock, out)
    for r in range(3):
        at = np.interp(np.linspace(0, knots - 1, m), np.arange(knots), clock[r])
        np.testing.assert_allclose(out[r], np.interp(at, x[r], y[r]), atol=1e-9)


def test_coloured_noise_has_the_memory_asked_for_and_keeps_its_size():
    rng = np.random.default_rng(0)
    memory = np.array([0.0, 0.6, -0.3])
    noise = rng.standard_normal((3, 50_000))
    white = noise.copy()
    colour(noise, memory)
    np.testing.assert_array_equal(noise[0], white[0])
    for row, phi in zip(noise, memory, strict=True):
        assert row.std() == pytest.approx(1.0, abs=0.02)
        assert np.corrcoef(row[1:], row[:-1])[0, 1] == pytest.approx(phi, abs=0.02)
    assert noise[1, 1] == pytest.approx(0.6 * white[1, 0] + 0.8 * white[1, 1])


def test_the_one_step_noise_of_a_walk_is_its_steps():
    x = walk(1, 4000)
    noise = one_step_noise(x)
    assert noise.size == 4000 - ORDER
    steps = np.diff(x)[ORDER - 1 :]
    assert np.corrcoef(noise, steps)[0, 1] > 0.995
    assert noise.std() == pytest.approx(steps.std(), rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.6, 0.9])
def test_the_one_step_noise_around_a_level_is_its_innovations(phi):
    fresh = np.random.default_rng(2).standard_normal(4000)
    x = np.zeros(4000)
    for i in range(1, 4000):
        x[i] = phi * x[i - 1] + fresh[i]
    noise = one_step_noise(50 + 3 * x)
    assert np.corrcoef(noise, fresh[ORDER:])[0, 1] > 0.99
    assert noise.std() == pytest.approx(3.0, rel=0.03)


def test_a_season_is_to_be_expected_and_a_jump_is_no_noise():
    rng = np.random.default_rng(3)
    season = 10 * np.sin(2 * np.pi * np.arange(2000) / 12) + rng.standard_normal(2000)
    assert one_step_noise(season).std() < 0.6 * np.diff(season).std()
    x = walk(3, 2000)
    jumped = x + np.where(np.arange(2000) > 1000, 500.0, 0.0)
    assert one_step_noise(jumped).std() == pytest.approx(one_step_noise(x).std(), rel=0.1)
    assert np.diff(jumped).std() > 5 * np.diff(x).std()


def test_a_constant_series_has_no_noise():
    assert (one_step_noise(np.full(30, 4.2)) == 0).all()


def spliced(x, start, m, height, *, memory=0.4, seed=0):
    blocks = np.random.default_rng(seed).integers(0, 1 << 30, -(-m // BLOCK))
    out = x.copy()
    splice(out, start, vee(m), height, memory, blocks, BLOCK)
    return out


@given(st.integers(0, 1000), st.integers(4, 60), st.floats(0, 20))
@settings(max_examples=60, deadline=None)
def test_a_splice_changes_its_stretch_and_only_moves_what_follows(seed, m, height):
    x = walk(seed)
    start = int(np.random.default_rng(seed).integers(0, x.size - m + 1))
    out = spliced(x, start, m, height, seed=seed)
    np.testing.assert_array_equal(out[:start], x[:start])
    np.testing.assert_allclose(np.diff(out[start + m - 1 :]), np.diff(x[start + m - 1 :]), atol=1e-9)
    unit = np.sqrt(one_step_noise(x).std() * np.diff(x).std())
    bare = spliced(x, start, m, 0.0, seed=seed)
    np.testing.assert_allclose((out - bare)[start : start + m], height * unit * vee(m), atol=1e-9)
    noise = bare[start : start + m] - x[start]
    assert np.abs(noise[0]) <= np.abs(one_step_noise(x)).max() * (1 + 1e-12)


def test_the_noise_of_a_splice_is_made_of_blocks_of_the_series_own():
    x, m, start = walk(5), 20, 70
    pool = one_step_noise(x)
    blocks = np.array([3, pool.size - 2, 1_000_000])
    out = x.copy()
    splice(out, start, vee(m), 0.0, 0.3, blocks, BLOCK)
    noise, wanted = 0.0, []
    for j in range(m):
        noise = 0.3 * noise + pool[(blocks[j // BLOCK] + j % BLOCK) % pool.size]
        wanted.append(x[start] + noise)
    np.testing.assert_allclose(out[start : start + m], wanted, atol=1e-9)


def test_many_splices_are_each_its_own():
    values = np.stack([walk(6), walk(7)])
    before = values.copy()
    rng = np.random.default_rng(0)
    grid = np.linspace(0, 1, 33)
    curves = np.stack([np.interp(grid, [0, 0.5, 1], [0, -1, 0])] * 2)[:, None].repeat(2, axis=1)
    curves[1, 0] = np.nan  # the second channel of the first window stays
    windows = (np.array([0, 100]), np.array([100, 200]), np.array([30, 150]), np.array([12, 20]))
    blocks = rng.integers(0, 1 << 30, (2, 2, 3))
    splice_all(values, windows, curves, np.array([5.0, 3.0]), np.array([0.1, 0.5]), blocks, BLOCK)
    for k in range(2):
        for i, (low, high, a, m) in enumerate(zip(*windows, strict=True)):
            wanted = before[k, low:high].copy()
            if not (k == 1 and i == 0):
                shape = np.interp(np.linspace(0, 1, m), grid, curves[k, i])
                splice(wanted, a - low, shape, (5.0, 3.0)[i], (0.1, 0.5)[i], blocks[k, i], BLOCK)
            np.testing.assert_allclose(values[k, low:high], wanted, atol=1e-9)
            np.testing.assert_array_equal(values[k, low:a], before[k, low:a])
    np.testing.assert_array_equal(values[1, :100], before[1, :100])
