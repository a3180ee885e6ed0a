"""What the head learns from: copies of the drawing in the user's own series, and everything that nearly is one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsbench.detect.bank import RECENT_PERIODS, Bank
from tsbench.errors import TooShort
from tsbench.kernels.describe import compare_rivals
from tsbench.kernels.draw import splice_all
from tsbench.kernels.matches import best_matches
from tsbench.patterns import Pattern
from tsbench.patterns.near_misses import near_misses
from tsbench.patterns.surrogates import resample
from tsbench.patterns.synthetic import BLOCK, MEMORY, bend

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Windows that stage one hands on from each run, fewer where only the last periods are asked about and all coincide;
# and how much two of them may overlap.
CANDIDATES, CANDIDATES_NOW, OVERLAP = 32, 8, 0.85
GRID = 64
# Of the training series: how many carry the pattern, how many a near miss, and how many are chance versions of a host,
# by whether only the last periods are asked about; the rest are hosts as they are.
CARRIERS, NEAR_MISSES, CHANCE = 0.6, 0.275, {False: 0.05, True: 0.1}
# Heights of planted shapes, see `kernels.draw.splice`.
HEIGHTS = (1.1, 9.0)
# A window that covers less of what was planted (intersection over union) shows something else.
PLANTED = 0.3
# A stretch to plant in has at least so many periods, where the pattern's longest copy does not fit anyway.
SHORTEST_HOST = 24


@dataclass(frozen=True, slots=True)
class Examples:
    """Series with known truth, and the windows that stage one proposes in them.

    values : float64 (channels, total). start, stop : int64 per series. run, first, length : int64 per window: its
    series, position and length. overlap : its intersection over union with the planted copy, 0 where there is none.
    natural : whether it shows little of what was planted: what stands there, nobody has drawn. rivals : float64
    (windows, 2), see `kernels.describe.compare_rivals`. proposed : the score of stage one. by_chance : the best such
    score of each series that is a chance version of a host.
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
    proposed: Floats
    by_chance: Floats

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
    pattern: Pattern,
    bank: Bank,
    hosts: list[Floats],
    n: int,
    rng: np.random.Generator,
    *,
    channels: list[int],
    now: bool,
    carriers: float = CARRIERS,
) -> Examples:
    """n series made of the hosts: most with a copy of the pattern, others with a near miss, as they are, or by chance.

    Parameters
        pattern : upright; mirrored polarities are learnt on mirrored hosts. bank : its templates.
        hosts : arrays (channels, points), drawn with replacement. n : series. rng : the source of randomness.
        channels : the pattern's channels that the hosts' rows are.
        now : copies end in the last two periods, and only windows that do so are proposed; else both lie anywhere.
        carriers : the share of series with a copy.
    """
    lot = rng.random(n)
    carries = lot < carriers
    planted = lot < carriers + NEAR_MISSES
    chance = lot > 1.0 - CHANCE[now]
    pick = rng.integers(0, len(hosts), n)
    series = [hosts[p] for p in pick]
    for i in np.flatnonzero(chance):
        series[i] = resample(series[i], 1, "block_bootstrap", rng)[:, 0]
    sign = {"as_drawn": 1.0, "inverted": -1.0}.get(pattern.polarity, 0.0)
    signs = np.where(sign == 0.0, rng.choice((-1.0, 1.0), n), sign)
    values = np.concatenate([s * host for s, host in zip(signs, series, strict=True)], axis=1)
    size = np.array([host.shape[1] for host in series])
    stop = np.cumsum(size)
    start = stop - size
    most = np.minimum(pattern.length[1], size - 3)
    least = np.minimum(pattern.length[0], most)
    length = np.rint(np.exp(rng.uniform(np.log(least), np.log(most)))).astype(np.int64)
    room = size - length
    at = start + (room - rng.integers(0, RECENT_PERIODS, n) if now else (rng.random(n) * (room + 1)).astype(np.int64))
    curves = np.empty((len(channels), n, GRID))
    own = [pattern.channels[k].drawing if pattern.channels[k].points else None for k in channels]
    # Of alternatives only the one that is looked at here: its near misses are not those of a joint pattern.
    looked_at = replace(pattern, channels=tuple(pattern.channels[k] for k in channels), constraints=(), combine="all")
    wrong = near_misses(looked_at, rng)
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
    first_end = stop - (RECENT_PERIODS - 1) if now else np.zeros(n, np.int64)
    # Hosts of an inverted pattern are mirrored, so that copies stand upright: its templates have to follow.
    upright = replace(bank, flat=-bank.flat) if pattern.polarity == "inverted" else bank
    return _proposed(values, (start, stop, first_end), upright, np.where(planted, at, -1), length, carries, chance)


def _proposed(
    values: Floats,
    runs: tuple[Ints, Ints, Ints],
    bank: Bank,
    at: Ints,
    size: Ints,
    carries: NDArray[np.bool_],
    chance: NDArray[np.bool_],
) -> Examples:
    """What stage one proposes; `at`, `size` : where something was planted in each series, at -1 for nothing."""
    start, stop, first_end = runs
    kept = (start.size, CANDIDATES_NOW if first_end.any() else CANDIDATES)
    out = (np.empty(kept), np.empty(kept, np.int64), np.empty(kept, np.int64))
    kinds, channels, low, high = bank.constraints
    free = (kinds[:0], channels[:0], low[:0], high[:0])
    best_matches(values, runs, (bank.flat, bank.offset, bank.length), free, bank.gate, OVERLAP, out)
    run, place = map(np.ascontiguousarray, np.nonzero(out[0] > 0))
    if not run.size:
        raise TooShort("no stretch of the background has room for the shortest match; give longer series")
    first, length = out[1][run, place], bank.length[out[2][run, place]]
    shared = np.minimum(first + length, (at + size)[run]) - np.maximum(first, at[run])
    shared = np.where(at[run] >= 0, np.maximum(shared, 0), 0)
    of_planted = shared / (length + size[run] - shared)
    overlap = np.where(carries[run], of_planted, 0.0)
    natural = of_planted < PLANTED
    proposed = out[0][run, place]
    rivals = np.empty((run.size, 2))
    compare_rivals(run, first, length, proposed, rivals)
    by_chance = np.maximum(out[0][chance, 0], 0.0)
    return Examples(values, start, stop, run, first, length, overlap, natural, rivals, proposed, by_chance)
