"""What verdicts teach: windows like a rejected one fall, a company never gains or loses by its own labels."""

import numpy as np
import pandas as pd
import pytest

from tsbench.detect import PatternDetector, stretches_of
from tsbench.detect.lessons import NOISE, Lessons, labelled_windows
from tsbench.errors import BadInput, NotFitted
from tsbench.patterns import Channel, Pattern, synthesize

V = Pattern("v", (Channel("channel_0", ((0, 1), (0.5, 0), (1, 1))),), length=(12, 30))
U = Pattern("u", (Channel("channel_0", ((0, 1), (0.2, 0.02), (0.8, 0), (1, 1))),), length=(12, 30))


@pytest.fixture(scope="module")
def world():
    """Half of the companies show a V, half a U; a detector of V, and what a reader who wants no U says of its best."""
    parts = [synthesize(p, 100, snr=9.0, seed=s).panel.to_frame() for p, s in ((V, 1), (U, 2))]
    frame = pd.concat([part.assign(entity=part["entity"] + name) for part, name in zip(parts, "VU", strict=True)])
    from tsbench.series import Panel

    panel = Panel.from_frame(frame)
    detector = PatternDetector(V, surrogates=1000).fit(panel)
    matches = detector.scan(panel, where="history").sort_values("score", ascending=False)
    wanted = matches["entity"].str.endswith("V")
    best = pd.concat([matches[wanted].head(15), matches[~wanted].head(15)])
    labels = best[["entity", "channels", "start", "end"]].assign(
        verdict=np.where(best["entity"].str.endswith("V"), "accept", "reject")
    )
    return panel, detector, matches, labels, detector.refit(labels, panel)


def test_the_ranking_learns_what_the_reader_wants(world):
    panel, _, before, _, wiser = world
    after = wiser.scan(panel, where="history").sort_values("score", ascending=False)

    def share(table):
        return table.head(60)["entity"].str.endswith("V").mean()

    assert share(after) > share(before)


def test_the_detector_that_was_asked_stays_as_it_is(world):
    panel, detector, before, _, _ = world
    again = detector.scan(panel, where="history").sort_values("score", ascending=False)
    pd.testing.assert_frame_equal(again, before)


def test_a_taught_detector_survives_its_state(world):
    panel, _, _, _, wiser = world
    back = PatternDetector.from_state(wiser.to_state())
    pd.testing.assert_frame_equal(back.scan(panel, where="history"), wiser.scan(panel, where="history"))


def test_nobody_is_judged_by_their_own_label(world):
    panel, detector, _, labels, wiser = world
    name = labels["entity"].iloc[0]
    without = detector.refit(labels[labels["entity"] != name], panel)
    a, b = (d.find(panel, per_entity=1).set_index("entity")["score"][name] for d in (wiser, without))
    assert a == pytest.approx(b, abs=1e-12)
    others = labels["entity"].iloc[1:]
    c, d = (d.find(panel, per_entity=1).set_index("entity")["score"][others] for d in (wiser, without))
    assert (c != d).any()


def test_the_correction_is_kernel_ridge_regression():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 5)), rng.standard_normal(12)
    lessons = Lessons.learn(x, y, [f"C{i % 4}" for i in range(12)])
    from sklearn.kernel_ridge import KernelRidge

    from tsbench.detect.lessons import WIDTH

    ours = lessons.correction(x + 0.1, np.full(12, 4))
    model = KernelRidge(alpha=NOISE, kernel="rbf", gamma=1 / (2 * WIDTH**2 * 5)).fit(x, y)
    np.testing.assert_allclose(ours, model.predict(x + 0.1), atol=1e-9)
    assert (lessons.weights[1, 1::4] == 0).all()
    far = lessons.correction(x + 100.0, np.full(12, 4))
    np.testing.assert_allclose(far, 0.0, atol=1e-12)


def test_labels_are_found_by_their_dates_and_unsure_teaches_nothing(world):
    panel, _, _, labels, _ = world
    stretches = stretches_of(V, panel)
    mixed = labels.assign(verdict=["unsure", *labels["verdict"].iloc[1:]])
    seen = labelled_windows(V, stretches, mixed)
    assert seen.start.size == len(labels) - 1
    row = mixed.iloc[1]
    times = pd.to_datetime(stretches.times[seen.start[0] : seen.start[0] + seen.length[0]], unit="us", utc=True)
    assert (times[0], times[-1]) == (row["start"], row["end"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda labels: labels.drop(columns="verdict"), "lack verdict"),
        (lambda labels: labels.assign(verdict="maybe"), "accept, reject or unsure"),
        (lambda labels: labels.assign(verdict="unsure"), "accepted or rejected"),
        (lambda labels: labels.assign(entity="nobody"), "accepted or rejected"),
    ],
    ids=["no column", "no such verdict", "only unsure", "nobody known"],
)
def test_labels_that_teach_nothing_are_refused(world, change, said):
    panel, detector, _, labels, _ = world
    with pytest.raises(BadInput, match=said):
        detector.refit(change(labels), panel)


def test_only_a_fitted_and_trained_detector_learns(world):
    panel, _, _, labels, _ = world
    with pytest.raises(NotFitted):
        PatternDetector(V).refit(labels, panel)
    with pytest.raises(BadInput, match="trained"):
        PatternDetector(V, trained=False, surrogates=1000).fit(panel).refit(labels, panel)


def test_of_alternatives_one_may_be_labelled_and_the_others_not():
    """Two channels of one drawing share a judge; the labels all lie in the first."""
    two = Pattern("v2", (V.channels[0], Channel("channel_1", V.channels[0].points)), length=(12, 30), combine="any")
    made = synthesize(two, 40, snr=9.0, seed=4)
    detector = PatternDetector(made.pattern, surrogates=500).fit(made.panel)
    matches = detector.scan(made.panel, where="history")
    first = matches[[channels == ["channel_0"] for channels in matches["channels"]]].head(6)
    wiser = detector.refit(first.assign(verdict=["accept", "reject"] * 3), made.panel)
    assert wiser.scan(made.panel, where="history")["p_value"].notna().all()
