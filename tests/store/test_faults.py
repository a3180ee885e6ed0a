"""Killed in the middle: either all of it is there, or nothing."""

import subprocess
import sys
import time

import pandas as pd
import pytest

from tsbench.store import Store
from tsbench.store.engine import transaction

pytestmark = pytest.mark.fault

# Loads a file, and says so just before the last statement of its transaction, then waits to be killed there.
LOADER = """
import sys, time
import tsbench.store.loading as loading
from tsbench.store import Store

def pausing(name, found=loading.statement):
    if name == "log_load":
        print("written, not committed", flush=True)
        time.sleep(600)
    return found(name)

loading.statement = pausing
Store(sys.argv[1]).load(sys.argv[2], progress=False)
"""
# Puts chunks one after the other for ever, telling each that is stored.
SCANNER = """
import sys
import pandas as pd
from tsbench.store import Store

store = Store(sys.argv[1])
store.scans.begin("s", {"name": "p"}, {}, "h")
for chunk in range(100_000):
    rows = pd.DataFrame({"entity": [f"{chunk}-{i}" for i in range(50)], "status": "tested"})
    store.scans.put_chunk("s", chunk, rows)
    print(chunk, flush=True)
"""


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def companies_in(store):
    return set(store.companies()["symbol"])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "some.csv"
    dates = pd.date_range("2015-03-31", periods=12, freq="QE")
    frame = pd.DataFrame(
        [(f"T{i}", "revenue", d, 1.0 + k) for i in range(600) for k, d in enumerate(dates)],
        columns=["ticker", "metric", "date", "value"],
    )
    frame.to_csv(path, index=False)
    return path


def test_a_load_killed_after_its_last_row_leaves_nothing_and_nothing_locked(store, file):
    loader = subprocess.Popen([sys.executable, "-c", LOADER, store.url, str(file)], stdout=subprocess.PIPE, text=True)
    assert loader.stdout is not None
    assert loader.stdout.readline() == "written, not committed\n"
    assert companies_in(store) == set()
    loader.kill()
    loader.wait()
    loader.stdout.close()
    report = store.load(file, progress=False)
    assert report.files[0].added == 7200
    assert len(companies_in(store)) == 600


def test_a_scan_killed_between_chunks_has_whole_chunks_only(store):
    scanner = subprocess.Popen([sys.executable, "-c", SCANNER, store.url], stdout=subprocess.PIPE, text=True)
    assert scanner.stdout is not None
    told = [int(scanner.stdout.readline()) for _ in range(20)]
    scanner.kill()
    scanner.wait()
    scanner.stdout.close()
    with transaction(store.engine) as cursor:
        # The backend of the killed client may still be at work on its last statement.
        cursor.execute("SELECT 1 FROM scan FOR UPDATE")
    done = store.scans.done_chunks("s")
    assert set(told) <= done
    entities = store.scans.matches("s")["entity"]
    assert set(entities) == {f"{chunk}-{i}" for chunk in done for i in range(50)}


def test_a_server_that_dropped_our_connections_is_used_again(store):
    store.companies()
    with Store(store.url) as other, transaction(other.engine) as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_until(lambda: companies_in(store) == set())
