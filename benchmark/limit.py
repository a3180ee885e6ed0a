"""How much of what can be known is used? Power on pure random walks, beside the best that any method could reach.

Half of the series are Gaussian random walks, half carry a shape of `shape_sets` in the place of a stretch: a bent copy
and AR(1) noise of memory .5. For such series the likelihood of both answers can be written down, so the *ideal
observer* (Neyman and Pearson 1933) is known: the likelihood ratio averaged over every place, length and bend, told the
noise and the height. Nothing that keeps to a share of false positives finds more. The others know the drawing alone.
    power    share of carriers above the score that the given share of bare walks exceeds
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from measure import write
from shape_sets import COMPANY_LENGTH, ShapeSet, bent_clock, curve, plant, shapes

from tsbench.detect import PatternDetector
from tsbench.patterns import Pattern

Floats = np.ndarray
POINTS, SERIES, HOSTS, BENDS, SNRS, MEMORY = 90, 600, 300, 1500, (6, 12), 0.5
FALSE = (0.01, 0.05)


def walks(n: int, channels: int, rng: np.random.Generator) -> Floats:
    return np.cumsum(rng.standard_normal((n, channels, POINTS)), axis=2)


def carriers(pattern: Pattern, snr: float, rng: np.random.Generator) -> Floats:
    out = walks(SERIES, len(pattern.channels), rng)
    for series in out:
        m = int(np.rint(np.exp(rng.uniform(*np.log(COMPANY_LENGTH)))))
        start, clock = int(rng.integers(0, POINTS - m + 1)), bent_clock(m, rng)
        for k, channel in enumerate(pattern.channels):
            added = noise_from_rest(m, rng)
            series[k] = plant(series[k], snr * curve(channel.points, clock, rng), start, added)
    return out


def noise_from_rest(m: int, rng: np.random.Generator) -> Floats:
    return noise_matrix(m) @ rng.standard_normal(m)


def noise_matrix(m: int) -> Floats:
    """From innovations to AR(1) noise that begins at the first of them."""
    back = np.subtract.outer(np.arange(m), np.arange(m))
    return np.where(back >= 0, MEMORY ** np.maximum(back, 0), 0.0)


class Ideal:
    """Log likelihood ratio of "carries the shape somewhere" to "a random walk", for series (n, channels, points)."""

    def __init__(self, pattern: Pattern, snr: float, rng: np.random.Generator) -> None:
        lengths = np.rint(np.exp(np.linspace(*np.log(COMPANY_LENGTH), 2001))).astype(int)
        self.share = np.bincount(lengths) / lengths.size
        self.bends = {m: self._steps(pattern, snr, m, rng) for m in np.flatnonzero(self.share)}

    @staticmethod
    def _steps(pattern: Pattern, snr: float, m: int, rng: np.random.Generator) -> list[Floats]:
        """Per channel, the expected steps of BENDS copies, from the one into the copy to the one out of it."""
        clocks = [bent_clock(m, rng) for _ in range(BENDS)]
        out = []
        for channel in pattern.channels:
            copies = snr * np.stack([curve(channel.points, clock, rng) for clock in clocks])
            out.append(np.pad(np.diff(copies, axis=1), ((0, 0), (1, 1))))
        return out

    def score(self, series: Floats) -> Floats:
        steps, total = np.diff(series, axis=2), np.full(len(series), -np.inf)
        for m, expected in self.bends.items():
            # Steps into, inside and out of a copy: differences of its noise; the outer two hold a step of the walk too.
            change = np.diff(np.pad(noise_matrix(m), ((1, 1), (0, 0))), axis=0)
            covariance = change @ change.T
            covariance[[0, m], [0, m]] += 1.0
            whiten = np.linalg.inv(np.linalg.cholesky(covariance))
            places = steps.shape[2] - m
            plain, ratio = np.zeros(len(series) * places), np.zeros((len(series) * places, BENDS), np.float32)
            for k, means in enumerate(expected):
                windows = np.lib.stride_tricks.sliding_window_view(steps[:, k], m + 1, axis=1).reshape(-1, m + 1)
                seen, wanted = windows @ whiten.T, means @ whiten.T
                plain += np.log(np.diag(whiten)).sum() + ((windows**2).sum(axis=1) - (seen**2).sum(axis=1)) / 2
                ratio += (seen @ wanted.T - (wanted**2).sum(axis=1) / 2).astype(np.float32)
            of_places = (plain + log_mean(ratio)).reshape(len(series), places)
            total = np.logaddexp(total, np.log(self.share[m]) + log_mean(of_places))
        return total


def log_mean(x: Floats) -> Floats:
    """log of the mean of exp(x) along the last axis."""
    top = x.max(axis=-1)
    return top + np.log(np.exp(x - top[..., None]).mean(axis=-1))


def detector_score(pattern: Pattern, trained: bool, executor: ThreadPoolExecutor) -> Callable[[Floats], Floats]:
    """The best score per series of a detector that learnt on other walks."""
    nothing = pd.DataFrame(columns=["entity", "start", "end"])
    hosts = list(walks(HOSTS, len(pattern.channels), np.random.default_rng(7)))
    known = ShapeSet(hosts, nothing, nothing).panel()
    known.index["entity"] = "host " + known.index["entity"]
    detector = PatternDetector(pattern, trained=trained).fit(known, executor=executor)

    def score(series: Floats) -> Floats:
        cell = ShapeSet(list(series), nothing, nothing)
        found = detector.find(cell.panel(), per_entity=1, executor=executor).set_index("entity")["score"]
        return found.reindex(cell.names, fill_value=-np.inf).to_numpy(float)

    return score


def measure_shape(pattern: Pattern, executor: ThreadPoolExecutor) -> list[dict[str, Any]]:
    rng = np.random.default_rng([11, sum(map(ord, pattern.name))])
    bare = walks(SERIES, len(pattern.channels), rng)
    names = {"tsbench": True, "correlation alone": False}
    detectors = {name: detector_score(pattern, trained, executor) for name, trained in names.items()}
    rows = []
    for snr in SNRS:
        planted = carriers(pattern, snr, rng)
        methods = {"ideal observer": Ideal(pattern, snr, rng).score, **detectors}
        for method, score in methods.items():
            chance, found = score(bare), score(planted)
            power = {f"{share:g}": float((found > np.quantile(chance, 1 - share)).mean()) for share in FALSE}
            rows.append({"pattern": pattern.name, "snr": snr, "method": method, "power": power})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", nargs="*", default=list(shapes()), choices=list(shapes()))
    options = parser.parse_args()
    rows, begin = [], time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        for name in options.patterns:
            rows += (part := measure_shape(shapes(COMPANY_LENGTH)[name], pool))
            print(f"{time.perf_counter() - begin:4.0f} s  {name}")
            for row in part:
                print(f"        SNR {row['snr']}, {row['method']}: {row['power']}", flush=True)
    if options.patterns == list(shapes()):
        write("limit", {"series": SERIES, "points": POINTS, "rows": rows}, ("scikit-learn",), 11)


if __name__ == "__main__":
    main()
