import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.errors import BadInput
from tsbench.evaluate import average_precision, hits
from tsbench.evaluate.retrieval import overlap

TRUTH = pd.DataFrame({"entity": ["A", "A", "B"], "start": [0, 50, 10], "end": [10, 60, 30]})


def matches(*rows):
    return pd.DataFrame(rows, columns=["entity", "start", "end", "score"])


def test_the_truth_itself_is_perfect():
    assert average_precision(TRUTH, TRUTH.assign(score=[3.0, 2.0, 1.0])) == 1.0


def test_a_known_ranking_has_the_known_value():
    found = matches(("A", 0, 10, 0.9), ("B", 40, 60, 0.8), ("B", 12, 30, 0.7))
    # precisions 1/1 and 2/3 at two of three stretches
    assert average_precision(TRUTH, found) == pytest.approx((1 + 2 / 3) / 3)


def test_a_stretch_is_found_once_by_the_best_score():
    found = matches(("A", 1, 10, 0.5), ("A", 0, 10, 0.9))
    assert hits(TRUTH, found).tolist() == [False, True]


def test_overlap_decides():
    assert overlap(0, 10, 5, 15) == pytest.approx(5 / 15)
    assert overlap(0, 10, 10, 20) == 0.0
    assert hits(TRUTH, matches(("A", 5, 15, 1.0))).tolist() == [False]
    assert hits(TRUTH, matches(("A", 5, 15, 1.0)), iou=1 / 3).tolist() == [True]


def test_the_other_entity_does_not_count():
    assert not hits(TRUTH, matches(("C", 0, 10, 1.0))).any()


def test_nothing_found_is_zero_and_nothing_to_find_is_undefined():
    assert average_precision(TRUTH, matches()) == 0.0
    assert np.isnan(average_precision(TRUTH[:0], matches(("A", 0, 10, 1.0))))


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 60), st.integers(1, 30), st.integers(0, 50)), max_size=12)
)
def test_it_lies_between_zero_and_one_and_only_ranks_matter(rows):
    found = matches(*[(e, s, s + n, score) for e, s, n, score in rows])
    ap = average_precision(TRUTH, found)
    assert 0 <= ap <= 1
    assert ap == pytest.approx(average_precision(TRUTH, found.assign(score=found["score"].astype(float) * 3 - 1)))


def test_missing_columns_are_named():
    with pytest.raises(BadInput, match="score"):
        hits(TRUTH, TRUTH)
