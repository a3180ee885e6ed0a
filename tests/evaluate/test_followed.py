"""What followed, against a slow oracle, and against worlds in which the answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.evaluate import episodes, followed
from tsbench.evaluate.followed import (
    ABOVE,
    ALONE,
    BELOW,
    CROWDED,
    FEW,
    FEWEST_EPISODES,
    NEITHER,
    Sample,
    difference_of_medians,
    quartiles,
)
from tsbench.series import Panel

ENDS = pd.date_range("2000-03-31", periods=60, freq="QE").tz_localize("UTC")
DAYS = pd.Timedelta(days=1)


def series(entity, values, *, metric="x", lag=45, first=0):
    """A company's quarters from `first` on, public `lag` days after they end (one for all or one each)."""
    times = ENDS[first : first + len(values)]
    public = [t + int(d) * DAYS for t, d in zip(times, np.broadcast_to(lag, len(values)), strict=True)]
    return pd.DataFrame(
        {"entity": entity, "metric": metric, "frequency": "quarterly", "time": times, "value": values, "flags": 0}
        | {"available_at": public}
    )


def panel_of(*frames):
    return Panel.from_frame(pd.concat(frames, ignore_index=True))


def match(entity, end, length=8, channels=("x",)):
    return {"entity": entity, "start": ENDS[end - length + 1], "end": ENDS[end], "channels": list(channels)}


def matches_of(*rows):
    return pd.DataFrame(list(rows), columns=["entity", "start", "end", "channels"])


def only(result, entity, horizon):
    rows = result.rows
    return rows[(rows["entity"] == entity) & (rows["horizon"] == horizon)].iloc[0]


# ---- when a match is known, and what counts as after -------------------------------------------------------


def test_the_change_runs_from_the_last_public_value_to_the_horizon():
    result = followed(panel_of(series("A", np.arange(60.0) ** 2)), matches_of(match("A", 20)), "x", horizons=(1, 4))
    row = only(result, "A", 4)
    assert row["known_at"] == ENDS[20] + 45 * DAYS
    assert (row["from"], row["to"], row["outcome"]) == (ENDS[20], ENDS[24], "reached")
    assert (row["base"], row["value"], row["change"]) == (400.0, 576.0, 176.0)
    assert only(result, "A", 1)["change"] == 41.0


def test_a_channel_that_is_published_later_is_followed_from_what_was_public():
    late = series("A", np.arange(60.0), metric="slow", lag=200)
    result = followed(panel_of(series("A", np.zeros(60)), late), matches_of(match("A", 20)), "slow", horizons=(4,))
    assert (only(result, "A", 4)["from"], only(result, "A", 4)["to"]) == (ENDS[18], ENDS[22])


def test_a_match_is_known_when_the_last_of_its_figures_is_public():
    lag = np.full(60, 45)
    lag[15] = 900  # one figure inside the stretch came years late
    result = followed(panel_of(series("A", np.arange(60.0), lag=lag)), matches_of(match("A", 20)), "x", horizons=(4,))
    row = only(result, "A", 4)
    assert row["known_at"] == ENDS[15] + 900 * DAYS
    assert row["from"] == ENDS[24]  # by then later quarters were public too: they are no outcome


def test_of_several_channels_the_last_one_published_decides():
    slow = series("A", np.arange(60.0), metric="slow", lag=100)
    panel = panel_of(series("A", np.arange(60.0)), slow)
    both = followed(panel, matches_of(match("A", 20, channels=("x", "slow"))), "x", horizons=(1,))
    assert only(both, "A", 1)["known_at"] == ENDS[20] + 100 * DAYS
    assert only(both, "A", 1)["from"] == ENDS[20]


def slow_answer(frame, entity, known_at, end, horizon):
    """(outcome, from, to) of one company without holes, one value after the other."""
    newest = frame["time"].max()
    own = frame[frame["entity"] == entity].set_index("time")
    public = own.index[own["available_at"] <= known_at]
    if public.empty or public[-1] < end - 2.5 * 91.3125 * DAYS:
        return "no value", pd.NaT, pd.NaT
    base, last = (int(ENDS.get_loc(day)) for day in (public[-1], own.index[-1]))
    if base + horizon <= last:
        return "reached", ENDS[base], ENDS[base + horizon]
    dead = ENDS[last] < newest - 1.5 * 91.3125 * DAYS
    over = base + horizon < len(ENDS) and ENDS[base + horizon] <= newest
    return ("ended", ENDS[base], ENDS[last]) if dead and over else ("not yet", ENDS[base], pd.NaT)


