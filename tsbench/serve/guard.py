"""The door of the service: everything that holds for every request, as plain ASGI around the routes.

A request id, the token, the limits of size and rate, security headers, the access log, the measuring of times, and the
last resort when a route failed. What it does per request costs microseconds, because the fast path stands behind it.
"""

import asyncio
import hmac
import itertools
import logging
import os
import re
import traceback
from time import perf_counter

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsbench.errors import Unavailable
from tsbench.serve import errors
from tsbench.serve.logs import AccessLog
from tsbench.serve.rates import Lease, RateLimit
from tsbench.serve.shared import Service

log = logging.getLogger(__name__)
# Asked by machines that watch the service, and by browsers that cannot send a token.
OPEN = {"/health/live", "/health/ready", "/healthcheck", "/metrics", "/docs", "/openapi.json"}
OPEN_FOLDER = "/docs/"
GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
JSON = (b"content-type", b"application/json")
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
]
# Unless a route says otherwise.
UNCACHED = (b"cache-control", b"no-store")
# Pages hold their scripts and styles, and plotly makes its functions from text.
PAGE = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; connect-src 'self'; font-src data:",
)
# Bodies beyond this many bytes are read a few at a time, for each takes a multiple of itself in memory.
LARGE, LARGE_AT_ONCE = 2**20, 2
LATE = (
    "no answer in time (TSBENCH_REQUEST_TIMEOUT): something this needs does not answer, or too much was asked at once"
)
STOPPED = "the service was stopped before the answer; what was asked may have been done"
Refused = tuple[int, str, str]


class TooLarge(Exception):
    """More bytes came than a body may have."""


class Guard:
    """The application behind the door.

    Parameters
        app : what answers. service : its settings, limits and measuring.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        settings = service.settings
        token = settings.api_token
        self.app, self._service = app, service
        self._access = AccessLog(settings.access_log_per_second)
        self._token = None if token is None else token.get_secret_value().encode()
        self._max_body, self._patience = settings.max_body_bytes, settings.request_timeout
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._prefix, self._number = os.urandom(4).hex(), itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, method = perf_counter(), scope["method"]
        if method == "HEAD":
            # the server leaves the body out
            scope = {**scope, "method": "GET"}
        headers: dict[bytes, bytes] = dict(scope["headers"])
        asked_id = headers.get(b"x-request-id")
        if asked_id is not None and GIVEN_ID.fullmatch(asked_id):
            request_id = asked_id.decode()
        else:
            request_id = f"{self._prefix}-{next(self._number):x}"
        scope["request_id"] = request_id
        status, whole = 0, False
        rate = self._service.rate
        lease: Lease | None = None

        async def answer(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.body":
                whole = not message.get("more_body", False)
            elif message["type"] == "http.response.start":
                status = message["status"]
                given = dict(message["headers"])
                own = message["headers"] = [*message["headers"], *SECURITY, (b"x-request-id", request_id.encode())]
                if b"cache-control" not in given:
                    own.append(UNCACHED)
                if b"html" in given.get(b"content-type", b""):
                    own.append(PAGE)
                if lease is not None:
                    own += _told(lease, rate.limit)
            await send(message)

        try:
            async with asyncio.timeout(self._patience):
                guarded = not _is_open(scope["path"])
                if guarded and rate.limit:
                    client = _client(scope)
                    lease = rate.spend(client) or await rate.lease(client)
                refused = self._refused(guarded, headers, lease)
                if refused is not None:
                    await self._refuse(answer, refused, request_id)
                elif _is_small(headers):
                    await self.app(scope, receive, answer)
                else:
                    async with self._large:
                        await self.app(scope, self._counted(receive), answer)
        except TimeoutError:
            if not status:
                late = Unavailable(f"no answer within {self._patience:g} s", told=LATE)
                await errors.response(late, scope)(scope, receive, answer)
        except asyncio.CancelledError:
            # the service stops and waits no longer
            if not status:
                await errors.response(Unavailable("stopped", told=STOPPED), scope)(scope, receive, answer)
            raise
        except TooLarge:
            if not status:
                await self._refuse(answer, self._too_large(), request_id)
        except Exception as error:
            # without its message, which may hold what the caller sent
            told = {"request_id": request_id, "frames": _frames(error)}
            log.error("a route failed with %s", type(error).__name__, extra=told)
            if not status:
                await errors.response(error, scope)(scope, receive, answer)
            elif not whole:
                raise ConnectionAbortedError("the answer broke off") from None
        finally:
            seconds = perf_counter() - began
            self._service.metrics.answered(method, _template(scope), status, seconds)
            self._access.note(request_id, method, scope["path"], status, seconds)

    def _refused(self, guarded: bool, headers: dict[bytes, bytes], lease: Lease | None) -> Refused | None:
        """Status, reason and words where the request is not let in."""
        if lease is not None and lease.left < 0:
            limit = self._service.rate.limit
            return 429, "rate", f"more than {limit} requests in a minute (TSBENCH_RATE_LIMIT)"
        if guarded and self._token is not None:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if not given:
                return 401, "token", "a token is wanted: `Authorization: Bearer ...`"
            if scheme.lower() != b"bearer" or not hmac.compare_digest(given, self._token):
                return 401, "token", "the token is another one"
        length = headers.get(b"content-length")
        if length is not None and (not length.isdigit() or int(length[:20]) > self._max_body):
            return self._too_large()
        return None

    def _too_large(self) -> Refused:
        return 413, "body", f"a body may have {self._max_body} bytes (TSBENCH_MAX_BODY_BYTES)"

    def _counted(self, receive: Receive) -> Receive:
        """`receive` for a body that does not say how long it is."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_body:
                raise TooLarge
            return message

        return counted

    async def _refuse(self, send: Send, refused: Refused, request_id: str) -> None:
        status, reason, words = refused
        self._service.metrics.refused.labels(reason).inc()
        body = orjson.dumps({"detail": words, "request_id": request_id})
        headers = [JSON, (b"content-length", b"%d" % len(body))]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if status == 429:
            headers.append((b"retry-after", b"%d" % RateLimit.seconds_left()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_FOLDER)


def _is_small(headers: dict[bytes, bytes]) -> bool:
    """Whether the body says that it is short, or there is none."""
    length = headers.get(b"content-length")
    return int(length) <= LARGE if length is not None else b"transfer-encoding" not in headers


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "local"


def _told(lease: Lease, limit: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"x-ratelimit-remaining", b"%d" % lease.remaining),
        (b"x-ratelimit-reset", b"%d" % RateLimit.seconds_left()),
    ]


def _template(scope: Scope) -> str:
    """The route's template, of which there are few, not the path, of which there are many."""
    route = scope.get("route")
    return "unmatched" if route is None else str(getattr(route, "path", route))


def _frames(error: Exception) -> list[str]:
    """Where an error came from, innermost last, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames][-8:]
