"""`tsbench worker`: does what the service was asked to do later."""

import logging

from tsbench.cli.output import say
from tsbench.cli.session import open_store, session


def worker(*, jobs: int = 1) -> None:
    """Do the jobs that POST /fit/NAME?async=true asks for, until Ctrl-C or SIGTERM; what was begun is finished.

    Several workers may serve one database. A job whose worker is killed is given to another one, or to the next.

    Parameters
    ----------
    jobs
        How many at once.
    """
    from tsbench.jobs.working import work

    settings = session()
    if settings.log_level != "debug":
        # when the database goes away each of their threads tells it with a traceback; `work` does in a line
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with open_store(settings) as store:
        say("working; Ctrl-C ends it when what was begun is done")
        work(store, jobs=jobs, note=say)
        say("stopped")
