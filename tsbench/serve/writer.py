"""Fits on their way into the database: those that come while one transaction is written share the next."""

import asyncio
from collections import deque

from tsbench.errors import Unavailable
from tsbench.serve.metrics import Metrics
from tsbench.store.series_versions import Fit, SeriesVersion, SeriesVersions

# Of one transaction: fits, and values in all of them together.
MOST_FITS, MOST_VALUES = 256, 1_000_000


class FitWriter:
    """Writes fits in groups. One commit is paid for all of them (group commit).

    Each fit is answered when its transaction is committed; nothing is acknowledged that a crash could undo.

    Parameters
        versions : where they are kept. metrics : told of every commit.
        waiting : how many may wait; one more is refused.
    """

    def __init__(self, versions: SeriesVersions, metrics: Metrics, *, waiting: int = 4_096) -> None:
        self._versions, self._metrics, self._most = versions, metrics, waiting
        self._waiting: deque[tuple[Fit, asyncio.Future[SeriesVersion]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, fit: Fit) -> SeriesVersion:
        """The version that a fit became, once it is safe on disk. Raises Unavailable."""
        if len(self._waiting) >= self._most:
            words = f"{self._most} fits wait to be written; try again in a moment"
            raise Unavailable(words, told=words)
        future: asyncio.Future[SeriesVersion] = asyncio.get_running_loop().create_future()
        self._waiting.append((fit, future))
        if self._task is None:
            self._task = asyncio.ensure_future(self._write())
        return await future

    async def close(self) -> None:
        """Wait until what waits is written."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        try:
            while self._waiting:
                group = self._next()
                if not group:
                    continue
                try:
                    made = await asyncio.to_thread(self._versions.put_many, [fit for fit, _ in group])
                except Exception as error:
                    for _, future in group:
                        if not future.done():
                            future.set_exception(error)
                else:
                    self._metrics.commits.inc()
                    for (_, future), version in zip(group, made, strict=True):
                        if not future.done():
                            future.set_result(version)
        finally:
            self._task = None

    def _next(self) -> list[tuple[Fit, asyncio.Future[SeriesVersion]]]:
        """What goes into the next transaction; whoever has left meanwhile does not."""
        group: list[tuple[Fit, asyncio.Future[SeriesVersion]]] = []
        values = 0
        while self._waiting and len(group) < MOST_FITS:
            fit, future = self._waiting[0]
            if group and values + fit.values.size > MOST_VALUES:
                break
            self._waiting.popleft()
            if not future.done():
                group.append((fit, future))
                values += fit.values.size
        return group
