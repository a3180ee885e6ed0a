"""What followed, drawn: dots, bars and words read back from the figure."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.evaluate import Followed, followed
from tsbench.plots.followed import ENDED, HALF, MATCH, spoken
from tsbench.plots.theme import TEMPLATE
from tsbench.plots.units import Unit
from tsbench.series import Panel


@pytest.fixture
def analogues(panel: Panel) -> pd.DataFrame:
    """Matches of two companies that end twelve quarters before the data do; roic rises by a point a quarter."""
    ends = pd.DatetimeIndex(panel.series(0)[0].astype("datetime64[us]"), tz="UTC")
    at = {"start": [ends[4]] * 2, "end": [ends[11]] * 2, "channels": [["roic"]] * 2}
    return pd.DataFrame({"entity": ["C2", "C4"], "name": ["Company 2", ""], **at})


@pytest.fixture
def results(panel: Panel, analogues: pd.DataFrame) -> list[Followed]:
    return [followed(panel, analogues, expression) for expression in ("roic", "log(market_cap)")]


def _traces(figure: object, name: str, kind: str) -> list:  # type: ignore[type-arg]
    return [t for t in figure.data if t.name == name and t.type == kind]  # type: ignore[attr-defined]


def test_every_match_is_a_dot_at_its_change(results: list[Followed]) -> None:
    dots = _traces(plots.followed(results), MATCH, "scatter")
    assert len(dots) == 2  # a trace per channel
    np.testing.assert_allclose(dots[0].y, [0.04, 0.08, 0.12] * 2)
    assert dots[0].hovertext[0] == "Company 2: +4.0 points, Jun 2016 – Jun 2017"
    assert dots[1].hovertext[-1] == "C4: +130%, Jun 2016 – Jun 2019"
    assert np.abs(np.round(dots[0].x) - dots[0].x).max() < 0.5


def test_one_that_stopped_reporting_is_a_cross(frame: pd.DataFrame, analogues: pd.DataFrame) -> None:
    stopped = frame[(frame["entity"] != "C4") | (frame["time"] < "2017-12-31")]
    figure = plots.followed(followed(Panel.from_frame(stopped), analogues, "roic"))
    (cross,) = _traces(figure, ENDED, "scatter")
    np.testing.assert_allclose(cross.y, [0.05, 0.05])
    assert cross.marker.symbol == "x-thin"


def test_bars_hold_the_middle_half_of_matches_and_controls(results: list[Followed]) -> None:
    figure = plots.followed(results[0])
    for name, prefix in ((HALF, ""), ("middle half and median of the controls", "control_")):
        (bar,), (mark,) = _traces(figure, name, "bar"), _traces(figure, name, "scatter")
        summary = results[0].summary
        np.testing.assert_allclose(np.asarray(bar.base, float) + bar.y, summary[f"{prefix}q75"])
        np.testing.assert_allclose(np.asarray(bar.base, float), summary[f"{prefix}q25"])
        np.testing.assert_allclose(mark.y, summary[f"{prefix}median"])
        assert bar.hovertext[0] == "+4.0 points, half of them +4.0 points to +4.0 points"


def test_a_far_change_stands_at_the_edge_and_tells_its_value(frame: pd.DataFrame, analogues: pd.DataFrame) -> None:
    many = pd.concat([frame.assign(entity=frame["entity"] + suffix) for suffix in "abcdefgh"])
    far = (many["entity"] == "C2a") & (many["metric"] == "roic") & (many["time"] >= "2019-06-30")
    many.loc[far, "value"] = 9.0
    chosen = pd.concat([analogues.assign(entity=analogues["entity"] + suffix) for suffix in "abcdefgh"])
    figure = plots.followed(followed(Panel.from_frame(many), chosen, "roic"))
    (dots,) = _traces(figure, MATCH, "scatter")
    assert max(dots.y) < 9 - 0.13
    assert max(dots.y) <= figure.layout.yaxis.range[1]
    assert "Company 2: +887.0 points, Jun 2016 – Jun 2019" in dots.hovertext


def test_each_entry_stands_once_in_the_legend(results: list[Followed]) -> None:
    shown = [trace.name for trace in plots.followed(results).data if trace.showlegend]
    assert sorted(shown) == sorted([MATCH, HALF, "middle half and median of the controls"])


def test_each_channel_has_its_unit_and_its_horizons(results: list[Followed]) -> None:
    figure = plots.followed(results)
    assert [note.text for note in figure.layout.annotations] == ["<b>Return on capital</b>", "<b>Market cap</b>"]
    assert figure.layout.xaxis.ticktext == ("4 quarters<br>later", "8 quarters<br>later", "12 quarters<br>later")
    assert "+5 points" in figure.layout.yaxis.ticktext
    assert dict(zip(figure.layout.yaxis2.ticktext, figure.layout.yaxis2.tickvals, strict=True)) == {
        "0%": 0.0,
        "+25%": pytest.approx(np.log(1.25)),
        "+50%": pytest.approx(np.log(1.5)),
        "+100%": pytest.approx(np.log(2)),
    }


def test_where_no_match_reached_a_horizon_nothing_is_drawn(panel: Panel, analogues: pd.DataFrame) -> None:
    nothing = followed(panel, analogues, "roic", horizons=(20,))
    with pytest.raises(BadInput, match="no match has reached a horizon"):
        plots.followed(nothing)


@pytest.mark.parametrize(
    ("change", "unit", "said"),
    [
        (np.log(1.12), Unit("money", log=True), "+12%"),
        (-np.log(2), Unit("money", log=True), "−50%"),
        (-0.001, Unit("money", log=True), "0%"),
        (0.031, Unit("share"), "+3.1 points"),
        (-0.0002, Unit("share"), "0.0 points"),
        (-2.5, Unit("number"), "−2.5"),
        (2.5, Unit("number"), "+2.5"),
        (np.nan, Unit("share"), "–"),
    ],
)
def test_changes_are_spoken_in_their_unit(change: float, unit: Unit, said: str) -> None:
    assert spoken(change, unit) == said


def test_it_has_the_house_look_and_is_plain_json(results: list[Followed]) -> None:
    figure = plots.followed(results)
    assert figure.layout.template == TEMPLATE
    json.loads(figure.to_json())
