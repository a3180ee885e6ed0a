"""How long fits and predictions took: the last ones of all workers, in Redis lists."""

import logging
from collections import deque
from typing import Any, Literal

import numpy as np
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tsbench.errors import Unavailable

log = logging.getLogger(__name__)
Kind = Literal["inference", "training"]
NONE = "this service has no Redis, where latencies are kept; its keeper must set REDIS_URL"
AWAY = "Redis, where latencies are kept, does not answer; try again in a moment"
KINDS: tuple[Kind, ...] = ("inference", "training")


class Latencies:
    """Latencies of one worker, brought to Redis in the background; a dead Redis costs a request nothing.

    Parameters
        redis : None where there is none. limit : how many of each kind are kept, here and in Redis.
    """

    def __init__(self, redis: "Redis | None", limit: int) -> None:
        self._redis, self._limit = redis, limit
        self.inference: deque[float] = deque(maxlen=limit)
        self.training: deque[float] = deque(maxlen=limit)
        self._reachable = True

    async def try_to_deliver(self) -> None:
        """Deliver, or say once that Redis is away."""
        try:
            await self.deliver()
        except Unavailable as error:
            if self._reachable:
                log.warning("%s; latencies wait", error)
            self._reachable = False
        else:
            self._reachable = True

    async def deliver(self) -> None:
        """Bring what was noted since the last time. Raises Unavailable; it is kept for the next time then."""
        if self._redis is None:
            raise Unavailable(NONE, told=NONE)
        waiting = {"inference": list(self.inference), "training": list(self.training)}
        self.inference.clear()
        self.training.clear()
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for kind, milliseconds in waiting.items():
                    if milliseconds:
                        pipe.lpush(_key(kind), *milliseconds)
                        pipe.ltrim(_key(kind), 0, self._limit - 1)
                await pipe.execute()
        except (RedisError, OSError) as error:
            # the newest are kept where there is no room for all
            for noted, before in ((self.inference, waiting["inference"]), (self.training, waiting["training"])):
                both = [*before, *noted]
                noted.clear()
                noted.extend(both)
            raise Unavailable(AWAY, told=AWAY) from error

    async def summary(self) -> dict[str, dict[str, Any]]:
        """Count, mean and percentiles of the kept ones, in milliseconds, by kind. Raises Unavailable."""
        await self.deliver()
        assert self._redis is not None
        try:
            found = {kind: await self._redis.lrange(_key(kind), 0, self._limit - 1) for kind in KINDS}
        except (RedisError, OSError) as error:
            raise Unavailable(AWAY, told=AWAY) from error
        return {kind: _summary(np.array([float(text) for text in texts])) for kind, texts in found.items()}


def _key(kind: str) -> str:
    return f"tsbench:latency:{kind}"


def _summary(milliseconds: np.ndarray[Any, Any]) -> dict[str, Any]:
    if not milliseconds.size:
        return {"avg": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "count": 0}
    p50, p95, p99 = np.percentile(milliseconds, (50, 95, 99)).round(3).tolist()
    return {
        "avg": round(float(milliseconds.mean()), 3),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "count": int(milliseconds.size),
    }
