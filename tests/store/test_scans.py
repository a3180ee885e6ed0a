"""Scans: chunks that are whole or not there, a question that cannot change, matches that come back as put."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput, NotFound
from tsbench.store import Store

PATTERN = {"name": "dip", "length": [8, 24]}
ASKED = {"where": "now", "sector": None, "as_of": None, "seed": 0}


def rows(entities, tested=True):
    n = len(entities)
    p = np.linspace(0.01, 0.5, n) if tested else np.full(n, np.nan)
    start, end = (pd.Timestamp(d, tz="UTC") if tested else pd.NaT for d in ("2015-03-31", "2018-03-31"))
    return pd.DataFrame(
        {
            "entity": entities,
            "name": [f"Company {e}" for e in entities],
            "sector": "Energy",
            "status": "tested" if tested else "too short",
            "metric": "revenue & roic" if tested else "",
            "channels": [["revenue", "roic"] if tested else [] for _ in entities],
            "start": pd.Series([start] * n, dtype="datetime64[us, UTC]"),
            "end": pd.Series([end] * n, dtype="datetime64[us, UTC]"),
            "length": 12 if tested else 0,
            "complete": 1.0 if tested else np.nan,
            "score": p * 2,
            "p_value": p,
            "q_value": np.nan,
            "null": "block_bootstrap" if tested else "",
            "p_block_bootstrap": p,
            "p_sign_flip": p / 3,
            "flagged": 1,
            "last": pd.Series([pd.Timestamp("2019-06-30", tz="UTC")] * n, dtype="datetime64[us, UTC]"),
            "evidence": [{"height": [0.1 + 0.2, np.nan], "first": 3, "mirrored": False} for _ in entities],
        }
    )


def begin(store, scan_id="s1", pattern=PATTERN, parameters=ASKED, data_hash="h"):
    return store.scans.begin(scan_id, pattern, parameters, data_hash)


def finished(store, scan_id, **asked):
    begin(store, scan_id, **asked)
    store.scans.put_chunk(scan_id, 0, rows(["A"]))
    store.scans.finish(scan_id, {"A": 0.05})


def test_matches_come_back_as_they_were_put(store):
    begin(store)
    put = pd.concat([rows(["A", "B"]), rows(["C"], tested=False)], ignore_index=True)
    store.scans.put_chunk("s1", 0, put)
    back = store.scans.matches("s1")
    pd.testing.assert_frame_equal(back, put, check_dtype=False)
    assert back.dtypes["start"] == back.dtypes["last"] == "datetime64[us, UTC]"
    assert back.dtypes["length"] == "int64"
    assert back["start"].isna().to_list() == [False, False, True]
    assert np.isnan(back["evidence"][0]["height"][1])


def test_chunks_are_marked_and_a_chunk_done_twice_counts_once(store):
    begin(store)
    store.scans.put_chunk("s1", 0, rows(["A", "B"]))
    store.scans.put_chunk("s1", 3, rows(["C"]))
    changed = rows(["A", "B"]).assign(score=9.0)
    store.scans.put_chunk("s1", 0, changed)
    assert store.scans.done_chunks("s1") == {0, 3}
    back = store.scans.matches("s1").set_index("entity")
    assert back["score"].to_dict() == {"A": 9.0, "B": 9.0, "C": 0.02}


def test_an_empty_chunk_is_done_too(store):
    begin(store)
    store.scans.put_chunk("s1", 0, rows([]))
    assert store.scans.done_chunks("s1") == {0}
    assert store.scans.matches("s1").empty


def test_finishing_sets_q_values_further_p_values_and_the_status(store):
    begin(store)
    store.scans.put_chunk("s1", 0, pd.concat([rows(["A", "B"]), rows(["C"], tested=False)], ignore_index=True))
    family = pd.DataFrame(
        {"entity": ["A", "B", "C"], "q_value": [0.02, 0.4, np.nan], "p_confirmed": [0.01, np.nan, np.nan]}
    )
    store.scans.finish("s1", family)
    row = store.scans.get("s1")
    assert row.status == "done"
    assert row.finished_at >= row.started_at
    back = store.scans.matches("s1")
    np.testing.assert_array_equal(back["q_value"], family["q_value"])
    np.testing.assert_array_equal(back["p_confirmed"], family["p_confirmed"])
    np.testing.assert_array_equal(back["p_sign_flip"], [0.01 / 3, 0.5 / 3, np.nan])


def test_a_finished_scan_stays_as_it_is(store):
    finished(store, "s1")
    before = store.scans.matches("s1")
    with pytest.raises(BadInput, match="is done"):
        store.scans.put_chunk("s1", 1, rows(["B"]))
    with pytest.raises(BadInput, match="is done"):
        store.scans.finish("s1", {"A": 0.9})
    pd.testing.assert_frame_equal(store.scans.matches("s1"), before)


def test_finishing_before_all_chunks_are_put_leaves_the_scan_running(store):
    begin(store)
    store.scans.put_chunk("s1", 0, rows(["A"]))
    with pytest.raises(BadInput, match="1 of the 2 entities"):
        store.scans.finish("s1", {"A": 0.1, "B": 0.2})
    assert store.scans.get("s1").status == "running"
    assert store.scans.matches("s1")["q_value"].isna().all()


def test_beginning_again_gives_the_same_scan_and_another_question_is_refused(store):
    first = begin(store)
    assert begin(store) == first
    assert begin(store, parameters={**ASKED, "sector": None}) == first
    for change in (
        {"pattern": {**PATTERN, "length": [8, 25]}},
        {"parameters": {**ASKED, "where": "history"}},
        {"data_hash": "other"},
    ):
        with pytest.raises(BadInput, match="give the new scan another id"):
            begin(store, **change)
    assert store.scans.get("s1") == first


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parameters": {**ASKED, "where": "history"}}, r"other parameters \(where: now -> history\); give"),
        ({"parameters": {**ASKED, "top": 3}}, r"other parameters \(top: unset -> 3\); give"),
        ({"pattern": {"name": "rise"}}, r"another pattern \(dip -> rise\); give"),
        ({"pattern": {**PATTERN, "length": [8, 25]}}, "another drawing of the pattern 'dip'; give"),
        ({"data_hash": "x", "parameters": {**ASKED, "seed": 1}}, r"\(seed: 0 -> 1\) and other data \("),
    ],
)
def test_a_refused_beginning_names_what_differs_and_nothing_else(store, change, told):
    begin(store)
    with pytest.raises(BadInput, match=f"scan 's1' exists with {told}" if "data_hash" not in change else told):
        begin(store, **change)


def test_tuples_and_numbers_of_numpy_ask_the_same_as_lists_and_floats(store):
    first = begin(store, pattern={"name": "p", "length": (8, 24), "warp": np.float64(0.2), "n": np.int64(3), "x": 1e20})
    again = begin(store, pattern={"name": "p", "length": [8, 24], "warp": 0.2, "n": 3, "x": 1e20})
    assert first == again


def test_begun_at_once_by_two_a_scan_is_one(store):
    with Store(store.url) as other, ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda s: begin(s).started_at, [store, other] * 8))
    assert len(found) == 1


def test_chunks_put_at_once_by_many_all_arrive(store):
    begin(store)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: store.scans.put_chunk("s1", k, rows([f"E{k}a", f"E{k}b"])), range(24)))
    assert store.scans.done_chunks("s1") == set(range(24))
    assert len(store.scans.matches("s1")) == 48


def test_a_chunk_that_cannot_be_stored_leaves_no_mark_and_no_row(store):
    begin(store)
    with pytest.raises(BadInput, match="unknown columns colour"):
        store.scans.put_chunk("s1", 0, rows(["A"]).assign(colour="red"))
    with pytest.raises(BadInput, match="lack status"):
        store.scans.put_chunk("s1", 0, rows(["A"]).drop(columns="status"))
    with pytest.raises(Exception, match="null value"):
        store.scans.put_chunk("s1", 0, pd.concat([rows(["A"]), rows(["B"]).assign(status=None)], ignore_index=True))
    assert store.scans.done_chunks("s1") == set()
    assert store.scans.matches("s1").empty


def test_an_unknown_scan_is_not_found(store):
    for ask in (
        lambda: store.scans.get("none"),
        lambda: store.scans.matches("none"),
        lambda: store.scans.previous("none"),
        lambda: store.scans.put_chunk("none", 0, rows(["A"])),
        lambda: store.scans.finish("none", {}),
    ):
        with pytest.raises(NotFound, match="'none'"):
            ask()


def test_scans_are_listed_newest_first_and_by_pattern(store):
    finished(store, "old")
    begin(store, "new", pattern={"name": "other"})
    table = store.scans.list()
    assert table["id"].to_list() == ["new", "old"]
    assert table.loc[1, ["pattern", "where", "status", "companies", "tested", "smallest_q"]].to_list() == [
        "dip",
        "now",
        "done",
        1,
        1,
        0.05,
    ]
    assert store.scans.list("dip")["id"].to_list() == ["old"]
    assert store.scans.list("none").empty


def told(store, scan_id, status="done", **asked):
    """A finished scan, and the record of a report that told it."""
    finished(store, scan_id, **asked)
    store.runs.put({"id": f"run of {scan_id}", "status": status, "scan_id": scan_id})


def test_the_previous_scan_is_the_last_told_one_that_asked_the_same(store):
    told(store, "s1")
    told(store, "s2", parameters={**ASKED, "seed": 5})
    told(store, "elsewhere", parameters={**ASKED, "where": "history"})
    told(store, "part", parameters={**ASKED, "sector": "Energy"})
    told(store, "half", parameters={**ASKED, "half": "explore"})
    told(store, "by another null", parameters={**ASKED, "null": "sign_flip"})
    told(store, "past", parameters={**ASKED, "as_of": "2015-06-30"})
    told(store, "reshaped", pattern={**PATTERN, "length": [4, 8]})
    told(store, "yearly", parameters={**ASKED, "frequency": "annual"})
    begin(store, "unfinished")
    begin(store, "now")
    told(store, "later")
    begin(store, "later past", parameters={**ASKED, "as_of": "2015-09-30"})
    assert store.scans.previous("now") == "s2"
    assert store.scans.previous("later past") == "past"
    assert store.scans.previous("s2") == "s1"
    assert store.scans.previous("s1") is None


def test_what_no_report_told_is_news_still(store):
    for status in ("failed", "timeout", "interrupted", "running"):
        told(store, status, status)
    finished(store, "by hand")
    begin(store, "now")
    assert store.scans.previous("now") is None
    store.runs.put({"id": "run of failed", "status": "done", "scan_id": "failed"})
    assert store.scans.previous("now") == "failed"


def test_hostile_text_is_data(store):
    evil = "'); DROP TABLE match; -- \\ \" 株 %s %(id)s"
    begin(store, evil, pattern={"name": evil})
    store.scans.put_chunk(evil, 0, rows([evil]).assign(name=evil, metric=evil, channels=[[evil, "{a,b}", '"', "NULL"]]))
    back = store.scans.matches(evil).loc[0]
    assert (back["entity"], back["name"], back["metric"], back["channels"]) == (
        evil,
        evil,
        evil,
        [evil, "{a,b}", '"', "NULL"],
    )
    assert store.scans.list(evil)["id"].to_list() == [evil]


def test_run_records_are_kept_and_replaced_by_id(store):
    name = store.runs.put({"headline": "none passes"})
    store.runs.put({"id": "b", "status": "running"})
    store.runs.put({"id": "b", "status": "done"})
    assert store.runs.list() == [{"id": "b", "status": "done"}, {"id": name, "headline": "none passes"}]
