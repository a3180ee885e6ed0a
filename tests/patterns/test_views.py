"""A pattern in another expression, and against its peers."""

import numpy as np
import pandas as pd
import pytest

from tsbench.detect import PatternDetector
from tsbench.errors import BadInput
from tsbench.patterns import Channel, Constraint, Pattern, evaluate, library, named, on, relative
from tsbench.series import Panel

VEE = ((0, 1), (0.5, 0), (1, 1))
QUARTERS = pd.date_range("2000-03-31", periods=64, freq="QE")


def test_the_drawing_moves_to_another_expression_and_its_constraints_with_it():
    old = named("head_and_shoulders")
    new = on(old, "log(market_cap)")
    assert new.name == "head_and_shoulders_on_log_market_cap"
    assert new.expressions == ("log(market_cap)",)
    assert new.channels[0].points == old.channels[0].points
    assert new.constraints == (Constraint("log(market_cap)", "change", -0.1, 0.1),)
    assert (new.length, new.prominence, new.polarity) == (old.length, old.prominence, old.polarity)
    assert new.description.endswith("Looked for in log(market_cap) instead.")
    assert old.expressions == ("log(close)",)


def test_a_pattern_of_several_channels_has_no_single_drawing_to_move():
    with pytest.raises(BadInput, match="3 channels"):
        on(named("dip_recovery"), "log(close)")
    with pytest.raises(BadInput):
        on(named("double_top"), "log(")


@pytest.mark.parametrize("peers", ["universe", "sector"])
def test_shaped_channels_are_taken_against_the_median_and_others_stay(peers):
    new = relative(named("overlooked"), peers)
    assert new.name == "overlooked_relative"
    growth, roic = f"minus_median(yoy(ttm(revenue)), {peers})", f"minus_median(roic, {peers})"
    assert new.expressions == (growth, roic, "log(market_cap)")
    assert [c.channel for c in new.constraints] == [growth, roic, "log(market_cap)"]
    assert [c.bounds for c in new.constraints] == [c.bounds for c in named("overlooked").constraints]
    assert peers.replace("universe", "all companies") in new.description


def test_every_shipped_pattern_has_a_relative_form_unless_it_bounds_a_percent_change():
    for pattern in library().values():
        if pattern.name == "stuck_at":
            with pytest.raises(BadInput, match="percent change"):
                relative(pattern)
        else:
            assert relative(pattern).metrics == pattern.metrics


def test_the_percent_change_of_a_channel_without_a_shape_is_no_obstacle():
    flat = Constraint.flat("market_cap", 10)
    pattern = Pattern("p", (Channel("roic", VEE), Channel("market_cap")), (8, 12), constraints=(flat,))
    assert relative(pattern).constraints == (flat,)


def test_unknown_peers_are_refused():
    with pytest.raises(BadInput, match="universe"):
        relative(named("overlooked"), "planet")


def companies(rng):
    """Forty walks that all fall and recover in one crisis; C05 does so once more, on its own."""
    crisis = np.zeros(64)
    crisis[20:32] = -1.0 * np.interp(np.linspace(0, 1, 12), [0, 0.5, 1], [0, 1, 0])
    frames = []
    for i in range(40):
        x = rng.normal(0, 0.03, 64).cumsum() + crisis
        if i == 5:
            x[44:56] -= 0.8 * np.interp(np.linspace(0, 1, 12), [0, 0.5, 1], [0, 1, 0])
        frames.append(pd.DataFrame({"entity": f"C{i:02d}", "metric": "price", "time": QUARTERS, "value": np.exp(x)}))
    return Panel.from_frame(pd.concat(frames))


def test_a_crisis_that_all_share_cancels_and_a_lone_fall_remains():
    panel = companies(np.random.default_rng(2))
    vee = Pattern("vee", (Channel("log(price)", VEE),), (10, 16), prominence=1.0)
    own = relative(vee)
    raw_depth = [np.ptp(evaluate(vee.expressions[0], panel).series(i)[1][20:32]) for i in range(40)]
    own_depth = [np.ptp(evaluate(own.expressions[0], panel).series(i)[1][20:32]) for i in range(40)]
    assert min(raw_depth) > 0.8
    assert np.median(own_depth) < 0.2
    found = PatternDetector(own, surrogates=2000).fit(panel).scan(panel, where="history")
    assert found["entity"].iloc[0] == "C05"
    assert found["start"].iloc[0] > pd.Timestamp("2010-01-01", tz="UTC")
    raw = PatternDetector(vee, surrogates=2000).fit(panel).scan(panel, where="history")
    crisis = pd.Timestamp("2004-12-31", tz="UTC"), pd.Timestamp("2006-06-30", tz="UTC")
    assert raw["start"].between(*crisis).mean() > 0.8
    assert found["start"].between(*crisis).mean() < 0.4
