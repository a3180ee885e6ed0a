"""Growth categories: the sign of the mean difference, whatever is missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.errors import BadInput
from tsbench.series.growth import growth_category

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(st.lists(NUMBERS, min_size=2, max_size=30), st.integers(0, 29))
def test_it_is_the_sign_of_the_mean_difference_of_what_is_there(values, hole):
    sign = np.sign(values[-1] - values[0])
    wanted = {1.0: "Steady growth", -1.0: "Declining", 0.0: "Cyclical patterns"}[float(sign)]
    inner = values[:1] + [np.nan] * (hole % 3) + values[1:]
    assert growth_category(inner) == wanted
    assert growth_category([np.nan, *values, np.nan]) == wanted


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, 2.0, np.nan]])
def test_of_fewer_than_two_values_nothing_is_said(values):
    assert growth_category(values) is None


def test_infinity_is_refused():
    with pytest.raises(BadInput, match="infinity at position 1"):
        growth_category([1.0, np.inf])
