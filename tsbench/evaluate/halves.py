"""Two halves of the companies: one to try drawings in, one that no drawing was tuned on."""

from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tsbench.errors import BadInput

# half_of says False for the first, True for the second
HALVES = ("explore", "confirm")


def half_of(entities: Iterable[str]) -> NDArray[np.bool_]:
    """Which entities belong to the half that is kept to confirm.

    Explore in one half, draw and redraw there, and ask the other half once: its odds then owe nothing to the tuning.
    The halves are independent only as far as companies are; a crisis is in both.

    Parameters
        entities : names, in any order. A name is always in the same half, whatever else is there.
    Returns
        bool, one per entity: False "explore", True "confirm", as in `HALVES`. About half of many names are True; it is
        the parity of the CRC-32 of the name in UTF-8, so names that count up (C00, C01, ...) change halves in runs.
    Raises     BadInput: one text instead of several names.
    Examples
        >>> [HALVES[half] for half in half_of(["AAPL", "MSFT", "XOM"]).astype(int)]
        ['explore', 'confirm', 'confirm']
    """
    if isinstance(entities, str):
        raise BadInput(f"entities must be several names, got the text {entities!r}; write [{entities!r}]")
    return np.array([crc32(str(entity).encode()) % 2 == 1 for entity in entities], dtype=bool)
