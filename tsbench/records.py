"""Records that cross room borders: frozen, slotted, plain."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class State:
    """All that a fitted model is, without code: what `to_state` gives and `from_state` takes.

    kind : which model class reads it back ("pattern_detector", ...).
    version : layout version of meta and arrays for that kind; a reader refuses newer ones.
    meta : JSON-able settings and fitted scalars.
    arrays : numeric arrays by name; never object dtype, never pickled.
    """

    kind: str
    version: int
    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
