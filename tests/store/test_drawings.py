"""Drawings tried: each distinct one counts once under its name, however often it is scanned."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.patterns import Channel, Constraint, Pattern
from tsbench.store import Store
from tsbench.store.drawings import spec_hash

POINTS = ((0, 1), (0.4, 0), (1, 0.7))
DIP = Pattern("dip", (Channel("roic", POINTS), Channel("revenue")), length=(8, 24))


def test_distinct_drawings_are_counted_and_the_same_one_is_not(store):
    longer = replace(DIP, length=(8, 25))
    assert [store.drawings.tried(p) for p in (DIP, DIP, longer, DIP, longer)] == [1, 1, 2, 2, 2]
    assert store.drawings.count("dip") == 2
    assert store.drawings.count("none") == 0


def test_every_name_has_its_own_count(store):
    assert store.drawings.tried(DIP) == 1
    assert store.drawings.tried(replace(DIP, name="other")) == 1
    assert store.drawings.tried(replace(DIP, name="other", polarity="either")) == 2
    assert store.drawings.count("dip") == 1


def test_the_list_says_when_and_how_often(store):
    for pattern in (replace(DIP, name="late"), DIP, replace(DIP, warp=0.5), DIP):
        store.drawings.tried(pattern)
    table = store.drawings.list()
    assert list(table.columns) == ["pattern", "spec_hash", "first_at", "last_at", "times"]
    assert table[["pattern", "times"]].to_numpy().tolist() == [["dip", 2], ["dip", 1], ["late", 1]]
    assert (table["last_at"] > table["first_at"]).tolist()[0]
    assert table["spec_hash"][0] == table["spec_hash"][2] == spec_hash(DIP)
    assert table["first_at"][0] < table["first_at"][1] < table["last_at"][0]


def test_deleting_a_pattern_forgets_no_try(store):
    store.patterns.save(DIP)
    store.drawings.tried(DIP)
    store.patterns.delete("dip")
    assert store.drawings.tried(replace(DIP, jitter=0.3)) == 2


def test_tries_at_once_are_all_counted(store):
    patterns = [replace(DIP, prominence=i % 4) for i in range(24)]
    with Store(store.url) as other, ThreadPoolExecutor(8) as pool:
        stores = [store, other] * 12
        list(pool.map(lambda i: stores[i].drawings.tried(patterns[i]), range(24)))
    assert store.drawings.count("dip") == 4
    assert store.drawings.list()["times"].tolist() == [6] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"channels": (Channel("roic", ((0, 1), (0.5, 0), (1, 0.7))), Channel("revenue"))},
        {"channels": (Channel("roic", POINTS),)},
        {"channels": (Channel("lag(roic, 1)", POINTS), Channel("revenue"))},
        {"channels": (Channel("roic", POINTS), Channel("revenue", POINTS))},
        {"length": (9, 24)},
        {"polarity": "inverted"},
        {"prominence": 1.0},
        {"constraints": (Constraint("revenue", "change", low=0),)},
        {"constraints": (Constraint("revenue", "change", high=0),)},
        {"example": "AAPL"},
    ],
)
def test_whatever_changes_the_question_is_another_drawing(change):
    assert spec_hash(replace(DIP, **change)) != spec_hash(DIP)


@given(st.floats(-1e3, 1e3), st.floats(1e-2, 1e3))
def test_name_description_and_the_unit_of_the_points_are_no_other_drawing(shift, scale):
    moved = Channel("roic", tuple((x, shift + scale * y) for x, y in POINTS))
    same = replace(DIP, name="another", description="the same", channels=(moved, DIP.channels[1]))
    assert spec_hash(same) == spec_hash(DIP)


def test_a_drawing_is_itself_after_json_and_whatever_the_sign_of_its_zeros():
    assert spec_hash(Pattern.from_json(DIP.to_json())) == spec_hash(DIP)
    zeros = Channel("roic", ((-0.0, 1), (0.4, -0.0), (1, 0.7)))
    assert spec_hash(replace(DIP, channels=(zeros, DIP.channels[1]))) == spec_hash(DIP)
