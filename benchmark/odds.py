"""Are the odds honest? Share of surrogates of held-out companies with p < .05 and p < .01, and the power beside it.

Each replicate splits the shipped companies 60 : 40 by its seed, fits a detector on the larger part, and scores fresh
surrogates of the smaller one, where a pattern is there by chance only.
    within a kind    p-value under the very null the surrogates come from: P(p < .05) should be .05
    across kinds     surrogates of a kind the verdict has not seen: the largest p over the *other* two nulls, and the
                     largest over all three against a fourth kind (autoregressive sieve) that is never fitted
    naive            one Gumbel for all companies, moments of atanh(score) of block-bootstrap surrogates, no features;
                     the worse of its P(p < .05) on the other two kinds: the floor
    power            the pattern planted in held-out companies at an SNR (height / sd of one-step differences) and the
                     share found at q <= 0.1 when one company in five carries it; and the false ones among the found
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import pandas as pd
from measure import ROOT, bar, write

from tsbench.detect import PatternDetector, Stretches, stretches_of
from tsbench.detect.bank import bank_of
from tsbench.detect.nulls import of_channel
from tsbench.detect.search import best_windows
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import NULLS, Pattern, library
from tsbench.patterns.surrogates import resample
from tsbench.series import Panel
from tsbench.series.quality import flag

SHIPPED = ROOT / "data" / "companies" / "quarterly_1993_2019.parquet"
SURROGATES, COPIES = 6_000, 3


def companies() -> Panel:
    frame = pd.read_parquet(SHIPPED).rename(columns={"ticker": "entity", "date": "time"}).assign(frequency="quarterly")
    panel = Panel.from_frame(frame)
    return replace(panel, flags=flag(panel))


def chance(stretches: Stretches, kind: str, rng: np.random.Generator) -> Stretches:
    """The stretches with every run replaced by one surrogate of itself."""
    values = stretches.values.copy()
    for start, stop, channel in zip(stretches.start, stretches.stop, stretches.channel, strict=True):
        rows = slice(None) if channel < 0 else slice(channel, channel + 1)
        run = stretches.values[rows, start:stop]
        if stop - start >= 4:
            drawn = sieve(run, rng) if kind == "ar_sieve" else resample(run, 1, kind, rng)[:, 0]
            values[rows, start:stop] = drawn
    return replace(stretches, values=values)


def sieve(run: np.ndarray, rng: np.random.Generator, order: int = 4) -> np.ndarray:
    """Autoregressive sieve bootstrap of the differences (Buehlmann 1997): AR(4) with resampled residuals."""
    steps = np.diff(run, axis=1)
    n = steps.shape[1]
    if n <= 3 * order:
        return run[:, :1] + np.c_[np.zeros(len(run)), np.cumsum(steps[:, rng.permutation(n)], axis=1)]
    pick = rng.integers(0, n - order, n + 50)
    out = np.empty_like(steps)
    for k, row in enumerate(steps - steps.mean(axis=1, keepdims=True)):
        lags = np.stack([row[order - j - 1 : n - j - 1] for j in range(order)], axis=1)
        weights = np.linalg.lstsq(lags, row[order:], rcond=None)[0]
        if np.abs(np.roots(np.r_[1, -weights])).max(initial=0) >= 0.98:
            weights = np.zeros(order)
        residual = row[order:] - lags @ weights
        x = np.zeros(n + 50 + order)
        for t in range(order, x.size):
            x[t] = weights @ x[t - order : t][::-1] + residual[pick[t - order]] - residual.mean()
        out[k] = x[-n:] + steps[k].mean()
    return run[:, :1] + np.c_[np.zeros(len(run)), np.cumsum(out, axis=1)]


def plant(pattern: Pattern, stretches: Stretches, snr: float, share: float, rng: np.random.Generator):
    """The pattern added at the end of some entities' last run; returns the stretches and the entities that carry it.

    A joint pattern goes into all its shaped channels, alternatives into one at random. Height = snr times the standard
    deviation of the run's one-step differences. Constraint-only channels stay as they are, so that a joint pattern may
    be ruled out by them: that counts against us.
    """
    values = stretches.values.copy()
    ends = np.flatnonzero((stretches.stop == stretches.last[stretches.entity])
                          & (stretches.stop - stretches.start >= pattern.length[1] + 8))  # fmt: skip
    carriers = rng.permutation(np.unique(stretches.entity[ends]))
    carriers = carriers[: max(1, int(share * len(stretches.index)))]
    for entity in carriers:
        r = rng.choice(ends[stretches.entity[ends] == entity])
        m = int(np.rint(np.exp(rng.uniform(*np.log(pattern.length)))))
        channel = stretches.channel[r]
        for k in [channel] if channel >= 0 else range(len(pattern.channels)):
            if pattern.channels[k].points:
                row = values[k, stretches.start[r] : stretches.stop[r]]
                shape = pattern.template(int(k), m)
                shape = (shape - shape[0]) / np.ptp(shape)
                row[-m:] += snr * np.diff(row).std() * shape
    return replace(stretches, values=values), set(stretches.index["entity"].iloc[carriers])


def replicate(pattern: Pattern, universe: Stretches, where: str, seed: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, 99])
    order = rng.permutation(len(universe.index))
    cut = int(0.6 * order.size)
    train, test = universe.only(np.sort(order[:cut])), universe.only(np.sort(order[cut:]))
    detector = PatternDetector(pattern, seed=seed, surrogates=SURROGATES).fit_stretches(train)
    out: dict[str, float] = {}
    for kind in (*NULLS, "ar_sieve"):
        tables = [detector.score(chance(test, kind, rng), where=where) for _ in range(COPIES)]
        table = pd.concat(tables)[lambda t: t["status"] == "tested"]
        unseen = [f"p_{other}" for other in NULLS if other != kind]
        p_cross = table[unseen].max(axis=1)
        out |= {f"across {kind} .05": (p_cross < 0.05).mean(), f"across {kind} .01": (p_cross < 0.01).mean()}
        if kind in NULLS:
            own = table[f"p_{kind}"]
            out |= {f"within {kind} .05": (own < 0.05).mean(), f"within {kind} .01": (own < 0.01).mean()}
    for snr in (6.0, 12.0):
        planted, carriers = plant(pattern, chance(test, "block_bootstrap", rng), snr, 0.2, rng)
        if where == "now":
            table = detector.score(planted, where=where)
            found = table[benjamini_hochberg(table["p_value"]) <= 0.1]
            hits = found["entity"].isin(carriers)
            asked = table["entity"].isin(carriers) & (table["status"] == "tested")
            out[f"power snr {snr:g}"] = hits.sum() / max(asked.sum(), 1)
            out[f"false share snr {snr:g}"] = (~hits).sum() / max(len(found), 1)
    return out


def naive_gumbel(pattern: Pattern, universe: Stretches, where: str, seed: int) -> float:
    """P(p < .05) on the two other kinds with one Gumbel for all, fitted to block-bootstrap maxima; the worse one."""
    rng = np.random.default_rng([seed, 7])
    first = universe.keep((universe.channel == universe.channel.min()) & (universe.stop - universe.start >= 10))
    channel = int(first.channel[0])
    bank = of_channel(bank_of(replace(pattern, constraints=()), where), channel)
    best = {}
    for kind in NULLS:
        drawn = chance(first, kind, rng)
        runs = (drawn.start, drawn.stop, drawn.first_end(where))
        score = best_windows(drawn.of_channel(channel), runs, bank).score
        best[kind] = np.arctanh(np.clip(score[np.isfinite(score)], -0.9999, 0.9999))
    scale = best["block_bootstrap"].std() * np.sqrt(6) / np.pi
    location = best["block_bootstrap"].mean() - 0.57722 * scale
    passed = [-np.expm1(-np.exp(-(best[kind] - location) / scale)) < 0.05 for kind in NULLS[1:]]
    return float(max(share.mean() for share in passed))


def shares(values: list[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def farthest(values: list[float], centre: float) -> float:
    return max(values, key=lambda value: abs(np.log(value / centre)) if value > 0 else np.inf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--patterns", nargs="*", default=list(library()))
    parser.add_argument("--where", nargs="*", default=["now", "history"])
    options = parser.parse_args()
    panel = companies()
    rows, bars = [], []
    for name in options.patterns:
        pattern = library()[name]
        universe = stretches_of(pattern, panel)
        for where in options.where:
            begin = time.perf_counter()
            runs = pd.DataFrame([replicate(pattern, universe, where, seed) for seed in range(options.replicates)])
            mean = runs.mean()
            row = {"pattern": name, "where": where, **mean.to_dict()}
            row |= {f"{column} sd": value for column, value in runs.std().items()}
            row["naive gumbel .05"] = float(np.mean([naive_gumbel(pattern, universe, where, s) for s in range(5)]))
            rows.append(row)
            within5 = [mean[f"within {k} .05"] for k in NULLS]
            within1 = [mean[f"within {k} .01"] for k in NULLS]
            across = [mean[f"across {k} .05"] for k in (*NULLS, "ar_sieve")]
            power = "".join(
                f"  power@{snr} {mean[f'power snr {snr}']:.2f} (false {mean[f'false share snr {snr}']:.2f})"
                for snr in (6, 12)
                if f"power snr {snr}" in mean
            )
            print(
                f"{name:16s} {where:8s} within .05 {shares(within5)} .01 {shares(within1)} across {shares(across)} "
                f"naive {row['naive gumbel .05']:.2f}{power}  {time.perf_counter() - begin:.0f} s",
                flush=True,
            )
            label = f"{name}, {where}: "
            far5, far1 = farthest(within5, 0.05), farthest(within1, 0.01)
            bars += [
                bar(label + "within, P(p<.05) farthest from .05", far5, "[.03, .07]", 0.03 <= far5 <= 0.07),
                bar(label + "within, P(p<.01) farthest from .01", far1, "[.005, .02]", 0.005 <= far1 <= 0.02),
                bar(label + "across, largest P(p<.05)", max(across), "<= .10", max(across) <= 0.10),
            ]
    print(f"{sum(b['met'] for b in bars)} of {len(bars)} bars met")
    write("odds", {"replicates": options.replicates, "rows": rows, "bars": bars}, ("scipy",), 0)


if __name__ == "__main__":
    main()
