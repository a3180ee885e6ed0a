"""Fitting the odds: surrogates of a background, searched like the real thing."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.detect.bank import RECENT_PERIODS, Bank, Stretches, Where, of_channel
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head
from tsbench.detect.odds import Odds, features_of
from tsbench.detect.search import (
    SHORTEST_RUN,
    Best,
    Question,
    best_windows,
    judges,
    long_enough,
    search_runs,
    shortest_run,
)
from tsbench.errors import BadInput, TooShort
from tsbench.evaluate import any_of
from tsbench.patterns import NULLS, Null, Pattern
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
            for where, whole in banks.items():
                bank = of_channel(whole, int(channel))
                fits = length >= shortest_run(bank)
                first_end = stop - (RECENT_PERIODS - 1) if where != "history" else np.zeros(stop.size, np.int64)
                runs = ((stop - length)[fits], stop[fits], first_end[fits])
                head = heads.get(where, {}).get(int(channel))
                fold, owner = (of[company[fits]] for of in judges(head, stretches))
                best = best_windows(values, runs, bank, head=head, fold=fold, owner=owner, executor=executor)
                features = features_of(values, runs[0], runs[1], best.start[:, 0], best.length[:, 0])
                try:
                    odds = Odds.fit(features, best.score[:, 0], company[fits], bounded=head is None)
                    table[where, kind, int(channel)] = odds
                except BadInput as error:
                    refused = error
    if refused and not table:
        raise refused
    return table


def odds_for(pattern: Pattern, odds: OddsTable, where: Where, kind: Null, channel: int) -> Odds:
    """The odds of one question, null and channel. Raises BadInput where the background could not answer it."""
    if (where, kind, channel) not in odds:
        expression = pattern.expressions[channel] if channel >= 0 else "the joint pattern"
        raise BadInput(
            f"no odds for where={where!r} of {expression}: the background had no stretch long enough, or too few "
            "windows that the constraints allow; fit on more or longer series, or widen the constraints"
        )
    return odds[where, kind, channel]


def p_values(
    pattern: Pattern, stretches: Stretches, asked: NDArray[np.bool_], best: Best, odds: OddsTable, where: Where
) -> tuple[dict[Null, Floats], Floats]:
    """Per null, the p-value of the best window of every run that is `asked` about, and the smallest that the surrogates
    support; NaN for the others.
    """
    p: dict[Null, Floats] = {kind: np.full(asked.size, np.nan) for kind in NULLS}
    floor = np.full(asked.size, np.nan)
    for channel in np.unique(stretches.channel[asked]):
        here = np.flatnonzero(asked & (stretches.channel == channel))
        features = features_of(
            stretches.of_channel(int(channel)), stretches.start[here], stretches.stop[here],
            best.start[here, 0], best.length[here, 0],
        )  # fmt: skip
        for kind in NULLS:
            one = odds_for(pattern, odds, where, kind, int(channel))
            p[kind][here] = one.p_value(features, best.score[here, 0])
            floor[here] = np.fmax(floor[here], one.floor)
    return p, floor


def needed_scores(
    pattern: Pattern,
    odds: OddsTable,
    heads: Mapping[int, Head],
    where: Where,
    lengths: Ints,
    p: float,
    shortest: int,
) -> pd.DataFrame:
    """See `PatternDetector.needed_score`: the score at which the strictest null reaches `p`, by length and channel.

    Series below `shortest` are not tested at all.
    """
    rows = []
    for channel in sorted({c for _, _, c in odds}):
        needed = np.full(lengths.size, -np.inf)
        for kind in NULLS:
            one = odds_for(pattern, odds, where, kind, channel)
            features = np.tile(one.centre, (lengths.size, 1))
            features[:, 0] = np.log(lengths)
            needed = np.maximum(needed, one.needed_score(features, p))
        needed = np.where(lengths < shortest, np.inf, needed)
        head = heads.get(channel)
        shown = np.where(needed == np.inf, 1.0, needed if head is None else head.probability(needed))
        name = " & ".join(pattern.expressions) if channel < 0 else pattern.expressions[channel]
        rows.append(pd.DataFrame({"length": lengths, "channel": name, "needed": shown}))
    return pd.concat(rows, ignore_index=True)


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


def own_p_values(
    stretches: Stretches,
    question: Question,
    bank: Bank,
    heads: Mapping[int, Head],
    *,
    kinds: Sequence[Null],
    n: int,
    seed: int,
) -> dict[str, float]:
    """p-values of the entities that are asked about, from n surrogates of each of their own stretches.

    (1 + surrogates that score at least as high) / (n + 1), 1 where a stretch has no allowed window; the smallest over
    the stretches paid for by Sidak, and the largest over the nulls `kinds`.
    """
    score = search_runs(stretches, question, bank, heads=heads).score[:, 0]
    names = stretches.index["entity"].to_numpy(dtype=object)
    whose = {int(k): judges(heads.get(int(k)), stretches) for k in np.unique(stretches.channel)}
    out: dict[str, float] = {}
    for e in np.unique(stretches.entity[question.runs]):
        rows = np.flatnonzero(question.runs & (stretches.entity == e))
        rng = np.random.default_rng([seed, zlib.crc32(str(names[e]).encode())])
        smallest = np.ones(len(kinds))
        for number, kind in enumerate(kinds):
            for r in rows[np.isfinite(score[rows])]:
                channel, first_end = int(stretches.channel[r]), int(question.first_end[r])
                values, length = surrogate_runs(stretches, np.array([r]), n, kind, rng)
                stop = np.cumsum(length)
                end = stop - max(int(stretches.stop[r]) - first_end, 0) if first_end else np.zeros_like(stop)
                fold, owner = (np.full(n, of[e]) for of in whose[channel])
                null = best_windows(
                    values, (stop - length, stop, end), of_channel(bank, channel), head=heads.get(channel),
                    fold=fold, owner=owner,
                ).score  # fmt: skip
                smallest[number] = min(smallest[number], float(1 + (null >= score[r]).sum()) / (n + 1))
        out[names[e]] = float(any_of(smallest, rows.size).max())
    return out


def _run(stretches: Stretches, r: int) -> Floats:
    part = stretches.values[:, stretches.start[r] : stretches.stop[r]]
    channel = stretches.channel[r]
    return part if channel < 0 else part[channel : channel + 1]
