"""Versions of series: what is put comes back, numbers are consecutive whoever fits at once, listeners are told."""

import select
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsbench.detect.anomaly import Robust, ZScore, anomaly_detector, restored
from tsbench.errors import BadInput, NotFound
from tsbench.store.series_versions import CHANNEL, series_name

TIMES, VALUES = [10, 20, 30, 40], [10.0, 11.2, 10.4, 10.8]
FITTED = ZScore().fit(VALUES)


@pytest.mark.parametrize("kind", ["zscore", "robust"])
def test_a_version_and_its_training_series_come_back_as_they_were_put(store, kind):
    detector = anomaly_detector(kind).fit(VALUES)
    put = store.series_versions.put("sensor_01", detector, TIMES, VALUES)
    assert (put.series_id, put.version, put.model, put.points) == ("sensor_01", 1, kind, 4)
    record, state = store.series_versions.get("sensor_01")
    assert record == put
    assert restored(state).judge([13.0, 10.3]).anomaly.tolist() == detector.judge([13.0, 10.3]).anomaly.tolist()
    assert restored(state).judge(13.0) == detector.judge(13.0)
    record, times, values = store.series_versions.training("sensor_01")
    assert record == put
    assert (times.dtype, times.tolist()) == (np.int64, TIMES)
    assert (values.dtype, values.tolist()) == (np.float64, VALUES)


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_come_back_to_the_bit(store, values):
    store.series_versions.put("s", FITTED, range(len(values)), values)
    _, _, back = store.series_versions.training("s")
    assert back.tobytes() == np.array(values).tobytes()


def test_versions_count_up_and_each_keeps_its_own(store):
    for level in (0, 10, 20):
        store.series_versions.put(
            "s", ZScore().fit([level, level + 1, level + 3]), [1, 2, 3], [level, level + 1, level + 3]
        )
    store.series_versions.put("other", FITTED, TIMES, VALUES)
    assert [v.version for v in store.series_versions.versions("s")] == [3, 2, 1]
    assert store.series_versions.get("s")[0].version == 3
    for version, level in ((1, 0), (2, 10), (3, 20)):
        assert store.series_versions.get("s", version)[1].meta["level"] == pytest.approx(level + 4 / 3)
    assert store.series_versions.count() == 2


def test_fits_of_one_series_at_once_get_consecutive_numbers(store):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.series_versions.put("s", FITTED, TIMES, VALUES).version, range(40)))
    assert sorted(made) == list(range(1, 41))
    assert [v.version for v in store.series_versions.versions("s")] == list(range(40, 0, -1))


def test_a_fit_that_fails_takes_no_number(store):
    store.series_versions.put("s", FITTED, TIMES, VALUES)
    with pytest.raises(BadInput, match="4 times and 3 values"):
        store.series_versions.put("s", FITTED, TIMES, VALUES[:3])
    assert store.series_versions.put("s", FITTED, TIMES, VALUES).version == 2


def test_series_are_listed_a_page_at_a_time(store):
    for name in ("b", "a", "C", "d.1"):
        store.series_versions.put(name, FITTED, TIMES, VALUES)
    store.series_versions.put("a", Robust().fit(VALUES), TIMES, VALUES)
    first = store.series_versions.latest(limit=2)
    assert [(v.series_id, v.version, v.model) for v in first] == [("C", 1, "zscore"), ("a", 2, "robust")]
    rest = store.series_versions.latest(after=first[-1].series_id)
    assert [v.series_id for v in rest] == ["b", "d.1"]
    assert store.series_versions.latest(after="d.1") == []


def test_what_is_deleted_is_gone_and_its_number_is_not_given_again(store):
    for _ in range(3):
        store.series_versions.put("s", FITTED, TIMES, VALUES)
    assert store.series_versions.delete("s", 3) == 1
    assert store.series_versions.get("s")[0].version == 2
    assert store.series_versions.delete("s") == 2
    assert store.series_versions.count() == 0
    assert store.series_versions.put("s", FITTED, TIMES, VALUES).version == 4


def test_what_is_not_there_is_said_with_what_is(store):
    with pytest.raises(NotFound, match="no series 's' was fitted"):
        store.series_versions.get("s")
    store.series_versions.put("s", FITTED, TIMES, VALUES)
    for asked in (store.series_versions.get, store.series_versions.training, store.series_versions.delete):
        with pytest.raises(NotFound, match="'s' has no version 7; it has 1"):
            asked("s", 7)
    with pytest.raises(NotFound, match="no series 't' was fitted"):
        store.series_versions.versions("t")
    with pytest.raises(BadInput, match="version must be"):
        store.series_versions.get("s", 0)


def test_whoever_listens_is_told_of_new_and_deleted_versions(store):
    listener = psycopg2.connect(store.url.replace("+psycopg2", ""))
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    store.series_versions.put("s", FITTED, TIMES, VALUES)
    store.series_versions.delete("s")
    with pytest.raises(NotFound):
        store.series_versions.delete("s")
    told = []
    while len(told) < 2:
        assert select.select([listener], [], [], 10)[0]
        listener.poll()
        told += [(note.channel, note.payload) for note in listener.notifies]
        listener.notifies.clear()
    assert told == [(CHANNEL, "s 1"), (CHANNEL, "s")]
    listener.close()


@pytest.mark.parametrize("name", ["a", " sensor_01 ", "A.b-c_9", "x" * 200, "."])
def test_a_name_is_trimmed(name):
    assert series_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "..", "a..b", "ä", "x" * 201, "a;drop", "a\x00"])
def test_what_is_no_name_is_refused(name, store):
    with pytest.raises(BadInput, match="a series is named by"):
        store.series_versions.put(name, FITTED, TIMES, VALUES)
