"""What a command starts from: the settings in force, and the store they point at."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tsbench.cli.output import say
from tsbench.errors import BadInput

if TYPE_CHECKING:
    from tsbench.settings import Settings
    from tsbench.store import Store


def session() -> "Settings":
    """The settings, with the log set up as they say."""
    from tsbench.settings import read_settings

    settings = read_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return settings


def has_store(settings: "Settings") -> bool:
    """Whether there is a store to open; without one `open_store` makes the project's embedded one."""
    from tsbench.store import embedded

    return settings.database is not None or embedded.exists(settings.home)


def tell_of_new_store(settings: "Settings") -> None:
    """A line on stderr when the next step makes a store: the command may run in the wrong folder."""
    if not has_store(settings):
        say(f"new store for the project {settings.home} (set TSBENCH_HOME for another)")


@contextmanager
def open_store(settings: "Settings", *, ready: bool = True) -> Iterator["Store"]:
    """The store of `settings`, closed on leaving.

    Parameters
        ready : refuse a database whose schema is not the one of this version; only `db` commands work without it.
    Raises     BadInput: the schema must be upgraded first; a user's own database is never changed unasked.
    """
    from tsbench.store import Store

    tell_of_new_store(settings)
    with Store(settings.database, project=settings.home) as store:
        problems = store.check() if ready else []
        if problems:
            raise BadInput(f"the database is not ready: {'; '.join(problems)}; run: tsbench db upgrade")
        yield store


def need_companies(store: "Store") -> None:
    """Nothing, when the store holds companies. Raises BadInput that says how to get some."""
    if store.companies().empty:
        raise BadInput("the store holds no companies; run: tsbench load FILE, e.g. tsbench load data/companies")
