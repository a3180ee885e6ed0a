"""What a fan-out needs."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Executor(Protocol):
    """`map`, and nothing else: thread pools and dask's client executor both have it."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any]) -> Iterable[Any]: ...
