"""A real PostgreSQL for every test that wants one: the embedded server, or the one of TSBENCH_TEST_DATABASE_URL."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tsbench.detect import head
from tsbench.store import Store, embedded
from tsbench.store.engine import address

COMPANIES = Path(__file__).parents[1] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Some database of a running server, by a user who may create others."""
    given = os.environ.get("TSBENCH_TEST_DATABASE_URL")
    if given:
        yield address(given).render_as_string(hide_password=False)
        return
    project = tmp_path_factory.mktemp("server")
    with embedded.acquire(project, redis=False) as services:
        yield services.database_url
    status = embedded.stop(project, force=True)
    shutil.rmtree(status.folder, ignore_errors=True)
    shutil.rmtree(status.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_template(server_url: str) -> Iterator[str]:
    """A migrated database to copy; nobody stays connected to it."""
    with embedded.fresh_database(server_url) as url:
        with Store(url) as store:
            store.upgrade()
        yield url


@pytest.fixture(scope="session")
def companies_template(server_url: str, empty_template: str) -> Iterator[str]:
    """A database with the shipped companies, to copy."""
    with embedded.fresh_database(server_url, template=_name(empty_template)) as url:
        with Store(url) as store:
            store.load(COMPANIES, progress=False)
        yield url


@pytest.fixture
def database_url(server_url: str, empty_template: str) -> Iterator[str]:
    """A database of its own for one test: migrated, empty."""
    with embedded.fresh_database(server_url, template=_name(empty_template)) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store of its own for one test."""
    with Store(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def companies(server_url: str, companies_template: str) -> Iterator[Store]:
    """A store with the shipped companies, shared by the tests of a module: read it, leave it as it is."""
    with (
        embedded.fresh_database(server_url, template=_name(companies_template)) as url,
        Store(url) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def small_detectors() -> Iterator[None]:
    """Coarser judges in a quarter of the time, where a test asks what is done with them, not how good they are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SERIES", "MORE_SERIES", "SERIES_NOW", "MORE_SERIES_NOW"):
            patch.setattr(head, name, 300)
        patch.setattr(head, "FINAL_TREES", 80)
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium: the system's, else the one playwright brought."""
    from playwright.sync_api import sync_playwright

    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])
        yield opened
        opened.close()


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1].split("?")[0]
