"""The figures the project quotes are those its scripts wrote, about the sets that were frozen before."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_figures_is_made_from_the_committed_results():
    done = subprocess.run(
        [sys.executable, "benchmark/tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("where", "name", "length", "frozen"),
    [
        ("planted", "joint_turn", (16, 60), "eeb66edd55c1c3a9"),
        ("planted_in_companies", "step", (10, 30), "c17bfc6187761f2a"),
    ],
)
def test_the_planted_sets_are_those_that_were_frozen(where, name, length, frozen, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmark")
    sets = importlib.import_module("shape_sets")
    cell = getattr(sets, where)(sets.shapes(length)[name], 20, 6, 0)
    digest = hashlib.sha256()
    for values in cell.series:
        digest.update((values.round(6) + 0.0).astype("<f8").tobytes())
    for stretches in (cell.truth, cell.ignored):
        digest.update(repr(stretches.to_numpy().tolist()).encode())
    assert digest.hexdigest()[:16] == frozen
