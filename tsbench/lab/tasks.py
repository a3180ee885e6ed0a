"""Work that takes seconds, and an executor that lets go of it when the user says so."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from tsbench.detect import Executor, PatternDetector
from tsbench.errors import TsbenchError


class Cancelled(TsbenchError):
    """The user cancelled this; what was there before it stays."""


class Cancellable:
    """An executor whose `map` stops at the next piece once `cancel` was called. `begin` makes it ready again.

    executor : does the work. step : called after each piece with how many are done since `begin`.
    """

    def __init__(self, executor: Executor, step: Callable[[int], None]) -> None:
        self._executor, self._step = executor, step
        self._stop = threading.Event()
        self._count, self._lock = 0, threading.Lock()

    def begin(self) -> None:
        """From now on pieces run, and count from 0."""
        self._stop.clear()
        self._count = 0

    def cancel(self) -> None:
        """Pieces that have not begun raise Cancelled."""
        self._stop.set()

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any]) -> Iterable[Any]:
        """As an executor's."""

        def piece(*arguments: Any) -> Any:
            if self._stop.is_set():
                raise Cancelled("cancelled")
            result = fn(*arguments)
            with self._lock:
                self._count += 1
                count = self._count
            self._step(count)
            return result

        return self._executor.map(piece, *iterables)


# The long verbs of a board, and what it says while one is done.
VERBS = {"train": "training", "save": "saving", "scan": "scanning every company", "report": "writing the report"}
STOPPABLE = ("train", "scan")


def idle(text: str = "") -> dict[str, Any]:
    """What a board says of its long work: nothing is being done."""
    return {"text": text, "busy": "", "done": 0, "failed": False, "link": "", "stoppable": False}


def outcome(done: Any) -> str:
    """One line on what a verb gave."""
    if isinstance(done, PatternDetector):
        return "trained: p and q are shown"
    if isinstance(done, int):
        return f"saved, version {done}"
    if hasattr(done, "passing"):
        return f"scan {done.id}: {len(done.passing())} companies pass q ≤ 0.1"
    if hasattr(done, "headline"):
        return done.headline if done.ok else f"the report failed: {done.error}"
    return "" if done is None else f"saved: {done}"
