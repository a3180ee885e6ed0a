"""How many requests a client may make per minute, counted over all workers."""

import logging
import time
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
MINUTE = 60
# A worker asks Redis for so many twentieths of the limit at once, so that most requests cost no round trip.
SHARE = 20


@dataclass(slots=True)
class Lease:
    """What a worker may still let pass of a client in one minute."""

    minute: int
    left: int
    # what was left over all workers when Redis was last asked
    remaining: int


class RateLimit:
    """Fixed windows of a minute. Permissions are leased from Redis in blocks; without Redis each worker counts alone.

    A worker that holds the rest of a block may let a client pass whom another refuses; never more than the limit pass.

    Parameters
        redis : None where there is none. limit : requests per client and minute; 0 = any number.
    """

    def __init__(self, redis: "Redis | None", limit: int) -> None:
        self._redis, self.limit = redis, limit
        self._block = max(1, limit // SHARE)
        self._leases: dict[str, Lease] = {}

    def spend(self, client: str) -> Lease | None:
        """One permission out of the block at hand; None when there is none and `lease` must be asked."""
        lease = self._leases.get(client)
        if lease is None or lease.left == 0 or lease.minute != int(time.time()) // MINUTE:
            return None
        lease.left -= 1
        lease.remaining = max(0, lease.remaining - 1)
        return lease

    async def lease(self, client: str) -> Lease:
        """A new block, one of it spent; with nothing in it (`left` -1) the client is over its limit."""
        minute = int(time.time()) // MINUTE
        held = self._leases.get(client)
        if held is not None and held.minute == minute and held.left < 0:
            return held
        if len(self._leases) > 10_000:
            self._leases = {name: kept for name, kept in self._leases.items() if kept.minute == minute}
        taken = await self._take(client, minute)
        got = max(0, min(self._block, self.limit - taken))
        current = self._leases.get(client)
        # another request of the client may have leased a block while this one waited
        kept = current.left if current is not None and current.minute == minute and current.left > 0 else 0
        fresh = Lease(minute, kept + got - 1, max(0, self.limit - taken - 1))
        self._leases[client] = fresh
        return fresh

    async def _take(self, client: str, minute: int) -> int:
        """How many were given out in this minute before this block."""
        key = f"tsbench:rate:{client}:{minute}"
        if self._redis is not None:
            try:
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.incrby(key, self._block)
                    pipe.expire(key, 2 * MINUTE)
                    total, _ = await pipe.execute()
                return int(total) - self._block
            except (RedisError, OSError):
                log.warning("Redis does not answer; this worker counts requests alone")
        held = self._leases.get(client)
        return self.limit - held.remaining if held is not None and held.minute == minute else 0

    @staticmethod
    def seconds_left() -> int:
        """Seconds until the next minute begins."""
        return MINUTE - int(time.time()) % MINUTE
