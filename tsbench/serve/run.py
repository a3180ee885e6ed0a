"""Start the service: one process or several on one port."""

import os
import shutil
import tempfile

import uvicorn

from tsbench.serve import logs
from tsbench.serve.metrics import SHARED
from tsbench.settings import Settings


def run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until stopped; each worker reads the settings itself.

    Parameters
        settings : in force. host, port : where to listen; port 0 = a free one.
        workers : processes; one that dies is replaced.
    """
    shared = tempfile.mkdtemp(prefix="tsbench-metrics-") if workers > 1 else None
    if shared is not None:
        os.environ[SHARED] = shared
    # the workers must find the same project, wherever they start
    os.environ["TSBENCH_HOME"] = str(settings.home)
    logs.set_up(settings)
    try:
        uvicorn.run(
            "tsbench.serve:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            # the door keeps its own
            access_log=False,
            log_config=None,
            server_header=False,
            # there are no sockets to upgrade to
            ws="none",
            timeout_graceful_shutdown=10,
        )
    finally:
        if shared is not None:
            shutil.rmtree(shared, ignore_errors=True)
