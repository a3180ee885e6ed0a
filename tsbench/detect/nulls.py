"""Fitting the odds: surrogates of a background, searched like the real thing."""

import numpy as np
from numpy.typing import NDArray

from tsbench.detect.bank import WHERE, Bank, Stretches, Where
from tsbench.detect.odds import Odds, features_of
from tsbench.detect.search import Executor, best_windows
from tsbench.errors import TooShort
from tsbench.patterns import NULLS, Null
from tsbench.patterns.surrogates import resample

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# Shorter stretches have too few differences to resample and to describe.
SHORTEST_RUN = 10
OddsTable = dict[tuple[Where, Null, int], Odds]


def testable(stretches: Stretches, bank: Bank) -> NDArray[np.bool_]:
    """The runs long enough to hold a template and to be compared with surrogates of themselves."""
    length: NDArray[np.bool_] = stretches.stop - stretches.start >= max(SHORTEST_RUN, int(bank.length.min()) + 1)
    return length


def fit_odds(
    stretches: Stretches,
    banks: dict[Where, Bank],
    *,
    surrogates: int,
    seed: int,
    executor: Executor | None = None,
) -> OddsTable:
    """The null distribution for every question, null and channel.

    Parameters
        stretches : the background. banks : templates by question.
        surrogates : how many per null and channel (rounded up to equal shares of the background's runs).
    Raises     TooShort: the background has no run long enough.
    """
    table: OddsTable = {}
    usable = np.flatnonzero(testable(stretches, banks["history"]))
    if not usable.size:
        raise TooShort(
            f"no gap-free stretch of the background is longer than {max(SHORTEST_RUN, banks['history'].length.min())} "
            "periods; shorten the pattern or give longer series"
        )
    for number, kind in enumerate(NULLS):
        for channel in np.unique(stretches.channel[usable]):
            rows = usable[stretches.channel[usable] == channel]
            copies = -(-surrogates // rows.size)
            rng = np.random.default_rng([seed, number, int(channel) + 1])
            values, length = surrogate_runs(stretches, rows, copies, kind, rng)
            stop = np.cumsum(length)
            for where in WHERE:
                bank = of_channel(banks[where], int(channel))
                first_end = stop - 1 if where != "history" else np.zeros(stop.size, np.int64)
                best = best_windows(values, (stop - length, stop, first_end), bank, executor=executor)
                features = features_of(values, stop - length, stop, best.start, bank.length[best.scale])
                table[where, kind, int(channel)] = Odds.fit(features, best.score)
    return table


def surrogate_runs(
    stretches: Stretches, rows: Ints, copies: int, kind: Null, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """`copies` surrogates of each run in `rows`, end to end: (values (channels, total), length of each)."""
    values, length = [], []
    for r in rows:
        run = _run(stretches, int(r))
        drawn = resample(run, copies, kind, rng)
        values.append(drawn.reshape(run.shape[0], -1))
        length.append(np.full(copies, run.shape[1]))
    return np.concatenate(values, axis=1), np.concatenate(length)


def own_p_value(
    stretches: Stretches, r: int, score: float, first_end: int, bank: Bank, kind: Null, n: int, rng: np.random.Generator
) -> float:
    """(1 + surrogates of run r that score at least `score`) / (n + 1); 1 where the run had no allowed window."""
    if not np.isfinite(score):
        return 1.0
    values, length = surrogate_runs(stretches, np.array([r]), n, kind, rng)
    stop = np.cumsum(length)
    end = stop - max(int(stretches.stop[r]) - first_end, 0) if first_end else np.zeros_like(stop)
    null = best_windows(values, (stop - length, stop, end), of_channel(bank, int(stretches.channel[r]))).score
    return float(1 + (null >= score).sum()) / (n + 1)


def _run(stretches: Stretches, r: int) -> Floats:
    part = stretches.values[:, stretches.start[r] : stretches.stop[r]]
    channel = stretches.channel[r]
    return part if channel < 0 else part[channel : channel + 1]


def of_channel(bank: Bank, channel: int) -> Bank:
    """The bank for values that hold only that channel of several alternatives (all of them when it is -1)."""
    if channel < 0:
        return bank
    kinds, channels, low, high = bank.constraints
    mine = channels == channel
    constraints = (kinds[mine], np.zeros(mine.sum(), np.int64), low[mine], high[mine])
    offset = np.ascontiguousarray(bank.offset[:, channel : channel + 1])
    return Bank(bank.flat, offset, bank.length, bank.complete, bank.sign, constraints, bank.gate)
