"""The first run on an empty embedded store: the shipped companies go in."""

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
