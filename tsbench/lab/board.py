"""What every board has: a page beside a kernel that it never keeps waiting, and a line that says what is being done."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anywidget
import traitlets

from tsbench.errors import TsbenchError
from tsbench.lab.newest import Newest
from tsbench.lab.tasks import Cancellable, Cancelled, idle, outcome

# Progress is told at most so often.
NEWS_SECONDS = 0.1


class Board(anywidget.AnyWidget):
    """A widget whose work is done in threads: `_tasks` for what takes seconds, through the executor `_long`.

    status : text, busy ("" when idle), done (pieces), failed, link (a file to open).
    """

    status = traitlets.Dict().tag(sync=True)

    def __init__(self, **state: Any) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tsbench-lab")
        self._long = Cancellable(self._pool, self._stepped)
        self._told = 0.0
        super().__init__(status=idle(), **state)
        self._threads: list[Newest[Any]] = []
        self._tasks = self._thread(self._do)
        self.on_msg(self._heard)

    def to_static(self) -> str:
        """The board as HTML that needs neither kernel nor script."""
        raise NotImplementedError

    def _heard(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        """What the page says. Never works itself: hands on, so that the kernel is free at once."""
        raise NotImplementedError

    def close(self) -> None:
        """End the threads of this board and take it off the page."""
        if "_threads" in self.__dict__:  # else it was refused while it was made
            self._long.cancel()
            for thread in self._threads:
                thread.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _thread(self, work: Callable[[Any], None]) -> Newest[Any]:
        """A thread of this board for one kind of request."""
        self._threads.append(Newest(work, self._failed))
        return self._threads[-1]

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        shown = super()._repr_mimebundle_(**arguments)
        if shown is None:
            return None
        bundle, metadata = shown
        return {**bundle, "text/html": self.to_static()}, metadata

    def _do(self, task: tuple[str, Callable[[], Any]]) -> None:
        doing, work = task
        self._long.begin()
        begin = time.perf_counter()
        self._say(text=doing, busy=doing)
        try:
            done = work()
        except Cancelled:
            self.status = idle("cancelled; what was there stays")
            return
        seconds = time.perf_counter() - begin
        told = done if isinstance(done, str) else outcome(done)
        link = str(done.page) if hasattr(done, "page") else ""
        self.status = {**idle(f"{told} ({seconds:.1f} s)" if told else ""), "link": link}

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, TsbenchError)
        self.status = {**idle(str(error) if known else f"{type(error).__name__}: {error}"), "failed": True}

    def _stepped(self, done: int) -> None:
        if time.monotonic() - self._told > NEWS_SECONDS:
            self._told = time.monotonic()
            self._say(done=done)

    def _say(self, **news: Any) -> None:
        self.status = {**self.status, "failed": False, "link": "", **news}
