"""When matches ended: bars, episodes and shares, read back from the figure."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.plots.theme import TEMPLATE


@pytest.fixture
def history() -> pd.DataFrame:
    """Ten companies tested: three that pass end in the first half of 2009, one in 2015; one has no match at all."""
    ends = ["2009-03-31", "2009-03-31", "2009-06-30", "2015-12-31", "2009-03-31", *["2012-09-30"] * 4, None]
    q = [0.01, 0.02, 0.03, 0.04, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    return pd.DataFrame({"end": pd.to_datetime(ends, utc=True), "q_value": q})


def _bars(figure: object) -> dict[str, list[int]]:
    return {
        said.partition(":")[0]: [int(passing), int(rest)]
        for passing, rest, said in zip(
            figure.data[0].y,  # type: ignore[attr-defined]
            figure.data[1].y,  # type: ignore[attr-defined]
            figure.data[0].hovertext,  # type: ignore[attr-defined]
            strict=True,
        )
    }


def test_each_quarter_has_those_that_pass_below_those_that_do_not(history: pd.DataFrame) -> None:
    bars = _bars(plots.timeline(history))
    assert {quarter: counts for quarter, counts in bars.items() if sum(counts)} == {
        "Q1 2009": [2, 1],
        "Q2 2009": [1, 0],
        "Q3 2012": [0, 4],
        "Q4 2015": [1, 0],
    }
    assert len(bars) == 28  # the empty quarters between are there


def test_the_pointer_tells_the_share_of_all_companies_tested(history: pd.DataFrame) -> None:
    figure = plots.timeline(history)
    assert figure.data[0].hovertext[0] == "Q1 2009: 3 of 10 tested (30.0%), 2 pass"
    assert "4 (40%)" in figure.layout.yaxis.ticktext


def test_an_episode_of_several_companies_is_shaded_over_its_quarters_and_counted(history: pd.DataFrame) -> None:
    figure = plots.timeline(history)
    (shade,) = figure.layout.shapes
    assert str(shade.x0)[:7], str(shade.x1)[:7] == ("2009-01", "2009-06")
    assert [note.text for note in figure.layout.annotations] == ["<b>3</b>"]
    assert len(plots.timeline(history, q_limit=0.7).layout.shapes) == 2


def test_bars_stand_in_the_middle_of_their_quarter(history: pd.DataFrame) -> None:
    assert str(plots.timeline(history).data[0].x[0])[:10] == "2009-02-15"


def test_when_none_passes_the_legend_says_so(history: pd.DataFrame) -> None:
    figure = plots.timeline(history, q_limit=0.001)
    assert figure.data[0].name == "passes q ≤ 0.001 (none)"
    assert figure.layout.shapes == ()


def test_untested_companies_are_in_no_bar_and_no_share(history: pd.DataFrame) -> None:
    more = pd.concat([history, history.assign(q_value=np.nan)])
    assert plots.timeline(more).data[0].hovertext == plots.timeline(history).data[0].hovertext


def test_without_matches_there_is_a_line_of_text(history: pd.DataFrame) -> None:
    figure = plots.timeline(history.assign(end=pd.NaT))
    assert [note.text for note in figure.layout.annotations] == ["No match to draw."]
    with pytest.raises(BadInput, match="the matches lack q_value"):
        plots.timeline(history[["end"]])


def test_it_has_the_house_look_and_is_small_plain_json(history: pd.DataFrame) -> None:
    figure = plots.timeline(history)
    assert figure.layout.template == TEMPLATE
    assert len(json.dumps(json.loads(figure.to_json()))) < 30_000
