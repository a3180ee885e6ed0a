"""Bins and trees of the boosting: every split and every answer as the obvious search finds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.kernels.boost import BINS, DEPTH, LEAVES, SPLITS, bin_columns, boost, predict_trees


def binned(x):
    edges = np.ascontiguousarray(np.quantile(x, np.arange(1, BINS) / BINS, axis=0).T)
    bins = np.empty(x.shape[::-1], np.uint8)
    bin_columns(np.ascontiguousarray(x), edges, bins)
    return edges, bins


@given(st.integers(0, 10_000), st.integers(1, 200), st.sampled_from([1, 5, 100, 10_000]))
@settings(max_examples=60, deadline=None)
def test_a_bin_is_the_number_of_edges_below(seed, n, levels):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, levels, (n, 3)) / levels
    edges, bins = binned(x)
    for column in range(3):
        np.testing.assert_array_equal(bins[column], np.searchsorted(edges[column], x[:, column], side="left"))
    beyond = np.array([[-1.0] * 3, [2.0] * 3])
    out = np.empty((3, 2), np.uint8)
    bin_columns(beyond, edges, out)
    assert out.tolist() == [[0, BINS - 1]] * 3


def grown(x, y, *, trees, size, few, settings, seed=0):
    """(column, threshold, value) of the trees, with what the oracle needs to grow them too."""
    rng = np.random.default_rng(seed)
    edges, bins = binned(x)
    columns = np.argsort(rng.random((trees, x.shape[1])), axis=1)[:, :few].copy()
    order = rng.permutation(len(y))
    out = (np.zeros((trees, SPLITS), np.int64), np.zeros((trees, SPLITS)), np.zeros((trees, LEAVES)))
    boost(bins, edges, y, (columns, order, size), settings, out)
    rows = np.array([order[(t * size + np.arange(size)) % len(y)] for t in range(trees)])
    return out, (edges, columns, rows)


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_those_of_the_obvious_search(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((120, 5))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * (x[:, 2] > 0) + 0.3 * rng.standard_normal(120)
    rate, penalty, fewest = 0.3, 2.0, 4
    got, given = grown(x, y, trees=6, size=70, few=3, settings=(rate, penalty, fewest), seed=seed)
    wanted = naive.boosted(x, y, *given, rate, penalty, fewest, DEPTH)
    np.testing.assert_array_equal(got[0], wanted[0])
    np.testing.assert_array_equal(got[1], wanted[1])
    np.testing.assert_allclose(got[2], wanted[2], rtol=1e-9, atol=1e-12)


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_an_answer_is_the_sum_of_the_leaves_that_a_row_reaches(seed, n, trees):
    rng = np.random.default_rng(seed)
    column = rng.integers(0, 4, (trees, SPLITS))
    threshold = np.where(rng.random((trees, SPLITS)) < 0.1, np.inf, rng.standard_normal((trees, SPLITS)))
    value = rng.standard_normal((trees, LEAVES))
    x = rng.standard_normal((n, 4))
    out = np.full(n, 0.5)
    predict_trees(x, column, threshold, value, out)
    np.testing.assert_allclose(out, 0.5 + naive.walk_trees(x, column, threshold, value), atol=1e-12)


def test_a_side_of_a_split_keeps_enough_samples():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 3))
    (column, threshold, _), _ = grown(x, x[:, 0] ** 3, trees=1, size=200, few=3, settings=(1.0, 0.0, 40))
    nodes = [np.arange(200)]
    for place in range(SPLITS):
        inside = nodes[place]
        right = x[inside, column[0, place]] > threshold[0, place]
        if np.isfinite(threshold[0, place]):
            assert min(right.sum(), (~right).sum()) >= 40
        else:
            assert not right.any()
        nodes += [inside[~right], inside[right]]
    assert np.isfinite(threshold).sum() >= 3


def test_they_predict_as_well_as_those_of_scikit_learn():
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    def toy(seed):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((1500, 5))
        truth = np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] ** 2 + np.tanh(x[:, 2]) * (x[:, 0] > 0)
        return x, truth + 0.3 * rng.standard_normal(1500), truth

    (x, y, _), (fresh, _, truth) = toy(0), toy(1)
    rate, penalty, fewest, trees = 0.1, 2.0, 20, 100
    with threadpool_limits(1):
        known = HistGradientBoostingRegressor(
            learning_rate=rate, max_iter=trees, max_leaf_nodes=LEAVES, max_depth=DEPTH, min_samples_leaf=fewest,
            l2_regularization=penalty, max_bins=BINS, early_stopping=False,
        ).fit(x, y).predict(fresh)  # fmt: skip
    found, _ = grown(x, y - y.mean(), trees=trees, size=1500, few=5, settings=(rate, penalty, fewest))
    ours = np.full(1500, y.mean())
    predict_trees(fresh, *found, ours)
    errors = [np.sqrt(((answer - truth) ** 2).mean()) for answer in (ours, known)]
    assert errors[0] < 1.03 * errors[1]
    assert errors[1] < 0.3 * truth.std()
