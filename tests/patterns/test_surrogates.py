import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput
from tsbench.patterns import NULLS, surrogates
from tsbench.patterns.surrogates import resample
from tsbench.series import Panel


@pytest.mark.parametrize("kind", NULLS)
@given(st.integers(3, 120), st.integers(1, 3), st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_every_surrogate_begins_at_the_first_value_and_is_finite(kind, length, channels, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((channels, length)).cumsum(axis=1)
    drawn = resample(x, 5, kind, rng)
    assert drawn.shape == (channels, 5, length)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn[:, :, 0], np.repeat(x[:, :1], 5, axis=1))


def test_a_block_bootstrap_only_has_observed_steps():
    x = np.random.default_rng(0).standard_normal((1, 60)).cumsum(axis=1)
    steps = np.diff(resample(x, 20, "block_bootstrap", np.random.default_rng(1))[0], axis=1)
    nearest = np.abs(steps.ravel()[:, None] - np.diff(x[0])[None]).min(axis=1)
    assert nearest.max() < 1e-9


def test_random_phases_keep_spectrum_and_drift():
    x = np.random.default_rng(2).standard_normal((1, 81)).cumsum(axis=1) + np.linspace(0, 30, 81)
    drawn = resample(x, 10, "phase_randomized", np.random.default_rng(3))[0]
    power = np.abs(np.fft.rfft(np.diff(drawn, axis=1), axis=1))
    np.testing.assert_allclose(power, np.tile(np.abs(np.fft.rfft(np.diff(x[0]))), (10, 1)), atol=1e-9)
    np.testing.assert_allclose(drawn[:, -1], x[0, -1])
    assert np.abs(drawn - x).max() > 1


def test_sign_flips_keep_the_size_of_every_step():
    x = np.random.default_rng(4).standard_normal((1, 50)).cumsum(axis=1)
    drawn = resample(x, 400, "sign_flip", np.random.default_rng(5))[0]
    np.testing.assert_allclose(np.abs(np.diff(drawn, axis=1)), np.tile(np.abs(np.diff(x[0])), (400, 1)), atol=1e-9)
    assert abs((np.diff(drawn, axis=1) * np.sign(np.diff(x[0]))).mean()) < 0.05


@pytest.mark.parametrize("kind", NULLS)
def test_joint_channels_keep_their_dependence(kind):
    rng = np.random.default_rng(6)
    a = rng.standard_normal(90)
    x = np.stack([a, 0.9 * a + 0.3 * rng.standard_normal(90)]).cumsum(axis=1)
    drawn = np.diff(resample(x, 50, kind, rng), axis=2)
    wanted = np.corrcoef(np.diff(x))[0, 1]
    got = np.mean([np.corrcoef(drawn[0, i], drawn[1, i])[0, 1] for i in range(50)])
    assert got == pytest.approx(wanted, abs=0.05)


def panel_with_a_gap():
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal(40).cumsum(), rng.standard_normal(40).cumsum()
    a[15], b[15] = np.nan, np.nan
    return Panel.from_arrays([a, b], entities=["A", "B"])


def test_gaps_stay_where_they_are_and_every_stretch_keeps_its_start():
    panel = panel_with_a_gap()
    drawn = surrogates(panel, 3, kind="sign_flip", seed=1)
    assert list(drawn.index["entity"]) == ["A#0", "A#1", "A#2", "B#0", "B#1", "B#2"]
    for i in range(3):
        x = drawn.series(i)[1]
        assert np.flatnonzero(np.isnan(x)).tolist() == [15]
        np.testing.assert_allclose(x[[0, 16]], panel.series(0)[1][[0, 16]])
        np.testing.assert_allclose(np.abs(np.diff(x[16:])), np.abs(np.diff(panel.series(0)[1][16:])))


def test_equal_seeds_give_equal_surrogates_and_others_do_not():
    panel = panel_with_a_gap()
    first = surrogates(panel, 2, kind="block_bootstrap", seed=3).values
    np.testing.assert_array_equal(first, surrogates(panel, 2, kind="block_bootstrap", seed=3).values)
    assert not np.array_equal(first, surrogates(panel, 2, kind="block_bootstrap", seed=4).values, equal_nan=True)


def test_series_of_one_entity_may_share_their_draws():
    a = np.random.default_rng(8).standard_normal(30).cumsum()
    frame = Panel.from_arrays([a], entities=["A"]).to_frame()
    both = Panel.from_frame(
        __import__("pandas").concat([frame, frame.assign(metric="other", value=frame["value"] * 2 + 1)])
    )
    drawn = surrogates(both, 1, kind="sign_flip", shared_phase=True, seed=2)
    other, value = drawn.series(0)[1], drawn.series(1)[1]
    np.testing.assert_allclose(np.diff(other), 2 * np.diff(value))


def test_an_unknown_kind_is_refused():
    with pytest.raises(BadInput, match="block_bootstrap"):
        surrogates(panel_with_a_gap(), 1, kind="shuffle")
