"""Patterns and models in numbered versions."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tsbench.errors import BadInput, NotFound
from tsbench.patterns import Channel, Pattern
from tsbench.records import State
from tsbench.store import Store
from tsbench.store.engine import transaction
from tsbench.store.versions import pack, unpack

STATE = State("pattern_detector", 2, {"seed": 3, "lengths": [8, 16], "name": "a"}, {"loc": np.array([1.5, np.nan])})


DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 24))


def put(store, name="dip", state=STATE, **extra):
    return store.registry.put(name, state, **({"metrics": {"auc": 0.9}, "data_hash": "abc", "seed": 7} | extra))


def test_a_pattern_is_saved_and_found_again(store):
    assert store.patterns.save(DIP) == store.patterns.save(DIP.to_json()) == 1
    assert Pattern.from_json(store.patterns.get("dip")) == DIP
    assert store.patterns.names() == ["dip"]


def test_a_deleted_pattern_is_gone_and_its_numbers_are_not_given_again(store):
    for warp in (0.1, 0.2):
        store.patterns.save(replace(DIP, warp=warp))
    store.patterns.save(replace(DIP, name="other"))
    store.patterns.delete("dip")
    assert store.patterns.names() == ["other"]
    with pytest.raises(NotFound, match="no pattern 'dip' is saved; saved are other"):
        store.patterns.delete("dip")
    assert store.patterns.save(DIP) == 3


def test_the_name_of_a_shipped_pattern_is_refused(store):
    for shadow in (replace(DIP, name="erosion"), replace(DIP, name="erosion").to_json()):
        with pytest.raises(BadInput, match="'erosion' is a shipped pattern; give yours another name"):
            store.patterns.save(shadow)
    assert store.patterns.names() == []


def test_a_changed_pattern_is_a_new_version_and_the_same_one_is_not(store):
    assert [store.patterns.save(replace(DIP, warp=w)) for w in (0.1, 0.1, 0.2, 0.2, 0.1)] == [1, 1, 2, 2, 3]
    assert store.patterns.get("dip", 2)["warp"] == 0.2
    assert store.patterns.get("dip")["warp"] == 0.1


def test_what_is_no_pattern_is_refused(store):
    whole = DIP.to_json()
    for spec in ({}, {**whole, "name": ""}, {**whole, "warp": math.inf}, {**whole, "high": 3}, "dip", None):
        with pytest.raises(BadInput):
            store.patterns.save(spec)
    assert store.patterns.names() == []


def test_what_was_never_saved_is_not_found(store):
    store.patterns.save(DIP)
    with pytest.raises(NotFound, match="no pattern 'dop' is saved; saved are dip"):
        store.patterns.get("dop")
    with pytest.raises(NotFound, match="version 9"):
        store.patterns.get("dip", 9)
    with pytest.raises(NotFound, match="no model 'dip' is registered"):
        store.registry.get("dip")


def test_a_model_comes_back_as_it_was(store):
    version = put(store, metrics={"auc": math.nan, "n": 3})
    assert (version.name, version.version, version.kind, version.seed) == ("dip", 1, "pattern_detector", 7)
    assert version.library_versions["numpy"] == np.__version__
    again, state = store.registry.get("dip")
    assert math.isnan(again.metrics["auc"])
    assert (again.data_hash, again.created_at, again.library_versions) == (
        version.data_hash,
        version.created_at,
        version.library_versions,
    )
    assert (state.kind, state.version, state.meta) == (STATE.kind, STATE.version, STATE.meta)
    np.testing.assert_array_equal(state.arrays["loc"], STATE.arrays["loc"])
    assert "dip version 1" in str(version)


def test_a_fitted_object_is_asked_for_its_state(store):
    class Fitted:
        def to_state(self):
            return STATE

    put(store, state=Fitted())
    assert store.registry.get("dip")[1].meta == STATE.meta


def test_versions_count_up_per_name_and_old_ones_stay(store):
    for n in range(3):
        put(store, seed=n)
    put(store, name="'; DROP TABLE model_version; --", seed=None)
    assert store.registry.get("dip", 2)[0].seed == 1
    table = store.registry.list()
    assert table[["name", "version"]].to_numpy().tolist() == [
        ["'; DROP TABLE model_version; --", 1],
        ["dip", 3],
        ["dip", 2],
        ["dip", 1],
    ]


def test_simultaneous_puts_get_distinct_consecutive_versions(store):
    with Store(store.url) as other, ThreadPoolExecutor(8) as pool:
        stores = [store, other] * 20
        versions = list(pool.map(lambda s: put(s).version, stores))
        saved = list(pool.map(lambda i: stores[i].patterns.save(replace(DIP, warp=i / 100)), range(40)))
    assert sorted(versions) == list(range(1, 41))
    assert sorted(saved) == list(range(1, 41))


def test_a_put_that_fails_takes_no_number(store):
    put(store)
    with transaction(store.engine) as cursor:
        cursor.execute("ALTER TABLE model_version ADD CHECK (seed <> 13)")
    with pytest.raises(Exception, match="check constraint"):
        put(store, seed=13)
    assert put(store).version == 2


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (State("k", 1, {"a": math.nan}), "not finite"),
        (State("k", 1, {"a": [1, {"b": math.inf}]}), "infinite"),
        (State("k", 1, {}, {"a": np.array([None, {}], dtype=object)}), "Python objects"),
        (State("k", 1, {"a": object()}), "JSON"),
    ],
)
def test_a_state_that_would_not_come_back_is_refused(store, state, message):
    with pytest.raises(BadInput, match=message):
        put(store, state=state)
    assert store.registry.list().empty


def test_equal_arrays_make_equal_bytes():
    arrays = {"b": np.arange(3), "a": np.array(["x", "yz"])}
    assert pack(arrays) == pack(dict(reversed(arrays.items())))


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=8)
        | st.sampled_from(["file", "allow_pickle", "a.npy"]),
        hnp.arrays(
            st.sampled_from([np.float64, np.int8, np.bool_, np.dtype("M8[us]"), np.dtype("<U3")]),
            hnp.array_shapes(min_side=0),
        ),
        max_size=3,
    )
)
def test_arrays_of_any_name_shape_and_plain_type_come_back(arrays):
    back = unpack(pack(arrays))
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
