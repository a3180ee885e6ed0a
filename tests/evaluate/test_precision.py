"""The share of accepted matches, and what an interval of few verdicts says."""

import doctest
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

import tsbench.evaluate.precision as precision
from tsbench.errors import BadInput
from tsbench.evaluate import VERDICTS, Precision, precision_at, wilson

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.floats(0.01, 0.999))
def test_the_interval_equals_scipys(tried, level):
    successes, n = tried
    wanted = binomtest(successes, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(wilson(successes, n, level), (wanted.low, wanted.high), rtol=1e-9, atol=1e-12)


@given(counts)
def test_its_bounds_are_the_shares_that_a_score_test_just_rejects(tried):
    successes, n = tried
    z = NormalDist().inv_cdf(0.975)
    for bound, inner in zip(wilson(successes, n), (successes == 0, successes == n), strict=True):
        if not inner:
            assert abs(successes - n * bound) == pytest.approx(z * np.sqrt(n * bound * (1 - bound)), rel=1e-6)


@given(counts)
def test_it_holds_the_share_lies_in_zero_to_one_and_mirrors(tried):
    successes, n = tried
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert (low == 0, high == 1) == (successes == 0, successes == n)
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(counts)
def test_more_trials_or_less_confidence_narrow_it(tried):
    successes, n = tried
    width = np.diff(wilson(successes, n))
    assert np.diff(wilson(4 * successes, 4 * n)) < width
    assert np.diff(wilson(successes, n, 0.5)) < width


def test_no_trial_tells_nothing():
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((3, 2), "successes"),
        ((-1, 2), "successes"),
        ((0, -1), "n must be"),
        ((1, 2, 1.0), "level"),
        ((1, 2, 0), "level"),
    ],
)
def test_impossible_counts_and_levels_are_refused(asked, message):
    with pytest.raises(BadInput, match=message):
        wilson(*asked)


def test_unsure_and_unjudged_matches_count_in_neither_side():
    found = precision_at(["accept", "unsure", None, "reject", float("nan"), "accept", "accept"], 10)
    assert found == Precision(3, 1, 1, 0.75, *wilson(3, 4))


def test_only_the_first_k_count():
    assert precision_at(["accept", "reject", "reject"], 1) == Precision(1, 0, 0, 1.0, *wilson(1, 1))
    assert precision_at(iter(["accept", "reject", "nonsense"]), 2).rejected == 1


@pytest.mark.parametrize("verdicts", [[], [None, None], ["unsure"]])
def test_without_a_judged_match_the_precision_is_unknown(verdicts):
    found = precision_at(verdicts, 10)
    assert (found.accepted, found.rejected) == (0, 0)
    assert np.isnan([found.precision, found.low, found.high]).all()


@given(st.lists(st.sampled_from([*VERDICTS, None]), max_size=30), st.integers(1, 30))
def test_every_verdict_among_the_first_k_is_counted_once(verdicts, k):
    found = precision_at(verdicts, k)
    assert found.accepted + found.rejected + found.unsure == len([v for v in verdicts[:k] if v])
    if found.accepted + found.rejected:
        assert found.low <= found.precision <= found.high
        assert found.precision == np.mean([v == "accept" for v in verdicts[:k] if v in ("accept", "reject")])


def test_another_verdict_and_no_rank_are_refused():
    with pytest.raises(BadInput, match="got 'maybe'"):
        precision_at(["accept", "maybe"], 2)
    with pytest.raises(BadInput, match="k must be"):
        precision_at([], 0)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(precision).failed == 0
