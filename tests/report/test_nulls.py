"""How sure: the table of nulls, and the words about crowds."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput
from tsbench.patterns import NULLS
from tsbench.report import base_rates, nulls, timing, verdict


@pytest.fixture
def judged(make_scan: Any) -> Any:
    """A function: per null the p-values of the first companies; of the ten tested the rest have 0.9."""

    def make(by_null: dict[str, list[float]], **parameters: Any) -> Any:
        scan = make_scan([], [], **parameters)
        table = pd.DataFrame({kind: np.r_[p, np.full(10 - len(p), 0.9)] for kind, p in by_null.items()})
        for kind in NULLS:
            scan.matches.loc[:9, f"p_{kind}"] = table[kind]
        chosen = parameters.get("null", "largest")
        scan.matches.loc[:9, "p_value"] = table.max(axis=1) if chosen == "largest" else table[chosen]
        return scan

    return make


P = {"block_bootstrap": [0.001, 0.05], "phase_randomized": [0.001, 0.01, 0.02], "sign_flip": [0.002]}


def test_each_null_and_the_largest_are_judged_apart(judged: Any) -> None:
    frame = nulls(judged(P)).frame
    # Benjamini-Hochberg by hand over ten companies: 0.05 needs 0.02, 0.02 needs 0.03, 0.01 needs 0.02
    assert dict(zip(frame["null"], frame["passing"], strict=True)) == {
        "block_bootstrap": 1,
        "phase_randomized": 3,
        "sign_flip": 1,
        "largest": 1,
    }
    np.testing.assert_allclose(frame["smallest_q"], [0.01, 0.01, 0.02, 0.02])
    assert frame["tested"].eq(10).all()


def test_the_row_that_decides_is_marked_and_counts_as_the_verdict_does(judged: Any) -> None:
    for null, passing in (("largest", 1), ("phase_randomized", 3)):
        scan = judged(P, null=null)
        frame = nulls(scan).frame
        assert frame.loc[frame["decides"], "null"].tolist() == [null]
        assert frame.loc[frame["decides"], "passing"].tolist() == [passing]
        assert frame.loc[frame["null"] == "largest", "passing"].tolist() == [1]
        scan.matches["q_value"] = np.where(scan.matches["p_value"] <= 0.02, 0.05, 1.0)
        assert len(verdict(scan).passing) == passing


def test_now_and_history_stand_side_by_side(judged: Any) -> None:
    table = nulls(judged(P), judged(P | {"sign_flip": [0.9]}, where="history"))
    counts = table.frame.pivot(index="null", columns="place", values="passing")
    assert counts.loc["sign_flip"].to_dict() == {"Now": 1, "In history": 0}
    html = table._repr_html_()
    assert html.index("Now: pass, of 10") < html.index("In history: pass, of 10")
    assert html.count("decides</span>") == 1


def test_a_scan_of_history_needs_no_second_column(judged: Any) -> None:
    past = judged(P, where="history")
    assert nulls(past, past).frame["place"].tolist() == ["In history"] * 4


def test_the_limit_is_the_readers_choice(judged: Any) -> None:
    frame = nulls(judged(P), q_limit=0.3).frame
    assert frame["passing"].tolist() == [2, 3, 1, 1]
    assert "q ≤ 0.3" in nulls(judged(P), q_limit=0.3)._repr_html_()
    with pytest.raises(BadInput, match="q_limit"):
        nulls(judged(P), q_limit=0)


def test_where_nothing_could_be_tested_nothing_passes(judged: Any) -> None:
    scan = judged(P)
    scan.matches["status"] = "too short"
    table = nulls(scan)
    assert table.frame["passing"].eq(0).all()
    assert "of 0" in table._repr_html_()


# ---- timing ----------------------------------------------------------------------------------------------


def _history(*ends: str, passing: int) -> pd.DataFrame:
    """Twenty companies tested, the first `passing` of them below the limit; those not named end apart."""
    apart = [f"{1995 + i}-03-31" for i in range(20 - len(ends))]
    q = np.r_[np.full(passing, 0.05), np.full(20 - passing, 0.9)]
    return pd.DataFrame({"end": pd.to_datetime([*ends, *apart], utc=True), "q_value": q})


CRISIS = ("2009-03-31", "2009-03-31", "2009-06-30", "2015-12-31")


def test_companies_and_episodes_are_counted_apart() -> None:
    told = timing(_history(*CRISIS, passing=4))
    assert (told.passing, told.episodes) == (4, 2)
    assert told.text.startswith(
        "4 companies pass in history, in 2 episodes (matches that end within the same two periods are one episode); "
        "the largest holds 3."
    )
    alone = timing(_history("2001-03-31", "2009-03-31", passing=2))
    assert "in 2 episodes (matches" in alone.text
    assert "each stands alone." in alone.text


def test_the_fullest_half_year_counts_those_that_do_not_pass_too() -> None:
    told = timing(_history(*CRISIS, "2009-05-31", passing=0))
    assert told.crowd == pytest.approx(5 / 20)  # one of those apart ends in March 2009 as well
    assert told.text.startswith("No company passes in history. The fullest half-year is January 2009 to June 2009: ")
    assert "5 of the 20 companies tested (25%) ends in it" in told.text
    assert "A crisis draws one shape into many companies at once" in told.text


def test_four_companies_are_no_crowd() -> None:
    told = timing(_history(*CRISIS, passing=0))
    assert told.crowd == pytest.approx(4 / 20)
    assert "crisis" not in told.text


def test_without_a_crowd_nothing_is_said_of_a_crisis() -> None:
    told = timing(_history(passing=1))
    assert told.text.startswith("1 company passes in history. ")
    assert told.crowd == pytest.approx(1 / 20)
    assert "crisis" not in told.text


def test_without_any_match_there_is_only_the_count() -> None:
    told = timing(pd.DataFrame({"end": pd.to_datetime([None], utc=True), "q_value": [1.0]}))
    assert told.text == "No company passes in history."
    assert "When they ended" in told._repr_html_()


def test_base_rates_show_every_pattern_once_and_point_out_one(tmp_path):
    def row(pattern, where, relative=False, refused="", **counts):
        fixed = {"tested": 200, "block_bootstrap": 5, "phase_randomized": 3, "sign_flip": 2, "verdict": 1} | counts
        return {"pattern": pattern, "where": where, "relative": relative, "refused": refused, **fixed}

    rows = [row("fade", "history", verdict=7), row("fade", "now"), row("fade", "now", relative=True, verdict=99)]
    rows += [row("cycle", "now", tested=180), row("cycle", "history", refused="too short", verdict=88)]
    record = tmp_path / "base_rates.json"
    record.write_text(json.dumps({"made_at": "2026-11-21T10:00:00", "results": {"rows": rows}}))
    shown = base_rates("fade", record=record)
    assert shown.frame[["pattern", "where", "verdict"]].to_numpy().tolist() == [
        ["fade", "history", 7], ["fade", "now", 1], ["cycle", "now", 1],
    ]  # fmt: skip
    page = shown._repr_html_()
    lines = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in page.split("<tr>")[3:]]
    assert lines[0] == ["<strong>fade</strong>", "200", "5", "3", "2", "1", "200", "5", "3", "2", "7"]
    assert lines[1] == ["cycle", "180", "5", "3", "2", "1", *"–––––"]
    assert "99" not in page
    assert "base_rates.py" in base_rates(record=tmp_path / "none.json")._repr_html_()
