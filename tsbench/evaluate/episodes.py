"""Matches that end together: a crisis draws the same shape into many companies at once."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.series.calendar import period_of
from tsbench.series.frames import microseconds
from tsbench.series.identity import FREQUENCIES

NO_DATE = np.iinfo(np.int64).min


def episodes(matches: pd.DataFrame, periods: int = 2, *, frequency: str = "quarterly") -> NDArray[np.int64]:
    """Which matches are one episode, because they end within the same few calendar periods.

    Windows of `periods` periods are laid over the ends, each from the first end that no window before it holds. So an
    episode never grows longer, however close the next one follows, and no other choice of windows needs fewer: their
    number is the least number of separate events behind the matches.

    Parameters
        matches : column end, the end of the last period of each match (UTC when it has no zone).
        periods : the width of an episode, from 1.
        frequency : of the series that were searched. "irregular" has no calendar: only equal ends are one episode.
    Returns
        int64, shape (len(matches),), in the order of `matches`: 0, 1, ... by time, equal for the matches of one
        episode; -1 where end is missing.
    Raises     BadInput: no column end, an unknown frequency, or periods below 1.
    """
    checks.whole(periods, "periods", 1)
    checks.choice(frequency, "frequency", sorted(FREQUENCIES))
    if "end" not in matches:
        raise BadInput(f"the matches lack end; they have {', '.join(map(str, matches.columns)) or 'no column'}")
    end = microseconds(matches["end"], "end")
    dated = end != NO_DATE
    period = period_of(end[dated], frequency)
    ends, firsts, i = np.unique(period), [], 0
    while i < ends.size:
        firsts.append(ends[i])
        i = int(np.searchsorted(ends, ends[i] + periods))
    labels = np.full(end.size, -1, np.int64)
    labels[dated] = np.searchsorted(np.array(firsts, np.int64), period, side="right") - 1
    return labels
