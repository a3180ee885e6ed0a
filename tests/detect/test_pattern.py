"""PatternDetector as its users see it: what it finds, what it says about chance, and what it must never see."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.detect.panels import DIP, QUARTERS, VEE, joint_panel, walks
from tsbench.detect import COLUMNS, PatternDetector, stretches_of
from tsbench.errors import BadInput, NotFitted, NotFound, TooShort
from tsbench.patterns import NULLS, Channel, Constraint, Pattern
from tsbench.records import State
from tsbench.series import Panel

JUDGED = pytest.mark.parametrize("trained", [True, False], ids=["trained", "plain"])
RISE = ((0, 0), (1, 1))


def mirror(panel):
    frame = panel.to_frame()
    return Panel.from_frame(frame.assign(value=-frame["value"]))


@pytest.fixture(scope="module")
def inverted_ones():
    """The two detectors of `detector`, for the drawing upside down and on the background upside down."""
    up = replace(DIP, polarity="inverted")
    return {
        name: PatternDetector(up, surrogates=4000, trained=name == "trained").fit(mirror(walks(seed=1)))
        for name in ("trained", "plain")
    }


@pytest.fixture
def upside_down(detector, inverted_ones):
    return inverted_ones["trained" if detector.trained else "plain"]


def test_a_planted_dip_is_found_where_it_is(detector):
    table = detector.scan(walks(seed=2, dips=[7]))
    first = table.iloc[0]
    assert first["entity"] == "E07"
    assert first["q_value"] <= (0.2 if detector.trained else 0.1)
    assert abs((first["end"] - QUARTERS[79].tz_localize("UTC")).days) <= 100
    assert (table["q_value"][1:] > 0.1).all()
    assert tuple(table.columns) == COLUMNS


def test_a_deep_dip_is_found_among_all_companies_nearly_always(detector):
    found = []
    for seed in range(20):
        table = detector.scan(walks(seed=100 + seed, dips=[7], depth=30.0)).set_index("entity")
        found.append(table.loc["E07", "q_value"] <= 0.1)
    assert np.mean(found) >= 0.9


def test_a_dip_of_long_ago_is_history_and_not_now(detector):
    panel = walks(seed=3, dips=[4], end=40)
    now = detector.scan(panel, where="now").set_index("entity")
    history = detector.scan(panel, where="history").set_index("entity")
    assert now.loc["E04", "p_value"] > 0.05
    assert history.index[0] == "E04"
    # Of a lone tall dip the odds of a judge are less sharp than those of correlation alone.
    assert history["q_value"].iloc[0] <= (0.2 if detector.trained else 0.1)
    assert (now["end"].dropna() >= QUARTERS[78].tz_localize("UTC")).all()


def test_a_dip_still_forming_shows_how_much_of_it_is_there(detector):
    panel = walks(seed=4)
    values = panel.values.copy()
    full = np.interp(np.linspace(0, 1, 16), [0, 0.5, 1], [0, 1, 0])[:11]
    values[panel.offsets[10] - 11 : panel.offsets[10]] -= 16 * full
    frame = panel.to_frame().assign(value=values)
    row = detector.scan(Panel.from_frame(frame), where="forming").set_index("entity").loc["E09"]
    assert 0.6 <= row["complete"] <= 0.9
    assert row["p_value"] < 0.05


def test_chance_is_chance_within_each_null(detector):
    from tsbench.patterns import surrogates

    for kind in NULLS:
        panel = surrogates(walks(40, seed=5), 20, kind=kind, seed=6)
        p = detector.scan(panel, where="now")[f"p_{kind}"]
        assert p.size == 800
        # Binomial sd at 800: .008 and .0035; the bounds are the bars plus two of them.
        assert 0.02 <= (p < 0.05).mean() <= 0.085, kind
        assert (p < 0.01).mean() <= 0.025, kind


def test_the_verdict_is_the_largest_p_over_the_nulls(detector):
    table = detector.scan(walks(seed=7))
    columns = [f"p_{kind}" for kind in NULLS]
    np.testing.assert_array_equal(table["p_value"], table[columns].max(axis=1))
    assert (table["null"] == table[columns].idxmax(axis=1).str.removeprefix("p_")).all()
    one = detector.scan(walks(seed=7), null="sign_flip")
    np.testing.assert_array_equal(one["p_value"], one["p_sign_flip"])


@pytest.mark.parametrize(("trained", "versions"), [(True, 2), (False, 3)])
def test_nothing_public_later_changes_an_answer(trained, versions):
    """The truncation audit: values, background, training, surrogates and odds see only what was available."""
    day = "2012-06-30"
    panel = walks(50, 90, seed=8)
    spoiled = panel.to_frame()
    later = spoiled["available_at"] > pd.Timestamp(day, tz="UTC")
    assert 0 < later.mean() < 0.5
    spoiled.loc[later, "value"] *= -1e6
    answers = []
    for version in (Panel.from_frame(spoiled), Panel.from_frame(panel.to_frame()[~later]), panel)[:versions]:
        model = PatternDetector(DIP, surrogates=1000, trained=trained).fit(version.select(as_of=day))
        answers.append(model.scan(version, as_of=day, confirm=2).drop(columns="evidence"))
    for other in answers[1:]:
        pd.testing.assert_frame_equal(answers[0], other, check_exact=True)


def test_a_dead_company_is_not_scanned_for_now_but_has_a_history(detector):
    frame = walks(seed=9).to_frame()
    gone = (frame["entity"] == "E03") & (frame["time"] >= "2010-01-01")
    panel = Panel.from_frame(frame[~gone])
    assert detector.scan(panel).set_index("entity").loc["E03", "status"] == "not live"
    assert detector.scan(panel, where="history").set_index("entity").loc["E03", "status"] == "tested"


def test_what_cannot_be_tested_is_reported_and_not_in_the_family(detector):
    frame = walks(seed=10).to_frame()
    short = (frame["entity"] == "E05") & (frame["time"] < "2013-06-01")
    frame.loc[frame["entity"] == "E06", "flags"] = 1
    panel = Panel.from_frame(frame[~short])
    table = detector.scan(panel, where="history").set_index("entity")
    assert table.loc["E05", "status"] == "too short"
    assert table.loc["E06", "status"] == "no clean run"
    assert table.loc["E06", "flagged"] == 80
    assert table.loc[["E05", "E06"], ["p_value", "q_value"]].isna().all(axis=None)
    assert (table["status"] == "tested").sum() == 58


def test_a_match_never_bridges_a_hole(detector):
    panel = walks(seed=11, dips=[2])
    frame = panel.to_frame()
    middle = (frame["entity"] == "E02") & (frame["time"] == QUARTERS[74].tz_localize("UTC"))
    assert middle.sum() == 1
    row = detector.scan(Panel.from_frame(frame[~middle])).set_index("entity").loc["E02"]
    assert row["status"] == "too short"


def test_chunks_and_threads_give_the_numbers_of_the_whole(detector):
    stretches = stretches_of(DIP, walks(seed=12, dips=[1]))
    whole = detector.score(stretches, where="now")
    parts = [
        detector.score(stretches.only(np.arange(a, a + 20)), where="now", newest=int(stretches.times.max()))
        for a in (0, 20, 40)
    ]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True), check_exact=True)
    with ThreadPoolExecutor(3) as pool:
        pd.testing.assert_frame_equal(whole, detector.score(stretches, where="now", executor=pool))


@pytest.mark.parametrize("where", ["now", "history", "forming"])
def test_state_round_trip_gives_the_same_numbers(detector, where):
    state = detector.to_state()
    again = PatternDetector.from_state(State(state.kind, state.version, state.meta, state.arrays))
    panel = walks(seed=13, dips=[1])
    before, after = (d.scan(panel, where=where, confirm=1) for d in (detector, again))
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    pd.testing.assert_frame_equal(detector.find(panel, where=where), again.find(panel, where=where), check_exact=True)
    pd.testing.assert_frame_equal(
        detector.needed_score([20, 80], q=0.1, family=9),
        again.needed_score([20, 80], q=0.1, family=9),
        check_exact=True,
    )


def test_equal_seeds_give_equal_numbers_with_and_without_threads(trained):
    """The fixture's folds were trained side by side."""
    again = PatternDetector(DIP, surrogates=4000).fit(walks(seed=1))
    panel = walks(seed=14, dips=[2])
    for where in ("now", "history"):
        answers = [d.scan(panel, where=where) for d in (trained, again)]
        pd.testing.assert_frame_equal(*answers, check_exact=True)


