"""The fast path: plain, well-formed predictions and fits, answered without the framework.

It serves a request only when nothing about it is unusual: the path is a series known here, the query is empty or names
a version, the body is strict JSON of the expected shape. Anything else, every error included, is replayed into the
declared routes, the only author of errors. A differential test holds the two equal, byte by byte.
"""

import re
from time import perf_counter

import msgspec
import numpy as np
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsbench.errors import TsbenchError
from tsbench.serve import answers, errors
from tsbench.serve.answers import LARGEST_TIME
from tsbench.serve.shared import Service
from tsbench.serve.warm import LATEST
from tsbench.store.series_versions import Fit

VERSION = re.compile(rb"version=[vV]?(\d{1,9})")
PREDICT, FIT, BATCH = "/predict/", "/fit/", "/batch"
JSON = (b"content-type", b"application/json")
# Longer training series are fitted in a thread, by the declared route.
SMALL = 20_000


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a prediction."""

    timestamp: int | str
    value: float


class Readings(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a batch of predictions."""

    values: list[float]
    timestamps: list[int] = []


class Training(msgspec.Struct, forbid_unknown_fields=True):
    """Body of a fit."""

    timestamps: list[int]
    values: list[float]


_reading = msgspec.json.Decoder(Reading).decode
_readings = msgspec.json.Decoder(Readings).decode
_training = msgspec.json.Decoder(Training).decode


class FastPath:
    """In front of `app`, which answers whatever is not answered here.

    Parameters
        app : the declared routes. service : what they share.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        predicts = path.startswith(PREDICT)
        fits = not predicts and path.startswith(FIT) and not scope["query_string"]
        if not (predicts or fits) or scope["method"] != "POST" or JSON not in scope["headers"]:
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:
            return
        began = perf_counter()
        latencies = self._service.latencies
        if predicts:
            noted, content = latencies.inference, self._judged(scope, path, body)
        else:
            noted, content = latencies.training, None
            fit = self._fitted(path, body)
            if fit is not None:
                scope["route"] = "/fit/{series_id}"
                try:
                    content = answers.of_fit(await self._service.keep(fit))
                except TsbenchError as error:
                    # not replayed: the fit may have been kept although no answer came
                    await errors.response(error, scope)(scope, receive, send)
                    return
        if content is None:
            await self.app(scope, _replayed(body, receive), send)
            return
        headers = [JSON, (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        noted.append(1000 * (perf_counter() - began))

    def _judged(self, scope: Scope, path: str, body: bytes) -> bytes | None:
        """The answer to one value or to many; None where it is not this path's to give."""
        query: bytes = scope["query_string"]
        number = LATEST
        if query:
            asked = VERSION.fullmatch(query)
            if asked is None:
                return None
            number = int(asked[1])
        many = path.endswith(BATCH)
        warm = self._service.models.held(path[len(PREDICT) : -len(BATCH)] if many else path[len(PREDICT) :], number)
        if warm is None:
            return None
        try:
            if not many:
                reading = _reading(body)
                if not _is_time(reading.timestamp):
                    return None
                scope["route"] = "/predict/{series_id}"
                self._service.metrics.judged.inc()
                return answers.of_value(warm, reading.value, "upper")
            readings = _readings(body)
        except msgspec.MsgspecError:
            return None
        times, values = readings.timestamps, readings.values
        if not 0 < len(values) <= self._service.settings.max_points or (
            times and (len(times) != len(values) or not (min(times) >= 0 and max(times) <= LARGEST_TIME))
        ):
            return None
        scope["route"] = "/predict/{series_id}/batch"
        self._service.metrics.judged.inc(len(values))
        return answers.of_values(warm, np.fromiter(values, np.float64, len(values)), "upper")

    def _fitted(self, path: str, body: bytes) -> Fit | None:
        """The fit of a training series; None where it is not this path's to make."""
        settings = self._service.settings
        try:
            sent = _training(body)
            if len(sent.values) > min(settings.max_points, SMALL):
                return None
            least = settings.min_training_points
            return answers.fitted(path[len(FIT) :], "zscore", sent.timestamps, sent.values, least)
        except (msgspec.MsgspecError, TsbenchError):
            return None


def _is_time(given: int | str) -> bool:
    if isinstance(given, int):
        return 0 <= given <= LARGEST_TIME
    return len(given) <= 18 and given.isascii() and given.isdigit()


async def _whole(receive: Receive) -> bytes | None:
    """The body; None when the client has left."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        chunks = [body]
        while message.get("more_body"):
            message = await receive()
            chunks.append(message.get("body", b""))
        body = b"".join(chunks)
    return body if message["type"] == "http.request" else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` as it was before the body was read."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
