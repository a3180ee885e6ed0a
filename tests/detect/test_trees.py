"""Boosted trees: they learn, and the same twice."""

import numpy as np
import pytest

from tests import naive
from tsbench.detect.trees import Trees
from tsbench.kernels.boost import LEAVES


def toy(n, seed):
    """A smooth function of three of six columns, with noise, and the function itself."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6))
    truth = np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] ** 2 + np.tanh(x[:, 2]) * (x[:, 0] > 0)
    return x, truth + 0.3 * rng.standard_normal(n), truth


def error(answer, y):
    return np.sqrt(((answer - y) ** 2).mean())


@pytest.fixture(scope="module")
def data():
    return toy(3000, 0)


def test_an_answer_is_the_base_and_every_tree_s_leaf(data):
    x, y, _ = data
    trees = Trees.fit(x[:500], y[:500], 20)
    wanted = trees.base + naive.walk_trees(x[:200], trees.column, trees.threshold, trees.value)
    np.testing.assert_allclose(trees.predict(x[:200]), wanted, atol=1e-12)
    assert trees.base == pytest.approx(y[:500].mean())


def test_more_trees_leave_less(data):
    x, y, _ = data
    errors = [error(Trees.fit(x, y, n).predict(x), y) for n in (1, 5, 20, 80, 200)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < y.std()
    assert errors[-1] < 0.45 * y.std()


def test_they_predict_what_they_have_not_seen(data):
    x, y, _ = data
    fresh, _, truth = toy(3000, 1)
    assert error(Trees.fit(x, y, 200).predict(fresh), truth) < 0.35 * truth.std()


def test_equal_seeds_give_equal_trees_and_others_do_not(data):
    x, y, _ = data
    a, b, c = (Trees.fit(x[:600], y[:600], 10, seed=seed) for seed in ([3, 1], [3, 1], [3, 2]))
    for name in ("column", "threshold", "value"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert not np.array_equal(a.value, c.value)


def test_a_constant_target_is_answered_with_itself(data):
    x = data[0][:400]
    trees = Trees.fit(x, np.full(400, 0.7), 5)
    np.testing.assert_allclose(trees.predict(x), 0.7)
    assert np.isinf(trees.threshold).all()


@pytest.mark.parametrize("n", [1, 3, LEAVES - 1])
def test_fewer_rows_than_leaves_are_answered_near_their_mean(n):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, 4)), rng.standard_normal(n)
    answer = Trees.fit(x, y, 30).predict(x)
    assert np.ptp(answer) < 1e-12
    assert abs(answer[0] - y.mean()) <= np.abs(y - y.mean()).max() + 1e-12


def test_columns_that_never_change_are_no_harm(data):
    x, y, _ = data
    flat = np.column_stack([np.zeros(600), x[:600], np.full(600, 3.0)])
    assert error(Trees.fit(flat, y[:600], 100).predict(flat), y[:600]) < 0.7 * y[:600].std()