def test_equal_seeds_give_equal_odds_and_other_seeds_nearly():
    panel = walks(seed=14)
    a, b, c = (PatternDetector(DIP, seed=s, surrogates=2000, trained=False).fit(panel).scan(panel) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    both = a.merge(c, on="entity")
    assert not np.array_equal(both["p_value_x"], both["p_value_y"])
    assert np.corrcoef(both["p_value_x"], both["p_value_y"])[0, 1] > 0.98


def test_own_surrogates_confirm_a_real_dip_and_not_an_ordinary_stretch(detector):
    table = detector.scan(walks(seed=15, dips=[7]), confirm=60).set_index("entity")
    assert table.loc["E07", "p_confirmed"] < 0.05
    assert (table["p_confirmed"] < 0.01).mean() < 0.1
    assert table["p_confirmed"].between(0.001, 1).all()


@JUDGED
def test_a_joint_pattern_needs_every_channel_and_its_constraints(trained):
    joint = Pattern("rise", (Channel("a", RISE), Channel("b", RISE), Channel("c")), (8, 12), prominence=2.0,
                    constraints=(Constraint.flat("c", 1),))  # fmt: skip
    detector = PatternDetector(joint, surrogates=3000, trained=trained).fit(joint_panel(1))
    table = detector.scan(joint_panel(2))
    assert table["entity"].iloc[0] == "E03"
    assert table["metric"].iloc[0] == "a & b & c"
    assert table["channels"].iloc[0] == ["a", "b", "c"]
    ruled_out = table[table["p_value"] == 1.0]
    assert len(ruled_out) > 0
    assert ruled_out["start"].isna().all()
    found = detector.find(joint_panel(2), where="now", per_entity=1)
    assert found["entity"].iloc[0] == "E03"
    assert found["channel"].iloc[0] == "a & b & c"
    for row in found.itertuples():
        c = joint_panel(2).select(entity=row.entity, metric="c").values[row.start : row.end]
        assert abs(c[-1] / c[0] - 1) <= 0.01


@JUDGED
def test_alternatives_name_the_channel_that_matched(trained):
    either = Pattern("rise", (Channel("a", RISE), Channel("c", RISE), Channel("b", VEE)), (8, 12), prominence=2.0,
                     combine="any")  # fmt: skip
    detector = PatternDetector(either, surrogates=2000, trained=trained).fit(joint_panel(1))
    table = detector.scan(joint_panel(2)).set_index("entity")
    assert table.loc["E03", "channels"] == ["a"]
    assert {"a", "b", "c"} <= set(table["metric"])
    found = detector.find(joint_panel(2), where="now", per_entity=9)
    mine = found[found["entity"] == "E03"].set_index("channel")["score"]
    assert mine["a"] == found["score"][found["entity"] == "E03"].max()
    shares = {key: array.item() for key, array in detector.to_state().arrays.items() if key.startswith("lane|")}
    assert shares == {
        f"lane|{where}|{lane}": owner for where in ("now", "history") for lane, owner in enumerate((0, 0, 2)) if trained
    }


def test_an_inverted_pattern_finds_the_mirror_image(upside_down):
    table = upside_down.scan(walks(seed=16, dips=[7], depth=-14.0))
    assert table["entity"].iloc[0] == "E07"
    assert table["evidence"].iloc[0]["mirrored"]


def test_an_inverted_pattern_judges_a_series_upside_down_as_the_drawing_judges_it(detector, upside_down):
    panel = walks(seed=18, dips=range(0, 60, 3), depth=7.0)
    upright = detector.find(panel, where="history").set_index(["entity", "start", "end"])
    mirrored = upside_down.find(mirror(panel), where="history").set_index(["entity", "start", "end"])
    pd.testing.assert_frame_equal(upright.sort_index(), mirrored.sort_index())


def test_windows_are_scored_without_search(detector):
    t = DIP.template(0, 20)
    windows = np.stack([5 + 3 * t, -t, np.arange(20.0), np.full(20, 2.0), np.r_[np.nan, t[1:]]])
    np.testing.assert_allclose(detector.score_windows(windows)[:4], [1, -1, 0, 0], atol=1e-12)
    assert np.isnan(detector.score_windows(windows)[4])
    with pytest.raises(BadInput, match="shape"):
        detector.score_windows(np.zeros((3, 2, 20)))


def test_the_needed_score_says_which_lengths_can_never_pass(detector):
    needed = detector.needed_score([9, 20, 40, 80], q=0.1, family=60)["needed"].to_numpy()
    assert needed[0] == 1.0
    assert ((needed[1:] > 0) & (needed[1:] < 1)).all()
    beyond = detector.needed_score([80], q=0.1, family=10_000_000)["needed"]
    assert beyond.iloc[0] == 1.0


def test_the_needed_score_pays_for_alternatives():
    channels = tuple(Channel(m, VEE) for m in ("a", "b", "c"))
    panel = joint_panel(1)
    needed = {}
    for combine in ("any", "all"):
        pattern = Pattern("dip", channels, (8, 16), prominence=2.0, combine=combine)
        needed[combine] = (
            PatternDetector(pattern, surrogates=4000, trained=False).fit(panel).needed_score([60], q=0.1, family=20)
        )
    assert len(needed["any"]) == 3
    assert (needed["any"]["needed"] < 1).all()
    alone = Pattern("dip", channels[:1], (8, 16), prominence=2.0)
    single = PatternDetector(alone, surrogates=4000, trained=False).fit(panel).needed_score([60], q=0.1, family=20)
    assert needed["any"]["needed"].iloc[0] > single["needed"].iloc[0]


def test_no_p_value_is_below_what_the_surrogates_support(plain):
    table = plain.scan(walks(seed=17, dips=[1, 2], depth=60.0)).set_index("entity")
    assert table["p_value"].min() >= 1 / 4081
    # So deep a dip changes the memory and tails of its own series; they are measured outside it.
    assert (table.loc[["E01", "E02"], "p_value"] < 0.002).all()


@pytest.mark.parametrize("where", ["today", "", None])
def test_an_unknown_question_is_refused(detector, where):
    with pytest.raises(BadInput, match="history"):
        detector.scan(walks(), where=where)


def test_before_fitting_there_are_no_odds():
    with pytest.raises(NotFitted, match="fit"):
        PatternDetector(DIP).scan(walks())
    with pytest.raises(NotFitted):
        PatternDetector(DIP).to_state()


def test_a_background_without_the_metric_or_length_is_refused():
    with pytest.raises(NotFound, match="value"):
        PatternDetector(DIP).fit(joint_panel())
    for trained in (True, False):
        with pytest.raises(TooShort, match="no gap-free stretch of the background"):
            PatternDetector(DIP, trained=trained).fit(walks(length=8))


def test_a_state_of_another_kind_is_refused(detector):
    with pytest.raises(BadInput, match="pattern detector"):
        PatternDetector.from_state(State("zscore", 1))
