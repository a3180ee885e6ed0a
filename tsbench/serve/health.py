"""Whether the service lives, whether it can work, and its numbers."""

import asyncio

from fastapi import APIRouter
from redis.exceptions import RedisError
from starlette.responses import JSONResponse, Response

from tsbench.errors import Unavailable
from tsbench.serve.schemas import Ready
from tsbench.serve.shared import Service, Shared

# Seconds that who watches the service waits for the database.
PATIENCE = 2.0
router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Nothing but that the process answers."""
    return {"status": "live"}


@router.get("/health/ready", response_model=Ready, responses={503: {"model": Ready}})
async def ready(service: Shared) -> Response:
    """Whether database, its tables and Redis are as they should be and new versions are heard of; 503 when not."""
    database, redis = await asyncio.gather(_database(service), _redis(service))
    listening = service.listener is not None and service.listener.connected.is_set()
    well = database == redis == "ok" and listening
    body = Ready(status="ready" if well else "not ready", database=database, redis=redis, listening=listening)
    return JSONResponse(body.model_dump(), 200 if well else 503)


@router.get("/metrics", response_class=Response)
async def metrics(service: Shared) -> Response:
    """Counters and times over all workers, for Prometheus."""
    service.measure()
    text, kind = service.metrics.text()
    return Response(text, media_type=kind)


async def _database(service: Service) -> str:
    try:
        wrong = await asyncio.wait_for(asyncio.to_thread(service.store.check), PATIENCE)
    except (Unavailable, TimeoutError):
        return "does not answer"
    return wrong[0] if wrong else "ok"


async def _redis(service: Service) -> str:
    if service.redis is None:
        return "not set (REDIS_URL)"
    try:
        await service.redis.ping()
    except (RedisError, OSError):
        return "does not answer"
    return "ok"
