"""A report that is limited to what is new since the report before."""

from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tsbench.errors import BadInput
from tsbench.report import match_table, verdict
from tsbench.series import Panel
from tsbench.store import Store

DAY = date(2019, 7, 1)
SAID = "of the 10 live companies tested show “growth” now (as of 2019-06-30); chance alone would give less than 0.05"


def test_only_what_passes_now_and_did_not_before_is_shown_and_told_first(make_scan: Any, panel: Panel) -> None:
    before = make_scan([0.001, 0.3, 0.001], [0.01, 0.9, 0.02]).matches
    scan = make_scan([0.001, 0.002, 0.003], [0.01, 0.01, 0.02])
    found = verdict(scan, only_new=True, previous=before, since=DAY)
    assert found.headline == f"1 of the 3 that pass is new since the report of 2019-07-01: 3 {SAID}"
    assert list(found.shown["entity"]) == ["C01"]
    assert list(found.passing["entity"]) == ["C00", "C01", "C02"]
    # what passes and is not new is no near miss either
    assert list(found.near_misses["entity"][:1]) == ["C03"]
    table = match_table(found, scan, panel, previous=before)
    assert list(table.frame["state"]) == ["new"]
    assert "2 more pass" in table._repr_html_()


def test_several_are_new(make_scan: Any) -> None:
    before = make_scan([0.001], [0.01]).matches
    found = verdict(make_scan([0.001] * 3, [0.01] * 3), only_new=True, previous=before, since=DAY)
    assert found.headline.startswith("2 of the 3 that pass are new since the report of 2019-07-01: 3 of the 10")
    undated = verdict(make_scan([0.001] * 3, [0.01] * 3), only_new=True, previous=before)
    assert undated.headline.startswith("2 of the 3 that pass are new since the report before: 3 of the 10")


def test_nothing_new_is_said_and_no_row_shown(make_scan: Any, panel: Panel) -> None:
    scan = make_scan([0.001, 0.002], [0.01, 0.01])
    found = verdict(scan, only_new=True, previous=scan.matches, since=DAY)
    assert found.headline == f"Nothing new since the report of 2019-07-01: 2 {SAID}"
    assert found.shown.empty
    html = match_table(found, scan, panel, previous=scan.matches)._repr_html_()
    assert "No company to show" in html
    assert "2 more pass" in html


def test_the_first_report_has_nothing_to_be_compared_with(make_scan: Any) -> None:
    found = verdict(make_scan([0.001, 0.002], [0.01, 0.01]), only_new=True)
    assert found.headline == f"No report told this before, so all that pass are new: 2 {SAID}"
    assert list(found.shown["entity"]) == ["C00", "C01"]


def test_when_none_passes_the_nearest_are_not_passed_off_as_new(make_scan: Any) -> None:
    none = (
        "no company provably shows “growth” now (as of 2019-06-30): none of the 10 live companies tested passes q ≤ 0.1"
    )
    scan = make_scan([0.04], [0.4])
    later = verdict(scan, only_new=True, previous=scan.matches, since=DAY)
    assert later.headline == f"Nothing new since the report of 2019-07-01: {none}"
    assert later.shown.empty
    assert list(later.near_misses["entity"][:1]) == ["C00"]
    assert verdict(scan, only_new=True).headline == f"No report told this before: {none}"


def test_unless_asked_for_the_report_before_changes_nothing(make_scan: Any) -> None:
    scan = make_scan([0.001], [0.01])
    assert verdict(scan, previous=scan.matches, since=DAY).headline == verdict(scan).headline


def test_a_q_limit_that_cannot_be_is_refused_before_anything_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.url)
    notebook = Path(__file__).parents[2] / "notebooks" / "05_scan_companies.ipynb"
    first, *rest = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    exec(first.source, names)  # noqa: S102
    names["q_limit"] = 2
    # the store is empty, so that whoever reads it first comes to another error
    with pytest.raises(BadInput, match="q_limit must lie in"):
        exec("\n".join(cell.source for cell in rest), names)  # noqa: S102
