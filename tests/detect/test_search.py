"""Distance profiles over a panel."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests import naive
from tsbench.detect import distance_profile
from tsbench.errors import BadInput, TooShort
from tsbench.series import Panel


def test_it_is_the_z_normalised_distance_and_missing_where_no_window_fits():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(40).cumsum(), rng.standard_normal(25).cumsum()
    a[20] = np.nan
    query = rng.standard_normal(8).cumsum()
    got = distance_profile(query, Panel.from_arrays([a, b], entities=["A", "B"]))
    assert got.shape == (65,)
    for x, part in ((a[:20], got[:20]), (a[21:], got[21:40]), (b, got[40:])):
        r = naive.correlation_profile(x, query)
        np.testing.assert_allclose(part[: r.size], np.sqrt(2 * 8 * (1 - r)), atol=1e-6)
        assert np.isnan(part[r.size :]).all()
    assert np.isnan(got[20])


def test_the_query_finds_itself_at_any_level_and_size():
    x = np.random.default_rng(1).standard_normal(300).cumsum()
    got = distance_profile(7 + 3 * x[100:130], Panel.from_arrays([x]))
    assert np.nanargmin(got) == 100
    assert got[100] == pytest.approx(0, abs=1e-6)


def test_threads_give_the_same_numbers():
    x = [np.random.default_rng(i).standard_normal(3000).cumsum() for i in range(30)]
    panel, query = Panel.from_arrays(x), x[3][50:90]
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(distance_profile(query, panel), distance_profile(query, panel, executor=pool))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ([1.0, 1.0, 1.0], BadInput),
        ([1.0, np.nan, 2.0], BadInput),
        ([1.0, 2.0], TooShort),
        ([[1.0, 2.0, 3.0]], BadInput),
    ],
)
def test_a_query_without_shape_is_refused(query, error):
    with pytest.raises(error):
        distance_profile(query, Panel.from_arrays([np.arange(10.0)]))
