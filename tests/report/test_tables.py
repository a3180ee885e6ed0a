"""The table of matches in units, with what is new."""

from typing import Any

import pandas as pd
import pytest

from tsbench.patterns import Pattern
from tsbench.report import changes, match_table, verdict
from tsbench.report.html import odds
from tsbench.series import Panel


def test_changes_are_told_in_the_unit_of_each_channel(make_scan: Any, panel: Panel, pattern: Pattern) -> None:
    first = make_scan([0.001], [0.01]).matches.iloc[[1]]
    assert changes(panel, first, pattern) == [
        [
            ("revenue growth", "8.2% → 8.2%", "+0.0 points"),
            ("return on capital", "21.0% → 28.0%", "+7.0 points"),
            ("market cap", "$4.0B → $4.0B", "+0%"),
        ]
    ]


def test_alternatives_show_only_the_channel_that_matched(make_scan: Any, panel: Panel, pattern: Pattern) -> None:
    either = Pattern("either", pattern.channels[:2], length=(6, 8), combine="any")
    row = make_scan([0.001], [0.01]).matches.iloc[[1]].assign(channels=[["roic"]])
    assert [[name for name, *_ in lines] for lines in changes(panel, row, either)] == [["return on capital"]]


def test_rows_are_ranked_and_named_and_html_in_names_is_escaped(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([0.001, 0.002], [0.01, 0.01])
    table = match_table(verdict(scan), scan, panel)
    assert list(table.frame["rank"]) == [1, 2]
    assert list(table.frame["periods"]) == ["8 quarters", "8 quarters"]
    html = table._repr_html_()
    assert "A &amp; &lt;B&gt;" in html
    assert "Sep 2017 – Jun 2019" in html
    assert "sector unknown" in html


@pytest.mark.parametrize(("q_before", "states", "gone"), [([0.01, 0.5, 0.01], ["kept", "new"], ("Company 2 (C02)",))])
def test_new_kept_and_gone_are_told_from_the_scan_before(
    make_scan: Any, panel: Panel, q_before: list[float], states: list[str], gone: tuple[str, ...]
) -> None:
    before = make_scan([0.001] * 3, q_before).matches
    scan = make_scan([0.001, 0.002], [0.01, 0.01])
    table = match_table(verdict(scan), scan, panel, previous=before)
    assert list(table.frame["state"]) == states
    assert table.gone == gone
    assert "Gone since the last scan: Company 2 (C02)" in table._repr_html_()


def test_without_a_scan_before_nothing_is_called_new(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([0.001], [0.01])
    assert list(match_table(verdict(scan), scan, panel).frame["state"]) == [""]


def test_rows_that_do_not_pass_are_marked_unproven(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([0.04], [0.4])
    table = match_table(verdict(scan), scan, panel, previous=scan.matches)
    assert set(table.frame["state"]) == {"unproven"}
    assert "prove nothing" in table._repr_html_()


def test_left_out_values_and_rows_beyond_the_page_are_told(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([0.001, 0.002, 0.003], [0.01] * 3)
    scan.matches.loc[0, "flagged"] = 2
    html = match_table(verdict(scan), scan, panel, rows=1)._repr_html_()
    assert "2 left out" in html
    assert "2 more pass" in html


def test_an_empty_verdict_makes_an_empty_table(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([], [])
    scan.matches["status"] = "too short"
    scan.matches[["start", "end"]] = pd.NaT
    assert "No company to show" in match_table(verdict(scan), scan, panel)._repr_html_()


def test_a_p_at_the_end_of_what_the_surrogates_support_is_only_known_to_be_below():
    assert odds(0.004, 0.0005) == "0.0040"
    assert odds(0.0005, 0.0005) == "< 0.00050"
    assert odds(0.00002, 0.0) == "< 0.0001"
    assert odds(float("nan"), 0.1) == "–"
