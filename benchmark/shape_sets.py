"""The test sets of shapes.py: series with planted patterns whose truth is known. Frozen before any detector was tuned.

On purpose nothing of `tsbench.patterns.synthesize` is used: shapes are bent by sums of sines instead of gamma clocks,
the noise is Student's t with 4 degrees of freedom instead of Gaussian, and bends are stronger. A method may train on
the library's generator and on `backgrounds`, which hold no planted pattern and Gaussian noise.

SNR is the height of a planted shape over the standard deviation of the noise's innovations. The planted stretch takes
the place of the background's: shape plus noise, joined at both ends.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from chance import companies

from tsbench.patterns import Channel, Pattern
from tsbench.series import Panel

Floats = np.ndarray
LENGTH = (16, 60)
COMPANY_LENGTH = (10, 30)
CARRIERS, DISTRACTED = 0.6, 0.7
WARP, JITTER = 0.6, 0.05
STRONG_NATURAL = 0.9
BLOCK = 8


def _pattern(name: str, *lines: tuple[tuple[float, float], ...], length: tuple[int, int] = LENGTH) -> Pattern:
    return Pattern(name, tuple(Channel(f"channel_{k}", points) for k, points in enumerate(lines)), length=length)


def shapes(length: tuple[int, int] = LENGTH) -> dict[str, Pattern]:
    """The eight patterns, six of one channel and two joint ones, by name."""
    dip = ((0, 1), (0.5, 0), (1, 1))
    step = ((0, 0), (0.4, 0.03), (0.6, 0.97), (1, 1))
    found = (
        _pattern(
            "head_and_shoulders", ((0, 0), (0.18, 0.6), (0.32, 0.25), (0.5, 1), (0.68, 0.25), (0.82, 0.6), (1, 0)),
            length=length,
        ),
        _pattern("v_dip", dip, length=length),
        _pattern("step", step, length=length),
        _pattern("double_bottom", ((0, 1), (0.25, 0), (0.5, 0.6), (0.75, 0.05), (1, 1)), length=length),
        _pattern(
            "cup_and_handle", ((0, 1), (0.15, 0.35), (0.35, 0), (0.55, 0.35), (0.7, 1), (0.85, 0.6), (1, 1)),
            length=length,
        ),
        _pattern("steady_growth", ((0, 0), (1, 1)), length=length),
        _pattern("joint_rise", ((0, 0), (0.5, 0.1), (1, 1)), step, length=length),
        _pattern("joint_turn", ((0, 1), (0.35, 0), (1, 1)), ((0, 1), (0.7, 0), (1, 0.8)), length=length),
    )  # fmt: skip
    return {pattern.name: pattern for pattern in found}


@dataclass(frozen=True, slots=True)
class ShapeSet:
    """Series of one cell.

    series : one array (channels, points) each. truth : entity, start, end (half-open positions). ignored : stretches
    of the same layout that count neither as hit nor as miss.
    """

    series: list[Floats]
    truth: pd.DataFrame
    ignored: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """The entities, in order."""
        return [f"S{i:04d}" for i in range(len(self.series))]

    def panel(self) -> Panel:
        """One quarterly series per entity and channel, metrics channel_0, channel_1."""
        arrays, entities, metrics = [], [], []
        for name, values in zip(self.names, self.series, strict=True):
            arrays += list(values)
            entities += [name] * len(values)
            metrics += [f"channel_{k}" for k in range(len(values))]
        step = round(91.3125 * 86_400_000_000)
        begin = np.datetime64("1990-03-31", "us").astype(np.int64)
        times = [begin + step * np.arange(a.size) for a in arrays]
        offsets = np.r_[0, np.cumsum([a.size for a in arrays])].astype(np.int64)
        index = pd.DataFrame(
            {"entity": entities, "metric": metrics, "frequency": "quarterly", "basis": "", "source": "planted"}
        )
        return Panel.from_parts(np.concatenate(arrays), offsets, np.concatenate(times), index)


def curve(points: tuple[tuple[float, float], ...], clock: Floats, rng: np.random.Generator) -> Floats:
    """The drawing on a bent clock with shifted control heights; starts at 0."""
    x, y = np.array(points, dtype=float).T
    shape = np.interp(clock, x, y + JITTER * rng.uniform(-1.7, 1.7, y.size))
    return shape - shape[0]


def bent_clock(m: int, rng: np.random.Generator) -> Floats:
    """Time from 0 to 1 in m points, bent by three sines of random strength; never runs back."""
    u, k = np.linspace(0, 1, m), np.arange(1, 4)
    strength = WARP * rng.uniform(-1, 1, 3) / (np.pi * k)
    return np.maximum.accumulate(np.clip(u + strength @ np.sin(np.pi * k[:, None] * u), 0, 1))


def noise(n: int, memory: float, rng: np.random.Generator, *, heavy: bool) -> Floats:
    """AR(1) noise whose innovations have standard deviation 1: Student's t with 4 degrees of freedom, or Gaussian."""
    fresh = rng.standard_t(4, n + 50) / np.sqrt(2) if heavy else rng.standard_normal(n + 50)
    for i in range(1, n + 50):
        fresh[i] += memory * fresh[i - 1]
    return fresh[50:]


