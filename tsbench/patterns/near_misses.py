"""What almost is the pattern: drawings that a detector must tell from it.

A detector that learns from the pattern against plain noise takes every smooth curve for the pattern. It has to see
what resembles it and is something else: the drawing backwards, upside down, with its sections in another order, or only
a part of it; other patterns of the library; and of a joint pattern, one channel without the other.
"""

import numpy as np

from tsbench.patterns.library import library
from tsbench.patterns.spec import Pattern
from tsbench.patterns.synthetic import Drawing

Drawings = tuple[Drawing | None, ...]
SHUFFLES = 6
PARTS = (0.5, 0.6, 0.7)
# Drawings that correlate more than this with the pattern in every channel are the pattern.
ALIKE = 0.9
GRID = np.linspace(0.0, 1.0, 65)


def near_misses(pattern: Pattern, rng: np.random.Generator) -> list[Drawings]:
    """Drawings that are not the pattern, each with one entry per channel of it; None = that channel shows nothing.

    Parameters
        rng : draws the section orders, and which other patterns stand together in a joint one.
    Returns
        at least one; none correlates with the pattern by more than 0.9 in all its channels, upright or, where its
        polarity allows, mirrored.
    """
    own: Drawings = tuple(c.drawing if c.points else None for c in pattern.channels)
    found = [tuple(_backwards(d) for d in own), tuple(_mirrored(d) for d in own)]
    found += [tuple(_shuffled(d, rng) for d in own) for _ in range(SHUFFLES)]
    for share in PARTS:
        found += [tuple(_part(d, 0.0, share) for d in own), tuple(_part(d, 1.0 - share, 1.0) for d in own)]
    others = _distinct([c.drawing for p in library().values() for c in p.channels if c.points])
    if len(own) - own.count(None) == 1:
        found += [tuple(None if d is None else other for d in own) for other in others]
    else:
        found += [tuple(None if d is None else others[rng.integers(len(others))] for d in own) for _ in others]
        found += [tuple(d if j == k else None for j, d in enumerate(own)) for k in range(len(own)) if own[k]]
    return [d for d in found if not _alike(own, d, mirrored=pattern.polarity == "either")]


def _alike(own: Drawings, other: Drawings, *, mirrored: bool) -> bool:
    """Whether a drawing follows the pattern in all its channels, or goes against it in all."""
    r = [
        0.0 if b is None else float(np.corrcoef(np.interp(GRID, *a), np.interp(GRID, *b))[0, 1])
        for a, b in zip(own, other, strict=True)
        if a is not None
    ]
    return min(r) >= ALIKE or (mirrored and max(r) <= -ALIKE)


def _scaled(x: np.ndarray, y: np.ndarray) -> Drawing | None:
    span = np.ptp(y)
    return (x, (y - y.min()) / span) if span > 1e-9 else None


def _backwards(drawing: Drawing | None) -> Drawing | None:
    return None if drawing is None else (1.0 - drawing[0][::-1], drawing[1][::-1])


def _mirrored(drawing: Drawing | None) -> Drawing | None:
    return None if drawing is None else (drawing[0], 1.0 - drawing[1])


def _shuffled(drawing: Drawing | None, rng: np.random.Generator) -> Drawing | None:
    if drawing is None:
        return None
    order = rng.permutation(drawing[0].size - 1)
    x, y = (np.r_[0.0, np.cumsum(np.diff(part)[order])] for part in drawing)
    return _scaled(x / x[-1], y)


def _part(drawing: Drawing | None, low: float, high: float) -> Drawing | None:
    """The stretch of the drawing from low to high, as if it were all of it."""
    if drawing is None:
        return None
    x, y = drawing
    at = np.unique(np.r_[low, x[(x > low) & (x < high)], high])
    return _scaled((at - low) / (high - low), np.interp(at, x, y))


def _distinct(drawings: list[Drawing]) -> list[Drawing]:
    kept: dict[bytes, Drawing] = {}
    for x, y in drawings:
        kept.setdefault(np.interp(GRID, x, y).round(6).tobytes(), (x, y))
    return list(kept.values())
