import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tsbench.evaluate.significance as significance
from tests import naive
from tsbench.errors import BadInput
from tsbench.evaluate import any_of, benjamini_hochberg


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_equal_the_definition(p):
    np.testing.assert_allclose(benjamini_hochberg(p), naive.benjamini_hochberg(p), rtol=1e-12)


def test_q_values_equal_scipy():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).random(200) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p, method="bh"))


def test_untested_hypotheses_do_not_count():
    q = benjamini_hochberg([0.01, np.nan, 0.04])
    np.testing.assert_allclose(q, [0.02, np.nan, 0.04])


def test_an_empty_family_has_no_q_values():
    assert benjamini_hochberg([]).size == 0
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@pytest.mark.parametrize("p", [[-0.1, 0.5], [0.5, 1.1]])
def test_values_outside_zero_and_one_are_refused(p):
    with pytest.raises(BadInput):
        benjamini_hochberg(p)


def test_under_chance_alone_few_families_have_a_discovery():
    rng = np.random.default_rng(1)
    share = np.mean([(benjamini_hochberg(rng.random(100)) <= 0.1).any() for _ in range(2000)])
    assert share == pytest.approx(0.1, abs=0.025)


def test_the_best_of_several_tries_is_paid_for():
    rng = np.random.default_rng(2)
    smallest = rng.random((100_000, 5)).min(axis=1)
    assert (any_of(smallest, 5) < 0.05).mean() == pytest.approx(0.05, abs=0.003)
    assert any_of(0.03, 1) == pytest.approx(0.03)
    assert any_of(1e-12, 3) == pytest.approx(3e-12)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(significance).failed == 0
