"""Every entity's best matches that stand apart: where they are, in what order, and by whom they are judged."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tests.detect.panels import DIP, QUARTERS, walks
from tests.naive import intersection_over_union
from tsbench.detect import PatternDetector
from tsbench.detect.search import APART
from tsbench.errors import BadInput, NotFitted
from tsbench.evaluate import half_of
from tsbench.patterns import Pattern
from tsbench.series import Panel


def dipped(places, depth=12.0, n=40, seed=21):
    """Walks of 80 quarters; {entity: ends of its dips of 12 quarters}."""
    panel = walks(n, seed=seed)
    values = panel.values.copy()
    for entity, ends in places.items():
        for end in ends:
            at = panel.offsets[entity] + end - 12
            values[at : at + 12] -= depth * np.interp(np.linspace(0, 1, 12), [0, 0.5, 1], [0, 1, 0])
    return Panel.from_frame(panel.to_frame().assign(value=values))


def likeness(row, copy):
    return intersection_over_union(row.start, row.end - row.start, *copy)


def test_every_dip_of_a_company_is_found_where_it_is(detector):
    places = {5: (20, 50, 78), 17: (30, 65), 30: (44,)}
    found = detector.find(dipped(places), per_entity=3)
    assert list(found.columns) == ["entity", "channel", "start", "end", "score"]
    hits = 0
    for entity, ends in places.items():
        mine = found[found["entity"] == f"E{entity:02d}"].head(len(ends))
        hits += sum(any(likeness(row, (end - 12, 12)) >= 0.5 for row in mine.itertuples()) for end in ends)
    assert hits >= 5
    assert set(found["channel"]) == {"value"}
    assert set(found["entity"].head(2)) <= {"E05", "E17", "E30"}


@pytest.mark.parametrize("per_entity", [1, 2, 5])
@pytest.mark.parametrize("where", ["now", "history", "forming"])
def test_matches_are_few_stand_apart_and_come_best_first(detector, where, per_entity):
    panel = dipped({5: (20, 50, 78)})
    found = detector.find(panel, where=where, per_entity=per_entity)
    assert found.groupby("entity").size().max() <= per_entity
    assert found["entity"].nunique() >= 30  # nothing goes the drawn way in the last periods of some
    assert (np.diff(found["score"]) <= 0).all()
    assert found.index.tolist() == list(range(len(found)))
    assert ((found["start"] >= 0) & (found["end"] <= 80)).all()
    if where == "now":
        assert (found["end"] >= 79).all()
    if where == "history" and detector.trained:
        assert found["score"].between(0, 1).all()
    for _, mine in found.groupby("entity"):
        for a, b in combinations(mine.itertuples(), 2):
            assert likeness(a, (b.start, b.end - b.start)) <= APART


def test_the_first_match_is_that_of_the_scan(detector):
    panel = dipped({5: (20, 50, 78)})
    for where in ("now", "history"):
        scanned = detector.scan(panel, where=where).set_index("entity")
        scanned = scanned[scanned["start"].notna()]
        for per_entity in (1, 4):
            first = detector.find(panel, where=where, per_entity=per_entity).groupby("entity").first()
            first = first.loc[scanned.index]
            np.testing.assert_allclose(first["score"], scanned["score"])
            assert (first["start"] == [e["first"] for e in scanned["evidence"]]).all()
            assert (first["end"] - first["start"] == scanned["length"]).all()
            assert (QUARTERS[first["start"]].tz_localize("UTC") == scanned["start"]).all()


def test_positions_count_from_the_company_s_first_period_across_holes(detector):
    frame = dipped({5: (70,)}, depth=20.0).to_frame()
    hole = frame.groupby("entity").cumcount() == 40
    holed = Panel.from_frame(frame.assign(value=frame["value"].mask(hole)))
    late = Panel.from_frame(frame[frame.groupby("entity").cumcount() >= 10])
    whole, beside, later = (detector.find(p, per_entity=2) for p in (Panel.from_frame(frame), holed, late))
    assert whole["entity"].iloc[0] == "E05"
    for found, shift in ((whole, 0), (beside, 0), (later, 10)):
        first = found[found["entity"] == "E05"].iloc[0]
        assert intersection_over_union(first["start"] + shift, first["end"] - first["start"], 58, 12) > 0.6
    assert not ((beside["start"] <= 40) & (beside["end"] > 40)).any()


def test_the_example_is_left_out(trained):
    panel = dipped({3: (60,), 9: (60,)}, depth=40.0)
    pattern = Pattern.from_example(panel, "E03", QUARTERS[48], QUARTERS[59])
    detector = PatternDetector(pattern, surrogates=500, trained=False).fit(walks(seed=1))
    found = detector.find(panel)
    assert "E03" not in set(found["entity"])
    assert found["entity"].iloc[0] == "E09"
    assert "E03" in set(trained.find(panel)["entity"])


def test_threads_change_nothing(trained):
    panel = dipped({5: (20, 50, 78)})
    found = trained.find(panel)
    with ThreadPoolExecutor(3) as pool:
        pd.testing.assert_frame_equal(found, trained.find(panel, executor=pool), check_exact=True)


def test_a_trained_score_is_the_share_of_true_matches(trained):
    """Half of the series carry a copy, as in training: of matches with a probability near p about p are real."""
    from tsbench.patterns import synthesize

    made = synthesize(DIP, 1200, share=0.5, snr=(1.1, 9.0), noise="gaussian", length=80, seed=4)
    frame = made.panel.to_frame().assign(metric="value")
    found = trained.find(Panel.from_frame(frame), per_entity=1).set_index("entity")
    truth = made.truth.set_index("entity")
    hit = np.array(
        [
            e in truth.index and likeness(row, (truth.loc[e, "start"], truth.loc[e, "length"])) >= 0.5
            for e, row in zip(found.index, found.itertuples(), strict=True)
        ]
    )
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        inside = found["score"].between(low, high).to_numpy()
        assert inside.sum() > 30
        assert hit[inside].mean() == pytest.approx(found["score"][inside].mean(), abs=0.2)


def test_nobody_is_judged_by_a_judge_that_saw_their_half(trained):
    """Another first half moves the judgements of the second; those of the first stay but for their calibration."""
    old = walks(seed=1)
    frame, other = old.to_frame(), walks(seed=77).to_frame()
    first = ~half_of(frame["entity"])
    changed = Panel.from_frame(frame.assign(value=np.where(first, other["value"], frame["value"])))
    again = PatternDetector(DIP, surrogates=500).fit(changed)
    panel = dipped({5: (20, 50, 78), 17: (30, 65)})
    a, b = (d.find(panel, where="now", per_entity=1).set_index("entity").sort_index() for d in (trained, again))
    of_first = ~half_of(a.index)
    assert 10 < of_first.sum() < 30
    columns = ["start", "end"]
    pd.testing.assert_frame_equal(a.loc[of_first, columns], b.loc[of_first, columns])
    # The logit of a probability is a line over the judge's score; both lines are over the same scores.
    logit = [np.log(t["score"] / (1 - t["score"])).to_numpy() for t in (a, b)]
    for half, same in ((of_first, True), (~of_first, False)):
        x, y = (part[half] for part in logit)
        left = np.abs(y - np.polyval(np.polyfit(x, y, 1), x)).max()
        assert (left < 1e-9) == same


def test_a_question_that_makes_no_sense_is_refused(plain):
    with pytest.raises(NotFitted):
        PatternDetector(DIP).find(walks())
    with pytest.raises(BadInput, match="per_entity"):
        plain.find(walks(), per_entity=0)
    with pytest.raises(BadInput, match="history"):
        plain.find(walks(), where="today")
