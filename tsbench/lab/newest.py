"""A thread that does the newest request only: what a pointer asks for faster than it can be answered."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Hands requests to `work` in a thread of its own, one at a time; of those that wait only the newest is done.

    work : called with each request; what it raises goes to `failed`, and the thread goes on.
    """

    def __init__(self, work: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        self._work, self._failed = work, failed
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._busy = self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, request: T) -> None:
        """Do this next, instead of whatever else waits; returns at once."""
        with self._changed:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tsbench-newest", daemon=True)
                self._thread.start()
            self._waiting = [request]
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Until nothing waits and nothing is being done; False when that takes longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout)

    def close(self) -> None:
        """End the thread after what it is doing; later requests are ignored."""
        with self._changed:
            self._closed, self._waiting = True, []
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if self._closed:
                    return
                request, self._busy = self._waiting.pop(), True
            try:
                self._work(request)
            except Exception as error:
                self._failed(error)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
