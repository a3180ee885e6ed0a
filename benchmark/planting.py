"""Power: patterns planted into surrogates of held-out companies, and the share of them that a detector finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from chance import chance

from tsbench.detect import PatternDetector, Stretches, nulls
from tsbench.detect import pattern as detector_module
from tsbench.detect.odds import features_of
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import Pattern

# Height of the planted pattern in standard deviations of the run's one-step differences.
HEIGHTS = (6, 12)
PREVALENCE, DRAWS, Q, OVERLAP = 0.2, 10, 0.1, 0.5


def plant(
    pattern: Pattern, stretches: Stretches, height: float, rng: np.random.Generator
) -> tuple[Stretches, np.ndarray, np.ndarray]:
    """The pattern added at the end of the last run of every entity that has room for it.

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
        channel = stretches.channel[r]
        for k in [channel] if channel >= 0 else range(len(pattern.channels)):
            if pattern.channels[k].points:
                row = values[k, stretches.start[r] : stretches.stop[r]]
                shape = pattern.template(int(k), m)
                row[-m:] += height * np.diff(row).std() * (shape - shape[0]) / np.ptp(shape)
        first[entity], length[entity] = stretches.stop[r] - m - stretches.offsets[entity], m
    return replace(stretches, values=values), first, length


def power(detector: PatternDetector, test: Stretches, seed: int) -> dict[str, float]:
    """What `detector` finds at q <= 0.1, asked "now", when companies carry its pattern.

    A hit is a carrier whose match covers the planted stretch (intersection over union >= 0.5). Two scans: one company
    in five carries the pattern (mean of ten draws of the carriers), or exactly one does (each carrier in turn). A
    company's p does not depend on the others, so one scoring without and one with the pattern in all gives both.
    """
    rng = np.random.default_rng([seed, 5])
    drawn = chance(test, "block_bootstrap", rng)
    bare = detector.score(drawn, where="now")["p_value"].to_numpy()
    out: dict[str, float] = {}
    for height in HEIGHTS:
        planted, first, length = plant(detector.pattern, drawn, height, rng)
        table = detector.score(planted, where="now")
        p = table["p_value"].to_numpy()
        begin = np.array([evidence.get("first", 0) for evidence in table["evidence"]])
        size = table["length"].to_numpy()
        both = np.maximum(np.minimum(begin + size, first + length) - np.maximum(begin, first), 0)
        placed = both >= OVERLAP * (size + length - both)
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


@contextmanager
def features_with_the_match() -> Iterator[None]:
    """Detectors fitted and asked inside measure features over the whole run, the match included."""

    def whole(values, start, stop, match_start, match_length):
        return features_of(values, start, stop, np.full_like(match_start, -1), match_length)

    nulls.features_of = detector_module.features_of = whole
    try:
        yield
    finally:
        nulls.features_of = detector_module.features_of = features_of
