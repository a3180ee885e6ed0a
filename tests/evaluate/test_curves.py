"""Precision and recall along a ranked list, as a whole and by the length of what was to be found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from tsbench.errors import BadInput
from tsbench.evaluate import average_precision, by_length, compare, hits, precision_recall

TRUTH = pd.DataFrame({"entity": ["A", "A", "B"], "start": [0, 50, 10], "end": [10, 60, 30]})
stretches = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 60), st.integers(1, 30), st.integers(0, 50)), max_size=15
)


def matches(*rows):
    return pd.DataFrame(rows, columns=["entity", "start", "end", "score"])


def drawn(rows):
    return matches(*[(e, s, s + n, float(score)) for e, s, n, score in rows])


def test_a_known_ranking_has_the_known_curve():
    found = matches(("B", 40, 60, 0.8), ("A", 0, 10, 0.9), ("B", 12, 30, 0.7))
    curve = precision_recall(TRUTH, found)
    assert curve["score"].tolist() == [0.9, 0.8, 0.7]
    assert curve["hit"].tolist() == [True, False, True]
    assert curve["precision"].tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve["recall"].tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])


@given(stretches)
def test_the_precision_where_recall_rises_averages_to_the_average_precision(rows):
    found = drawn(rows)
    curve = precision_recall(TRUTH, found)
    assert curve["precision"][curve["hit"]].sum() / len(TRUTH) == pytest.approx(average_precision(TRUTH, found))


@given(stretches)
def test_it_equals_scikit_learns_curve_of_hits(rows):
    found = drawn([(e, s, n, i) for i, (e, s, n, _) in enumerate(rows)])  # scikit-learn counts equal scores at once
    hit = hits(TRUTH, found)
    if hit.any():
        precision, recall, _ = precision_recall_curve(hit, found["score"])
        curve = precision_recall(TRUTH, found)
        np.testing.assert_allclose(curve["precision"], precision[:-1][::-1])
        np.testing.assert_allclose(curve["recall"], recall[:-1][::-1] * hit.sum() / len(TRUTH))


def test_without_a_match_the_curve_is_empty_and_without_truth_recall_is_unknown():
    assert precision_recall(TRUTH, matches()).empty
    curve = precision_recall(TRUTH[:0], matches(("A", 0, 10, 1.0)))
    assert curve["precision"].tolist() == [0.0]
    assert np.isnan(curve["recall"]).all()


def test_a_missing_column_is_named():
    with pytest.raises(BadInput, match="score"):
        precision_recall(TRUTH, TRUTH)


@given(stretches)
def test_one_part_is_the_whole(rows):
    found = drawn(rows)
    (label,) = by_length(TRUTH, found, parts=1)
    assert label == "10 to 20 periods"
    pd.testing.assert_frame_equal(by_length(TRUTH, found, parts=1)[label], precision_recall(TRUTH, found))


def test_every_part_bears_its_share_of_the_wrong_ones():
    long = pd.DataFrame({"entity": list("ABCD"), "start": 0, "end": [8, 9, 20, 30]})
    found = matches(("A", 30, 40, 0.9), ("A", 0, 8, 0.8), ("C", 0, 20, 0.7), ("E", 0, 8, 0.6))
    short, tall = by_length(long, found, parts=2).items()
    assert (short[0], tall[0]) == ("8 to 9 periods", "20 to 30 periods")
    assert short[1]["hit"].tolist() == [False, True, False]
    assert short[1]["precision"].tolist() == pytest.approx([0, 1 / 1.5, 1 / 2])  # half of the truth: half a wrong one
    assert tall[1]["score"].tolist() == [0.9, 0.7, 0.6]
    assert tall[1]["recall"].tolist() == [0.0, 0.5, 0.5]


@given(stretches, stretches, st.integers(1, 5))
def test_the_parts_hold_every_stretch_and_every_hit_once(truth_rows, rows, parts):
    truth, found = drawn(truth_rows), drawn(rows)
    curves = by_length(truth, found, parts=parts)
    assert sum(curve["hit"].sum() for curve in curves.values()) == hits(truth, found).sum()
    assert len(curves) <= parts
    lengths = truth["end"] - truth["start"]
    ranges = [tuple(map(int, name.removesuffix(" periods").split(" to "))) for name in curves]
    assert sum(lengths.between(*ends).sum() for ends in ranges) == len(truth)
    assert ranges == sorted(ranges)


def test_detectors_and_sets_stand_in_one_table():
    found = matches(("A", 0, 10, 0.9), ("B", 40, 60, 0.8), ("B", 12, 30, 0.7))
    table = compare({"easy": TRUTH, "none": TRUTH}, {"good": {"easy": found, "none": matches()}, "bad": {}})
    assert table["detector"].tolist() == ["good", "good"]
    assert table["set"].tolist() == ["easy", "none"]
    assert table["average_precision"].tolist() == [pytest.approx((1 + 2 / 3) / 3), 0.0]
    assert table["found"].tolist() == [pytest.approx(2 / 3), 0.0]
    assert table["stretches"].tolist() == [3, 3]
