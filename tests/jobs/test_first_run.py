"""The first run fills an empty embedded store, once, and never a user's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tsbench.errors import BadInput
from tsbench.jobs import load_shipped, train
from tsbench.settings import Settings
from tsbench.store import Store

pytestmark = pytest.mark.usefixtures("small_detectors")

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_embedded_store_gets_the_shipped_companies_once(store: Store) -> None:
    notes: list[str] = []
    settings = Settings(home=ROOT, database_url=None, database_host=None)
    assert load_shipped(store, settings, note=notes.append)
    assert len(store.companies()) == 221
    assert "quarterly_1993_2019.parquet" in notes[0]
    assert not load_shipped(store, settings, note=notes.append)


def test_a_database_of_ones_own_is_not_filled(store: Store) -> None:
    with pytest.raises(BadInput, match="your database holds no companies; run: tsbench load"):
        load_shipped(store, Settings(home=ROOT, DATABASE_URL="postgresql://h/n"))
    assert store.companies().empty


def test_a_project_without_data_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no company files lie in"):
        load_shipped(store, Settings(home=tmp_path))


def test_a_trained_detector_comes_back_from_the_registry(companies: Store) -> None:
    from tsbench.detect import PatternDetector

    version = train(companies, "overlooked", seed=3)
    assert version.metrics["companies"] == 221
    stored, state = companies.registry.get("overlooked")
    assert stored.version == version.version
    detector = PatternDetector.from_state(state)
    assert detector.pattern.name == "overlooked"
    needed = {row["length"]: row["needed"] for row in version.metrics["needed_score"]}
    assert 0 < needed[80] < 1


COLD = """
import sys
from tsbench.detect import PatternDetector
from tsbench.jobs.warmup import warm
from tsbench.kernels.compile import cache_folder
from tsbench.patterns import named
from tsbench.store import Store

def compiled():
    return {path.name for path in cache_folder().rglob("*") if path.is_file()}

warm()
before = compiled()
assert before
store = Store(sys.argv[1])
for name in ("overlooked", "dip_recovery"):
    pattern = named(name)
    panel = store.series_of(metric=pattern.metrics, frequency="quarterly")
    PatternDetector(pattern, surrogates=1000).fit(panel).scan(panel, where="forming", confirm=1)
print(*(compiled() - before))
"""


@pytest.mark.compiling
def test_after_the_warmup_a_scan_compiles_nothing(companies: Store, tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COLD, companies.url], capture_output=True, text=True, env=environment, timeout=300
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
