"""Examples of a pattern whose truth is known: drawn with tolerance, planted into backgrounds.

A copy of the drawing has its control points shifted (jitter), its time bent by a monotone random clock (warp), a
random length, and a height of `snr` standard deviations of the background's one-step differences. It takes the place
of a stretch of the background: the copy and AR(1) noise made of blocks of the background's own steps, so that texture
and heavy tails stay. The levels join, and what a copy leaves behind stays: after a step up the series stays up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput, TooShort
from tsbench.kernels.draw import colour, draw_polylines, splice
from tsbench.patterns.expressions import evaluate_all
from tsbench.patterns.spec import Channel, Pattern
from tsbench.series import Panel

Floats = NDArray[np.float64]
Drawing = tuple[Floats, Floats]
Noise = Literal["gaussian", "student"]
KNOTS = 9
# The longest memory that a planted copy's noise has, and the length of the blocks of steps it is made of.
MEMORY, BLOCK = 0.6, 8
SIGNS = {"as_drawn": 1, "inverted": -1}


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Series with a planted pattern, and where it is.

    pattern : the pattern asked for, with each channel's expression replaced by the metric that holds it in `panel`.
    panel : one series per entity and channel. truth : one row per planted copy: entity, start, end (positions, half
    open), length, snr, sign (1 as drawn, -1 mirrored in height); entities without one are not in it.
    """

    pattern: Pattern
    panel: Panel
    truth: pd.DataFrame


def draw(pattern: Pattern, n: int, m: int, *, rng: np.random.Generator, warp: float | None = None) -> Floats:
    """Copies of the drawing with its tolerances, before noise; >= 100,000 windows of 64 points a second.

    Parameters
        n : how many. m : points each. warp : of time; default the pattern's own. 0 = none.
    Returns
        float64, shape (channels, n, m); each copy starts at 0 and has height 1 up to its jitter; NaN for a channel
        without points. Channels of one copy share the clock.
    """
    drawings = [channel.drawing if channel.points else None for channel in pattern.channels]
    return bend(drawings, n, m, warp=pattern.warp if warp is None else warp, jitter=pattern.jitter, rng=rng)


def bend(
    drawings: Sequence[Drawing | None], n: int, m: int, *, warp: float, jitter: float, rng: np.random.Generator
) -> Floats:
    """`draw` for drawings (x, y), x from 0 to 1 and y of height 1, one per channel; None gives NaN."""
    out = np.full((len(drawings), n, m), np.nan)
    clock = _clocks(n, checks.between(warp, "warp", 0, 1), rng)
    for k, drawing in enumerate(drawings):
        if drawing is None:
            continue
        x, y = drawing
        heights = y + jitter * rng.standard_normal((n, y.size))
        times = np.tile(x, (n, 1))
        # An inner point moves by at most 45 % of the way to its nearer neighbour, so their order stays.
        room = 0.45 * np.minimum(np.diff(x)[:-1], np.diff(x)[1:])
        times[:, 1:-1] += np.clip(jitter * rng.standard_normal((n, x.size - 2)), -1, 1) * room
        draw_polylines(times, heights, clock, out[k])
        out[k] -= out[k, :, :1]
    return out


def _clocks(n: int, strength: float, rng: np.random.Generator) -> Floats:
    """Monotone random clocks: cumulative gamma steps of relative deviation `strength`, from 0 to 1."""
    steps = np.ones((n, KNOTS - 1))
    if strength > 1e-3:  # below, the clock is straight to all purposes, and 1 / strength^2 overflows
        steps = rng.gamma(1 / strength**2, strength**2, steps.shape) + 1e-3
    clock = np.zeros((n, KNOTS))
    np.cumsum(steps, axis=1, out=clock[:, 1:])
    return clock / clock[:, -1:]


def walks(n: int, length: int, *, noise: Noise = "student", channels: int = 1, rng: np.random.Generator) -> Floats:
    """Backgrounds when there are no real ones: sums of AR(1) steps with drift, one-step deviation about 1.

    Parameters
        noise : "gaussian", or "student" with 4 degrees of freedom: heavy tails.
    Returns
        float64, shape (channels, n, length); memory and drift differ from series to series.
    """
    size = (channels * n, length - 1)
    steps = rng.standard_normal(size) if noise == "gaussian" else rng.standard_t(4, size) / np.sqrt(2.0)
    colour(steps, rng.uniform(-0.2, 0.5, channels * n))
    steps += rng.normal(0, 0.15, (channels * n, 1))
    out = np.zeros((channels * n, length))
    np.cumsum(steps, axis=1, out=out[:, 1:])
    return out.reshape(channels, n, length)


