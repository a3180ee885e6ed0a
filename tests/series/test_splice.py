"""Joining two sources: only on request, and the report says how well they fit."""

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput, NotFound
from tsbench.series import Panel, splice
from tsbench.series.calendar import DAY

ENDS = pd.date_range("2010-03-31", periods=20, freq="QE")


def panel(*series):
    """Series as (entity, source, first quarter, values)."""
    rows = [
        (entity, "revenue", "quarterly", source, ENDS[first + i], float(v))
        for entity, source, first, values in series
        for i, v in enumerate(values)
    ]
    return Panel.from_frame(pd.DataFrame(rows, columns=["entity", "metric", "frequency", "source", "time", "value"]))


def test_the_newer_source_takes_over_at_its_first_quarter():
    both = panel(("A", "old", 0, range(10)), ("A", "new", 6, range(100, 108)))
    joined, report = splice(both, "old", "new")
    assert list(joined.values) == [0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105, 106, 107]
    assert joined.index.loc[0, "source"] == "old+new"
    row = report.table.loc[0]
    assert (row["older"], row["newer"], row["overlap"], row["hole"]) == (6, 8, 4, 0)
    assert row["ratio"] == pytest.approx(np.median(np.array([100, 101, 102, 103]) / [6, 7, 8, 9]))
    np.testing.assert_array_equal(joined.times, both.select(entity="A").times[[*range(8, 14), *range(8)]])


def test_sources_that_agree_have_ratio_one_and_others_can_be_rescaled():
    agree = panel(("A", "old", 0, [1, 2, 3, 4]), ("A", "new", 2, [3, 4, 5]))
    assert splice(agree, "old", "new")[1].table.loc[0, "ratio"] == 1
    doubled = panel(("A", "old", 0, [1, 2, 3, 4]), ("A", "new", 2, [6, 8, 10]))
    joined, report = splice(doubled, "old", "new", rescale=True)
    assert list(joined.values) == [2, 4, 6, 8, 10]
    assert bool(report.table.loc[0, "rescaled"])
    assert "1 with sources more than 5 % apart" in str(report)


def test_a_hole_at_the_seam_is_told_and_stays():
    joined, report = splice(panel(("A", "old", 0, [1, 2]), ("A", "new", 5, [6, 7])), "old", "new", rescale=True)
    assert report.table.loc[0, ["overlap", "hole"]].to_list() == [0, 3]
    assert np.isnan(report.table.loc[0, "ratio"])
    assert not report.table.loc[0, "rescaled"]
    assert list(joined.values) == [1, 2, 6, 7]
    assert np.isnan(joined.aligned().values).sum() == 3


def test_labels_a_few_days_apart_are_one_period():
    old = panel(("A", "old", 0, [1, 2, 3, 4]))
    shifted = Panel(old.values, old.offsets, old.times - 3 * DAY, old.index, old.available_at, old.flags)
    new = panel(("A", "new", 2, [30, 40, 50]))
    joined, report = splice(new, shifted)
    assert list(joined.values) == [1, 2, 30, 40, 50]
    assert report.table.loc[0, ["overlap", "ratio"]].to_list() == [2, 10]


def test_series_without_a_partner_are_carried_over():
    both = panel(("A", "old", 0, [1, 2]), ("B", "old", 0, [3, 4]), ("B", "new", 1, [5, 6]), ("C", "new", 0, [7]))
    joined, report = splice(both, "old", "new")
    assert joined.index[["entity", "source"]].to_numpy().tolist() == [["A", "old"], ["B", "old+new"], ["C", "new"]]
    assert (report.only_older, report.only_newer) == (1, 1)
    assert "1 series joined" in report._repr_html_()
    assert list(joined.values) == [1, 2, 3, 5, 6, 7]


def test_other_frequencies_and_bases_do_not_pair():
    rows = [
        ("A", "roic", f, b, s, t, 1.0)
        for f, b, s in (("annual", "ni", "old"), ("quarterly", "ni", "new"))
        for t in ENDS[:2]
    ]
    rows += [("A", "roic", "quarterly", "nopat", "old", t, 1.0) for t in ENDS[:2]]
    columns = ["entity", "metric", "frequency", "basis", "source", "time", "value"]
    joined, report = splice(Panel.from_frame(pd.DataFrame(rows, columns=columns)), "old", "new")
    assert report.table.empty
    assert len(joined) == 3


def test_flags_and_dates_of_knowledge_come_along():
    both = panel(("A", "old", 0, [1, 2, 3]), ("A", "new", 2, [4, 5]))
    flags = np.arange(both.values.size, dtype=np.uint8)
    both = Panel(both.values, both.offsets, both.times, both.index, both.available_at + 7, flags)
    joined, _ = splice(both, "old", "new")
    old, new = both.index["source"].to_list().index("old"), both.index["source"].to_list().index("new")
    wanted = np.concatenate([np.arange(*both.offsets[old : old + 2])[:2], np.arange(*both.offsets[new : new + 2])])
    np.testing.assert_array_equal(joined.flags, flags[wanted])
    np.testing.assert_array_equal(joined.available_at, both.available_at[wanted])


def test_a_splice_that_is_not_clear_is_refused():
    both = panel(("A", "old", 0, [1, 2]), ("A", "new", 1, [5, 6]))
    with pytest.raises(NotFound, match="no source 'older'"):
        splice(both, "older", "new")
    for sources in (("old", "old"), ("old", None)):
        with pytest.raises(BadInput, match="two different sources"):
            splice(both, *sources)
    with pytest.raises(BadInput, match="two panels need no source name"):
        splice(both, both, "new")
    with pytest.raises(BadInput, match="several sources"):
        splice(both, both)
