"""What followed, as a table in units."""

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput
from tsbench.evaluate import Followed
from tsbench.evaluate import followed as follow
from tsbench.report import followed
from tsbench.series import Panel

ENDS = pd.date_range("2000-03-31", periods=60, freq="QE").tz_localize("UTC")


def _world(analogues: int) -> tuple[Panel, pd.DataFrame]:
    """Companies whose return on capital rises by a point a quarter after the match; 30 others stand still.

    One company stops two quarters after its match, one matched at the very end of the data.
    """
    rng = np.random.default_rng(0)
    frames, rows = [], []
    for i in range(analogues + 30):
        end = 58 if i == 1 else 8 + 2 * i
        rise = 0.01 * np.clip(np.arange(60) - end, 0, 12) if i < analogues else 0.0
        roic = rng.normal(0, 0.001, 60) + rise
        size = end + 3 if i == 0 else 60
        common = {"entity": f"C{i:02d}", "frequency": "quarterly", "time": ENDS[:size], "name": f"<{i}>"}
        frames += [
            pd.DataFrame({**common, "metric": "roic", "value": roic[:size]}),
            pd.DataFrame({**common, "metric": "market_cap", "value": 1e9 * np.exp(-2 * roic[:size])}),
        ]
        if i < analogues:
            rows.append({"entity": f"C{i:02d}", "start": ENDS[end - 7], "end": ENDS[end], "channels": ["roic"]})
    return Panel.from_frame(pd.concat(frames)), pd.DataFrame(rows, columns=["entity", "start", "end", "channels"])


def _results(analogues: int) -> list[Followed]:
    panel, matches = _world(analogues)
    return [follow(panel, matches, expression, horizons=(4, 8)) for expression in ("roic", "log(market_cap)")]


def test_each_channel_and_horizon_is_a_row_in_its_unit() -> None:
    table = followed(_results(24))
    assert table.told
    html = table._repr_html_()
    rows = html.split("<tr>")[2:]
    assert len(rows) == 4
    for told in (
        "<strong>Return on capital</strong>",
        "+4.0 points",
        "above the controls",
        "1 not over yet",
        "1 ended",
    ):
        assert told in rows[0]
    assert "<strong>Return on capital</strong>" not in rows[1]
    assert "−8%" in rows[2]
    assert "below the controls" in rows[2]


def test_counts_intervals_and_hindsight_are_told() -> None:
    html = followed(_results(24))._repr_html_()
    assert "24 matches in 24 episodes" in html
    assert "Of 4 such intervals about 0.2 would miss zero by chance alone" in html
    assert "those that went badly too" in html
    assert "forecasts nothing" in html


def test_a_horizon_with_too_few_shows_its_count_and_no_figure() -> None:
    html = followed([follow(*_world(22), "roic", horizons=(4, 40))])._repr_html_()
    first, last = html.split("<tr>")[2:]
    assert "+4.0 points" in first
    assert "fewer than 20 analogues: no statement" in last
    assert "points" not in last.partition("</tbody>")[0]


def test_fewer_than_twenty_make_one_sentence_that_loses_nobody() -> None:
    table = followed(_results(4))
    assert not table.told
    html = table._repr_html_()
    assert "4 companies pass in history, in 4 episodes. Fewer than 20 analogues: no statement." in html
    assert "8 quarters after the match was known, 2 still reported; the data end too early for 1; 1 had stopped" in html
    assert "<table" not in html
    assert "points" not in html


def test_a_company_that_stopped_in_one_channel_is_not_told_as_still_reporting() -> None:
    panel, matches = _world(1)
    frame = panel.to_frame()
    longer = frame[(frame["entity"] == "C05") & (frame["metric"] == "roic")].assign(entity="C00", name="<0>")
    again = pd.concat([frame[(frame["entity"] != "C00") | (frame["metric"] != "roic")], longer])
    table = followed([follow(Panel.from_frame(again), matches, e, horizons=(8,)) for e in ("roic", "log(market_cap)")])
    assert table.rows["outcome"].tolist() == ["reached", "ended"]
    assert "known, 1 had stopped reporting." in table._repr_html_()


def test_none_and_one_are_said_in_good_grammar() -> None:
    assert "No company passes in history. Fewer than 20" in followed(_results(0))._repr_html_()
    one = followed(_results(1))._repr_html_()
    assert "1 company passes in history. Fewer than 20" in one
    assert "1 had stopped reporting" in one


def test_every_outcome_can_be_taken_along() -> None:
    table = followed(_results(4))
    assert len(table.rows) == 4 * 2 * 2
    assert table.rows["outcome"].value_counts().to_dict() == {"reached": 8, "ended": 4, "not yet": 4}
    assert set(table.rows["channel"]) == {"roic", "log(market_cap)"}


def test_results_of_different_analogues_make_no_table() -> None:
    with pytest.raises(BadInput, match="got 4 in roic, 3 in roic"):
        followed([_results(4)[0], _results(3)[0]])
    with pytest.raises(BadInput, match="got none"):
        followed([])