def background(n: int, rng: np.random.Generator, *, heavy: bool) -> Floats:
    """A random walk, noise around a trend, a season, or a level with shifts, at even odds."""
    kind = rng.integers(4)
    if kind == 0:
        return np.cumsum(noise(n, 0.0, rng, heavy=heavy))
    base = noise(n, rng.uniform(0, 0.6), rng, heavy=heavy)
    t = np.arange(n)
    if kind == 1:
        return base + rng.normal(0, 0.05) * t
    if kind == 2:
        return base + rng.uniform(1, 4) * np.sin(2 * np.pi * t / rng.choice([4, 12, 24]) + rng.uniform(0, 6.28))
    level = np.zeros(n)
    for _ in range(rng.integers(1, 4)):
        level[rng.integers(5, n - 5) :] += rng.normal(0, 8)
    return base + level


def plant(values: Floats, shape: Floats, start: int, added: Floats) -> Floats:
    """`values` with the stretch from `start` on replaced by shape + added noise; what follows moves to join."""
    m = shape.size
    tail = values[start + m :] - values[start + m - 1]
    level = values[start]
    return np.r_[values[:start], level + shape + added, level + shape[-1] + tail]


def planted(pattern: Pattern, n: int, snr: float, seed: int) -> ShapeSet:
    """Bar a: n series of 80 to 200 points, 60 % carriers; 70 % of the others hold something else.

    Something else is another pattern of the set; for a joint pattern, at even odds, the target in one channel only.
    """
    rng = np.random.default_rng([seed, round(10 * snr), sum(map(ord, pattern.name))])
    channels = len(pattern.channels)
    others = [p for p in shapes().values() if p.name != pattern.name and len(p.channels) == channels]
    singles = [p for p in shapes().values() if len(p.channels) == 1]
    series, truth = [], []
    for i in range(n):
        values = np.stack([background(int(size), rng, heavy=True) for size in [rng.integers(80, 201)] * channels])
        lot, m = rng.random(), int(np.rint(np.exp(rng.uniform(*np.log(LENGTH)))))
        start = int(rng.integers(0, values.shape[1] - m + 1))
        carried: list[tuple[tuple[float, float], ...] | None] = [None] * channels
        if lot < CARRIERS:
            carried = [c.points for c in pattern.channels]
            truth.append((f"S{i:04d}", start, start + m))
        elif lot < CARRIERS + (1 - CARRIERS) * DISTRACTED:
            other = others[rng.integers(len(others))]
            carried = [c.points for c in other.channels]
            if channels > 1 and rng.random() < 0.5:
                carried = [c.points for c in pattern.channels]
                carried[rng.integers(channels)] = singles[rng.integers(len(singles))].channels[0].points
        clock, memory = bent_clock(m, rng), rng.uniform(0, 0.6)
        for k, points in enumerate(carried):
            if points is not None:
                added = noise(m, memory, rng, heavy=True)
                values[k] = plant(values[k], snr * curve(points, clock, rng), start, added)
        series.append(values)
    return ShapeSet(series, _frame(truth), _frame([]))


