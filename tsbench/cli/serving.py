"""`tsbench serve`: everything over HTTP."""

from tsbench.cli.output import say
from tsbench.cli.session import open_store, session


def serve(*, host: str | None = None, port: int | None = None, workers: int | None = None) -> None:
    """Answer over HTTP until stopped by Ctrl-C: anomalies, companies and their patterns, health; /docs lists it all.

    On an empty embedded database the shipped companies are loaded and the default pattern's detector is trained first.

    Parameters
    ----------
    host
        Address to listen on. Default: TSBENCH_SERVE_HOST.
    port
        Default: TSBENCH_SERVE_PORT.
    workers
        Processes. Default: TSBENCH_SERVE_WORKERS.
    """
    from tsbench.jobs import first_models
    from tsbench.serve import run

    settings = session()
    host, port = host or settings.serve_host, settings.serve_port if port is None else port
    # held open, so that the embedded services stay while workers come and go
    with open_store(settings) as store:
        first_models(store, settings, note=say)
        say(f"serving on http://{host}:{port}, docs at http://{host}:{port}/docs")
        run(settings, host=host, port=port, workers=settings.serve_workers if workers is None else workers)
