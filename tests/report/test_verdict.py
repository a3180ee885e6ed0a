"""The one sentence, and the companies behind it."""

from datetime import date
from typing import Any

import pytest

from tsbench.errors import BadInput
from tsbench.report import verdict

DAY = date(2020, 6, 30)


def test_companies_that_pass_are_counted_against_chance(make_scan: Any) -> None:
    found = verdict(make_scan([0.001, 0.004, 0.3], [0.01, 0.02, 0.9]), today=DAY)
    assert found.headline == (
        "2 of the 10 live companies tested show “growth” now (as of 2019-06-30); chance alone would give less than 0.05"
    )
    assert found.expected_false == pytest.approx(0.04)
    assert list(found.passing["entity"]) == ["C00", "C01"]
    assert list(found.shown["entity"]) == ["C00", "C01"]
    assert "p of the weakest match that passes, 0.0040, times 10 companies" in found.footnote
    assert "1.0 years before this report" in found.footnote


def test_chance_is_the_weakest_p_that_passes_times_the_companies_tested(make_scan: Any) -> None:
    found = verdict(make_scan([0.001, 0.04, 0.3], [0.01, 0.05, 0.9]))
    assert "chance alone would give 0.4" in found.headline
    assert found.expected_false == pytest.approx(0.4)


def test_one_company_shows_and_many_show(make_scan: Any) -> None:
    assert "1 of the 10 live companies tested shows “growth” now" in verdict(make_scan([0.03], [0.05])).headline


def test_when_none_passes_the_nearest_follow_unproven(make_scan: Any) -> None:
    found = verdict(make_scan([0.04, 0.05], [0.4, 0.4]))
    assert found.headline == (
        "No company provably shows “growth” now (as of 2019-06-30): none of the 10 live companies tested passes "
        "q ≤ 0.1. The nearest 10 follow, unproven"
    )
    assert not found.proven
    assert list(found.shown["entity"][:2]) == ["C00", "C01"]
    assert "p ≤ 0.010 (0.1 / 10 companies tested)" in found.footnote


def test_history_is_told_beside_now(make_scan: Any) -> None:
    history = make_scan([0.001, 0.001, 0.001], [0.01, 0.01, 0.2], where="history")
    assert verdict(make_scan([0.001], [0.01]), history=history).headline.endswith("; 2 did in history")
    nothing = make_scan([], [], where="history")
    assert verdict(make_scan([], []), history=nothing).headline.endswith("; none did in history")


def test_each_place_has_its_own_words(make_scan: Any) -> None:
    assert "showed “growth” at some time" in verdict(make_scan([0.001], [0.01], where="history")).headline
    assert "10 companies tested" in verdict(make_scan([0.001], [0.01], where="history")).headline
    assert "No company provably showed “growth” at any time" in verdict(make_scan([], [], where="history")).headline
    assert "No company is provably forming “growth” now" in verdict(make_scan([], [], where="forming")).headline
    assert "are forming “growth” now" in verdict(make_scan([0.01] * 2, [0.02] * 2, where="forming")).headline


def test_the_day_asked_for_is_the_day_told(make_scan: Any) -> None:
    assert "(as of 2015-03-31)" in verdict(make_scan([], [], as_of="2015-03-31")).headline


def test_near_misses_come_next_and_non_matches_are_ordinary(make_scan: Any) -> None:
    found = verdict(make_scan([0.001, 0.02, 0.03], [0.01, 0.2, 0.2]))
    assert list(found.near_misses["entity"][:2]) == ["C01", "C02"]
    assert (found.non_matches["p_value"] >= 0.25).all()
    assert not set(found.non_matches["entity"]) & set(found.shown["entity"])


def test_the_lot_is_fixed_by_the_seed(make_scan: Any) -> None:
    scan = make_scan([0.001], [0.01])
    first, again, other = (list(verdict(scan, seed=s).non_matches["entity"]) for s in (1, 1, 2))
    assert first == again != other


def test_the_funnel_ends_with_those_that_pass(make_scan: Any) -> None:
    assert verdict(make_scan([0.001], [0.01])).funnel.iloc[-1].to_dict() == {
        "stage": "pass q ≤ 0.1",
        "companies": 1,
        "dead": 0,
        "note": "",
    }


def test_the_limit_is_the_readers_choice(make_scan: Any) -> None:
    scan = make_scan([0.001, 0.02], [0.01, 0.2])
    assert len(verdict(scan, q_limit=0.25).passing) == 2
    assert "at most 25% are expected" in verdict(scan, q_limit=0.25).footnote
    with pytest.raises(BadInput, match="q_limit"):
        verdict(scan, q_limit=0)


def test_a_scan_in_which_nothing_could_be_tested_says_so(make_scan: Any) -> None:
    scan = make_scan([], [])
    scan.matches["status"] = "too short"
    scan.matches[["score", "p_value", "q_value"]] = float("nan")
    scan.matches[["start", "end"]] = None
    found = verdict(scan)
    assert found.headline == "No company could be tested for “growth” (as of 2019-06-30); the funnel says why"
    assert found.shown.empty
    assert found.near_misses.empty


def test_it_never_speaks_of_the_future(make_scan: Any) -> None:
    assert "does not say what follows" in verdict(make_scan([0.001], [0.01]))._repr_html_()
