"""Whether a score is a probability: shares by bin, and the mean distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from tsbench.errors import BadInput
from tsbench.evaluate import calibration, expected_calibration_error, wilson

judged = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_a_known_table():
    table = calibration([0.05, 0.15, 0.17, 1.0], [False, True, False, True])
    assert table["score"].tolist() == pytest.approx([0.05, 0.16, 1.0])
    assert table["share"].tolist() == [0.0, 0.5, 1.0]
    assert table["matches"].tolist() == [1, 2, 1]
    assert (table["low"][1], table["high"][1]) == pytest.approx(wilson(1, 2))


def test_a_score_of_one_belongs_to_the_last_bin():
    assert calibration([0.95, 1.0], [True, False])["matches"].tolist() == [2]


def test_the_error_weighs_each_bin_by_its_matches():
    # two matches at 0.16 of which half are right, one at 0.05 that is wrong, one at 1 that is right
    wanted = (0.05 + 2 * 0.34 + 0.0) / 4
    assert expected_calibration_error([0.05, 0.15, 0.17, 1.0], [False, True, False, True]) == pytest.approx(wanted)


@given(judged, st.integers(1, 12))
def test_the_bins_equal_scikit_learns(pairs, bins):
    score, hit = (np.array(column) for column in zip(*pairs, strict=True))
    # on an edge the two put a score on different sides
    if np.isclose(score * bins, np.rint(score * bins)).any():
        score = np.clip(score, 0.01, 0.99) * 0.987654321
    if np.isclose(score * bins, np.rint(score * bins)).any():
        return
    share, mean = calibration_curve(hit, score, n_bins=bins)
    table = calibration(score, hit, bins=bins)
    np.testing.assert_allclose(table["share"], share)
    np.testing.assert_allclose(table["score"], mean)


@given(judged)
def test_it_lies_between_zero_and_one_and_is_the_bias_when_there_is_one_bin(pairs):
    score, hit = (np.array(column) for column in zip(*pairs, strict=True))
    assert 0 <= expected_calibration_error(score, hit) <= 1
    assert expected_calibration_error(score, hit, bins=1) == pytest.approx(abs(score.mean() - hit.mean()))


def test_a_score_that_is_the_probability_has_a_small_error_and_a_boast_a_large_one():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    hit = rng.random(p.size) < p
    assert expected_calibration_error(p, hit) < 0.02
    assert expected_calibration_error(np.sqrt(p), hit) > 0.1


def test_missing_scores_are_left_out_and_none_has_no_error():
    assert calibration([np.nan, 0.5], [True, False])["matches"].tolist() == [1]
    assert np.isnan(expected_calibration_error([], []))


@pytest.mark.parametrize(
    ("score", "hit", "told"), [([1.2], [True], r"in \[0, 1\]"), ([0.5], [True, False], "one length")]
)
def test_what_is_no_probability_is_refused(score, hit, told):
    with pytest.raises(BadInput, match=told):
        calibration(score, hit)
