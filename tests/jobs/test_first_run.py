"""The first run fills an empty embedded store, once, and never a user's own."""

from pathlib import Path

import pytest

from tsbench.errors import BadInput
from tsbench.jobs.first_run import load_shipped
from tsbench.jobs.training import train
from tsbench.jobs.warmup import warm
from tsbench.settings import Settings
from tsbench.store import Store

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


def test_the_warmup_compiles_every_kernel_a_scan_enters() -> None:
    from tsbench.kernels import search, steps

    warm()
    assert search.best_matches.signatures
    assert steps.step_statistics.signatures
