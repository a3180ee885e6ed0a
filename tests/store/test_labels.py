"""Labels: one verdict per stretch, kept whatever becomes of the pattern and its scans, in the form a refit reads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.patterns import Channel, Pattern
from tsbench.store import Store
from tsbench.store.engine import transaction

DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 24))


def match(entity="A", start="2015-03-31", end="2018-03-31", **more):
    """What the labels read of a match row."""
    stretch = {"start": pd.Timestamp(start, tz="UTC"), "end": pd.Timestamp(end, tz="UTC")}
    return {"entity": entity, "channels": ["revenue", "roic"], "status": "tested", "score": 0.8} | stretch | more


def scanned(store, scan_id="s1", entities=("A", "B"), pattern="dip"):
    """The matches of a finished scan, the last of them without a stretch."""
    rows = pd.DataFrame([match(entity) for entity in (*entities, "untested")])
    rows["p_value"] = np.linspace(0.01, 0.5, len(rows))
    rows.loc[rows.index[-1], ["status", "start", "end", "score", "p_value"]] = "too short", pd.NaT, pd.NaT, None, None
    store.scans.begin(scan_id, {"name": pattern}, {"where": "now"}, "h")
    store.scans.put_chunk(scan_id, 0, rows)
    store.scans.finish(scan_id, dict(zip(rows["entity"], rows["p_value"], strict=True)))
    return store.scans.matches(scan_id)


def test_a_label_comes_back_as_it_was_put(store):
    rows = scanned(store)
    store.labels.put("dip", rows.iloc[1], "accept", scan_id="s1", rank=2)
    store.labels.put("dip", match("A", score=np.nan), "unsure")
    back = store.labels.of("dip")
    made = back.pop("made_at")
    wanted = {
        "entity": ["A", "B"],
        "channels": [["revenue", "roic"]] * 2,
        "start": pd.Series([pd.Timestamp("2015-03-31", tz="UTC")] * 2, dtype="datetime64[us, UTC]"),
        "end": pd.Series([pd.Timestamp("2018-03-31", tz="UTC")] * 2, dtype="datetime64[us, UTC]"),
        "verdict": ["unsure", "accept"],
        "score": [np.nan, 0.8],
        "rank": pd.Series([None, 2], dtype="Int64"),
        "scan_id": pd.Series([None, "s1"], dtype=object),
    }
    pd.testing.assert_frame_equal(back, pd.DataFrame(wanted))
    assert made.dtype == "datetime64[us, UTC]"
    assert made[0] > made[1]


def test_a_pattern_without_labels_has_an_empty_table_of_the_same_columns(store):
    empty = store.labels.of("dip")
    store.labels.put("dip", match(), "accept")
    full = store.labels.of("dip")
    assert empty.empty
    assert list(empty.columns) == list(full.columns)
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


def test_a_new_verdict_on_the_same_stretch_replaces_the_old_one_and_all_beside_it(store):
    scanned(store)
    store.labels.put("dip", match(), "accept", scan_id="s1", rank=1)
    before = store.labels.of("dip").iloc[0]
    store.labels.put("dip", match(score=0.5), "reject", rank=4)
    (after,) = store.labels.of("dip").to_dict("records")
    assert (after["verdict"], after["score"], after["rank"], after["scan_id"]) == ("reject", 0.5, 4, None)
    assert after["made_at"] > before["made_at"]


def test_another_company_stretch_channel_or_pattern_is_another_label(store):
    others = [match("B"), match(start="2015-06-30"), match(end="2017-12-31"), match(channels=["roic"])]
    for row in (match(), *others):
        store.labels.put("dip", row, "accept")
    store.labels.put("erosion", match(), "reject")
    assert len(store.labels.of("dip")) == 5
    assert set(store.labels.of("dip")["verdict"]) == {"accept"}
    assert list(store.labels.of("erosion")["verdict"]) == ["reject"]


def test_a_time_is_the_same_moment_however_it_is_written(store):
    store.labels.put("dip", match(), "accept")
    stamp = pd.Timestamp("2015-03-31 02:00", tz="Europe/Paris")
    for start in ("2015-03-31", np.datetime64("2015-03-31"), stamp):
        store.labels.put("dip", match() | {"start": start}, "reject")
    assert len(store.labels.of("dip")) == 1


@pytest.mark.parametrize("verdict", ["Accept", "yes", "", None, True])
def test_another_verdict_is_refused(store, verdict):
    with pytest.raises(BadInput, match="verdict must be one of 'accept', 'reject', 'unsure'; got"):
        store.labels.put("dip", match(), verdict)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"entity": "A", "channels": ["roic"]}, "lacks start, end"),
        (match(start=None) | {"status": "too short"}, r"'A' shows no stretch to judge \(status 'too short'"),
        (match() | {"end": pd.NaT}, "no stretch"),
        (match(channels=[]), "list of expressions"),
        (match(channels="roic"), "list of expressions, got 'roic'"),
        (match(channels=np.nan), "list of expressions"),
        (match() | {"start": "soon"}, "must be dates, got 'soon'"),
        (match() | {"start": 3, "end": 9}, "must be dates, got 3 and 9"),
        (match(start="2019-03-31"), "start 2019-03-31 and end 2018-03-31"),
    ],
)
def test_what_is_no_match_is_refused(store, row, message):
    for ask in (lambda: store.labels.put("dip", row, "accept"), lambda: store.labels.delete("dip", row)):
        with pytest.raises(BadInput, match=message):
            ask()
    assert store.labels.of("dip").empty


def test_a_company_of_a_scan_without_a_match_cannot_be_labelled(store):
    rows = scanned(store)
    with pytest.raises(BadInput, match=r"'untested' shows no stretch to judge .*'too short'"):
        store.labels.put("dip", rows.iloc[-1], "accept", scan_id="s1")


def test_the_scan_must_be_there_and_have_looked_for_the_pattern(store):
    scanned(store, "other", pattern="erosion")
    with pytest.raises(NotFound, match="no scan 'none' is stored"):
        store.labels.put("dip", match(), "accept", scan_id="none")
    with pytest.raises(BadInput, match="scan 'other' looked for 'erosion', the label is about 'dip'"):
        store.labels.put("dip", match(), "accept", scan_id="other")
    for rank in (0, 1.5):
        with pytest.raises(BadInput, match="rank must be"):
            store.labels.put("dip", match(), "accept", rank=rank)
    with pytest.raises(BadInput, match="name of the pattern"):
        store.labels.put("", match(), "accept")
    assert store.labels.of("dip").empty


def test_a_label_is_taken_back_by_its_match_or_its_own_row(store):
    for entity in "ABC":
        store.labels.put("dip", match(entity), "accept")
    store.labels.delete("dip", match("A"))
    store.labels.delete("dip", store.labels.of("dip").iloc[0])
    assert list(store.labels.of("dip")["entity"]) == ["C"]
    for row in (match("A"), match("C", channels=["roic"]), match("C", end="2018-06-30")):
        with pytest.raises(NotFound, match=r"'dip' has no label on '[AC]' from 2015-03-31 to 2018"):
            store.labels.delete("dip", row)
    with pytest.raises(NotFound, match="'dop'"):
        store.labels.delete("dop", match("C"))
    assert len(store.labels.of("dip")) == 1


def test_labels_outlive_their_pattern_and_their_scan(store):
    scanned(store)
    store.patterns.save(DIP)
    store.labels.put("dip", match(), "accept", scan_id="s1")
    store.patterns.delete("dip")
    with transaction(store.engine) as cursor:
        cursor.execute("DELETE FROM scan")
    assert store.labels.of("dip")[["verdict", "scan_id"]].to_numpy().tolist() == [["accept", None]]
    store.patterns.save(DIP)
    assert len(store.labels.of("dip")) == 1


def test_labels_put_at_once_by_many_leave_one_each(store):
    with Store(store.url) as other, ThreadPoolExecutor(8) as pool:
        stores = [store, other] * 12
        list(pool.map(lambda i: stores[i].labels.put("dip", match(f"E{i % 3}"), "accept"), range(24)))
    assert list(store.labels.of("dip")["entity"]) == ["E0", "E1", "E2"]


plain = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plain, plain | st.just("'); DROP TABLE label; -- %s %(id)s"), st.lists(plain | st.just("{a,NULL}"), min_size=1),
    st.datetimes(), st.datetimes(), st.sampled_from(["accept", "reject", "unsure"]),
)  # fmt: skip
def test_whatever_it_is_called_a_label_is_found_again(store, pattern, entity, channels, one, two, verdict):
    row = {"entity": entity, "channels": channels, "start": min(one, two), "end": max(one, two)}
    store.labels.put(pattern, row, verdict)
    (back,) = (r for r in store.labels.of(pattern).to_dict("records") if r["entity"] == entity)
    assert (back["channels"], back["verdict"]) == (channels, verdict)
    assert (back["start"].tz_localize(None), back["end"].tz_localize(None)) == (row["start"], row["end"])
    store.labels.delete(pattern, back)
