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
# Seconds in which a Redis that did not answer is left alone.
AWAY = 5


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
        self._away_until = 0.0

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
        taken = await self._leased(client, minute)
        if taken is None:
            return self._alone(client, minute)
        got = max(0, min(self._block, self.limit - taken))
        current = self._leases.get(client)
        # another request of the client may have leased a block while this one waited
        kept = current.left if current is not None and current.minute == minute and current.left > 0 else 0
        fresh = Lease(minute, kept + got - 1, max(0, self.limit - taken - 1))
        self._leases[client] = fresh
        return fresh

    async def _leased(self, client: str, minute: int) -> int | None:
        """How many were given out in this minute before the block that is leased now; None without Redis."""
        if self._redis is None or time.monotonic() < self._away_until:
            return None
        key = f"tsbench:rate:{client}:{minute}"
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.incrby(key, self._block)
                pipe.expire(key, 2 * MINUTE)
                total, _ = await pipe.execute()
        except (RedisError, OSError):
            if time.monotonic() >= self._away_until:
                log.warning("Redis does not answer; this worker counts requests alone for %d s", AWAY)
            self._away_until = time.monotonic() + AWAY
            return None
        return int(total) - self._block

    def _alone(self, client: str, minute: int) -> Lease:
        """One permission, counted here: exact, for nothing waits between reading and writing."""
        held = self._leases.get(client)
        remaining = held.remaining if held is not None and held.minute == minute else self.limit
        fresh = Lease(minute, 0 if remaining > 0 else -1, max(0, remaining - 1))
        self._leases[client] = fresh
        return fresh

    @staticmethod
    def seconds_left() -> int:
        """Seconds until the next minute begins."""
        return MINUTE - int(time.time()) % MINUTE
