"""What the head learns from: copies of the drawing in the user's own series, and everything that nearly is one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsbench.detect.bank import Bank
from tsbench.errors import TooShort
from tsbench.kernels.describe import compare_rivals
from tsbench.kernels.draw import splice_all
from tsbench.kernels.matches import best_matches
from tsbench.patterns import Pattern
from tsbench.patterns.near_misses import near_misses
from tsbench.patterns.synthetic import BLOCK, MEMORY, bend

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Windows that stage one hands on from each run, and how much two of them may overlap.
CANDIDATES, OVERLAP = 24, 0.75
GRID = 64
# Of the training series: how many carry the pattern, how many of the others a near miss, how many end with it.
CARRIERS, NEAR_MISSES, AT_END = 0.5, 0.75, 0.05
# Heights of planted shapes in standard deviations of one step.
HEIGHTS = (1.5, 9.0)
# A stretch to plant in has at least so many periods, where the pattern's longest copy does not fit anyway.
SHORTEST_HOST = 24


@dataclass(frozen=True, slots=True)
class Examples:
    """Series with known truth, and the windows that stage one proposes in them.

    values : float64 (channels, total). start, stop : int64 per series. run, first, length : int64 per window: its
    series, position and length. overlap : its intersection over union with the planted copy, 0 where there is none.
    natural : whether nothing was planted in its series, so that nobody knows what stands there.
    """

    values: Floats
    start: Ints
    stop: Ints
    run: Ints
    first: Ints
    length: Ints
    overlap: Floats
    natural: NDArray[np.bool_]
    rivals: Floats

    @property
    def runs(self) -> tuple[Ints, Ints]:
        """(start, stop) of each window's series."""
        return self.start[self.run], self.stop[self.run]

    @property
    def windows(self) -> tuple[Ints, Ints, Floats]:
        """(first, length, sign) of each window."""
        return self.first, self.length, np.ones(self.first.size)


def host_room(hosts: list[Floats], longest: int) -> Callable[[Floats], bool]:
    """Tells which stretches have room for a copy; `longest` of the pattern, in periods.

    Raises     TooShort: none has.
    """
    needed = min(longest + 4, SHORTEST_HOST)

    def room(host: Floats) -> bool:
        return host.shape[1] >= needed and bool(np.ptp(host, axis=1).min() > 0)

    if not any(map(room, hosts)):
        raise TooShort(f"no gap-free stretch of the background has {needed} periods and moves: nothing to learn in")
    return room


def examples(
    pattern: Pattern, bank: Bank, pool: list[Floats], n: int, rng: np.random.Generator, *, channels: list[int]
) -> Examples:
    """n series drawn from the pool, half of them with a copy of the pattern, most others with a near miss.

    Parameters
        pattern : upright; mirrored polarities are learnt on mirrored hosts. bank : its templates.
        channels : the pattern's channels that the hosts' rows are.
    """
    size = np.array([host.shape[1] for host in pool])
    pick = rng.integers(0, len(pool), n)
    stop = np.cumsum(size[pick])
    start = stop - size[pick]
    sign = {"as_drawn": 1.0, "inverted": -1.0}.get(pattern.polarity, 0.0)
    signs = np.where(sign == 0.0, rng.choice((-1.0, 1.0), n), sign)
    values = np.concatenate([s * pool[p] for p, s in zip(pick, signs, strict=True)], axis=1)
    lot = rng.random(n)
    carries = lot < CARRIERS
    planted = lot < CARRIERS + (1 - CARRIERS) * NEAR_MISSES
    most = np.minimum(pattern.length[1], size[pick] - 3)
    least = np.minimum(pattern.length[0], most)
    length = np.rint(np.exp(rng.uniform(np.log(least), np.log(most)))).astype(np.int64)
    room = size[pick] - length
    at = start + np.where(rng.random(n) < AT_END, room, (rng.random(n) * (room + 1)).astype(np.int64))
    curves = np.empty((len(channels), n, GRID))
    own = [pattern.channels[k].drawing if pattern.channels[k].points else None for k in channels]
    wrong = [[d[k] for k in channels] for d in near_misses(pattern, rng)]
    kind = np.where(carries, 0, 1 + rng.integers(0, len(wrong), n))
    for number, drawings in enumerate([own, *wrong]):
        rows = np.flatnonzero(kind == number)
        curves[:, rows] = bend(drawings, rows.size, GRID, warp=pattern.warp, jitter=pattern.jitter, rng=rng)
    chosen = np.flatnonzero(planted)
    blocks = rng.integers(0, 1 << 30, (len(channels), chosen.size, -(-int(length.max()) // BLOCK)))
    splice_all(
        values,
        (start[chosen], stop[chosen], at[chosen], length[chosen]),
        np.ascontiguousarray(curves[:, chosen]),
        np.exp(rng.uniform(np.log(HEIGHTS[0]), np.log(HEIGHTS[1]), chosen.size)),
        rng.uniform(0, MEMORY, chosen.size),
        blocks,
        BLOCK,
    )
    return _proposed(values, start, stop, bank, np.where(carries, at, -1), length, natural=~planted)


def _proposed(
    values: Floats, start: Ints, stop: Ints, bank: Bank, at: Ints, size: Ints, natural: NDArray[np.bool_]
) -> Examples:
    n = start.size
    out = (np.empty((n, CANDIDATES)), np.empty((n, CANDIDATES), np.int64), np.empty((n, CANDIDATES), np.int64))
    kinds, channels, low, high = bank.constraints
    free = (kinds[:0], channels[:0], low[:0], high[:0])
    runs = (start, stop, np.zeros(n, np.int64))
    best_matches(values, runs, (bank.flat, bank.offset, bank.length), free, bank.gate, OVERLAP, out)
    run, place = np.nonzero(out[1] >= 0)
    first, length = out[1][run, place], bank.length[out[2][run, place]]
    shared = np.minimum(first + length, (at + size)[run]) - np.maximum(first, at[run])
    union = np.maximum(first + length, (at + size)[run]) - np.minimum(first, at[run])
    overlap = np.where(at[run] >= 0, np.maximum(shared, 0) / union, 0.0)
    rivals = np.empty((run.size, 2))
    compare_rivals(run, first, length, out[0][run, place], rivals)
    return Examples(values, start, stop, run, first, length, overlap, natural[run], rivals)
