"""Fitted versions as files: whole, once, and the numbers they were."""

import json

import numpy as np
import pytest

from tsbench.detect.anomaly import Robust, ZScore, restored
from tsbench.errors import NotFound
from tsbench.records import State
from tsbench.store import series_files

VALUES = [10.0, 11.2, 10.4, 0.1 + 0.2, 1e-300]
TIMES = [0, 1, 2, 2**62, 2**63 - 1]


@pytest.fixture
def folders(tmp_path):
    return {"models": tmp_path / "models", "training": tmp_path / "data"}


@pytest.fixture
def versions(store):
    for series_id, model in (("a", ZScore()), ("a", Robust()), ("b.c", ZScore())):
        store.series_versions.put(series_id, model.fit(VALUES), TIMES, VALUES)
    return store.series_versions


def test_every_version_becomes_two_files_that_hold_all_of_it(versions, folders):
    written = list(series_files.export(versions, **folders))
    assert [(version.series_id, version.version, new) for version, new in written] == [
        ("a", 1, True), ("a", 2, True), ("b.c", 1, True),
    ]  # fmt: skip
    found = sorted(str(path.relative_to(folders["models"].parent)) for path in folders["models"].parent.rglob("*.*"))
    assert [path for path in found if not path.endswith("b.c")] == [
        "data/a/v1.csv", "data/a/v2.csv", "data/b.c/v1.csv",
        "models/a/v1.json", "models/a/v2.json", "models/b.c/v1.json",
    ]  # fmt: skip
    document = json.loads((folders["models"] / "a" / "v2.json").read_text())
    arrays = {name: np.array(values) for name, values in document["arrays"].items()}
    again = restored(State(document["model"], document["layout"], document["meta"], arrays))
    assert again.judge(12.0) == Robust().fit(VALUES).judge(12.0)
    table = np.genfromtxt(folders["training"] / "a" / "v1.csv", delimiter=",", skip_header=1)
    assert table[:, 1].tolist() == VALUES
    assert (folders["training"] / "a" / "v1.csv").read_text().splitlines()[-1] == f"{2**63 - 1},1e-300"


def test_what_is_there_stays_and_what_is_missing_is_written(versions, folders):
    list(series_files.export(versions, **folders))
    kept = folders["training"] / "a" / "v1.csv"
    kept.write_text("mine")
    (folders["training"] / "b.c" / "v1.csv").unlink()
    again = list(series_files.export(versions, **folders))
    assert [new for _, new in again] == [False, False, True]
    assert kept.read_text() == "mine"


def test_files_of_another_database_are_replaced(versions, folders):
    list(series_files.export(versions, **folders))
    document = json.loads((folders["models"] / "a" / "v1.json").read_text())
    for strange in (json.dumps(document | {"created_at": "2020-01-01T00:00:00+00:00"}), "{}", "no json", "[]"):
        (folders["models"] / "a" / "v1.json").write_text(strange)
        (folders["training"] / "a" / "v1.csv").write_text("old")
        assert [new for _, new in series_files.export(versions, **folders)] == [True, False, False]
        assert (folders["training"] / "a" / "v1.csv").read_text() != "old"


def test_a_series_called_dot_has_a_folder_of_its_own(store, folders):
    store.series_versions.put(".", ZScore().fit(VALUES), TIMES, VALUES)
    list(series_files.export(store.series_versions, **folders))
    assert (folders["models"] / "%2E" / "v1.json").exists()


def test_only_the_series_named_are_written_and_a_strange_one_is_refused(versions, folders):
    assert [version.series_id for version, _ in series_files.export(versions, **folders, series=["b.c"])] == ["b.c"]
    assert not (folders["models"] / "a").exists()
    with pytest.raises(NotFound, match="no series 'x' was fitted"):
        list(series_files.export(versions, **folders, series=["x"]))


def test_more_series_than_a_page_are_all_written(versions, folders, monkeypatch):
    monkeypatch.setattr(series_files, "PAGE", 1)
    assert len(list(series_files.export(versions, **folders))) == 3


def test_the_command_writes_where_the_settings_say(tell, home, database_url, monkeypatch):
    from tsbench.store import Store

    with Store(database_url) as store:
        store.series_versions.put("sensor_01", ZScore().fit(VALUES), TIMES, VALUES)
    monkeypatch.setenv("MODEL_FOLDER", "elsewhere")
    done = tell("export")
    assert (done.status, "1 of 1 versions written" in done.err) == (0, True)
    assert (home / "elsewhere" / "sensor_01" / "v1.json").exists()
    assert (home / "data" / "data" / "sensor_01" / "v1.csv").exists()
