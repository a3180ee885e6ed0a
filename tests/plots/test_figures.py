"""Figures: what is drawn where, read back from their traces."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput, NotFound
from tsbench.patterns import NULLS, Channel, Pattern, evaluate, named
from tsbench.plots.drawing import tolerance
from tsbench.plots.theme import TEMPLATE
from tsbench.series import Panel


def _named(figure: object, name: str) -> list:  # type: ignore[type-arg]
    return [trace for trace in figure.data if trace.name == name]  # type: ignore[attr-defined]


def _texts(figure: object) -> str:
    return " ".join(str(note.text) for note in figure.layout.annotations)  # type: ignore[attr-defined]


# ---- matches --------------------------------------------------------------------------------------------


def test_a_joint_pattern_draws_every_channel_of_every_match(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern
) -> None:
    figure = plots.matches(panel, matches, pattern)
    assert len(_named(figure, "this company")) == 6
    assert len(_named(figure, "the drawing, scaled to fit")) == 4  # the third channel has no shape
    assert len(_named(figure, "median company")) == 6
    assert len(figure.layout.shapes) == 6


def test_the_stretch_is_shaded_between_its_real_dates(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    shade = plots.matches(panel, matches, pattern).layout.shapes[0]
    assert (str(shade.x0)[:10], str(shade.x1)[:10]) == ("2017-09-30", "2019-06-30")


def test_each_entry_stands_once_in_the_legend(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    shown = [trace.name for trace in plots.matches(panel, matches, pattern).data if trace.showlegend]
    assert sorted(shown) == ["median company", "the drawing, scaled to fit", "this company"]


def test_titles_name_the_company_and_its_odds(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    texts = _texts(plots.matches(panel, matches, pattern))
    assert "<b>1  Company 2</b> (C2)" in texts
    assert "Sep 2017 – Jun 2019, q 0.04" in texts
    assert "<b>2  C4</b> <span" in texts  # no name, and no q


def test_alternatives_draw_the_channel_that_matched(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    either = Pattern("either", pattern.channels[:2], length=(6, 8), combine="any")
    figure = plots.matches(panel, matches.assign(channels=[["roic"], ["log(market_cap)"]]), either)
    assert len(_named(figure, "this company")) == 2
    assert figure.layout.yaxis2.type == "log"
    assert "return on capital, Sep 2017" in _texts(figure)


def test_a_doubtful_value_is_hollow_at_the_edge_and_tells_its_value(
    frame: pd.DataFrame, matches: pd.DataFrame, pattern: Pattern
) -> None:
    at = (frame["entity"] == "C2") & (frame["metric"] == "roic") & (frame["time"] == "2018-12-31")
    frame.loc[at, ["value", "flags"]] = [9.0, 1]
    figure = plots.matches(Panel.from_frame(frame), matches, pattern)
    (hollow,) = _named(figure, "doubtful value, left out")
    assert hollow.text == ("900.0%, doubtful value, left out",)
    assert hollow.y[0] < 1
    assert np.isnan(_named(figure, "this company")[0].y).sum() == 1


def test_no_matches_make_a_line_of_text(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    assert "No company to draw" in _texts(plots.matches(panel, matches.head(0), pattern))


def test_matches_without_dates_are_refused(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    with pytest.raises(BadInput, match="lack end, start; they have entity"):
        plots.matches(panel, matches.drop(columns=["start", "end"]), pattern)


# ---- series ---------------------------------------------------------------------------------------------


def test_missing_values_are_gaps_and_doubtful_ones_hollow(frame: pd.DataFrame) -> None:
    frame.loc[3, "value"] = np.nan
    frame.loc[5, "flags"] = 4
    figure = plots.series(Panel.from_frame(frame).select(entity="C0", metric="roic"))
    line, hollow = figure.data
    assert line.connectgaps is False
    assert np.flatnonzero(np.isnan(line.y)).tolist() == [3]
    assert len(hollow.x) == 1


def test_every_metric_has_a_row_in_its_unit(panel: Panel) -> None:
    figure = plots.series(panel.select(entity=["C0", "C1"]))
    assert "return on capital" in _texts(figure)
    assert figure.layout.yaxis3.tickformat == ".0%"
    assert figure.layout.yaxis.tickprefix == "$"
    assert [trace.name for trace in figure.data if trace.showlegend] == ["C0", "C1"]


def test_more_companies_than_colours_can_tell_are_refused(panel: Panel) -> None:
    many = Panel.from_arrays([[1.0, 2.0]] * 13)
    with pytest.raises(BadInput, match="13 entities to draw; select 1 to 12"):
        plots.series(many)


def test_a_plain_panel_without_units_is_drawn_too() -> None:
    figure = plots.series(Panel.from_arrays([[1.0, 2.0, 4.0]], metric="value"))
    assert list(figure.data[0].y) == [1.0, 2.0, 4.0]


# ---- drawing --------------------------------------------------------------------------------------------


def test_a_long_title_is_broken_so_that_panes_side_by_side_stay_apart() -> None:
    titles = [str(note.text) for note in plots.drawing(named("regime_volatility")).layout.annotations]
    assert titles[0] == "<b>volatility of<br>12-month revenue<br>over 6 periods</b>"
    assert all(len(line) <= 24 for title in titles[::2] for line in title.split("<br>"))


def test_the_band_holds_the_drawing() -> None:
    channel = Channel("roic", ((0, 1), (0.5, 0), (1, 1)))
    x, lower, upper = tolerance(channel, warp=0.2, jitter=0.1)
    shape = np.interp(x, [0, 0.5, 1], [1, 0, 1])
    # at the turning point a moved turn can only lie higher: the band's lower edge may pass just above it
    assert ((lower <= shape + 0.05) & (shape <= upper)).all()
    assert (upper - lower).max() < 0.45


def test_without_tolerance_the_band_is_the_line() -> None:
    _, lower, upper = tolerance(Channel("roic", ((0, 0), (0.3, 2), (1, 1))), warp=0, jitter=0)
    np.testing.assert_allclose(lower, upper)


def test_a_joint_drawing_has_a_pane_per_channel_with_its_rules(pattern: Pattern) -> None:
    texts = _texts(plots.drawing(pattern))
    for told in ("return on capital", "market cap", "revenue", "changes −10% to +10%", "gains at least 2 points"):
        assert told in texts


def test_alternatives_of_one_shape_share_a_pane(pattern: Pattern) -> None:
    either = Pattern("either", pattern.channels[:2], length=(6, 8), combine="any")
    figure = plots.drawing(either)
    assert "return on capital or market cap" in _texts(figure)
    assert len(figure.data) == 3


def test_an_inverted_pattern_is_drawn_inverted() -> None:
    fall = Pattern("fall", (Channel("roic", ((0, 0), (1, 1))),), length=(6, 8), polarity="inverted")
    assert list(plots.drawing(fall).data[-1].y) == [0, -1]


# ---- funnel, odds, coverage -------------------------------------------------------------------------------


def test_the_funnel_stacks_the_dead_beside_the_living() -> None:
    stages = pd.DataFrame({"stage": ["all", "live"], "companies": [10, 6], "dead": [4, 0], "note": ["", "why"]})
    figure = plots.funnel(stages)
    assert [list(bar.x) for bar in figure.data] == [[6, 6], [4, 0]]
    assert list(figure.layout.yaxis.ticktext) == ["all", "live"]
    assert "grey: 4 no longer report" in _texts(figure)
    assert "why" in _texts(figure)


def test_a_funnel_without_dead_counts_is_refused() -> None:
    with pytest.raises(BadInput, match="lacks dead, note"):
        plots.funnel(pd.DataFrame({"stage": ["all"], "companies": [1]}))


def test_the_odds_show_each_tested_company_under_each_null() -> None:
    table = pd.DataFrame({"entity": ["A", "B"], "name": ["", ""], "score": [0.9, np.nan], "p_value": [0.01, np.nan]})
    table = table.assign(**{f"p_{kind}": [0.01, np.nan] for kind in NULLS})
    figure = plots.odds(table, p_limit=0.001)
    assert [len(trace.x) for trace in figure.data] == [1, 1, 1]
    assert "p = 0.001" in _texts(figure)


def test_lengths_no_score_can_save_are_marked() -> None:
    table = pd.DataFrame({"length": [6, 8, 10], "channel": "roic", "needed": [1.0, 0.9, 0.8]})
    line, never = plots.needed(table).data
    assert np.isnan(line.y[0])
    assert list(never.x) == [6]


def test_each_null_shows_the_real_series_among_made_ones(panel: Panel) -> None:
    figure = plots.nulls(evaluate("log(market_cap)", panel), "C1")
    real = [trace for trace in figure.data if trace.name.startswith("C1")]
    assert len(real) == 3
    np.testing.assert_allclose(real[0].y[0], 2e9)
    assert len(figure.data) == 3 * 7
    with pytest.raises(NotFound, match="absent"):
        plots.nulls(evaluate("roic", panel), "absent")


def test_coverage_counts_companies_per_quarter(frame: pd.DataFrame) -> None:
    frame.loc[frame["entity"] == "C5", "value"] = np.nan
    figure = plots.coverage(Panel.from_frame(frame).select(metric="roic"))
    assert set(figure.data[0].y) == {5}
    assert str(figure.data[0].x[-1])[:10] == "2019-06-30"


# ---- all ------------------------------------------------------------------------------------------------


def test_every_figure_has_the_house_look_and_is_plain_json(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern
) -> None:
    for figure in (
        plots.matches(panel, matches, pattern),
        plots.series(panel),
        plots.drawing(pattern),
        plots.coverage(panel),
        plots.nulls(evaluate("roic", panel), "C1"),
    ):
        assert figure.layout.template == TEMPLATE
        assert figure.layout.width is None
        assert figure.layout.height > 0
        json.loads(figure.to_json())
