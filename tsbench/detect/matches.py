"""The table of matches: one row per entity, tested or not, with the evidence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.detect.bank import Bank, Stretches, Where
from tsbench.detect.head import Head
from tsbench.detect.search import APART, Best, Question
from tsbench.evaluate import any_of
from tsbench.evaluate.retrieval import overlap
from tsbench.patterns import NULLS, Null, Pattern

Floats = NDArray[np.float64]
COLUMNS = (
    "entity", "name", "sector", "status", "metric", "channels", "start", "end", "length", "complete", "score",
    "p_value", "q_value", "null", *(f"p_{kind}" for kind in NULLS), "flagged", "last", "evidence",
)  # fmt: skip


def match_table(
    pattern: Pattern,
    stretches: Stretches,
    bank: Bank,
    best: Best,
    p: Mapping[Null, Floats],
    floor: Floats,
    question: Question,
    where: Where,
    null: str,
    heads: Mapping[int, Head],
) -> pd.DataFrame:
    """One row per entity from the best windows of its runs.

    Parameters
        p : per null, the p-value of every run (NaN where not asked). An entity's p-value under a null is the smallest
            over its runs, paid for by Sidak; its verdict the one of `null`, or the largest over the nulls.
        floor : the smallest p of every run that the surrogates support, p_floor in the evidence once paid for.
        question : which runs were searched, and which entities are live.
        heads : the judges by channel; where there is one, the score is its probability, else the correlation.
    Returns
        DataFrame with `COLUMNS`, in the order of the entities; q_value is NaN (it needs the whole family).
    """
    n = len(stretches.index)
    score, begin, size, proposed = best.score[:, 0], best.start[:, 0], best.length[:, 0], best.scale[:, 0]
    asked, live = question.runs, question.live
    tries = np.bincount(stretches.entity[asked], minlength=n)
    tested = tries > 0
    by_null, winner = {}, {}
    for kind in NULLS:
        # Runs by entity, smallest p first, higher score first among equals: the first of each entity wins.
        order = np.lexsort((-score, np.where(asked, p[kind], np.inf), stretches.entity))
        first = order[np.r_[True, np.diff(stretches.entity[order]) > 0][: order.size]]
        run = np.full(n, -1)
        run[stretches.entity[first]] = first
        winner[kind] = run
        smallest = np.full(n, np.nan)
        smallest[tested] = any_of(p[kind][run[tested]], tries[tested])
        by_null[kind] = smallest
    stack = np.stack([np.where(tested, by_null[kind], -1.0) for kind in NULLS])
    which = np.full(n, NULLS.index(null)) if null in NULLS else stack.argmax(axis=0)
    verdict = np.where(tested, np.take_along_axis(stack, which[None], 0)[0], np.nan)
    run = np.stack([winner[kind] for kind in NULLS])[which, np.arange(n)]
    # A stretch without an allowed window, or none that goes the drawn way at all, has no match to show.
    found = tested & (run >= 0)
    if begin.size:
        found &= (begin[run] >= 0) & (score[run] > 0)
    at = np.where(found, begin[run], 0)
    scale = np.where(found, proposed[run], 0)
    length = np.where(found, size[run], 0)
    channel = np.where(found, stretches.channel[run], -1)
    shown = score.copy()
    for k, head in heads.items():
        shown[stretches.channel == k] = head.probability(score[stretches.channel == k])
    times = pd.to_datetime(stretches.times, unit="us", utc=True)
    last = np.maximum(stretches.last, 1) - 1
    status = np.full(n, "tested", dtype=object)
    index = stretches.index
    has_run = np.bincount(stretches.entity, minlength=n) > 0
    status[~tested] = "too short"
    status[~tested & ~has_run] = "no clean run"
    if where != "history":
        status[~live & has_run] = "not live"
    status[(index["entity"] == pattern.example).to_numpy()] = "the example"
    expressions = [
        [pattern.expressions[c]] if c >= 0 else list(pattern.expressions) if f else []
        for c, f in zip(channel, found, strict=True)
    ]
    table = pd.DataFrame(
        {
            "entity": index["entity"],
            "name": index["name"] if "name" in index else index["entity"],
            "sector": index.get("sector", ""),
            "status": status,
            "metric": [" & ".join(e) for e in expressions],
            "channels": expressions,
            "start": pd.Series(times[at]).where(found),
            "end": pd.Series(times[at + np.maximum(length, 1) - 1]).where(found),
            "length": length,
            "complete": np.where(found, bank.complete[scale], np.nan),
            "score": np.where(found, shown[run], np.nan),
            "p_value": verdict,
            "q_value": np.nan,
            "null": np.where(tested, np.array(NULLS, dtype=object)[which], ""),
            **{f"p_{kind}": by_null[kind] for kind in NULLS},
            "flagged": stretches.flagged,
            "last": pd.Series(times[last]).where(stretches.last > 0),
        }
    )
    first = at - stretches.offsets[:-1]
    evidence: list[dict[str, Any]] = [{"tries": int(t)} for t in tries]
    for e in np.flatnonzero(found):
        place = int(first[e]), int(at[e]), int(length[e])
        evidence[e] |= {"p_floor": float(any_of(floor[run[e]], tries[e]))}
        evidence[e] |= _evidence(pattern, stretches, bank, place, int(scale[e]), int(channel[e]))
    table["evidence"] = pd.Series(evidence, dtype=object)
    return table[list(COLUMNS)]


def _evidence(
    pattern: Pattern,
    stretches: Stretches,
    bank: Bank,
    place: tuple[int, int, int],
    scale: int,
    channel: int,
) -> dict[str, Any]:
    first, at, m = place
    rows = [channel] if channel >= 0 else range(len(stretches.values))
    heights: list[float | None] = []
    correlations: list[float | None] = []
    changes = []
    for k in rows:
        w = stretches.values[k, at : at + m]
        changes.append(float(w[-1] - w[0]))
        if bank.offset[scale, k] < 0:
            heights.append(None)
            correlations.append(None)
            continue
        t = bank.sign[scale] * pattern.template(int(k), m, complete=float(bank.complete[scale]))
        along, size = float(t @ w), float(np.sqrt(((w - w.mean()) ** 2).sum()))
        heights.append(float(np.ptp(t)) * along)
        correlations.append(along / size if size > 0 else 0.0)
    return {
        "first": first,
        "height": heights,
        "correlation": correlations,
        "change": changes,
        "mirrored": bool(bank.sign[scale] < 0),
    }


def found_windows(
    pattern: Pattern, stretches: Stretches, best: Best, heads: Mapping[int, Head], per_entity: int
) -> pd.DataFrame:
    """The windows of `best` as a table: entity, channel, start, end (positions in the entity's series) and score.

    Best first. Of alternative channels the better window stays where two share more than `APART`; at most `per_entity`
    rows of an entity.
    """
    run, place = np.nonzero(best.start >= 0)
    channel, entity = stretches.channel[run], stretches.entity[run]
    score = best.score[run, place]
    for k, head in heads.items():
        score[channel == k] = head.probability(score[channel == k])
    first = best.start[run, place] - stretches.offsets[entity]
    names = np.array([*pattern.expressions, " & ".join(pattern.expressions)], dtype=object)
    table = pd.DataFrame(
        {
            "entity": stretches.index["entity"].to_numpy(dtype=object)[entity],
            "channel": names[channel],
            "start": first,
            "end": first + best.length[run, place],
            "score": score,
        }
    ).sort_values("score", ascending=False, kind="stable", ignore_index=True)
    kept: dict[str, list[tuple[int, int]]] = {}
    rows = []
    for i, (name, a, b) in enumerate(table[["entity", "start", "end"]].itertuples(index=False)):
        mine = kept.setdefault(name, [])
        if len(mine) < per_entity and all(overlap(a, b, c, d) <= APART for c, d in mine):
            mine.append((a, b))
            rows.append(i)
    return table.iloc[rows].reset_index(drop=True)