@st.composite
def worlds(draw):
    """Companies that stop at different times and publish in no order; and where a match of A ends."""
    stops = draw(st.lists(st.integers(20, 60), min_size=2, max_size=4))
    lags = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(lags)
    frames = [
        series(name, rng.normal(size=stop).cumsum(), lag=rng.integers(0, 300, stop))
        for name, stop in zip("ABCD", stops, strict=False)
    ]
    return pd.concat(frames, ignore_index=True), draw(st.integers(8, stops[0] - 1)), draw(st.integers(1, 14))


@settings(max_examples=60)
@given(worlds())
def test_it_equals_the_slow_answer_and_never_looks_ahead(world):
    frame, end, horizon = world
    result = followed(Panel.from_frame(frame), matches_of(match("A", end)), "x", horizons=(horizon,))
    row = result.rows.iloc[0]
    own = frame[frame["entity"] == "A"].set_index("time")
    public = own["available_at"]
    assert row["known_at"] == public[ENDS[end - 7] : ENDS[end]].max()
    outcome, begin, to = slow_answer(frame, "A", row["known_at"], ENDS[end], horizon)
    assert row["outcome"] == outcome
    assert row["from"] is begin or row["from"] == begin  # NaT is one object, and equals nothing
    assert row["to"] is to or row["to"] == to
    if outcome == "reached":
        assert row["change"] == own.loc[to, "value"] - own.loc[begin, "value"]
        assert public[begin] <= row["known_at"] < public[to]
    if outcome != "no value":
        assert not (public[own.index > begin] <= row["known_at"]).any()


@settings(max_examples=30)
@given(worlds())
def test_what_was_published_afterwards_moves_neither_the_day_nor_the_base(world):
    frame, end, horizon = world
    panel, chosen = Panel.from_frame(frame), matches_of(match("A", end))
    whole = followed(panel, chosen, "x", horizons=(horizon,)).rows
    cut = followed(panel.select(as_of=whole["known_at"][0]), chosen, "x", horizons=(horizon,)).rows
    pd.testing.assert_frame_equal(cut[["known_at", "from", "base"]], whole[["known_at", "from", "base"]])
    assert cut["outcome"][0] != "reached"


# ---- nobody is dropped in silence ------------------------------------------------------------------------


def test_a_company_that_ends_keeps_its_last_change_and_is_counted():
    panel = panel_of(series("dead", np.arange(25.0)), series("alive", np.arange(60.0)))
    result = followed(panel, matches_of(match("dead", 20), match("alive", 30)), "x")
    row = only(result, "dead", 8)
    assert (row["outcome"], row["to"], row["change"]) == ("ended", ENDS[24], 4.0)
    assert result.summary["ended"].tolist() == [0, 1, 1]
    assert result.summary["n"].tolist() == [2, 2, 2]


def test_a_company_that_says_nothing_more_at_all_is_ended_without_a_change():
    panel = panel_of(series("dead", np.arange(21.0)), series("alive", np.arange(60.0)))
    row = only(followed(panel, matches_of(match("dead", 20)), "x"), "dead", 4)
    assert (row["outcome"], row["from"], row["to"], row["change"]) == ("ended", ENDS[20], ENDS[20], 0.0)


def test_a_horizon_beyond_the_data_is_not_over_for_the_living_and_the_dead_alike():
    panel = panel_of(series("dead", np.arange(53.0)), series("alive", np.arange(60.0)))
    result = followed(panel, matches_of(match("dead", 50), match("alive", 50)), "x", horizons=(8, 12))
    assert only(result, "dead", 8)["outcome"] == "ended"
    assert only(result, "alive", 8)["outcome"] == "reached"
    assert result.rows.loc[result.rows["horizon"] == 12, "outcome"].tolist() == ["not yet", "not yet"]
    assert result.summary["not_yet"].tolist() == [0, 2]


def test_a_living_company_that_has_not_reported_its_last_quarter_is_not_ended():
    panel = panel_of(series("slow", np.arange(59.0)), series("alive", np.arange(60.0)))
    assert only(followed(panel, matches_of(match("slow", 55)), "x"), "slow", 4)["outcome"] == "not yet"


