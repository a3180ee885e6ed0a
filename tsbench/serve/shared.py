"""What all routes of one worker share: the store, the models in memory, the writer of fits, the measuring."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import Request

from tsbench.serve.company_answers import AllCompanies
from tsbench.serve.latency import Latencies
from tsbench.serve.metrics import Metrics
from tsbench.serve.patterns_now import PatternsNow
from tsbench.serve.rates import RateLimit
from tsbench.serve.rehearsal import rehearse
from tsbench.serve.warm import WarmModels
from tsbench.serve.writer import FitWriter
from tsbench.settings import Settings
from tsbench.store import Store, embedded
from tsbench.store.companies import Companies
from tsbench.store.listening import Listener
from tsbench.store.series_versions import CHANNEL, Fit, SeriesVersion

if TYPE_CHECKING:
    from redis.asyncio import Redis

# Seconds between two deliveries of what was measured.
TELL_EVERY = 1.0
# Seconds that fits on their way have when the service stops.
LEAVING = 10.0


class Service:
    """One worker's parts. Made at once; `running()` connects them.

    Parameters
        settings : in force.
    """

    store: Store
    models: WarmModels
    writer: FitWriter
    companies: Companies
    all_companies: AllCompanies
    patterns: PatternsNow

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.redis: Redis | None = None
        self.rate = RateLimit(None, settings.rate_limit)
        self.latencies = Latencies(None, settings.latency_history_limit)
        self.listener: Listener | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the store and Redis, listen for new versions; close everything on leaving."""
        settings, given = self.settings, self.settings.database
        services = None
        if given is None:
            services = await asyncio.to_thread(embedded.acquire, settings.home)
        try:
            self.store = Store(
                services.database_url if services else given,
                pool_size=settings.pool_size,
                pool_timeout=settings.pool_timeout,
            )
            if services is not None:
                await asyncio.to_thread(self.store.upgrade)
            await asyncio.to_thread(rehearse)
            self._connect_redis(services.redis_url if services else None)
            self.models = WarmModels(self.store.series_versions, settings.model_cache_size, self.metrics)
            self.writer = FitWriter(self.store.series_versions, self.metrics)
            self.companies = Companies(self.store.engine)
            self.all_companies = AllCompanies(self.companies)
            self.patterns = PatternsNow(self.store, settings)
            self.listener = self._listening(asyncio.get_running_loop())
            delivery = asyncio.create_task(self._tell())
            try:
                yield
            finally:
                delivery.cancel()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.writer.close(), LEAVING)
                await asyncio.to_thread(self.listener.stop)
                await self.latencies.try_to_deliver()
                if self.redis is not None:
                    await self.redis.aclose()
                self.store.close()
        finally:
            if services is not None:
                await asyncio.to_thread(services.close)

    async def keep(self, fit: Fit) -> SeriesVersion:
        """The version that a fit becomes; the next prediction in this worker already uses it."""
        version = await self.writer.put(fit)
        self.models.newer(version.series_id, version.version)
        self.metrics.fitted.inc(version.points)
        return version

    async def _tell(self) -> None:
        """Bring what was measured to Redis and to the metrics, each second, until cancelled."""
        while True:
            await asyncio.sleep(TELL_EVERY)
            self.measure()
            await self.latencies.try_to_deliver()

    def measure(self) -> None:
        """Note how things stand, for Prometheus."""
        self.metrics.models.set(len(self.models))
        self.metrics.listening.set(self.listener is not None and self.listener.connected.is_set())

    def _connect_redis(self, embedded_url: str | None) -> None:
        from redis.asyncio import Redis

        secret = self.settings.redis_url
        url = embedded_url if secret is None else secret.get_secret_value()
        if url is not None:
            self.redis = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self.rate = RateLimit(self.redis, self.settings.rate_limit)
        self.latencies = Latencies(self.redis, self.settings.latency_history_limit)

    def _listening(self, loop: asyncio.AbstractEventLoop) -> Listener:
        def told(word: str) -> None:
            series_id, _, number = word.partition(" ")
            if number.isascii() and number.isdigit():
                loop.call_soon_threadsafe(self.models.newer, series_id, int(number))
            else:
                loop.call_soon_threadsafe(self.models.gone, series_id)

        def missed() -> None:
            loop.call_soon_threadsafe(self.models.doubt)

        listener = Listener(self.store.engine, CHANNEL, on_word=told, on_gap=missed)
        listener.start()
        return listener


def of_request(request: Request) -> Service:
    """The service behind a route."""
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(of_request)]
