"""Fitted detectors kept in memory, so that a prediction touches no database; told by the database what is new."""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from tsbench.detect.anomaly import AnomalyDetector, restored
from tsbench.serve.metrics import Metrics
from tsbench.store.series_versions import SeriesVersion, SeriesVersions

# Stands for "the latest" among version numbers, which begin at 1.
LATEST = 0
Key = tuple[str, int]


class Warm(NamedTuple):
    """A fitted detector and the version it is."""

    version: SeriesVersion
    detector: AnomalyDetector


class WarmModels:
    """The detectors of one worker, the longest unused leaving first. Used from the event loop alone.

    A version never changes, so only "the latest" can grow old: it is dropped when the database tells of a newer one,
    and asked for again by whoever needs it.

    Parameters
        versions : where they are loaded from. size : how many are kept. metrics : told of every load.
    """

    def __init__(self, versions: SeriesVersions, size: int, metrics: Metrics) -> None:
        self._versions, self._size, self._metrics = versions, size, metrics
        self._held: OrderedDict[Key, Warm] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Warm]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def held(self, series_id: str, number: int = LATEST) -> Warm | None:
        """The detector if it is in memory. `number` of a version, or LATEST."""
        key = (series_id, number)
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    async def get(self, series_id: str, number: int = LATEST) -> Warm:
        """The detector, from memory or loaded; who asks meanwhile waits for the same load.

        Parameters
            series_id : its name. number : of its version, or LATEST.
        Raises     NotFound, Unavailable.
        """
        found = self.held(series_id, number)
        if found is not None:
            return found
        key = (series_id, number)
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.ensure_future(self._load(key))
            # when all who waited have left, nobody else asks how it ended
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def newer(self, series_id: str, number: int) -> None:
        """Version `number` of `series_id` is in the database: what is older is not the latest any more."""
        held = self._held.get((series_id, LATEST))
        if held is None or held.version.version < number:
            self._forget((series_id, LATEST))

    def gone(self, series_id: str) -> None:
        """Versions of `series_id` were deleted."""
        for key in [key for key in (*self._held, *self._loading) if key[0] == series_id]:
            self._forget(key)

    def doubt(self) -> None:
        """Words of the database may have been missed: nothing in memory is known to be the latest, or to be there."""
        self._held.clear()
        self._loading.clear()

    def _forget(self, key: Key) -> None:
        self._held.pop(key, None)
        # a load that is under way may bring the old one: it answers those who wait and is not kept
        self._loading.pop(key, None)

    async def _load(self, key: Key) -> Warm:
        task = asyncio.current_task()
        series_id, number = key
        try:
            self._metrics.loads.inc()
            version, state = await asyncio.to_thread(self._versions.get, series_id, number or None)
            warm = Warm(version, restored(state))
            if self._loading.get(key) is task:
                self._held[key] = warm
                if len(self._held) > self._size:
                    self._held.popitem(last=False)
            return warm
        finally:
            if self._loading.get(key) is task:
                del self._loading[key]