def test_a_hole_is_bridged_by_two_periods_and_no_more():
    values = np.arange(60.0)
    values[22:25] = np.nan
    result = followed(panel_of(series("A", values)), matches_of(match("A", 20)), "x", horizons=(3, 4, 5))
    assert result.rows["outcome"].tolist() == ["reached", "no value", "reached"]
    assert only(result, "A", 3)["to"] == ENDS[21]
    assert result.summary["no_value"].tolist() == [0, 1, 0]


def test_a_company_without_the_channel_stays_in_the_count():
    other = series("B", np.arange(60.0), metric="y")
    result = followed(panel_of(series("A", np.arange(60.0)), other), matches_of(match("A", 20)), "y")
    assert result.rows["outcome"].tolist() == ["no value"] * 3
    assert result.summary["n"].tolist() == [0, 0, 0]


def test_doubtful_values_are_left_out():
    frame = series("A", np.arange(60.0))
    frame.loc[24, ["value", "flags"]] = [9e9, 1]
    row = only(followed(Panel.from_frame(frame), matches_of(match("A", 20)), "x"), "A", 4)
    assert (row["outcome"], row["to"], row["value"]) == ("reached", ENDS[23], 23.0)


def test_without_matches_there_is_nothing_to_say():
    result = followed(panel_of(series("A", np.arange(60.0))), matches_of(), "x")
    assert (result.analogues, result.episodes, len(result.rows)) == (0, 0, 0)
    assert result.summary["n"].tolist() == [0, 0, 0]
    assert result.statement == FEW == "fewer than 20 analogues: no statement"
    assert not result.told


# ---- against controls ------------------------------------------------------------------------------------


