"""The service as it runs: uvicorn on a real socket, in a thread, on a real PostgreSQL and Valkey."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
import uvicorn

from tsbench.serve import create_app
from tsbench.settings import Settings
from tsbench.store import Store, embedded

PATIENCE = 30.0


@dataclass(frozen=True)
class Served:
    """A running service: where it answers, a client of it, and the store and Redis behind it."""

    url: str
    client: httpx2.Client
    store: Store
    redis: "redis.Redis"
    settings: Settings

    def fit(self, series_id: str, values: list[float], **query: Any) -> httpx2.Response:
        sent = {"timestamps": list(range(len(values))), "values": values}
        return self.client.post(f"/fit/{series_id}", json=sent, params=query)

    def predict(self, series_id: str, value: float, **query: Any) -> httpx2.Response:
        return self.client.post(f"/predict/{series_id}", json={"timestamp": "1", "value": value}, params=query)


Serve = Callable[..., AbstractContextManager[Served]]


class _Server(uvicorn.Server):
    """A server that tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The address at which `app` answers."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.listening.wait(PATIENCE), "the service did not start"
    assert server.started, "the service stopped while it started"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@pytest.fixture(scope="session")
def listen() -> Callable[[Any], AbstractContextManager[str]]:
    """`with listen(app) as url`: any application on a port of its own."""
    return listening


@pytest.fixture(scope="module")
def serve(server_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """`with serve(template, setting=value, ...) as served`: a service on a new copy of a database."""

    @contextmanager
    def start(template: str, **changes: Any) -> Iterator[Served]:
        home: Path = tmp_path_factory.mktemp("home")
        with embedded.fresh_database(server_url, template=template.rsplit("/", 1)[1].split("?")[0]) as url:
            given = {"home": home, "DATABASE_URL": url, "REDIS_URL": redis_url} | changes
            settings = Settings(_env_file=None, **given)
            asked = redis.Redis.from_url(redis_url)
            asked.flushdb()
            with (
                Store(url) as store,
                listening(create_app(settings)) as address,
                httpx2.Client(base_url=address, timeout=PATIENCE) as client,
            ):
                yield Served(address, client, store, asked, settings)
            asked.close()

    return start


@pytest.fixture(scope="module")
def served(serve: Serve, empty_template: str) -> Iterator[Served]:
    """A service on an empty store, shared by the tests of a module: use series names of your own."""
    with serve(empty_template) as running:
        yield running


@pytest.fixture(scope="module")
def served_companies(serve: Serve, companies_template: str) -> Iterator[Served]:
    """A service on the shipped companies, shared by the tests of a module."""
    with serve(companies_template) as running:
        yield running
