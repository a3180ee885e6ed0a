"""The figures the project quotes are those its scripts wrote."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_figures_is_made_from_the_committed_results():
    done = subprocess.run(
        [sys.executable, "benchmark/tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