def market(effect, *, analogues=32, others=30, shock=0.0, seed=0, per_episode=2):
    """Companies on one market; those with a match rise by `effect` over the four quarters after it."""
    rng = np.random.default_rng(seed)
    common = np.where(np.arange(60) > 30, shock, 0.0)
    frames, rows = [], []
    for i in range(analogues + others):
        values = common + rng.normal(0, 0.02, 60).cumsum()
        if i < analogues:
            end = 10 + 2 * (i // per_episode)
            values = values + effect * np.clip(np.arange(60) - end, 0, 4) / 4
            rows.append(match(f"C{i:02d}", end))
        frames.append(series(f"C{i:02d}", values))
    return panel_of(*frames), matches_of(*rows)


@pytest.mark.parametrize(("effect", "statement"), [(0.3, ABOVE), (-0.3, BELOW), (0.0, NEITHER)])
def test_a_planted_effect_is_told_and_none_is_not(effect, statement):
    summary = followed(*market(effect), "x", horizons=(4,)).summary.iloc[0]
    assert summary["statement"] == statement
    assert summary["lower"] < effect < summary["upper"]
    assert summary["difference"] == pytest.approx(effect, abs=0.05)
    assert summary["difference"] == pytest.approx(summary["median"] - summary["control_median"])


def test_what_happens_to_all_companies_cancels():
    calm, crash = (followed(*market(0.3, shock=s), "x", horizons=(12,)).summary.iloc[0] for s in (0.0, -5.0))
    assert crash["q25"] < calm["q25"] - 1
    assert crash["difference"] == pytest.approx(calm["difference"], abs=0.1)


def test_controls_are_the_companies_without_a_match_that_were_there():
    panel, chosen = market(0.0, analogues=20, others=30)
    born_later = series("late", np.arange(10.0), first=50)
    gone_before = series("gone", np.arange(5.0))
    more = Panel.from_frame(pd.concat([panel.to_frame(), born_later, gone_before], ignore_index=True))
    assert followed(more, chosen, "x").rows["controls"].eq(30).all()
    assert followed(more, chosen, "x", controls=7).rows["controls"].eq(7).all()


def test_a_control_that_ended_is_measured_by_its_last_value_too():
    values = np.repeat([0.0, -3.0], [21, 2])
    panel = panel_of(series("A", np.zeros(60)), series("ended", values))
    result = followed(panel, matches_of(match("A", 20)), "x", horizons=(4,))
    assert result.rows["controls"].tolist() == [1]
    assert result.summary["control_median"].tolist() == [-3.0]


def test_every_analogue_weighs_the_same_however_many_controls_it_has():
    # two analogues: beside the first 9 companies that rise by 1, beside the second one company that falls by 1
    risers = [series(f"R{i}", np.repeat([0.0, 1.0], [15, 5])) for i in range(9)]
    faller = series("F", np.repeat([0.0, -1.0], [15, 15]), first=30)
    panel = panel_of(series("A", np.zeros(60)), series("B", np.zeros(60)), *risers, faller)
    summary = followed(panel, matches_of(match("A", 12), match("B", 42)), "x", horizons=(4,)).summary.iloc[0]
    assert (summary["control_q25"], summary["control_median"], summary["control_q75"]) == (-1.0, 0.0, 1.0)


def test_equal_seeds_give_equal_numbers():
    first, again, other = (followed(*market(0.0), "x", controls=5, seed=s).summary for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first["control_median"], other["control_median"])


def test_fewer_than_twenty_make_no_statement():
    result = followed(*market(0.3, analogues=19), "x", horizons=(4,))
    assert result.statement == FEW
    assert result.summary[["difference", "lower", "upper"]].isna().all(axis=None)
    assert result.summary["n"].tolist() == [19]
    assert followed(*market(0.3, analogues=20), "x", horizons=(4,)).told


def test_many_companies_of_few_episodes_make_no_statement():
    result = followed(*market(0.3, per_episode=8), "x", horizons=(4,))
    assert (result.analogues, result.episodes) == (32, 4)
    assert result.statement == CROWDED
    assert not result.told


def test_without_controls_there_is_no_statement():
    assert followed(*market(0.3, others=0), "x", horizons=(4,)).statement == ALONE


def test_the_statement_names_the_horizons_where_they_differ():
    panel, chosen = market(0.3, analogues=22, per_episode=1)
    chosen.loc[:4, "end"] = ENDS[57]
    chosen.loc[:4, "start"] = ENDS[50]
    result = followed(panel, chosen, "x", horizons=(1, 4))
    assert result.summary["n"].tolist() == [22, 17]
    assert result.statement == f"after 1: {result.summary['statement'][0]}; after 4: {FEW}"


# ---- the interval ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=20))
def test_weights_count_like_repeated_values(pairs):
    values, weight = (np.array(column, float) for column in zip(*sorted(pairs), strict=True))
    found = quartiles(Sample(values, weight, np.zeros(len(pairs), np.int64)))
    if weight.sum() == 0:
        assert np.isnan(found).all()
    else:
        repeated = np.repeat(values, weight.astype(int))
        np.testing.assert_allclose(found, np.quantile(repeated, [0.25, 0.5, 0.75], method="averaged_inverted_cdf"))


def _coverage(crowds, simulations=150):
    """How often the interval holds the true difference, none, when companies of one episode move together."""
    rng, held = np.random.default_rng(0), 0
    group = np.repeat(np.arange(crowds), 3)
    for _ in range(simulations):
        own = rng.normal(0, 0.7, crowds)[group] + rng.normal(size=group.size)
        order = np.argsort(own)
        sample = Sample(own[order], np.ones(group.size), group[order])
        flat = Sample(np.zeros(group.size), np.ones(group.size), group)
        _, lower, upper = difference_of_medians(sample, flat, rng, resamples=200)
        held += lower <= 0 <= upper
    return held / simulations


def test_the_interval_holds_from_as_many_episodes_as_are_asked_for_and_not_with_few():
    assert _coverage(FEWEST_EPISODES) > 0.85
    assert _coverage(20) > 0.88
    assert _coverage(3) < 0.82


# ---- refusals --------------------------------------------------------------------------------------------


def test_matches_that_cannot_be_followed_are_refused():
    panel = panel_of(series("A", np.arange(30.0)))
    one = matches_of(match("A", 20))
    with pytest.raises(BadInput, match="the matches lack channels"):
        followed(panel, one.drop(columns="channels"), "x")
    with pytest.raises(BadInput, match="at least one horizon"):
        followed(panel, one, "x", horizons=())
    with pytest.raises(BadInput, match="horizon must be an integer >= 1, got 0"):
        followed(panel, one, "x", horizons=(0,))
    with pytest.raises(BadInput, match="controls must be"):
        followed(panel, one, "x", controls=0)
    with pytest.raises(BadInput, match="the match of A lacks a date or a channel"):
        followed(panel, one.assign(end=pd.NaT), "x")
    with pytest.raises(NotFound, match="the panel has no x of A in the period that ends 2013-03-31"):
        followed(panel, matches_of(match("A", 52)), "x")
    with pytest.raises(NotFound, match="no x of B"):
        followed(panel, matches_of(match("B", 20)), "x")


def test_the_result_is_a_frame_for_readers_too():
    result = followed(*market(0.0), "x")
    assert result.to_frame() is result.summary
    assert "control_median" in result._repr_html_()
    assert result.episodes == len(set(episodes(market(0.0)[1])))
