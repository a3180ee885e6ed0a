"""What every board has: a page beside a kernel that it never keeps waiting, and a line that says what is being done."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from tsbench.errors import BadInput, TsbenchError
from tsbench.lab.tasks import Cancellable, Cancelled, idle, outcome

if TYPE_CHECKING:
    from tsbench.store import Store

# Progress is told at most so often.
NEWS_SECONDS = 0.1


class Board(anywidget.AnyWidget):
    """A widget whose work is done in threads, in the order asked: `_soon` for moments, `_later` for seconds.

    status : text, busy ("" when idle), done (pieces), failed, link (a file to open), stoppable.
    """

    status = traitlets.Dict().tag(sync=True)
    _store: "Store | None" = None

    def __init__(self, **state: Any) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tsbench-lab")
        self._long = Cancellable(self._pool, self._stepped)
        self._lines = [ThreadPoolExecutor(1, thread_name_prefix="tsbench-lab-line") for _ in range(2)]
        self._told, self._telling = 0.0, threading.Lock()
        super().__init__(status=idle(), **state)
        self.on_msg(self._heard)

    def to_static(self) -> str:
        """The board as HTML that needs neither kernel nor script."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> None:
        """Until all is done that was asked of the board so far. Raises TimeoutError after `timeout` seconds."""
        for line in self._lines:
            line.submit(lambda: None).result(timeout)

    def close(self) -> None:
        """End the threads of this board and take it off the page."""
        if "_lines" in self.__dict__:  # else it was refused before it had any
            self._long.cancel()
            for pool in (*self._lines, self._pool):
                pool.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _need_store(self) -> "Store":
        if self._store is None:
            raise BadInput("this board was opened on a panel; open it on a Store to keep or scan anything")
        return self._store

    def _heard(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """What the page says. Never works itself: hands on, so that the kernel is free at once."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        shown = super()._repr_mimebundle_(**arguments)
        if shown is None:
            return None
        bundle, metadata = shown
        return {**bundle, "text/html": self.to_static()}, metadata

    # ---- work --------------------------------------------------------------------------------------------

    def _soon(self, work: Callable[[], Any]) -> None:
        """Do this in its turn, beside whatever long work goes on; what it raises is told."""
        self._lines[0].submit(self._guarded, work)

    def _later(self, doing: str, work: Callable[[], Any], *, stoppable: bool = True) -> None:
        """Do this in its turn, telling meanwhile what is `doing`, and what came of it; "" for nothing to tell."""
        self._lines[1].submit(self._guarded, lambda: self._do(doing, work, stoppable))

    def _cancel(self) -> None:
        if self.status["busy"]:
            self._long.cancel()

    def _guarded(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception as error:
            known = isinstance(error, TsbenchError)
            self._say(**idle(str(error) if known else f"{type(error).__name__}: {error}") | {"failed": True})

    def _do(self, doing: str, work: Callable[[], Any], stoppable: bool) -> None:
        begin = time.perf_counter()
        self._say(**idle(doing) | {"busy": doing, "stoppable": stoppable})
        self._long.begin()
        try:
            done = work()
        except Cancelled:
            self._say(**idle("cancelled; what was there stays"))
            return
        finally:
            self._long.begin()  # a cancel that came late is for this work, not for the next
        told = done if isinstance(done, str) else outcome(done)
        link = str(done.page) if hasattr(done, "page") else ""
        seconds = time.perf_counter() - begin
        self._say(**idle(f"{told} ({seconds:.1f} s)" if told else "") | {"link": link})

    def _stepped(self, done: int) -> None:
        if time.monotonic() - self._told > NEWS_SECONDS and self.status["busy"]:
            self._told = time.monotonic()
            self._say(only_while_busy=True, done=done)

    def _say(self, *, only_while_busy: bool = False, **news: Any) -> None:
        with self._telling:
            if self.status["busy"] or not only_while_busy:
                self.status = {**self.status, **news}
