import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.errors import BadInput
from tsbench.evaluate import episodes

QUARTERS = pd.date_range("2000-03-31", periods=60, freq="QE")


def ending(*positions):
    return pd.DataFrame({"end": pd.DatetimeIndex([QUARTERS[i] for i in positions])})


def fewest_windows(positions, width):
    """By dynamic programming over the positions: the fewest windows of `width` that hold all of them."""
    left = sorted(set(positions))
    best = [0]
    for i in range(1, len(left) + 1):
        best.append(1 + min(best[j] for j in range(i) if left[i - 1] - left[j] < width))
    return best[-1]


@given(st.lists(st.integers(0, 59), max_size=25), st.integers(1, 5))
def test_an_episode_is_never_longer_than_its_window_and_there_are_no_fewer(positions, width):
    labels = episodes(ending(*positions), width)
    groups = {}
    for position, label in zip(positions, labels, strict=True):
        groups.setdefault(label, []).append(position)
    assert all(max(group) - min(group) < width for group in groups.values())
    assert sorted(groups) == list(range(len(groups)))
    assert len(groups) == (fewest_windows(positions, width) if positions else 0)


@given(st.lists(st.integers(0, 59), min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_labels_ascend_with_time_whatever_the_order_of_the_rows(positions, random):
    labels = episodes(ending(*positions))
    assert (np.diff(labels[np.argsort(positions, kind="stable")]) >= 0).all()
    order = list(range(len(positions)))
    random.shuffle(order)
    np.testing.assert_array_equal(episodes(ending(*[positions[i] for i in order])), labels[order])


def test_matches_that_follow_each_other_closely_make_no_endless_chain():
    assert episodes(ending(*range(7))).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_books_that_close_in_another_month_of_the_quarter_meet():
    ends = pd.DataFrame({"end": ["2009-03-31", "2009-04-30", "2009-05-31", "2009-06-27"]})
    assert episodes(ends, 1).tolist() == [0, 0, 1, 1]
    assert episodes(ends, 2).tolist() == [0, 0, 0, 0]


def test_the_window_counts_periods_of_the_frequency():
    ends = pd.DataFrame({"end": ["2009-03-31", "2009-04-30", "2009-05-31"]})
    assert episodes(ends, frequency="monthly").tolist() == [0, 0, 1]
    assert episodes(ends, frequency="annual").tolist() == [0, 0, 0]
    assert episodes(ends, frequency="irregular").tolist() == [0, 1, 2]


def test_a_company_without_a_match_is_in_no_episode():
    ends = pd.DataFrame({"end": [pd.NaT, QUARTERS[3], None]})
    assert episodes(ends).tolist() == [-1, 0, -1]
    assert episodes(ends[:0]).size == 0


@pytest.mark.parametrize(
    ("matches", "options", "said"),
    [
        (pd.DataFrame({"start": []}), {}, "the matches lack end; they have start"),
        (ending(1), {"periods": 0}, "periods must be an integer >= 1"),
        (ending(1), {"frequency": "hourly"}, "frequency must be one of"),
    ],
)
def test_what_cannot_be_grouped_is_refused(matches, options, said):
    with pytest.raises(BadInput, match=said):
        episodes(matches, **options)
