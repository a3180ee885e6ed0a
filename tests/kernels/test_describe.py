"""The features of a window: what each is, what leaves them as they are, and that none is ever missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.kernels.describe import (
    BASIS,
    CONTEXT,
    GRID,
    REACH,
    SCALARS,
    WIDTH,
    compare_rivals,
    describe_windows,
    draw_at,
    resample,
    shape_residuals,
    step_memory,
    whitened_correlation,
)

CELLS = GRID + 2 * CONTEXT
VEE = (np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 1.0]))
STEP = (np.array([0.0, 0.4, 0.5, 1.0]), np.array([0.0, 0.05, 0.9, 1.0]))
LENGTHS = st.sampled_from([4, 5, 6, 7, 9, 12, 17, 30, 33])


def basis_of(drawings, rng):
    """The drawing and BASIS - 1 random directions, orthonormal, per channel."""
    out = []
    for x, y in drawings:
        shape = np.interp(np.linspace(0, 1, GRID), x, y)
        rows = np.vstack([shape - shape.mean(), rng.standard_normal((BASIS - 1, GRID))])
        rows[1:] -= rows[1:].mean(axis=1, keepdims=True)
        q = np.linalg.qr(rows.T)[0].T
        out.append(q * np.sign(q[0] @ shape))
    return np.array(out)


def describe(values, run, window, *, sign=1.0, rivals=(0.0, 0.0), drawings=(VEE,)):
    """(channels, WIDTH) features of one window (start, length) of one run (start, stop)."""
    out = np.full((1, len(drawings) * WIDTH), 1e9)
    points = np.concatenate([np.stack(d) for d in drawings], axis=1)
    offset = np.cumsum([0, *[d[0].size for d in drawings]])
    describe_windows(
        np.ascontiguousarray(np.atleast_2d(values)),
        (np.array([run[0]]), np.array([run[1]])),
        (np.array([window[0]]), np.array([window[1]]), np.array([sign])),
        np.array([rivals]),
        (points[0], points[1], offset),
        basis_of(drawings, np.random.default_rng(0)),
        out,
    )
    return out.reshape(len(drawings), WIDTH)


def scalars(values, window, **how):
    """The scalars of a window of the whole series by name."""
    row = describe(values, (0, len(values)), window, **how)[0]
    return dict(zip(SCALARS, row[CELLS + BASIS :], strict=True))


def walk(seed, n=120):
    return np.random.default_rng(seed).standard_normal(n).cumsum()


@given(st.integers(0, 10_000), LENGTHS, st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
@settings(max_examples=60, deadline=None)
def test_level_and_unit_of_a_series_change_no_feature(seed, m, level, unit):
    rng = np.random.default_rng(seed)
    x = walk(seed)
    start = int(rng.integers(0, x.size - m + 1))
    before = describe(x, (0, x.size), (start, m))
    np.testing.assert_allclose(describe(level * unit + unit * x, (0, x.size), (start, m)), before, atol=1e-6)


@given(st.integers(0, 10_000), LENGTHS)
@settings(max_examples=30, deadline=None)
def test_a_mirrored_window_is_that_of_the_series_upside_down(seed, m):
    x = walk(seed)
    mirrored = describe(x, (0, x.size), (40, m), sign=-1.0)
    np.testing.assert_array_equal(mirrored, describe(-x, (0, x.size), (40, m)))
    assert not np.allclose(mirrored, describe(x, (0, x.size), (40, m)))


@given(st.integers(0, 10_000), LENGTHS)
@settings(max_examples=60, deadline=None)
def test_the_correlation_is_that_of_the_drawing(seed, m):
    x = walk(seed)
    t = np.interp(np.linspace(0, 1, m), *STEP)
    r = np.corrcoef(x[40 : 40 + m], t)[0, 1]
    assert scalars(x, (40, m), drawings=(STEP,))["correlation"] == pytest.approx(
        np.arctanh(np.clip(r, -0.999, 0.999)), abs=1e-6
    )


@given(st.integers(0, 10_000), st.sampled_from([5, 6, 9, 12, 17, 33]))
@settings(max_examples=60, deadline=None)
def test_lines_and_curves_leave_what_numpy_leaves(seed, m):
    w = walk(seed, m)
    at = np.arange(m)
    wanted = [((w - np.polyval(np.polyfit(at, w, degree), at)) ** 2).sum() for degree in (1, 2, 3)]
    breaks = [((w[:j] - w[:j].mean()) ** 2).sum() + ((w[j:] - w[j:].mean()) ** 2).sum() for j in range(1, m)]
    *curves, broken, place = shape_residuals(w, w.mean(), ((w - w.mean()) ** 2).sum())
    np.testing.assert_allclose(curves, wanted, rtol=1e-6, atol=1e-9)
    assert broken == pytest.approx(min(breaks), rel=1e-9, abs=1e-9)
    assert place == pytest.approx(np.argmin(breaks) / m)


@given(st.integers(0, 10_000), st.sampled_from([6, 9, 12, 17, 33]))
@settings(max_examples=40, deadline=None)
def test_the_scalars_of_fit_compare_with_what_the_drawing_leaves(seed, m):
    x = walk(seed)
    w, at = x[40 : 40 + m], np.arange(m)
    t = np.interp(np.linspace(0, 1, m), *VEE)
    height, level = np.polyfit(t, w, 1)
    left = w - level - height * t
    noise, own = naive.one_step_noise(x[max(0, 40 - REACH * m) : 40 + (REACH + 1) * m]), naive.one_step_noise(left)
    residual = np.sqrt((left**2).mean())
    got = scalars(x, (40, m))
    for name, degree in (("line", 1), ("parabola", 2), ("cubic", 3)):
        sse = ((w - np.polyval(np.polyfit(at, w, degree), at)) ** 2).sum()
        assert got[f"{name} / residual"] == pytest.approx(np.log(sse / (left**2).sum()), abs=1e-5)
    wanted = {
        "height / noise": np.log(abs(height) / noise),
        "height / residual noise": np.log(abs(height) / own),
        "residual / noise": np.log(residual / noise),
        "residual / residual noise": np.log(residual / own),
        "residual memory": (left[1:] * left[:-1]).sum() / (left**2).sum(),
        "log length": np.log(m),
        "residual at start": left[: max(m // 4, 1)].mean() / residual,
        "residual at end": left[-max(m // 4, 1) :].mean() / residual,
        "height / error": height / residual * np.sqrt(m) / 50,
    }
    assert {name: got[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def test_the_scalars_of_the_surroundings_look_outside_the_window():
    x, a, m = walk(3), 40, 16
    got = scalars(x, (a, m))
    steps = np.abs(np.diff(x))
    outside = np.sqrt(np.pi / 2) * np.r_[steps[:a], steps[a + m - 1 :]].mean()
    inside = np.sqrt(np.pi / 2) * steps[a : a + m - 1].mean()
    assert got["noise inside / outside"] == pytest.approx(np.log(inside / outside))
    rest = np.r_[x[:a], x[a + m :]]
    assert got["spread outside / noise"] == pytest.approx(np.log(rest.std() / outside + 1e-6))
    assert (got["room before"], got["room after"]) == (0.5, 0.5)
    edge = scalars(x, (3, m))
    assert edge["room before"] == pytest.approx(3 / m)
    parts = [np.diff(x[:a]), np.diff(x[a + m :])]
    centred = [d - d.mean() for d in parts]
    memory = sum((d[1:] * d[:-1]).sum() for d in centred) / sum((d**2).sum() for d in centred)
    assert got["memory outside"] == pytest.approx(memory)


def test_a_clean_copy_is_the_drawing_in_every_way():
    rng = np.random.default_rng(4)
    x = 0.05 * rng.standard_normal(120)
    t = np.interp(np.linspace(0, 1, 24), *STEP)
    x[40:64] += 5 * t
    x[64:] += 5
    got = scalars(x, (40, 24), drawings=(STEP,))
    assert got["correlation"] > np.arctanh(0.99)
    assert got["sections that agree"] == 1.0
    assert got["worst section"] > 0.8
    assert got["line / residual"] > 1
    assert min(got[name] for name in ("later", "earlier", "with more before", "with more after")) > 0
    moved = scalars(x, (44, 24), drawings=(STEP,))
    assert moved["earlier"] < 0 < moved["later"]
    share = describe(x, (0, 120), (40, 24), drawings=(STEP,))[0, CELLS : CELLS + BASIS]
    assert share[0] > 0.98
    assert np.abs(share[1:]).max() < 0.2


def test_the_cells_are_the_window_and_its_neighbourhood_in_its_own_deviations():
    x, a, m = walk(5), 40, GRID // 2
    cells = describe(x, (0, 120), (a, m))[0, :CELLS]
    w = x[a : a + m]
    parts = [(a - m / 2, a, CONTEXT), (a, a + m, GRID), (a + m, a + m + m / 2, CONTEXT)]
    wanted = np.concatenate([naive.resampled(x, low, high, cells) for low, high, cells in parts])
    np.testing.assert_allclose(cells, np.clip((wanted - w.mean()) / w.std(), -4, 4), atol=1e-6)


def test_only_what_lies_within_reach_counts():
    x, m = walk(6, 400), 12
    start = 200
    near = slice(start - REACH * m, start + (REACH + 1) * m)
    other = walk(7, 400) * 9
    other[near] = x[near]
    before, after = (describe(v, (0, 400), (start, m)) for v in (x, other))
    np.testing.assert_array_equal(before, after)
    other[near.start] += 1
    assert not np.array_equal(before, describe(other, (0, 400), (start, m)))


def test_other_runs_do_not_count():
    x = walk(8)
    alone = describe(x[30:80], (0, 50), (10, 20))
    beside = np.where((np.arange(120) >= 30) & (np.arange(120) < 80), x, np.nan)
    np.testing.assert_array_equal(describe(beside, (30, 80), (40, 20)), alone)


@pytest.mark.parametrize("m", [4, 5, 7, 8, 16])
@pytest.mark.parametrize("where", ["start", "middle", "end", "all"])
@pytest.mark.parametrize("kind", ["walk", "constant", "constant inside", "constant outside", "line", "spike", "huge"])
def test_no_feature_is_ever_missing(m, where, kind):
    n = m if where == "all" else 60
    a = {"start": 0, "middle": 20, "end": n - m, "all": 0}[where]
    x = walk(9, n)
    match kind:
        case "constant":
            x[:] = 7.3
        case "constant inside":
            x[a : a + m] = 7.3
        case "constant outside":
            x[:a], x[a + m :] = 7.3, 7.3
        case "line":
            x = 3 + 2 * np.arange(float(n))
        case "spike":
            x = np.zeros(n)
            x[a + 1] = 1e9
        case "huge":
            x *= 1e90
    row = describe(x, (0, n), (a, m), drawings=(STEP,))
    assert row.shape == (1, WIDTH)
    assert np.isfinite(row).all()
    assert np.abs(row).max() <= 12.0


def test_every_channel_fills_its_own_width():
    assert GRID + 2 * CONTEXT + BASIS + len(SCALARS) == WIDTH
    a, b = walk(10), walk(11)
    both = describe(np.stack([a, b]), (0, 120), (30, 14), drawings=(VEE, STEP), rivals=(0.3, 0.7))
    one = describe(a, (0, 120), (30, 14), drawings=(VEE,), rivals=(0.3, 0.7))[0]
    np.testing.assert_allclose(both[0], one, atol=1e-9)
    assert np.abs(both).max() <= 12.0
    assert both[0, -2:].tolist() == both[1, -2:].tolist() == [0.3, 0.7]
    other = describe(b, (0, 120), (30, 14), drawings=(STEP,), rivals=(0.3, 0.7))[0]
    # the random directions of the basis are drawn per channel
    kept = np.r_[: CELLS + 1, CELLS + BASIS : WIDTH]
    kept = kept[~np.isin(kept, [CELLS + BASIS + SCALARS.index(f"examples / {k}") for k in ("residual", "window")])]
    np.testing.assert_allclose(both[1, kept], other[kept], atol=1e-9)


# ---- the pieces -------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(-5, 30), st.floats(0.5, 60), st.integers(1, 33))
@settings(max_examples=100, deadline=None)
def test_resampling_is_a_mean_over_cells(seed, n, low, wide, cells):
    x, out = walk(seed, n), np.empty(cells)
    resample(x, low, low + wide, out)
    np.testing.assert_allclose(out, naive.resampled(x, low, low + wide, cells), atol=1e-9)


def test_whole_cells_are_means_of_their_points():
    x, out = walk(1, 60), np.empty(8)
    resample(x, 12.0, 44.0, out)
    np.testing.assert_allclose(out, x[12:44].reshape(8, 4).mean(axis=1))


@given(st.integers(0, 1000), st.integers(2, 40))
@settings(max_examples=40, deadline=None)
def test_a_drawing_is_the_straight_line_between_its_points(seed, m):
    rng = np.random.default_rng(seed)
    x = np.r_[0, np.sort(rng.uniform(0.01, 0.99, 4)), 1]
    y, out = rng.standard_normal(6), np.empty(m)
    draw_at(x, y, out)
    np.testing.assert_allclose(out, np.interp(np.linspace(0, 1, m), x, y), atol=1e-9)


@given(st.integers(0, 10_000), st.integers(-6, 50), st.sampled_from([0.0, 0.6, 1.0]))
@settings(max_examples=60, deadline=None)
def test_the_whitened_correlation_is_that_of_filtered_series(seed, start, memory):
    x, t = walk(seed, 50), walk(seed + 1, 12)
    held = x[np.clip(np.arange(start, start + 12), 0, 49)]
    filtered = [v[1:] - memory * v[:-1] if memory else v for v in (held - x[np.clip(start, 0, 49)], t)]
    got = whitened_correlation(x, start, t, memory)
    if filtered[0].std() < 1e-9:
        assert got == 0.0
    else:
        assert got == pytest.approx(np.corrcoef(*filtered)[0, 1], abs=1e-9)


def test_the_memory_of_steps_is_their_autocorrelation():
    x = walk(2, 40)
    d = np.diff(x) - np.diff(x).mean()
    assert step_memory(x) == pytest.approx(((d[1:] * d[:-1]).sum(), (d**2).sum()))
    assert step_memory(x[:3]) == (0.0, 0.0)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_rivals_are_those_of_the_same_run(seed):
    rng = np.random.default_rng(seed)
    n = 20
    run = np.sort(rng.integers(0, 4, n))
    start, length = rng.integers(0, 40, n), rng.integers(4, 20, n)
    score = rng.integers(0, 8, n) / 8
    out = np.empty((n, 2))
    compare_rivals(run, start, length, score, out)
    for i in range(n):
        mine = np.flatnonzero(run == run[i])
        apart = [
            score[j] for j in mine if naive.intersection_over_union(start[i], length[i], start[j], length[j]) < 0.3
        ]
        assert out[i, 0] == score[i] - max([0.0, *apart])
        assert out[i, 1] == pytest.approx((score[mine] > score[i]).mean())
