"""What a job works on, by name and by fingerprint."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from tsbench import checks
from tsbench.patterns import Pattern, library, named
from tsbench.series import KEY_COLUMNS, Panel

if TYPE_CHECKING:
    from tsbench.store import Store


def resolve(store: "Store", pattern: Pattern | str) -> Pattern:
    """The pattern itself, or the one of that name: saved in the store first, then shipped."""
    if isinstance(pattern, Pattern):
        return pattern
    saved = store.patterns.names()
    if pattern in saved:
        return Pattern.from_json(store.patterns.get(pattern))
    checks.known(pattern, "pattern", [*saved, *library()])
    return named(pattern)


def data_hash(panel: Panel) -> str:
    """A fingerprint of the data a scan saw: identity, sector, times, values and flags of every series."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(panel.index.reindex(columns=[*KEY_COLUMNS, "sector"]).to_csv(index=False).encode())
    for array in (panel.offsets, panel.times, panel.values, panel.flags):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
