"""The best windows of a run: one, several that stand apart, and what a second judge makes of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.kernels.matches import best_matches, keep_window, near_marked, settle_matches
from tsbench.kernels.search import BLOCK

NO_CONSTRAINTS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def unit(shape):
    shape = np.asarray(shape, float) - np.mean(shape)
    return shape / np.sqrt(shape @ shape)


def matches(channels, bank, gate=3.0, first_end=0, constraints=NO_CONSTRAINTS, kept=1, limit=0.3):
    """The list of one run: (score, start, scale), free places with start -1."""
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
    out = (np.empty((1, kept)), np.empty((1, kept), np.int64), np.empty((1, kept), np.int64))
    runs = (np.zeros(1, np.int64), np.array([values.shape[1]]), np.array([first_end]))
    best_matches(values, runs, (np.concatenate(flat), np.array(offset), length), constraints, gate, limit, out)
    return [(s, a, k) for s, a, k in zip(*(column[0] for column in out), strict=True)]


def best(channels, bank, gate=3.0, first_end=0, constraints=NO_CONSTRAINTS):
    """(score, start, scale) of the one best window."""
    return matches(channels, bank, gate, first_end, constraints)[0]


def several(channels, bank, gate, first_end, limit, kept):
    """(score, start, length) of the best windows, without free places."""
    length = [next(len(t) for t in templates if t is not None) for templates in bank]
    found = matches(channels, bank, gate, first_end, kept=kept, limit=limit)
    return [(s, int(a), length[k]) for s, a, k in found if a >= 0]


def random_bank(rng, n_channels, lengths=(6, 9, 14, 20)):
    """Templates of one random shape per channel, the second channel without one."""
    shapes = [None if k == 1 else rng.standard_normal(5) for k in range(n_channels)]
    return [
        [None if s is None else unit(np.interp(np.linspace(0, 4, m), range(5), s)) for s in shapes] for m in lengths
    ]


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(20, 400), st.sampled_from([0.0, 1.0, 3.0]))
@settings(max_examples=60, deadline=None)
def test_the_best_match_equals_the_obvious_search(seed, n_channels, n, gate):
    rng = np.random.default_rng(seed)
    channels = [rng.standard_normal(n).cumsum() for _ in range(n_channels)]
    bank = random_bank(rng, n_channels)
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


# ---- several windows of one run ---------------------------------------------------------------------------


@given(st.integers(0, 100_000), st.integers(1, 6), st.sampled_from([0.0, 0.3, 0.75]))
@settings(max_examples=150, deadline=None)
def test_a_list_of_windows_takes_each_as_the_obvious_list_does(seed, size, limit):
    rng = np.random.default_rng(seed)
    length = np.array([4, 7, 12])
    kept = (np.full(size, -np.inf), np.full(size, -1), np.full(size, -1))
    wanted = []
    for _ in range(25):
        score, start, scale = float(rng.integers(0, 12)), int(rng.integers(0, 40)), int(rng.integers(3))
        keep_window(score, start, scale, length, limit, kept)
        wanted = naive.enter(wanted, (score, start, int(length[scale])), size, limit)
        got = [(s, a, length[k]) for s, a, k in zip(*kept, strict=True) if s > -np.inf]
        assert got == wanted
        assert (kept[1][len(got) :] == -1).all()


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(20, 150), st.sampled_from([0.3, 0.75]))
@settings(max_examples=40, deadline=None)
def test_several_matches_are_maxima_in_time_that_stand_apart(seed, n_channels, n, limit):
    rng = np.random.default_rng(seed)
    channels = [rng.standard_normal(n).cumsum() for _ in range(n_channels)]
    bank = random_bank(rng, n_channels)
    first_end = int(rng.choice([0, n - 1, n // 2]))
    got = several(channels, bank, 3.0, first_end, limit, 5)
    wanted = []
    for window in naive.local_maxima(channels, bank, 3.0, first_end):
        wanted = naive.enter(wanted, window, 5, limit)
    assert [w[1:] for w in got] == [w[1:] for w in wanted]
    np.testing.assert_allclose([w[0] for w in got], [w[0] for w in wanted], atol=1e-9)


@given(st.integers(0, 10_000), st.integers(20, 3 * BLOCK), st.integers(2, 12), st.sampled_from([0.3, 0.5, 0.75]))
@settings(max_examples=60, deadline=None)
def test_the_first_of_many_is_the_one_best_and_no_two_coincide(seed, n, kept, limit):
    rng = np.random.default_rng(seed)
    channels, bank = [rng.standard_normal(n).cumsum()], random_bank(rng, 1)
    found = several(channels, bank, 3.0, 0, limit, kept)
    assert found[0] == several(channels, bank, 3.0, 0, limit, 1)[0]
    scores = [w[0] for w in found]
    assert scores == sorted(scores, reverse=True)
    for j, (_, b, k) in enumerate(found):
        assert 0 <= b <= n - k
        assert all(naive.intersection_over_union(a, m, b, k) <= limit for _, a, m in found[:j])


def test_copies_that_stand_apart_are_all_found_best_first_across_blocks():
    rng = np.random.default_rng(7)
    x = 0.2 * rng.standard_normal(3 * BLOCK)
    places = [20, BLOCK - 5, BLOCK + 60, 2 * BLOCK - 1, 3 * BLOCK - 12]
    heights = [5.0, 9.0, 7.0, 8.0, 6.0]
    for a, height in zip(places, heights, strict=True):
        x[a : a + 12] += height * np.sin(np.linspace(0, np.pi, 12))
    # The gate is so high that the score grows with the height.
    found = several([x], [[unit(np.sin(np.linspace(0, np.pi, 12)))]], 20.0, 0, 0.3, 7)
    assert [a for _, a, _ in found[:5]] == [a for _, a in sorted(zip(heights, places, strict=True), reverse=True)]
    assert found[5][0] < 0.5 * found[4][0]


def test_with_constraints_the_first_of_many_is_the_one_best():
    rng = np.random.default_rng(9)
    bank = random_bank(rng, 1)
    change = (np.array([1]), np.array([0]), np.array([2.0]), np.array([3.0]))
    for _ in range(20):
        channels = [rng.standard_normal(80).cumsum()]
        many = matches(channels, bank, constraints=change, kept=5)
        assert many[0] == best(channels, bank, constraints=change)


@given(st.integers(0, 100_000), st.integers(2, 8), st.sampled_from([0.3, 0.85]))
@settings(max_examples=100, deadline=None)
def test_no_window_in_a_list_breaks_a_constraint(seed, kept, limit):
    rng = np.random.default_rng(seed)
    bank = [[unit(rng.standard_normal(m))] for m in (5, 7, 10)]
    level = (np.array([0]), np.array([0]), np.array([-1.0]), np.array([1.0]))
    x = rng.standard_normal(90).cumsum() * 0.5
    for score, a, scale in matches([x], bank, constraints=level, kept=kept, limit=limit):
        assert score == -np.inf or abs(x[a : a + len(bank[scale][0])].mean()) <= 1.0


def test_every_run_has_its_own_list():
    rng = np.random.default_rng(8)
    series = [rng.standard_normal(n).cumsum() for n in (60, 9, 300, 1)]
    stop = np.cumsum([len(s) for s in series])
    start = stop - [len(s) for s in series]
    t = unit(rng.standard_normal(8))
    out = (np.empty((4, 3)), np.empty((4, 3), np.int64), np.empty((4, 3), np.int64))
    bank = (t, np.zeros((1, 1), np.int64), np.array([8]))
    best_matches(np.concatenate(series)[None], (start, stop, np.zeros(4, int)), bank, NO_CONSTRAINTS, 3.0, 0.3, out)
    for r, x in enumerate(series):
        wanted = matches([x], [[t]], kept=3)
        np.testing.assert_allclose(out[0][r], [w[0] for w in wanted])
        assert [a - start[r] if a >= 0 else -1 for a in out[1][r]] == [w[1] for w in wanted]
    assert out[1][3].tolist() == [-1, -1, -1]


@given(st.integers(0, 100_000), st.sampled_from([0.1, 0.3, 0.6]))
@settings(max_examples=60, deadline=None)
def test_near_a_marked_window_of_the_same_run(seed, limit):
    rng = np.random.default_rng(seed)
    run = np.sort(rng.integers(0, 4, 20))
    first, length, marked = rng.integers(0, 40, 20), rng.integers(5, 20, 20), rng.random(20) < 0.2
    out = np.empty(20, np.bool_)
    near_marked(run, first, length, marked, limit, out)
    windows = [(int(a), int(m)) for a, m in zip(first, length, strict=True)]
    for i, window in enumerate(windows):
        others = [windows[j] for j in np.flatnonzero(marked & (run == run[i]))]
        assert out[i] == any(naive.intersection_over_union(*window, *other) > limit for other in others)


# ---- from proposals to matches ----------------------------------------------------------------------------


def settle(windows, kept, apart, first_end=0, values=None, constraints=NO_CONSTRAINTS, clear=()):
    """(score, start, length, which) from windows (score, start, length), start -1 for none, some of which are clear."""
    score, start, length = (np.array([column]) for column in zip(*windows, strict=True))
    out = (np.empty((1, kept)), *(np.empty((1, kept), np.int64) for _ in range(3)))
    values = np.zeros((1, 200)) if values is None else values
    runs = (np.zeros(1, np.int64), np.array([values.shape[1]]), np.array([first_end]))
    firm = np.isin(np.arange(len(windows)), clear)[None]
    settle_matches(values, runs, (start, length, score.astype(float), firm), constraints, apart, out)
    return [tuple(column[0, place].item() for column in out) for place in range(kept)]


def random_windows(rng, n):
    starts, lengths = rng.integers(0, 60, n), rng.integers(5, 25, n)
    return [(float(s), int(a), int(m)) for s, a, m in zip(rng.normal(0.3, 0.4, n), starts, lengths, strict=True)]


@given(st.integers(0, 100_000), st.integers(1, 14), st.integers(1, 5), st.sampled_from([0.1, 0.3, 0.6]))
@settings(max_examples=150, deadline=None)
def test_matches_settle_as_the_obvious_way_settles_them(seed, n, kept, apart):
    rng = np.random.default_rng(seed)
    windows, first_end = random_windows(rng, n), int(rng.choice([0, 40, 70]))
    clear = tuple(np.flatnonzero(rng.random(n) < 0.3))
    wanted = naive.settled(windows, kept, apart, first_end, clear)
    wanted += [(-np.inf, -1, 0, -1)] * (kept - len(wanted))
    assert settle(windows, kept, apart, first_end, clear=clear) == wanted


def test_a_mean_that_breaks_a_constraint_gives_way_to_the_best_window_itself():
    x = np.arange(60.0)[None]
    windows = [(0.9, 10, 10), (0.8, 12, 10), (0.8, 13, 10)]
    level = (np.array([0]), np.array([0]), np.array([0.0]), np.array([15.0]))  # mean of the window at most 15
    assert settle(windows, 1, 0.3, values=x)[0][1] == 12
    assert settle(windows, 1, 0.3, values=x, constraints=level)[0] == (0.9, 10, 10, 0)


def test_a_clear_window_keeps_its_bounds():
    windows = [(0.9, 10, 10), (0.8, 12, 10), (0.8, 13, 10)]
    assert settle(windows, 1, 0.3)[0] == (0.9, 12, 10, 0)
    assert settle(windows, 1, 0.3, clear=(0,))[0] == (0.9, 10, 10, 0)
    assert settle(windows, 1, 0.3, clear=(1, 2))[0] == (0.9, 12, 10, 0)


def test_settling_does_not_depend_on_where_a_run_lies():
    rng = np.random.default_rng(0)
    for _ in range(200):
        windows = random_windows(rng, 8)
        here = settle(windows, 3, 0.3)
        there = settle([(s, a + 1001, m) for s, a, m in windows], 3, 0.3, values=np.zeros((1, 2000)))
        assert there == [(s, a + 1001 if a >= 0 else -1, m, c) for s, a, m, c in here]


def test_settled_matches_stand_apart():
    rng = np.random.default_rng(1)
    for _ in range(200):
        found = [w for w in settle(random_windows(rng, 12), 5, 0.3) if w[1] >= 0]
        for j, (_, b, k, _) in enumerate(found):
            assert all(naive.intersection_over_union(a, m, b, k) <= 0.3 for _, a, m, _ in found[:j])


def test_places_without_a_proposal_are_nobody():
    assert settle([(5.0, -1, 0), (0.2, 8, 6), (4.0, -1, 0)], 2, 0.3) == [(0.2, 8, 6, 1), (-np.inf, -1, 0, -1)]
    assert settle([(0.5, -1, 0)], 1, 0.3) == [(-np.inf, -1, 0, -1)]
