"""What a panel holds, counted."""

import numpy as np
import pandas as pd
import pytest

from tsbench.report import companies, doubts, sectors
from tsbench.series import Panel
from tsbench.series.quality import Flag


@pytest.fixture
def mixed() -> Panel:
    """A live company, one that stopped ten quarters earlier, and one doubtful value."""
    ends = pd.date_range(end="2019-06-30", periods=20, freq="QE")
    live = pd.DataFrame({"entity": "L", "sector": "Energy", "name": "Live", "time": ends, "value": np.arange(20.0)})
    dead = live.iloc[:10].assign(entity="D", sector="Unknown", name="Dead")
    frame = pd.concat([live, dead]).assign(metric="revenue", flags=0)
    frame.iloc[3, frame.columns.get_loc("flags")] = int(Flag.SPIKE)
    frame.iloc[5, frame.columns.get_loc("value")] = np.nan
    return Panel.from_frame(frame)


def test_each_company_has_its_span_and_says_whether_it_still_reports(mixed: Panel) -> None:
    table = companies(mixed).set_index("entity")
    assert table["live"].to_dict() == {"D": False, "L": True}
    assert table["periods"].to_dict() == {"D": 10, "L": 20}
    assert table.loc["L", "doubtful"] == 1
    assert str(table.loc["D", "last"].date()) == "2016-12-31"


def test_sectors_keep_the_unknown_one_and_end_with_a_total(mixed: Panel) -> None:
    table = sectors(mixed).set_index("sector")
    assert list(table.index) == ["Energy", "Unknown", "all"]
    assert table.loc["Unknown", "no longer"] == 1
    assert table.loc["all", "companies"] == 2


def test_doubts_are_counted_by_kind(mixed: Panel) -> None:
    row = doubts(mixed).iloc[0]
    assert (row["values"], row["missing"], row["lone spike"], row["stale"]) == (29, 1, 1, 0)


def test_a_panel_without_names_or_sectors_is_counted_too(mixed: Panel) -> None:
    bare = Panel.from_frame(mixed.to_frame().drop(columns=["name", "sector"]))
    assert list(companies(bare)["name"]) == ["D", "L"]
    assert list(sectors(bare)["sector"]) == ["Unknown", "all"]
