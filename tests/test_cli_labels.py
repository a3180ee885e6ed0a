"""`tsbench label` and `labels`, driven as a person does: words in, two streams and an exit status out."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Tell
from tsbench.evaluate import wilson
from tsbench.patterns import Channel, Pattern
from tsbench.store import Store, embedded

pytestmark = pytest.mark.usefixtures("small_detectors")

VALLEY = Pattern("valley", (Channel("log(market_cap)", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14))


def scanned(store: Store, scan_id: str, *, pattern: str = "valley", tested: int = 12, done: bool = True) -> None:
    """A scan whose k-th best match is company Ck, with one that was not tested and one without a window."""
    names = [f"C{k:02d}" for k in range(1, tested + 1)]
    rows = pd.DataFrame({"entity": [*names, "NONE", "SHORT"], "status": "tested", "metric": "log(market_cap)"})
    rows["channels"] = [["log(market_cap)"]] * len(rows)
    rows["start"], rows["end"] = pd.Timestamp("2015-03-31", tz="UTC"), pd.Timestamp("2018-03-31", tz="UTC")
    rows["p_value"] = np.linspace(0.001, 1, len(rows))
    rows["score"] = 1 - rows["p_value"]
    rows.loc[rows["entity"].isin(["NONE", "SHORT"]), ["start", "end"]] = pd.NaT
    rows.loc[rows["entity"] == "SHORT", ["status", "p_value", "score"]] = "too short", None, None
    store.scans.begin(scan_id, {"name": pattern}, {"where": "now"}, "h")
    # put in another order than that of the list
    store.scans.put_chunk(scan_id, 0, rows.iloc[::-1])
    if done:
        store.scans.finish(scan_id, dict(zip(rows["entity"], rows["p_value"], strict=True)))


def test_a_verdict_goes_to_the_match_of_the_scan_that_ended_last(tell: Tell, store: Store) -> None:
    scanned(store, "ended-last", done=False)
    scanned(store, "first")
    scanned(store, "other", pattern="erosion")
    store.scans.finish("ended-last", {f"C{k:02d}": 0.5 for k in range(1, 13)} | {"NONE": 1.0, "SHORT": np.nan})
    scanned(store, "running", done=False)
    done = tell("label", "valley", "C03", "accept")
    assert done == (0, "accept: C03 in log(market_cap), 2015-03 to 2018-03, rank 3 of scan ended-last\n", "")
    (kept,) = store.labels.of("valley").to_dict("records")
    assert (kept["entity"], kept["verdict"], kept["rank"], kept["scan_id"]) == ("C03", "accept", 3, "ended-last")
    assert kept["score"] == store.scans.matches("first").set_index("entity").loc["C03", "score"]


def test_the_scan_may_be_named_and_a_verdict_changed(tell: Tell, store: Store) -> None:
    scanned(store, "old")
    scanned(store, "new", tested=4)
    assert tell("label", "valley", "C12", "accept", "--scan", "old").status == 0
    assert "rank 12 of scan old" in tell("label", "valley", "C12", "reject", "--scan", "old").out
    assert list(store.labels.of("valley")["verdict"]) == ["reject"]
    assert "did you mean 'C02'" in tell("label", "valley", "C12", "reject").err


def test_what_cannot_be_labelled_is_told(tell: Tell, store: Store) -> None:
    scanned(store, "s")
    scanned(store, "running", done=False)
    scanned(store, "other", pattern="erosion")
    wrong = {
        ("valley", "C3", "accept"): "no match row of scan 's' for 'C3'; did you mean 'C03'",
        ("valley", "SHORT", "accept"): "'SHORT' shows no stretch to judge (status 'too short', start is missing)",
        ("valley", "NONE", "accept"): "'NONE' shows no stretch to judge (status 'tested', start is missing)",
        ("valley", "C03", "accept", "--scan", "none"): "no scan 'none' is stored",
        ("valley", "C03", "accept", "--scan", "other"): "scan 'other' looked for 'erosion', not for 'valley'",
        ("valley", "C03", "accept", "--scan", "running"): "tsbench scan --pattern valley --scan-id running",
        ("step_up", "C03", "accept"): "no scan of 'step_up' is finished; run: tsbench scan --pattern step_up",
        ("step_pu", "C03", "accept"): "no pattern 'step_pu'; did you mean 'step_up'",
    }
    for words, message in wrong.items():
        done = tell("label", *words)
        assert (done.status, done.out) == (2, ""), words
        assert message in done.err
    other = tell("label", "valley", "C03", "maybe")
    assert other.status != 0
    assert "accept" in other.out + other.err
    assert store.labels.of("valley").empty


def test_the_labels_are_listed_with_the_precision_of_the_first_ten(tell: Tell, store: Store) -> None:
    scanned(store, "s")
    for company, verdict in {
        "C01": "accept",
        "C02": "reject",
        "C04": "accept",
        "C05": "unsure",
        "C11": "reject",
    }.items():
        assert tell("label", "valley", company, verdict).status == 0
    # another stretch of a listed company says nothing about this one
    day = pd.Timestamp("2001-03-31", tz="UTC")
    store.labels.put("valley", {"entity": "C06", "channels": ["log(market_cap)"], "start": day, "end": day}, "reject")
    done = tell("labels", "valley")
    assert (done.status, done.err) == (0, "")
    *lines, sentence = done.out.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["company", "in", "from", "to", "verdict", "score", "rank", "of", "scan"],
        ["C01", "log(market_cap)", "2015-03", "2018-03", "accept", "0.999", "1", "s"],
    ]
    assert [line.split()[0] for line in lines[1:]] == ["C01", "C02", "C04", "C05", "C06", "C11"]
    assert lines[5].split() == ["C06", "log(market_cap)", "2001-03", "2001-03", "reject"]
    low, high = wilson(2, 3)
    assert sentence == (
        "precision 67% in the first 10 of scan s: 2 of 3 judged are accepted (1 unsure, 6 without a label); "
        f"95 % interval {low:.0%} to {high:.0%}"
    )


def test_labels_count_in_every_scan_that_finds_the_same_stretch(tell: Tell, store: Store) -> None:
    scanned(store, "before")
    tell("label", "valley", "C01", "accept")
    scanned(store, "after", tested=3)
    assert (
        "in the first 10 of scan after: 1 of 1 judged are accepted (0 unsure, 3 without" in tell("labels", "valley").out
    )
    named = tell("labels", "valley", "--scan", "before").out
    assert "in the first 10 of scan before: 1 of 1 judged are accepted (0 unsure, 9 without" in named


def test_without_verdicts_or_scans_the_precision_is_unknown(tell: Tell, store: Store) -> None:
    assert "no pattern 'vally'" in tell("labels", "vally").err
    store.patterns.save(VALLEY)
    none = (0, "", "no match of 'valley' is labelled yet; run: tsbench label valley SYMBOL accept\n")
    assert tell("labels", "valley") == none
    day = pd.Timestamp("2001-03-31", tz="UTC")
    store.labels.put("valley", {"entity": "C01", "channels": ["x"], "start": day, "end": day}, "accept")
    done = tell("labels", "valley")
    assert done.err == "no precision: no scan of 'valley' is finished; run: tsbench scan --pattern valley\n"
    assert "C01" in done.out
    scanned(store, "s")
    tell("label", "valley", "C02", "unsure")
    unknown = "precision unknown: none of the first 10 of scan s is accepted or rejected (1 unsure, 9 without a label)"
    assert tell("labels", "valley").out.splitlines()[-1] == unknown


def test_looking_for_labels_makes_no_store(tell: Tell, tmp_path: Path) -> None:
    for words in (("labels", "valley"), ("label", "valley", "C01", "accept")):
        done = tell(*words, store=False)
        assert (done.status, done.out) == (2, "")
        assert f"the project {tmp_path} has no store" in done.err
    assert not embedded.exists(tmp_path)


def test_the_rank_of_a_label_is_the_number_a_scan_printed(tell: Tell, store: Store, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    dates = pd.date_range("2008-03-31", periods=32, freq="QE")
    walks = 1000 * np.exp(rng.normal(0, 0.05, (8, 32)).cumsum(axis=1))
    values = {f"C{i}": walk for i, walk in enumerate(walks)}
    rows = [pd.DataFrame({"ticker": name, "date": dates, "value": v}) for name, v in values.items()]
    pd.concat(rows).assign(name="", sector="Metal", metric="market_cap").to_csv(tmp_path / "walks.csv", index=False)
    store.load(tmp_path / "walks.csv", progress=False)
    store.patterns.save(VALLEY)
    printed = tell("scan", "--pattern", "valley", "--where", "history", "--confirm", "0", "--scan-id", "s").out
    ranked = re.findall(r"^ *(\d+) +(C\d) .* (\d{4}-\d\d) +(\d{4}-\d\d) ", printed, flags=re.M)
    assert len(ranked) > 3
    for rank, company, start, end in ranked:
        told = tell("label", "valley", company, "accept").out
        assert told == f"accept: {company} in log(market_cap), {start} to {end}, rank {rank} of scan s\n"
