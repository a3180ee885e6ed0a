"""Power: shapes planted into companies that the detector has not seen, and the share of them that it finds.

As in `shape_sets`: a bent copy of the drawing, and noise made of the host's own steps, take the place of a stretch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
from chance import chance
from shape_sets import (
    COMPANY_LENGTH,
    ShapeSet,
    _host_noise,
    bent_clock,
    company_runs,
    curve,
    plant,
    planted_in_companies,
    shapes,
)

from tsbench.detect import PatternDetector, Stretches, nulls
from tsbench.detect.odds import features_of
from tsbench.evaluate import benjamini_hochberg
from tsbench.evaluate.retrieval import overlap
from tsbench.patterns import Pattern

# Height of a planted shape in standard deviations of the host's one-step differences.
HEIGHTS = (6, 12)
PREVALENCE, DRAWS, Q, OVERLAP = 0.2, 10, 0.1, 0.5
# Series of a set of shapes, and the verdicts asked: the default, which is the strictest of the nulls, and one alone.
SERIES = 250
VERDICTS = {"strictest": "p_value", "block bootstrap": "p_block_bootstrap"}
COUNTS = ("carriers", "found", "elsewhere", "false", "passing")


def at_the_end(
    pattern: Pattern, stretches: Stretches, height: float, rng: np.random.Generator
) -> tuple[Stretches, np.ndarray, np.ndarray]:
    """The pattern in the place of the end of the last run of every entity that has room for it.

    A joint pattern goes into all its shaped channels, alternatives into one at random. Constraint-only channels stay
    as they are, so that a joint pattern may be ruled out by them: that counts against us.
    Returns the stretches and, per entity, first position (-1 for none) and length of what was planted.
    """
    values = stretches.values.copy()
    first, length = np.full(len(stretches.index), -1), np.zeros(len(stretches.index), np.int64)
    roomy = stretches.stop - stretches.start >= pattern.length[1] + 8
    ends = np.flatnonzero((stretches.stop == stretches.last[stretches.entity]) & roomy)
    for entity in np.unique(stretches.entity[ends]):
        r = rng.choice(ends[stretches.entity[ends] == entity])
        m = int(np.rint(np.exp(rng.uniform(*np.log(pattern.length)))))
        channel, clock = stretches.channel[r], bent_clock(m, rng)
        for k in [channel] if channel >= 0 else range(len(pattern.channels)):
            if pattern.channels[k].points:
                row = values[k, stretches.start[r] : stretches.stop[r]]
                steps, points = np.diff(row), tuple(zip(*pattern.channels[k].drawing, strict=True))
                shape = height * steps.std() * curve(points, clock, rng)
                row[:] = plant(row, shape, row.size - m, _host_noise(steps, m, rng))
        first[entity], length[entity] = stretches.stop[r] - m - stretches.offsets[entity], m
    return replace(stretches, values=values), first, length


def power(detector: PatternDetector, test: Stretches, seed: int) -> dict[str, float]:
    """What `detector` finds at q <= 0.1, asked "now", when block-bootstrapped companies carry its pattern at their end.

    A hit is a carrier whose match covers the planted stretch (intersection over union >= 0.5). Two scans: one company
    in five carries the pattern (mean of ten draws of the carriers), or exactly one does (each carrier in turn). A
    company's p does not depend on the others, so one scoring without and one with the pattern in all gives both.
    """
    rng = np.random.default_rng([seed, 5])
    drawn = chance(test, "block_bootstrap", rng)
    bare = detector.score(drawn, where="now")["p_value"].to_numpy()
    out: dict[str, float] = {}
    for height in HEIGHTS:
        planted, first, length = at_the_end(detector.pattern, drawn, height, rng)
        table = detector.score(planted, where="now")
        p = table["p_value"].to_numpy()
        placed = np.array(
            [
                overlap(a, a + m, b, b + n) >= OVERLAP if m and n else False
                for (a, m), b, n in zip(windows(table), first, length, strict=True)
            ]
        )
        carriers = np.flatnonzero((first >= 0) & ~np.isnan(p))
        lone = []
        for carrier in carriers:
            family = bare.copy()
            family[carrier] = p[carrier]
            lone.append(placed[carrier] and benjamini_hochberg(family)[carrier] <= Q)
        shares = []
        for _ in range(DRAWS):
            chosen = np.zeros(p.size, bool)
            chosen[rng.permutation(carriers)[: max(1, int(PREVALENCE * p.size))]] = True
            found = benjamini_hochberg(np.where(chosen, p, bare)) <= Q
            hits = found & chosen & placed
            shares.append((hits.sum() / chosen.sum(), (found & ~hits).sum() / max(found.sum(), 1)))
        found_share, false_share = np.mean(shares, axis=0)
        out |= {f"power {height}": found_share, f"false {height}": false_share, f"lone {height}": np.mean(lone)}
    return out


def windows(table: pd.DataFrame) -> list[tuple[int, int]]:
    """First position and length of every match; length 0 where there is none."""
    first = [evidence.get("first", 0) for evidence in table["evidence"]]
    return list(zip(first, table["length"], strict=True))


def in_companies(name: str, seed: int, trained: bool) -> list[dict[str, object]]:
    """What a scan of real held-out companies, asked "history", finds at q <= 0.1 where 60 % carry a planted shape.

    Per height and verdict, how many series carry it, were found at the planted place, passed with another place, passed
    without carrying it, and passed at all. A match on a natural carrier (`ignored`) counts nowhere.
    """
    pattern = shapes(COMPANY_LENGTH)[name]
    nothing = pd.DataFrame(columns=["entity", "start", "end"])
    known = ShapeSet(company_runs(pattern, held_out=False), nothing, nothing).panel()
    # Names of their own, for a detector may treat companies that it knows by name in another way.
    known = replace(known, index=known.index.assign(entity="known " + known.index["entity"]))
    detector = PatternDetector(pattern, seed=seed, trained=trained).fit(known)
    rows: list[dict[str, object]] = []
    for height in HEIGHTS:
        cell = planted_in_companies(pattern, SERIES, height, seed)
        table = detector.scan(cell.panel(), where="history")
        truth, ignored = covered(table, cell.truth), covered(table, cell.ignored)
        carries = np.isin(table["entity"], cell.truth["entity"])
        for verdict, column in VERDICTS.items():
            passes = (benjamini_hochberg(table[column]) <= Q) & (truth | ~ignored)
            counts = (len(cell.truth), passes & truth, passes & carries & ~truth, passes & ~carries, passes)
            row = {"pattern": name, "height": height, "seed": seed, "trained": trained, "verdict": verdict}
            rows.append(row | {what: int(np.sum(count)) for what, count in zip(COUNTS, counts, strict=True)})
    return rows


def covered(table: pd.DataFrame, stretches: pd.DataFrame) -> np.ndarray:
    """Whether each match overlaps one of the stretches of its entity by half."""
    mine = {entity: part[["start", "end"]].to_numpy() for entity, part in stretches.groupby("entity")}
    return np.array(
        [
            bool(m) and any(overlap(a, a + m, b, c) >= OVERLAP for b, c in mine.get(entity, ()))
            for entity, (a, m) in zip(table["entity"], windows(table), strict=True)
        ]
    )


@contextmanager
def features_with_the_match() -> Iterator[None]:
    """Detectors fitted and asked inside measure features over the whole run, the match included."""

    def whole(values, start, stop, match_start, match_length):
        return features_of(values, start, stop, np.full_like(match_start, -1), match_length)

    nulls.features_of = whole
    try:
        yield
    finally:
        nulls.features_of = features_of
