from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, TooShort
from tsbench.kernels.draw import one_step_noise
from tsbench.patterns import Channel, Constraint, Pattern, Synthetic, named, synthesize
from tsbench.patterns.synthetic import draw, walks

VEE = Pattern("vee", (Channel("value", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 20), warp=0.2, jitter=0.1)
RIGID = Pattern("rigid", VEE.channels, length=(8, 20), warp=0.0, jitter=0.0)


def test_without_tolerance_every_copy_is_the_drawing():
    copies = draw(RIGID, 5, 9, rng=np.random.default_rng(0))[0]
    wanted = np.r_[np.linspace(0, -1, 5), np.linspace(-1, 0, 5)[1:]]
    np.testing.assert_allclose(copies, np.tile(wanted, (5, 1)), atol=1e-12)


@given(st.integers(0, 5000), st.floats(0, 1), st.floats(0, 0.3), st.integers(4, 80))
@settings(max_examples=60, deadline=None)
def test_every_copy_starts_at_zero_and_is_finite(seed, warp, jitter, m):
    pattern = Pattern("p", (Channel("a", ((0, 1), (0.3, 0), (0.35, 2), (1, 1))), Channel("b")), (8, 20),
                      warp=warp, jitter=jitter)  # fmt: skip
    copies = draw(pattern, 7, m, rng=np.random.default_rng(seed))
    assert copies.shape == (2, 7, m)
    assert (copies[0][:, 0] == 0).all()
    assert np.isfinite(copies[0]).all()
    assert np.isnan(copies[1]).all()


def test_copies_resemble_the_drawing_within_their_tolerance():
    t = VEE.template(0, 40)
    copies = draw(VEE, 500, 40, rng=np.random.default_rng(1))[0]
    r = [np.corrcoef(c, t)[0, 1] for c in copies]
    assert np.median(r) > 0.85
    assert np.min(r) < 0.97
    loose = draw(VEE, 500, 40, rng=np.random.default_rng(1), warp=0.9)[0]
    assert np.median([np.corrcoef(c, t)[0, 1] for c in loose]) < np.median(r)


def test_walks_have_the_asked_noise():
    rng = np.random.default_rng(2)
    for noise in ("gaussian", "student"):
        steps = np.diff(walks(3000, 60, noise=noise, rng=rng)[0], axis=1)
        assert np.sqrt((steps**2).mean()) == pytest.approx(1.0, abs=0.1)
    kurtosis = [(np.diff(walks(500, 200, noise=n, rng=rng)[0], axis=1) ** 4).mean() for n in ("gaussian", "student")]
    assert kurtosis[1] > 2 * kurtosis[0]


def test_the_truth_is_where_the_shape_was_added():
    planted = synthesize(RIGID, 40, snr=50.0, share=0.5, seed=3)
    assert 8 <= len(planted.truth) <= 32
    for row in planted.truth.itertuples():
        i = list(planted.panel.index["entity"]).index(row.entity)
        x = planted.panel.series(i)[1][row.start : row.end]
        r = np.corrcoef(x, RIGID.template(0, row.length))[0, 1]
        assert r > 0.9
        assert row.end - row.start == row.length


def test_the_height_is_in_deviations_of_steps_and_of_what_they_leave_to_chance():
    """Their geometric mean: alike for a walk, and less than the steps' where steps are to be expected."""
    bare = synthesize(RIGID, 30, share=0.0, seed=4).panel
    flat = synthesize(RIGID, 30, snr=0.0, seed=4).panel
    high = synthesize(RIGID, 30, snr=7.0, seed=4)
    units = []
    for row in high.truth.itertuples():
        i = list(flat.index["entity"]).index(row.entity)
        added = high.panel.series(i)[1] - flat.series(i)[1]
        x = bare.series(i)[1]
        unit = np.sqrt(one_step_noise(x).std() * np.diff(x).std())
        # A sampled V of even length has no point at its tip.
        top = np.ptp(np.interp(np.linspace(0, 1, row.length), *RIGID.channels[0].drawing))
        assert np.ptp(added) == pytest.approx(7.0 * unit * top)
        units.append(unit / np.diff(x).std())
    assert np.median(units) == pytest.approx(1.0, abs=0.1)


def test_outside_the_copy_the_background_is_as_it_was_but_for_its_level():
    bare = synthesize(RIGID, 10, share=0.0, seed=4).panel
    high = synthesize(RIGID, 10, snr=7.0, seed=4)
    for i, row in enumerate(high.truth.itertuples()):
        x, before = high.panel.series(i)[1], bare.series(i)[1]
        np.testing.assert_array_equal(x[: row.start], before[: row.start])
        np.testing.assert_allclose(np.diff(x[row.end - 1 :]), np.diff(before[row.end - 1 :]), atol=1e-9)
        # the noise inside is the background's own, of memory at most 0.7
        assert np.diff(x[row.start : row.end]).std() < 3 * np.diff(before).std()


def added(pattern, n, seed):
    """What a planted copy adds to each background that carries one, from its start to its end."""
    flat, high = (synthesize(pattern, n, snr=s, seed=seed) for s in (0.0, 20.0))
    rows = dict(zip(high.panel.index["entity"], range(n), strict=True))
    for row in high.truth.itertuples():
        i = rows[row.entity]
        yield row.sign, (high.panel.series(i)[1] - flat.panel.series(i)[1])[row.start : row.end]


@pytest.mark.parametrize(("polarity", "signs"), [("as_drawn", {1}), ("inverted", {-1}), ("either", {1, -1})])
def test_a_copy_stands_as_the_polarity_says_and_its_sign_is_told(polarity, signs):
    seen = list(added(replace(RIGID, polarity=polarity), 30, seed=11))
    assert {sign for sign, _ in seen} == signs
    for sign, shape in seen:
        assert np.corrcoef(shape, RIGID.template(0, shape.size))[0, 1] * sign > 0.99


def test_the_truth_has_the_columns_that_are_promised():
    truth = synthesize(VEE, 3, seed=1).truth
    assert list(truth.columns) == ["entity", "start", "end", "length", "snr", "sign"]
    promised = Synthetic.__doc__.split("truth :")[1]
    assert all(column in promised for column in truth.columns)
    assert "channels" not in promised


@pytest.mark.parametrize(
    "snr", [4, np.float32(4), np.int64(4), (4, 4.0), [4.0, 4.0], np.array([4.0, 4.0]), np.array(4.0)]
)
def test_a_height_is_any_real_number_or_pair(snr):
    assert synthesize(VEE, 3, snr=snr, seed=1).truth["snr"].to_numpy() == pytest.approx([4.0] * 3)


def test_a_range_of_heights_is_kept():
    drawn = synthesize(VEE, 200, snr=(2.0, 8.0), seed=1).truth["snr"]
    assert 2 <= drawn.min() < 2.5
    assert 7 < drawn.max() <= 8


def test_the_unit_of_a_drawing_does_not_change_its_copies():
    tiny = replace(VEE, channels=(Channel("value", ((0, 1e-300), (0.5, 0), (1, 1e-300))),))
    a, b = (synthesize(p, 4, seed=2).panel.values for p in (VEE, tiny))
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_at_the_end_means_now():
    planted = synthesize(VEE, 20, at_end=True, length=60, seed=5)
    assert (planted.truth["end"] == 60).all()


def test_what_a_step_leaves_behind_stays():
    step = Pattern("step", (Channel("value", ((0, 0), (0.5, 0), (0.6, 1), (1, 1))),), (8, 12), warp=0, jitter=0)
    flat, high = (synthesize(step, 1, snr=s, seed=6) for s in (0.0, 9.0))
    end = high.truth["end"].iloc[0]
    added = high.panel.values - flat.panel.values
    np.testing.assert_allclose(added[end:], added[end - 1])


def test_equal_seeds_give_equal_examples():
    a, b, c = (synthesize(VEE, 5, seed=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(a.panel.values, b.panel.values)
    assert not np.array_equal(a.panel.values, c.panel.values)


def test_real_backgrounds_are_used_and_left_as_they_are(companies):
    panel = companies.series_of(metric=("revenue", "roic", "market_cap"), frequency="quarterly")
    before = panel.values.copy()
    planted = synthesize(named("dip_recovery"), 12, backgrounds=panel, seed=9)
    np.testing.assert_array_equal(panel.values, before)
    assert planted.pattern.expressions == ("channel_0", "channel_1", "channel_2")
    assert len(planted.panel) == 36
    assert planted.panel.runs().start.size == 36


def test_constraints_follow_their_channel():
    joint = Pattern("j", (Channel("a / b", ((0, 0), (1, 1))), Channel("c")), (8, 12),
                    constraints=(Constraint.flat("c", 10),))  # fmt: skip
    renamed = synthesize(joint, 3, seed=1).pattern
    assert renamed.constraints[0].channel == "channel_1"


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"length": 10}, TooShort), ({"share": 2}, BadInput), ({"snr": -1.0}, BadInput), ({"n": 0}, BadInput)],
)
def test_bad_wishes_are_refused(changes, error):
    with pytest.raises(error):
        synthesize(VEE, **{"n": 3, **changes})


@pytest.mark.parametrize(
    "snr",
    [
        np.nan, (1.0, np.nan), (5.0, 2.0), (-1.0, 2.0), (0.0, 2.0), (1.0, 2.0, 3.0), (1.0,), "6", None, True,
        (1.0, "2"), np.array([1.0, np.nan]),
    ],
)  # fmt: skip
def test_a_height_that_is_no_range_is_refused(snr):
    with pytest.raises(BadInput, match="snr"):
        synthesize(VEE, 3, snr=snr)