def synthesize(
    pattern: Pattern,
    n: int,
    *,
    backgrounds: Panel | None = None,
    snr: float | tuple[float, float] = 6.0,
    noise: Noise = "student",
    warp: float | None = None,
    share: float = 1.0,
    at_end: bool = False,
    length: int = 100,
    seed: int = 0,
) -> Synthetic:
    """Series that carry the pattern, and some that do not, with the truth.

    A copy stands as the pattern's polarity says: drawn upright, mirrored in height, or either at even odds, the same
    way in all its channels.

    Parameters
        n : entities.
        backgrounds : real metrics that the pattern's expressions read: its gap-free stretches, drawn with replacement,
            are the backgrounds. None = `walks` of `length` points with the given `noise`.
        snr : height of the planted shape over the standard deviation of the background's one-step differences; a pair
            (low, high) is a range, drawn log-uniformly, and then 0 < low <= high.
        warp : of time, for this call; default the pattern's own.
        share : of the entities that carry it. at_end : plant it at the end, for "now", instead of anywhere.
        seed : fixes all draws.
    Raises     BadInput: an argument out of its range; TooShort: no background stretch holds the longest copy and two
        periods around it.
    """
    checks.whole(n, "n", 1)
    checks.between(share, "share", 0, 1)
    rng = np.random.default_rng(seed)
    low, high = _heights(snr)
    series = _backgrounds(pattern, n, backgrounds, noise, length, rng)
    rows = []
    for i in np.flatnonzero(rng.random(n) < share):
        values = series[i]
        m = int(np.rint(np.exp(rng.uniform(*np.log(pattern.length)))))
        latest = values.shape[1] - m
        start = latest if at_end else int(rng.integers(0, latest + 1))
        lot = rng.random()
        height = float(low * (high / low) ** lot) if low > 0 else 0.0
        shape = draw(pattern, 1, m, rng=rng, warp=warp)[:, 0]
        sign = SIGNS.get(pattern.polarity) or int(rng.choice((1, -1)))
        memory, blocks = rng.uniform(0, MEMORY), rng.integers(0, values.shape[1] - 1, -(-m // BLOCK))
        for k, channel in enumerate(pattern.channels):
            if channel.points:
                splice(values[k], start, sign * shape[k], height, memory, blocks, BLOCK)
        rows.append((i, start, start + m, m, height, sign))
    width = len(str(n - 1))
    names = [f"S{i:0{width}d}" for i in range(n)]
    renamed, panel = _panel(pattern, series, names)
    truth = pd.DataFrame(rows, columns=["entity", "start", "end", "length", "snr", "sign"])
    truth["entity"] = [names[i] for i in truth["entity"]]
    return Synthetic(renamed, panel, truth)


def _heights(snr: Any) -> tuple[float, float]:
    """The range of `snr`, checked."""
    pair = snr.tolist() if isinstance(snr, np.ndarray) else snr
    if not isinstance(pair, tuple | list):
        pair = (pair, pair)
    if len(pair) != 2:
        raise BadInput(f"snr must be a number or a pair (low, high), got {snr!r}")
    low, high = (checks.between(value, "snr", 0, 1e6) for value in pair)
    if low > high or low == 0 < high:
        raise BadInput(f"a range of snr must have 0 < low <= high, got {snr!r}")
    return low, high


def _backgrounds(
    pattern: Pattern, n: int, backgrounds: Panel | None, noise: Noise, length: int, rng: np.random.Generator
) -> list[Floats]:
    """n arrays (channels, points), each its own copy."""
    needed = pattern.length[1] + 4
    if backgrounds is None:
        if length < needed:
            raise TooShort(f"length must be at least {needed} to hold {pattern.name!r} with room, got {length}")
        drawn = walks(n, length, noise=noise, channels=len(pattern.channels), rng=rng)
        return [drawn[:, i].copy() for i in range(n)]
    channels = evaluate_all(pattern.expressions, backgrounds.without_flagged())
    values = np.stack([channel.values for channel in channels])
    # A stretch where every channel has a value, whether they must match together or are alternatives.
    runs = replace(channels[0], values=values.sum(axis=0)).runs()
    long = np.flatnonzero(runs.stop - runs.start >= needed)
    if not long.size:
        raise TooShort(
            f"no gap-free stretch of the backgrounds has {needed} periods of {', '.join(pattern.expressions)}"
        )
    return [values[:, runs.start[r] : runs.stop[r]].copy() for r in rng.choice(long, n)]


def _panel(pattern: Pattern, series: list[Floats], names: list[str]) -> tuple[Pattern, Panel]:
    metrics = [f"channel_{k}" for k in range(len(pattern.channels))]
    swap = dict(zip(pattern.expressions, metrics, strict=True))
    renamed = replace(
        pattern,
        channels=tuple(Channel(swap[c.expression], c.points) for c in pattern.channels),
        constraints=tuple(replace(c, channel=swap[c.channel]) for c in pattern.constraints),
    )
    # Entity after entity, its channels in order: the order a panel wants.
    lengths = np.repeat([s.shape[1] for s in series], len(metrics))
    offsets = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    values = np.concatenate([s.ravel() for s in series])
    quarter = np.datetime64("1990-03-31", "us").astype(np.int64)
    step = round(91.3125 * 86_400_000_000)
    times = quarter + step * (np.arange(values.size) - np.repeat(offsets[:-1], lengths))
    index = pd.DataFrame(
        {
            "entity": np.repeat(names, len(metrics)),
            "metric": np.tile(metrics, len(names)),
            "frequency": "quarterly",
            "basis": "",
            "source": "synthetic",
        }
    )
    return renamed, Panel.from_parts(values, offsets, times, index)
