"""`tsbench services`: the embedded PostgreSQL and Valkey of a project."""

import sys

from tsbench.cli.output import say, show_json


def start() -> None:
    """Start the services and keep them until `services stop`.

    Without this they start with the first command that needs them and stop with the last. Where DATABASE_URL or
    REDIS_URL is set, commands use that server instead of the one started here.
    """
    from tsbench.cli.session import session, tell_of_new_store
    from tsbench.store import embedded

    settings = session()
    tell_of_new_store(settings)
    print(embedded.start(settings.home, redis=settings.redis_url is None, progress=say))


def stop(*, force: bool = False) -> None:
    """Stop the services; committed rows stay.

    Parameters
    ----------
    force
        Also while other processes use them; these lose their connections.
    """
    from tsbench.cli.session import session
    from tsbench.store import embedded

    home = session().home
    before = embedded.status(home)
    embedded.stop(home, force=force)
    print("stopped" if before.running or before.pid or before.redis_url else "nothing to stop")


def status(*, json: bool = False) -> None:
    """Show what runs. Exit status 1 when the services do not run.

    Parameters
    ----------
    json
        Print JSON.
    """
    from tsbench.cli.session import session
    from tsbench.store import embedded

    found = embedded.status(session().home)
    if json:
        show_json(found.to_dict())
    else:
        print(found)
    sys.exit(0 if found.running else 1)
