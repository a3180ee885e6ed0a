"""A scan that is killed or interrupted goes on where it was."""

import signal
import subprocess
import sys

import pandas as pd
import pytest

from tests.jobs.test_scan import DIP
from tsbench import jobs

pytestmark = pytest.mark.fault

SLOW_SCAN = """
import sys, time
from tsbench import jobs
from tsbench.store import Store
from tests.jobs.test_scan import DIP
store = Store(sys.argv[1])
put = store.scans.put_chunk
def slowly(*arguments):
    put(*arguments)
    print("chunk", flush=True)
    time.sleep(0.2)
store.scans.put_chunk = slowly
jobs.scan(store, DIP, scan_id=sys.argv[2], chunk=10, confirm=2, progress=False)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_scan_goes_on_without_losing_or_doubling_a_chunk(companies, blow):
    scan_id = f"interrupted-{blow.name}"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_SCAN, companies.url, scan_id],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        for _ in range(3):
            assert process.stdout.readline() == "chunk\n"
        process.send_signal(blow)
        process.wait(timeout=60)
    kept = companies.scans.done_chunks(scan_id)
    assert 3 <= len(kept) < 23
    assert companies.scans.get(scan_id).status == "running"
    resumed = jobs.scan(companies, DIP, scan_id=scan_id, chunk=10, confirm=2, progress=False)
    whole = jobs.scan(companies, DIP, chunk=10, confirm=2, progress=False)
    pd.testing.assert_frame_equal(resumed.matches, whole.matches)
    assert len(resumed.matches) == 221
