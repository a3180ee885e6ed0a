"""The executor of a job."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tsbench.detect import Executor


@contextmanager
def threads(executor: Executor | None) -> Iterator[Executor]:
    """The caller's executor, or a thread per core; on Ctrl-C chunks not begun are dropped, those begun finish."""
    if executor is not None:
        yield executor
        return
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tsbench")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
