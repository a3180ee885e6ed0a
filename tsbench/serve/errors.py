"""Errors as answers: `{"detail": ...}` in FastAPI's shape, with the request id that also stands in the log."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from tsbench.errors import BadInput, NotFound, TsbenchError, Unavailable

log = logging.getLogger(__name__)
# Of a body with a thousand wrong values so many are named, each with so much of what came.
MOST_ERRORS, MOST_INPUT = 20, 80
AGAIN = "1"


def install(app: FastAPI) -> None:
    """Have `app` answer our errors, and its own in the same shape."""

    async def ours(request: Request, error: Exception) -> Response:
        return response(error, request.scope)

    for kind in (TsbenchError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, ours)


def response(error: Exception, scope: Scope) -> Response:
    """The answer that an error is.

    Parameters
        error : one of ours, of validation, or with a status. scope : of the request.
    """
    request_id = scope.get("request_id", "")
    headers: Mapping[str, str] = {}
    detail: Any = str(error)
    if isinstance(error, RequestValidationError):
        status, detail = 422, [_named(one) for one in error.errors()[:MOST_ERRORS]]
    elif isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers or {}
    elif isinstance(error, NotFound):
        status = 404
    elif isinstance(error, BadInput):
        status, detail = 422, [{"type": "bad_input", "loc": ["body"], "msg": str(error), "input": None}]
    elif isinstance(error, Unavailable):
        # its message names the server
        log.warning("a service is unavailable: %s", error, extra={"request_id": request_id})
        status, headers = 503, {"retry-after": AGAIN}
        detail = error.told
    else:
        # the door logs it; what it says may hold what the caller sent
        status, detail = 500, "internal error; see the log at this request id"
    body = orjson.dumps({"detail": detail, "request_id": request_id}, default=repr)
    return Response(body, status, headers=dict(headers), media_type="application/json")


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    """A validation error without what JSON cannot hold, and without a whole body."""
    given = one.get("input")
    if isinstance(given, int | bool | None) and abs(given or 0) < 2**63:
        shown: Any = given
    elif isinstance(given, float) and given == given and abs(given) < float("inf"):
        shown = given
    else:
        shown = _shortened(given)
    words = one["msg"]
    if one["type"] == "model_attributes_type" and tuple(one["loc"]) == ("body",):
        words, shown = "the body was not read as JSON; send it with the header Content-Type: application/json", None
    elif one["type"] == "json_invalid":
        words, shown = f"{words}: {one.get('ctx', {}).get('error', '')}", None
    loc = [part if isinstance(part, int) else str(part)[:MOST_INPUT] for part in one["loc"]]
    return {"type": one["type"], "loc": loc, "msg": words[:500], "input": shown}


def _shortened(given: Any) -> str:
    if isinstance(given, list | dict):
        return f"{type(given).__name__} of {len(given)}"
    if isinstance(given, str | bytes):
        given = given[:MOST_INPUT]
        return given.encode("utf-8", "replace").decode() if isinstance(given, str) else given.decode("utf-8", "replace")
    if isinstance(given, int):
        return "a whole number of more than 63 bits"
    return repr(given)[:MOST_INPUT]
