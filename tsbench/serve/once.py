"""One piece of work at a time per question, however many ask it meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Once(Generic[Key, Answer]):
    """Work under way, by its question. Used from the event loop alone."""

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Task[Answer]] = {}

    async def do(self, key: Key, work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """The answer of `work`; who asks for the same `key` before it is there waits for it, errors included.

        A caller that leaves does not stop it.
        """
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: Key, task: "asyncio.Task[Answer]") -> None:
        del self._running[key]
        # when all who waited have left, nobody else asks how it ended
        if not task.cancelled():
            task.exception()
