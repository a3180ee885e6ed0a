"""`tsbench serve`: everything over HTTP."""

from tsbench.cli.output import say
from tsbench.cli.session import open_store, session
from tsbench.errors import BadInput


def serve(*, host: str | None = None, port: int | None = None, workers: int | None = None) -> None:
    """Answer over HTTP until stopped by Ctrl-C: anomalies, companies and their patterns, health; /docs lists it all.

    On an empty embedded database the shipped companies are loaded and the default pattern's detector is trained first.

    Parameters
    ----------
    host
        Address to listen on. Default: TSBENCH_SERVE_HOST.
    port
        Default: TSBENCH_SERVE_PORT. 0 takes a free one; the log says which.
    workers
        Processes. Default: TSBENCH_SERVE_WORKERS.
    """
    from tsbench import checks
    from tsbench.jobs import first_models
    from tsbench.serve import run

    settings = session()
    host = host or settings.serve_host
    port = checks.whole(settings.serve_port if port is None else port, "port", 0, 65_535)
    workers = checks.whole(settings.serve_workers if workers is None else workers, "workers", 1, 256)
    _check_free(host, port)
    # held open, so that the embedded services stay while workers come and go
    with open_store(settings) as store:
        first_models(store, settings, note=say)
        if port:
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            say(f"serving on {address}, docs at {address}/docs")
        run(settings, host=host, port=port, workers=workers)


def _check_free(host: str, port: int) -> None:
    """Nothing, when the port can be had; told before anything is loaded or trained."""
    import socket

    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise BadInput(
            f"cannot listen on {host}, port {port}: {error.strerror}; give another --port or --host"
        ) from None
