"""A real PostgreSQL and Redis for every test that wants one: the embedded ones, or those of TSBENCH_TEST_*_URL."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tsbench.cli import main
from tsbench.detect import head
from tsbench.settings import table
from tsbench.store import Store, embedded
from tsbench.store.engine import address

COMPANIES = Path(__file__).parents[1] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Services]:
    """A PostgreSQL, by a user who may create databases, and a Redis."""
    given = os.environ.get("TSBENCH_TEST_DATABASE_URL")
    if given:
        url = address(given).render_as_string(hide_password=False)
        yield embedded.Services(url, os.environ.get("TSBENCH_TEST_REDIS_URL"))
        return
    project = tmp_path_factory.mktemp("server")
    with embedded.acquire(project) as running:
        yield running
    status = embedded.stop(project, force=True)
    shutil.rmtree(status.folder, ignore_errors=True)
    shutil.rmtree(status.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def server_url(services: embedded.Services) -> str:
    """Some database of a running server, by a user who may create others."""
    return services.database_url


@pytest.fixture(scope="session")
def redis_url(services: embedded.Services) -> str:
    """A running Redis."""
    if services.redis_url is None:
        pytest.skip("no Redis: none is given, or the embedded one does not run on this platform")
    return services.redis_url


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


class Told(NamedTuple):
    """What a command left: exit status and the two streams."""

    status: int
    out: str
    err: str


Tell = Callable[..., Told]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, and an environment that points there and says nothing else."""
    for setting in table():
        for name in (setting.name, *setting.aliases):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TSBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tell(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """A command in this process, on a database of its own; without one in a project folder without a store."""

    def run(*words: str, store: bool = True) -> Told:
        with monkeypatch.context() as patch:
            if store:
                patch.setenv("DATABASE_URL", database_url)
            return told(capsys, *words)

    return run


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Told:
    """What a command in this process leaves."""
    capsys.readouterr()
    try:
        main(words)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 0
    return Told(status, *capsys.readouterr())


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
