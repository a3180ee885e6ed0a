"""The application: every route declared once, the fast path and the door in front of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from tsbench import __version__
from tsbench.serve import anomaly, companies, errors, fit_jobs, health, logs
from tsbench.serve.fast import FastPath
from tsbench.serve.guard import Guard
from tsbench.serve.queries import only_known
from tsbench.serve.schemas import Invalid
from tsbench.serve.shared import Service
from tsbench.settings import Settings, read_settings

# What a page of another origin may read beside the body.
EXPOSED = [
    "X-Request-ID",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
    "ETag",
    "Location",
]
ABOUT = """Fit detectors of anomalies on series and ask them; company series and the patterns they show.

Errors are `{"detail": ..., "request_id": ...}`; the id stands in the log too. How sure an
answer is stands beside it."""


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The application of one worker.

    Parameters
        settings : None = those in force (environment, `.env`).
    """
    service = Service(settings or read_settings())
    settings = service.settings
    routes = declared(service)
    app: ASGIApp = Guard(FastPath(routes, service), service)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=_listed(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    if settings.trusted_hosts:
        app = TrustedHostMiddleware(app, allowed_hosts=_listed(settings.trusted_hosts))
    return app


def declared(service: Service) -> FastAPI:
    """The routes as FastAPI knows them.

    Parameters
        service : what they share.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    # /docs from files of the package, so that it opens without a network
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        static_url="/docs/files",
        title="tsbench",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        # a path that is not there is a 404, also with a slash too many
        redirect_slashes=False,
        dependencies=[
            Depends(only_known),
            *([Depends(HTTPBearer(auto_error=False))] if service.settings.api_token else []),
        ],
        responses={422: {"model": Invalid, "description": "Something in the request is wrong; each is named."}},
    )
    app.state.service = service
    errors.install(app)
    for room in (anomaly, fit_jobs, companies, health):
        app.include_router(room.router)
    return app


def from_environment() -> ASGIApp:
    """What a worker process runs: the application with the settings in force, its log set up."""
    settings = read_settings()
    logs.set_up(settings)
    return create_app(settings)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
