"""Anomaly detectors of single values: against their definitions, their p-values against what happens, every edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tsbench.detect.anomaly import DETECTORS, LARGEST, SIDES, Robust, ZScore, anomaly_detector, restored
from tsbench.errors import BadInput, NotFitted, NotFound, TooShort
from tsbench.records import State

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 4))
SERIES = st.lists(NUMBERS, min_size=3, max_size=60).filter(lambda x: max(x) > min(x))
KINDS = pytest.mark.parametrize("kind", list(DETECTORS))
EVERY_SIDE = pytest.mark.parametrize("side", SIDES)


@given(SERIES, NUMBERS)
def test_zscore_says_what_three_population_deviations_above_the_mean_say(series, value):
    values = np.array(series)
    judged = ZScore().fit(series).judge(value, side="upper")
    assert judged.anomaly == (value > values.mean() + 3 * values.std())
    np.testing.assert_allclose(judged.score, (value - values.mean()) / values.std(), rtol=1e-9, atol=1e-9)
    assert (judged.lower, judged.upper) == (None, values.mean() + 3 * values.std())


def test_the_documented_example():
    detector = ZScore().fit([10.0, 11.2, 10.4, 10.8])
    assert detector.judge(13.0, side="upper").anomaly is True
    assert detector.judge(10.3, side="upper").anomaly is False
    assert detector.judge(8.0, side="upper").anomaly is False
    assert detector.judge(8.0, side="both").anomaly is True


@given(SERIES, NUMBERS)
def test_robust_is_the_modified_z_score(series, value):
    values = np.array(series)
    level = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - level)) or 1.2533 * np.abs(values - level).mean()
    judged = Robust().fit(series).judge(value, side="both")
    np.testing.assert_allclose(judged.score, abs(value - level) / spread, rtol=1e-9, atol=1e-9)
    assert judged.anomaly == (value > level + 3.5 * spread or value < level - 3.5 * spread)


def test_robust_is_not_moved_by_a_third_of_wrong_values():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=100)
    spoilt = np.r_[clean, np.full(45, 1e6)]
    assert abs(Robust().fit(spoilt).fitted.level - np.median(clean)) < 1
    assert Robust().fit(spoilt).judge(20.0).anomaly
    assert not ZScore().fit(spoilt).judge(20.0).anomaly


@EVERY_SIDE
def test_the_p_value_of_zscore_is_uniform_where_series_are_normal(side):
    rng = np.random.default_rng(1)
    p = [ZScore().fit(x[:8]).judge(float(x[8]), side=side).p_value for x in rng.normal(5, 2, (4_000, 9))]
    assert stats.kstest(p, "uniform").pvalue > 0.01


@EVERY_SIDE
@pytest.mark.parametrize("n", [9, 30])
def test_the_p_value_of_robust_never_promises_too_much_whatever_the_distribution(side, n):
    rng = np.random.default_rng(2)
    draws = rng.standard_cauchy((3_000, n + 1)) + rng.exponential(3, (3_000, n + 1))
    p = np.array([Robust().fit(x[:n]).judge(float(x[n]), side=side).p_value for x in draws])
    for limit in (0.1, 0.2, 0.5):
        assert (p <= limit).mean() <= limit + 0.02
    assert p.min() >= 1 / (n + 1)


def counted(series, value, side):
    """The p-value of `robust` by its definition."""
    upper = (1 + (np.array(series) >= value).sum()) / (len(series) + 1)
    lower = (1 + (np.array(series) <= value).sum()) / (len(series) + 1)
    return {"upper": upper, "lower": lower, "both": min(1.0, 2 * min(upper, lower))}[side]


@given(SERIES, NUMBERS, st.sampled_from(SIDES))
def test_the_p_value_of_robust_counts_the_fit(series, value, side):
    assert Robust().fit(series).judge(value, side=side).p_value == pytest.approx(counted(series, value, side))


@EVERY_SIDE
def test_of_a_long_series_ranks_are_kept_and_the_tails_stay_exact(side):
    rng = np.random.default_rng(3)
    values = rng.standard_t(3, 50_000)
    detector = Robust().fit(values)
    asked = np.r_[rng.standard_t(3, 300), -20, 20, 0.0]
    exact = np.array([counted(values, x, side) for x in asked])
    p = detector.judge(asked, side=side).p_value
    assert (p >= exact - 1e-12).all()
    assert (p - exact).max() < 2.5 / 2_048
    far = exact < 0.01
    np.testing.assert_allclose(p[far], exact[far], rtol=1e-12)
    assert sum(array.nbytes for array in detector.to_state().arrays.values()) < 80_000


@KINDS
@given(series=SERIES, values=st.lists(NUMBERS, min_size=1, max_size=5), side=st.sampled_from(SIDES))
@settings(max_examples=30)
def test_many_at_once_are_judged_as_one_by_one_and_after_a_round_trip(kind, series, values, side):
    detector = anomaly_detector(kind).fit(series)
    state = detector.to_state()
    back = restored(State(state.kind, state.version, dict(state.meta), dict(state.arrays)))
    together = back.judge(values, side=side)
    for i, value in enumerate(values):
        alone = detector.judge(value, side=side)
        assert (together.anomaly[i], together.score[i], together.p_value[i]) == (*alone[:2], alone.p_value)
        assert together[5:] == alone[5:]


@KINDS
@given(series=SERIES, value=NUMBERS, shift=st.integers(-1000, 1000), scale=st.sampled_from([0.5, 2.0, 4.0]))
@settings(max_examples=30)
def test_units_do_not_matter(kind, series, value, shift, scale):
    plain = anomaly_detector(kind).fit(series).score([value])
    moved = anomaly_detector(kind).fit(scale * np.array(series) + shift).score([scale * value + shift])
    np.testing.assert_allclose(moved, plain, rtol=1e-6, atol=1e-6)


@KINDS
def test_missing_values_are_left_out_of_the_fit_and_are_no_anomalies(kind):
    values = [1.0, 2.0, np.nan, 4.0, 3.0]
    detector = anomaly_detector(kind).fit(values)
    assert detector.fitted == anomaly_detector(kind).fit([1.0, 2.0, 4.0, 3.0]).fitted
    judged = detector.judge([np.nan, 100.0])
    assert list(judged.anomaly) == [False, True]
    assert np.isnan(judged.score[0])
    assert np.isnan(judged.p_value[0])


@KINDS
def test_a_great_level_costs_no_precision(kind):
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    plain, high = anomaly_detector(kind).fit(values), anomaly_detector(kind).fit(values + 2**40)
    np.testing.assert_allclose(high.score([2.0**40 + 9]), plain.score([9.0]), rtol=1e-9)


@KINDS
@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ([], TooShort, "0 values, at least 3"),
        ([1.0, np.nan, 2.0], TooShort, "2 values, at least 3"),
        ([5.0] * 4, BadInput, "all 4 values are 5"),
        ([1.0, 2.0, np.inf], BadInput, "infinity at position 2"),
        ([-1.7e308, 1.7e308, 1.7e308], BadInput, "rescale"),
        ([0.0, 5e-324, 0.0], BadInput, "rescale"),
        ([[1.0, 2.0, 3.0]], BadInput, "one-dimensional"),
        (["a", "b", "c"], BadInput, "must hold numbers"),
    ],
)
def test_what_cannot_be_fitted_is_refused_and_leaves_the_detector_as_it_was(kind, values, error, said):
    detector = anomaly_detector(kind).fit([1.0, 2.0, 4.0])
    before = detector.fitted
    with pytest.raises(error, match=said):
        detector.fit(values)
    assert detector.fitted is before


@KINDS
def test_what_cannot_be_asked_is_refused(kind):
    with pytest.raises(NotFitted, match=r"call fit\(values\)"):
        anomaly_detector(kind).judge(1.0)
    detector = anomaly_detector(kind).fit([1.0, 2.0, 4.0])
    with pytest.raises(BadInput, match="side must be one of"):
        detector.judge(1.0, side="left")
    with pytest.raises(BadInput, match="infinity"):
        detector.judge(np.inf)
    other = next(one for name, one in DETECTORS.items() if name != kind)
    with pytest.raises(BadInput, match="fit it again"):
        other.from_state(detector.to_state())


def test_a_far_value_has_a_finite_score_and_limits_are_finite():
    judged = ZScore().fit([0.0, 1e-100, 2e-100]).judge(1e300)
    assert judged.score == LARGEST
    wide = Robust().fit([-1e308, 0.0, 1e308]).judge(0.0)
    assert np.isfinite([wide.lower, wide.upper]).all()


def test_an_unknown_kind_is_answered_with_those_there_are():
    with pytest.raises(NotFound, match="did you mean 'zscore'"):
        anomaly_detector("z-score")
