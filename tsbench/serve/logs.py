"""The log of the service: one JSON object per line, from every library, never with a body or a secret."""

import logging
import sys
import time

import structlog

from tsbench.settings import Settings

access = logging.getLogger("tsbench.access")


def set_up(settings: Settings) -> None:
    """Every log line as JSON on standard error, from `info` on unless TSBENCH_LOG_LEVEL says otherwise.

    Parameters
        settings : in force.
    """
    level = settings.log_level if "log_level" in settings.model_fields_set else "info"
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_colours,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # the door keeps the access log; uvicorn's own stays silent only without a handler to reach
    logging.getLogger("uvicorn.access").propagate = False
    # it notes every statement, with its arguments
    logging.getLogger("procrastinate").setLevel(logging.WARNING)


def _without_colours(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Without the second wording that uvicorn adds for terminals."""
    line.pop("color_message", None)
    return line


class AccessLog:
    """One line per request; of successes at most so many a second, the rest are counted in the next line.

    Parameters
        per_second : how many successes.
    """

    def __init__(self, per_second: int) -> None:
        self._most, self._second, self._shown, self._silent = per_second, 0, 0, 0

    def note(self, request_id: str, method: str, path: str, status: int, seconds: float) -> None:
        """Log a request or count it.

        Parameters
            request_id, method, path, status, seconds : of the request; no query, which may hold anything.
        """
        if status < 400:
            now = int(time.monotonic())
            if now != self._second:
                self._second, self._shown = now, 0
            if self._shown >= self._most:
                self._silent += 1
                return
            self._shown += 1
        fields: dict[str, object] = {
            "request_id": request_id,
            "method": method,
            "path": path[:200],
            "status": status,
            "ms": round(1000 * seconds, 3),
        }
        if self._silent:
            fields["unlogged_before"], self._silent = self._silent, 0
        access.info("request", extra=fields)