def backgrounds(n: int, channels: int, seed: int) -> ShapeSet:
    """Series to train on: no pattern in them, Gaussian noise."""
    rng = np.random.default_rng([seed, 77, channels])
    sizes = rng.integers(80, 201, n)
    series = [np.stack([background(int(size), rng, heavy=False) for _ in range(channels)]) for size in sizes]
    return ShapeSet(series, _frame([]), _frame([]))


def company_runs(pattern: Pattern, *, held_out: bool) -> list[Floats]:
    """Gap-free stretches of at least 45 quarters of the shipped companies, every second company for training.

    One channel: log trailing revenue, return on capital and log market value of a company are three hosts. Two: the
    pairs revenue and return, return and market value.
    """
    views = ("log(ttm(revenue))", "roic", "log(market_cap)")
    pairs = [(v,) for v in views] if len(pattern.channels) == 1 else [views[:2], views[1:]]
    runs = []
    for pair in pairs:
        seen = companies(Pattern("hosts", tuple(Channel(e, ((0, 0), (1, 1))) for e in pair), length=(8, 24)))
        for e, a, b in zip(seen.entity, seen.start, seen.stop, strict=True):
            if b - a >= 45 and (e % 2 == 1) == held_out:
                runs.append(seen.values[:, a:b].copy())
    return runs


def planted_in_companies(pattern: Pattern, n: int, snr: float, seed: int) -> ShapeSet:
    """Bar b: as bar a, in real companies held out of training, shape over the standard deviation of the host's steps.

    A natural carrier (correlation of every channel with the drawing >= 0.9 at a height of 3/4 of the planted one)
    is ignored, whoever finds it.
    """
    rng = np.random.default_rng([seed, round(10 * snr), sum(map(ord, pattern.name)), 5])
    hosts = company_runs(pattern, held_out=True)
    channels = len(pattern.channels)
    others = [p for p in shapes().values() if p.name != pattern.name and len(p.channels) == channels]
    series, truth, ignored = [], [], []
    for i in range(n):
        values, lot = hosts[rng.integers(len(hosts))].copy(), rng.random()
        ignored += [(f"S{i:04d}", a, b) for a, b in _naturals(pattern, values, 0.75 * snr)]
        m = int(np.rint(np.exp(rng.uniform(*np.log(COMPANY_LENGTH)))))
        start, clock = int(rng.integers(0, values.shape[1] - m + 1)), bent_clock(m, rng)
        carried = pattern
        if lot < CARRIERS:
            truth.append((f"S{i:04d}", start, start + m))
        elif lot < CARRIERS + (1 - CARRIERS) * DISTRACTED:
            carried = others[rng.integers(len(others))]
        else:
            series.append(values)
            continue
        for k, channel in enumerate(carried.channels):
            steps = np.diff(values[k])
            shape = snr * steps.std() * curve(channel.points, clock, rng)
            values[k] = plant(values[k], shape, start, _host_noise(steps, m, rng))
        series.append(values)
    return ShapeSet(series, _frame(truth), _frame(ignored))


def _host_noise(steps: Floats, m: int, rng: np.random.Generator) -> Floats:
    """AR(1) noise with memory 0.5 whose innovations are blocks of the host's steps, so that its texture stays."""
    steps = steps - steps.mean()
    begins = rng.integers(0, steps.size, -(-m // BLOCK))
    fresh = steps[(begins[:, None] + np.arange(BLOCK)) % steps.size].ravel()[:m].copy()
    for i in range(1, m):
        fresh[i] += 0.5 * fresh[i - 1]
    return fresh


def _naturals(pattern: Pattern, values: Floats, height: float) -> list[tuple[int, int]]:
    found = []
    for m in np.unique(np.rint(np.geomspace(*COMPANY_LENGTH, 7)).astype(int)):
        least, tall = np.inf, np.inf
        for k, row in enumerate(values):
            template = pattern.template(k, int(m))
            window = np.lib.stride_tricks.sliding_window_view(row, m)
            centred = window - window.mean(axis=1, keepdims=True)
            dots = centred @ template
            least = np.minimum(least, dots / np.maximum(np.sqrt((centred**2).sum(axis=1)), 1e-12))
            tall = np.minimum(tall, dots * np.ptp(template) / np.diff(row).std())
        found += [(int(i), int(i + m)) for i in np.flatnonzero((least >= STRONG_NATURAL) & (tall >= height))]
    return found


def _frame(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entity", "start", "end"])
