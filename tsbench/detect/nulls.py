"""Fitting the odds: surrogates of a background, searched like the real thing."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsbench import checks
from tsbench.detect.bank import RECENT_PERIODS, Bank, Stretches, Where, of_channel
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head
from tsbench.detect.odds import Odds, features_of
from tsbench.detect.search import SHORTEST_RUN, best_windows, long_enough, shortest_run
from tsbench.errors import BadInput, TooShort
from tsbench.patterns import NULLS, Null
from tsbench.patterns.surrogates import resample

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NullChoice = Null | Literal["largest"]
OddsTable = dict[tuple[Where, Null, int], Odds]
Heads = Mapping[Where, Mapping[int, Head]]


def nulls_of(null: NullChoice) -> tuple[Null, ...]:
    """The nulls a verdict rests on: all of them for "largest", else the one. Raises BadInput for another word."""
    checks.choice(null, "null", (*NULLS, "largest"))
    return tuple(kind for kind in NULLS if null in (kind, "largest"))


def sampled(stretches: Stretches, n: int, seed: int) -> Stretches:
    """The runs of at most n entities, drawn without replacement."""
    entities = np.unique(stretches.entity)
    if entities.size <= n:
        return stretches
    chosen = np.random.default_rng(seed).choice(entities, n, replace=False)
    return stretches.keep(np.isin(stretches.entity, chosen))


def fit_odds(
    stretches: Stretches,
    banks: dict[Where, Bank],
    *,
    heads: Heads,
    surrogates: int,
    seed: int,
    executor: Executor | None = None,
) -> OddsTable:
    """The null distribution for every question, null and channel that the background can answer.

    Parameters
        stretches : the background. banks : templates by question. heads : trained judges by question and channel; a
            surrogate is judged as its company is.
        surrogates : how many per null and channel (rounded up to equal shares of the background's runs).
    Raises     TooShort: the background has no run long enough. BadInput: no question can be answered, because the
        constraints hardly ever allow a window.
    """
    table: OddsTable = {}
    refused: BadInput | None = None
    usable = np.flatnonzero(np.any([long_enough(stretches, bank) for bank in banks.values()], axis=0))
    if not usable.size:
        raise TooShort(
            f"no gap-free stretch of the background is longer than {max(SHORTEST_RUN, banks['now'].length.min())} "
            "periods; shorten the pattern or give longer series"
        )
    for number, kind in enumerate(NULLS):
        for channel in np.unique(stretches.channel[usable]):
            rows = usable[stretches.channel[usable] == channel]
            copies = -(-surrogates // rows.size)
            rng = np.random.default_rng([seed, number, int(channel) + 1])
            values, length = surrogate_runs(stretches, rows, copies, kind, rng)
            stop = np.cumsum(length)
            company = np.repeat(stretches.entity[rows], copies)
            half = stretches.half[company]
            for where, whole in banks.items():
                bank = of_channel(whole, int(channel))
                fits = length >= shortest_run(bank)
                first_end = stop - (RECENT_PERIODS - 1) if where != "history" else np.zeros(stop.size, np.int64)
                runs = ((stop - length)[fits], stop[fits], first_end[fits])
                head = heads.get(where, {}).get(int(channel))
                best = best_windows(values, runs, bank, head=head, fold=half[fits], executor=executor)
                features = features_of(values, runs[0], runs[1], best.start[:, 0], best.length[:, 0])
                try:
                    odds = Odds.fit(features, best.score[:, 0], company[fits], bounded=head is None)
                    table[where, kind, int(channel)] = odds
                except BadInput as error:
                    refused = error
    if refused and not table:
        raise refused
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
    stretches: Stretches,
    r: int,
    score: float,
    first_end: int,
    bank: Bank,
    kind: Null,
    n: int,
    rng: np.random.Generator,
    *,
    head: Head | None = None,
) -> float:
    """(1 + surrogates of run r that score at least `score`) / (n + 1); 1 where the run had no allowed window."""
    if not np.isfinite(score):
        return 1.0
    values, length = surrogate_runs(stretches, np.array([r]), n, kind, rng)
    stop = np.cumsum(length)
    end = stop - max(int(stretches.stop[r]) - first_end, 0) if first_end else np.zeros_like(stop)
    fold = np.full(n, stretches.half[stretches.entity[r]])
    runs = (stop - length, stop, end)
    null = best_windows(values, runs, of_channel(bank, int(stretches.channel[r])), head=head, fold=fold).score
    return float(1 + (null >= score).sum()) / (n + 1)


def _run(stretches: Stretches, r: int) -> Floats:
    part = stretches.values[:, stretches.start[r] : stretches.stop[r]]
    channel = stretches.channel[r]
    return part if channel < 0 else part[channel : channel + 1]
