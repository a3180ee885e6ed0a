"""The first run on an empty embedded store: the shipped companies go in, the default pattern's detector is trained."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tsbench.errors import BadInput

if TYPE_CHECKING:
    from tsbench.settings import Settings
    from tsbench.store import Store


def load_shipped(store: "Store", settings: "Settings", *, note: Callable[[str], None] = print) -> bool:
    """Load the shipped companies when the store is empty; whether that was needed.

    Parameters
        store : the open store.
        settings : tell whether the database is the project's own, which alone is filled unasked, and where the
            project lies.
        note : told what is being done.
    Raises     BadInput: the store is empty and the user's own, or the project ships nothing.
    """
    if not store.companies().empty:
        return False
    folder = settings.home / "data" / "companies"
    if settings.database is not None:
        raise BadInput(f"your database holds no companies; run: tsbench load FILE, e.g. tsbench load {folder}")
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadInput(f"the store is empty and no company files lie in {folder}; run: tsbench load FILE")
    note(f"first run: loading {', '.join(file.name for file in files)} ...")
    report = store.load(files)
    note(str(report))
    return True


def first_models(store: "Store", settings: "Settings", *, note: Callable[[str], None] = print) -> bool:
    """Fill the project's own store with what the project ships, and train the default pattern; whether that was needed.

    A user's own database is never filled unasked, and a project without company files has nothing to fill it with.

    Parameters
        store, settings, note : as in `load_shipped`; the settings name the default pattern.
    """
    from tsbench.jobs.training import train

    if settings.database is not None:
        return False
    if store.companies().empty:
        if not list((settings.home / "data" / "companies").glob("*.parquet")):
            return False
        load_shipped(store, settings, note=note)
    if settings.pattern in set(store.registry.list()["name"]):
        return False
    note(f"first run: training the detector of {settings.pattern!r} ...")
    note(f"trained {train(store, settings.pattern)}")
    return True
