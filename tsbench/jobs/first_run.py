"""The first run on an empty embedded store: the shipped companies go in."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tsbench.errors import BadInput

if TYPE_CHECKING:
    from tsbench.store import Store


def load_shipped(store: "Store", folder: Path, *, embedded: bool, note: Callable[[str], None] = print) -> bool:
    """Load the shipped companies when the store is empty; whether that was needed.

    Parameters
        store : the open store.
        folder : the shipped Parquet files.
        embedded : whether the database is the project's own. A user's database is never filled unasked.
        note : told what is being done.
    Raises     BadInput: the store is empty and not embedded, or nothing is shipped in `folder`.
    """
    if not store.companies().empty:
        return False
    if not embedded:
        raise BadInput(f"your database holds no companies; run: tsbench load FILE, or tsbench load {folder}")
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadInput(f"the store is empty and no company files lie in {folder}; run: tsbench load FILE")
    note(f"first run: loading {', '.join(file.name for file in files)} ...")
    report = store.load(files)
    note(str(report))
    return True
