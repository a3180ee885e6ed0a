"""Many requests at the same instant, each on a new connection: how long each waited for its answer."""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np
from asking import body_of
from open_loop import percentiles


def plainly(url: str, requests: Sequence[bytes]) -> tuple[dict[str, float], list[bytes]]:
    """Percentiles in milliseconds and the bodies, by a client that costs as little as it can: sockets of asyncio.

    Parameters
        url : of the server. requests : whole, with `connection: close`.
    """
    parts = urlsplit(url)

    async def one(request: bytes) -> tuple[float, bytes]:
        began = perf_counter()
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request)
        heard = await reader.read()
        seconds = perf_counter() - began
        writer.close()
        return seconds, (body_of(heard) or b"") if heard.startswith(b"HTTP/1.1 200 ") else b""

    async def all_at_once() -> list[tuple[float, bytes]]:
        return await asyncio.gather(*(one(request) for request in requests))

    return _told(asyncio.run(all_at_once()))


def by_httpx(url: str, path: str, bodies: Sequence[bytes]) -> tuple[dict[str, float], list[bytes]]:
    """The same by httpx without keep-alive, whose own work (one core) is in the times.

    Parameters
        url, path : where to; `{n}` in the path is the number of the body. bodies : JSON.
    """
    import httpx

    async def all_at_once() -> list[tuple[float, bytes]]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=30, limits=limits, trust_env=False) as client:

            async def one(n: int) -> tuple[float, bytes]:
                began = perf_counter()
                headers = {"content-type": "application/json"}
                answer = await client.post(url + path.replace("{n}", str(n)), content=bodies[n], headers=headers)
                return perf_counter() - began, answer.content if answer.status_code == 200 else b""

            return await asyncio.gather(*(one(n) for n in range(len(bodies))))

    return _told(asyncio.run(all_at_once()))


def _told(got: list[tuple[float, bytes]]) -> tuple[dict[str, float], list[bytes]]:
    return percentiles(np.array([seconds for seconds, _ in got])), [body for _, body in got]
