"""A worker: takes jobs out of the queue and does them, until it is told to stop."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from tsbench import checks
from tsbench.errors import Unavailable
from tsbench.jobs.fits import FIT, fit
from tsbench.jobs.queue import workers_app
from tsbench.store.job_requests import DEAD_AFTER

if TYPE_CHECKING:
    from tsbench.store import Store

# Seconds between two signs of life, and between two looks for jobs whose worker gave none for DEAD_AFTER seconds. Taken
# for dead too early, a job is done twice and takes effect once, so that what is soon costs little.
HEARTBEAT = DEAD_AFTER / 5
# Seconds until a database that went away is tried again.
AGAIN = 2
MOST_JOBS = 16
FORGET = "forget"


def work(store: "Store", *, jobs: int = 1, note: Callable[[str], None], wait: bool = True) -> None:
    """Do what is in the queue; on SIGINT or SIGTERM finish what was begun and return.

    Parameters
        store : its queue. jobs : how many at once, each in a thread. note : told how each job ended, in one line.
        wait : for more, when the queue is empty; off, return then.
    Raises     Unavailable: the database went away, and `wait` is off.
    """
    checks.whole(jobs, "jobs", 1, MOST_JOBS)
    with suppress(asyncio.CancelledError):
        asyncio.run(_work(store, jobs, note, wait))


async def _work(store: "Store", jobs: int, note: Callable[[str], None], wait: bool) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, task, loop)
    # a few threads more, for what connecting asks of them
    loop.set_default_executor(ThreadPoolExecutor(jobs + 4, thread_name_prefix="job"))
    while True:
        try:
            await _serve(_app(store, note), jobs, wait)
        except (ConnectorException, psycopg.Error) as error:
            if not wait:
                raise Unavailable("the database of the queue stopped answering") from error
        if not wait:
            return
        note(f"the database went away, looking for it again in {AGAIN} s")
        await asyncio.sleep(AGAIN)


def _stop(task: "asyncio.Task[None]", loop: asyncio.AbstractEventLoop) -> None:
    """Stop in order; whoever asks a second time ends the process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
    task.cancel()


def _app(store: "Store", note: Callable[[str], None]) -> App:
    app = workers_app(store.engine)
    again = RetryStrategy(wait=AGAIN, retry_exceptions=[Unavailable])
    app.task(name=FIT, queue=FIT, retry=again)(partial(fit, store, note=note))
    # procrastinate watches its heartbeat only while none of its side tasks has ended, and the one that looks after
    # what is periodic ends where nothing is
    forget = app.task(name=FORGET, queue=FORGET)(lambda timestamp: store.job_requests.forget())
    app.periodic(cron="17 * * * *")(forget)
    return app


async def _serve(app: App, jobs: int, wait: bool) -> None:
    """Work until cancelled, until the queue is empty, or until the database goes away."""
    async with app.open_async():
        await _rescue(app)
        rescues = asyncio.create_task(_rescue_for_ever(app))
        try:
            await app.run_worker_async(
                queues=[FIT, FORGET],
                concurrency=jobs,
                wait=wait,
                worker_middleware=[_stop_without_database],
                # the request is the record of a job; its place in the queue goes with it
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD_AFTER,
                # a rescued job is not announced
                fetch_job_polling_interval=HEARTBEAT,
            )
        finally:
            rescues.cancel()
            await asyncio.wait([rescues])


async def _stop_without_database(job: Callable[[], Awaitable[object]], _: JobContext, worker: Worker) -> object:
    """Have the worker begin again under another number when a job found no database.

    The job is to go back to the queue, which may fail for the same reason. It then stays with this number, and is
    rescued as soon as the number is nobody's.
    """
    try:
        return await job()
    except Unavailable:
        worker.stop()  # type: ignore[no-untyped-call]
        raise


async def _rescue_for_ever(app: App) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT)
        # a database that went away ends the worker's own loop too
        with suppress(ConnectorException):
            await _rescue(app)


async def _rescue(app: App) -> None:
    """Give jobs back to the queue whose worker died with them."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
        # another worker may have been quicker
        with suppress(ConnectorException):
            await app.job_manager.retry_job(job)
