"""Are the odds honest? Shares of small p-values on surrogates of held-out companies, and the power beside them.

Each replicate splits the shipped companies 60 : 40 by its seed, fits a detector on the larger part, and scores fresh
surrogates of the smaller one, where a pattern is there by chance only. All is measured for the trained detector and,
on fewer splits, for correlation alone (`trained=False`).
    within a kind    p-value under the very null the surrogates come from: P(p < .05) should be .05
    across kinds     surrogates of a kind the verdict has not seen: the largest p over the *other* two nulls, and the
                     largest over all three against a fourth kind (autoregressive sieve) that is never fitted
    tail             the same down to .001, pooled over the patterns: within a kind, and the verdict on the fourth
    one null alone   the p of a single null on surrogates of every other kind, the worst
    whole scans      share of scans of the held-out companies, all of one kind, with any q <= 0.1 by the default verdict
    by company       the same shares for each company over all replicates: odds are fair on average over companies, and
                     this says how unfair they are to single ones
    naive            the floor: one null and no features, see chance.NaiveOdds
    power            see planting.power and planting.in_companies; for some patterns also with features measured inside
                     the match
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product, repeat
from typing import Any

import numpy as np
import pandas as pd
from chance import KINDS, NaiveOdds, chance, companies
from measure import bar, write
from planting import COUNTS, features_with_the_match, in_companies, power
from scipy.stats import binom
from shape_sets import shapes

from tsbench.detect import PatternDetector, Stretches
from tsbench.detect.bank import Where
from tsbench.evaluate import benjamini_hochberg, wilson
from tsbench.patterns import NULLS, Pattern, library

COPIES, WORKERS = 20, 2
LEVELS = (0.05, 0.01, 0.001)
# A company's own share is quoted from so many draws on, and counted as unfair from there on (wanted: .05).
ENOUGH, UNFAIR = 40, 0.15
WITH_THE_MATCH = ("dip_recovery", "step_up", "erosion")
PATTERNS = (
    "dip_recovery", "failed_recovery", "inflection_up", "step_up", "s_curve", "plateau", "fade", "erosion",
    "acceleration", "overlooked",
)  # fmt: skip
POOLED = ["trained", "where", "what", "level"]


def replicate(
    pattern: Pattern, universe: Stretches, questions: list[Where], seed: int, trained: bool
) -> tuple[pd.DataFrame, dict[str, float]]:
    """One split: the p-values of every tested company in every draw of pure chance, and the power."""
    rng = np.random.default_rng([seed, 99])
    order = rng.permutation(len(universe.index))
    cut = int(0.6 * order.size)
    train, test = universe.only(np.sort(order[:cut])), universe.only(np.sort(order[cut:]))
    detector = PatternDetector(pattern, seed=seed, trained=trained).fit_stretches(train)
    naive = NaiveOdds(detector, train, questions, rng)
    draws = []
    for kind in KINDS:
        for copy in range(COPIES):
            drawn = chance(test, kind, rng)
            for where in questions:
                table = detector.score(drawn, where=where)
                table = table.assign(kind=kind, copy=copy, where=where, p_naive=naive.p_value(drawn, where))
                draws.append(table.loc[table["status"] == "tested", COLUMNS])
    found: dict[str, float] = {}
    if "now" in questions:
        found = power(detector, test, seed)
        if trained and pattern.name in WITH_THE_MATCH:
            with features_with_the_match():
                detector.trained = False  # the judges stay, only the odds are learnt anew
                detector.fit_stretches(train)
                found |= {f"{name}, match inside": share for name, share in power(detector, test, seed).items()}
    return pd.concat(draws).assign(seed=seed), found


COLUMNS = ["entity", "kind", "copy", "where", "p_value", "p_naive", *(f"p_{null}" for null in NULLS)]


def below(draws: pd.DataFrame) -> list[dict[str, Any]]:
    """How many p-values lie below each level, by question and split: within a kind, and the verdict on the fourth."""
    rows = []
    for (where, kind, seed), part in draws.groupby(["where", "kind", "seed"]):
        what, column = ("within", f"p_{kind}") if kind in NULLS else ("verdict on the sieve", "p_value")
        rows += [
            {"where": where, "what": what, "seed": seed, "level": level, "below": (part[column] < level).sum()}
            | {"draws": len(part)}
            for level in LEVELS
        ]
    return rows


def pooled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Shares over all patterns with their Wilson intervals of 95 %, and the least and most of a single split.

    The interval takes the draws as independent; those of one company and fit are not quite, as the splits show.
    """
    counts = pd.DataFrame(rows).groupby([*POOLED, "seed"])[["below", "draws"]].sum()
    splits = (counts["below"] / counts["draws"]).groupby(POOLED).agg(["min", "max"])
    out = []
    for key, count in counts.groupby(POOLED).sum().iterrows():
        below, draws = int(count["below"]), int(count["draws"])
        low, high = wilson(below, draws)
        least, most = splits.loc[key]
        row = dict(zip(POOLED, key, strict=True)) | {"share": below / draws, "low": low, "high": high}
        out.append(row | {"least": least, "most": most, "draws": draws})
    return out


def planted_shapes(seeds: int, workers: ProcessPoolExecutor) -> list[dict[str, Any]]:
    """`planting.in_companies` for every shape, trained and not, its counts added up over the seeds."""
    tasks = list(product(shapes(), range(seeds), (True, False)))
    rows = [row for part in workers.map(in_companies, *zip(*tasks, strict=True)) for row in part]
    total = pd.DataFrame(rows).groupby(["pattern", "height", "trained", "verdict"], sort=False)[list(COUNTS)].sum()
    return total.reset_index().to_dict("records")


def summary(draws: pd.DataFrame) -> dict[str, float]:
    """Every figure of one pattern and question from its p-values under pure chance."""
    out: dict[str, float] = {}
    for kind in KINDS:
        part = draws[draws["kind"] == kind]
        unseen = part[[f"p_{other}" for other in NULLS if other != kind]]
        out |= {f"across {kind} {level:g}": (unseen.max(axis=1) < level).mean() for level in (0.05, 0.01, 0.001)}
        out[f"alone {kind}"] = (unseen < 0.05).mean().max()
        out[f"verdict {kind}"] = (part["p_value"] < 0.05).mean()
        out[f"naive {kind}"] = (part["p_naive"] < 0.05).mean()
        scans = part.groupby(["seed", "copy"])["p_value"]
        out[f"scans {kind}"] = scans.apply(lambda p: benjamini_hochberg(p).min() <= 0.1).mean()
        if kind in NULLS:
            own = part[f"p_{kind}"]
            out |= {f"within {kind} {level:g}": (own < level).mean() for level in (0.05, 0.01, 0.001)}
            out[f"within {kind} 0.05 sd"] = (own < 0.05).groupby(part["seed"]).mean().std()
            out |= by_company(part, f"p_{kind}", f"company {kind}")
            out |= by_company(part, "p_value", f"company verdict {kind}")
            out |= by_company(part, "p_naive", f"company naive {kind}")
    return out


def by_company(draws: pd.DataFrame, column: str, label: str) -> dict[str, float]:
    """Each company's own share of p < .05: the worst, their spread, and how many stand out, beside binomial chance."""
    share = (draws[column] < 0.05).groupby(draws["entity"]).agg(["mean", "count"])
    share = share[share["count"] >= ENOUGH]
    needed = np.ceil(UNFAIR * share["count"] - 1e-9)
    return {
        f"{label} worst": share["mean"].max(),
        f"{label} sd": share["mean"].std(ddof=0),
        f"{label} unfair": (share["mean"] >= UNFAIR - 1e-9).sum(),
        f"{label} unfair by chance": binom.sf(needed - 1, share["count"], 0.05).sum(),
        f"{label} counted": len(share),
    }


def farthest(values: list[float], centre: float) -> float:
    return max(values, key=lambda value: abs(np.log(value / centre)) if value > 0 else np.inf)


def shown(row: dict[str, float], name: str, kinds: tuple[str, ...] = NULLS, digits: int = 3) -> str:
    return " ".join(f"{row[name.format(kind)]:.{digits}f}" for kind in kinds)


def report(row: dict[str, Any], seconds: float) -> None:
    """One pattern and question in a few lines."""
    unfair, by_chance, counted = (
        sum(row[f"company {kind} {what}"] for kind in NULLS) for what in ("unfair", "unfair by chance", "counted")
    )
    floor = "company naive block_bootstrap"
    print(
        f"{row['pattern']}, {row['where']}{'' if row['trained'] else ', correlation alone'} ({seconds:.0f} s)\n"
        f"      within .05 {shown(row, 'within {} 0.05')}  .01 {shown(row, 'within {} 0.01')}  "
        f".001 {shown(row, 'within {} 0.001', digits=4)}  across .05 {shown(row, 'across {} 0.05', KINDS)}\n"
        f"      one null alone {shown(row, 'alone {}', KINDS)}  scans with q<=.1 {shown(row, 'scans {}', KINDS)}\n"
        f"      P(p<.05) of the default verdict {shown(row, 'verdict {}', KINDS)}  "
        f"naive {shown(row, 'naive {}', KINDS)}\n"
        f"      worst company {shown(row, 'company {} worst', digits=2)}, verdict "
        f"{shown(row, 'company verdict {} worst', digits=2)}; share >= {UNFAIR}: {unfair} of {counted} "
        f"(chance {by_chance:.1f}); block bootstrap: ours worst {row['company block_bootstrap worst']:.2f}, "
        f"{row['company block_bootstrap unfair']} unfair, naive {row[f'{floor} worst']:.2f}, {row[f'{floor} unfair']}"
    )
    found = [f"{name} {value:.2f}" for name, value in row.items() if name.startswith(("power", "lone", "false"))]
    if found:
        print("      " + "  ".join(found), flush=True)


def bars_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    label = f"{row['pattern']}, {row['where']}: "
    far5 = farthest([row[f"within {kind} 0.05"] for kind in NULLS], 0.05)
    far1 = farthest([row[f"within {kind} 0.01"] for kind in NULLS], 0.01)
    across = max(row[f"across {kind} 0.05"] for kind in KINDS)
    return [
        bar(label + "within, P(p<.05) farthest from .05", far5, "[.03, .07]", 0.03 <= far5 <= 0.07),
        bar(label + "within, P(p<.01) farthest from .01", far1, "[.005, .02]", 0.005 <= far1 <= 0.02),
        bar(label + "across, largest P(p<.05)", across, "<= .10", across <= 0.10),
    ]


def bars_of_all(rows: list[dict[str, Any]], tail: list[dict[str, Any]], planted: list[dict[str, Any]]) -> list[Any]:
    """The far tail, and the power without which a detector that never fires would pass."""
    bars = [
        bar(f"{t['where']}: within, P(p<.001) of all patterns", t["share"], "[.0005, .002]", 5e-4 <= t["share"] <= 2e-3)
        for t in tail
        if t["trained"] and t["what"] == "within" and t["level"] == LEVELS[-1]
    ]
    ours = [row["found"] / row["carriers"] for row in planted
            if row["trained"] and row["height"] == 6 and row["verdict"] == "strictest"]  # fmt: skip
    ends = [row["power 6"] for row in rows if row["trained"] and "power 6" in row]
    for what, shares in (("shapes in real companies", ours), ("library patterns at the end of surrogates", ends)):
        if shares:
            recall = float(np.mean(shares))
            bars.append(bar(f"recall at q <= 0.1, SNR 6, {what}", recall, ">= .6", recall >= 0.6))
    return bars


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=6)
    parser.add_argument("--ablation", type=int, default=3, help="replicates of correlation alone")
    parser.add_argument("--seeds", type=int, default=2, help="sets of planted shapes in real companies")
    parser.add_argument("--patterns", nargs="*", default=list(PATTERNS))
    parser.add_argument("--where", nargs="*", default=["now", "history"])
    options = parser.parse_args()
    rows, bars, counts = [], [], []
    with ProcessPoolExecutor(WORKERS) as pool:
        for name, (trained, replicates) in product(
            options.patterns, ((True, options.replicates), (False, options.ablation))
        ):
            if not replicates:
                continue
            begin = time.perf_counter()
            pattern = library()[name]
            splits = repeat(pattern), repeat(companies(pattern)), repeat(options.where), range(replicates)
            done = list(pool.map(replicate, *splits, repeat(trained)))
            draws = pd.concat([part for part, _ in done])
            counts += [row | {"trained": trained} for row in below(draws)]
            found = pd.DataFrame([one for _, one in done]).mean().to_dict()
            for where in options.where:
                row = {"pattern": name, "where": where, "trained": trained, **summary(draws[draws["where"] == where])}
                rows.append(row | (found if where == "now" else {}))
                report(rows[-1], time.perf_counter() - begin)
                bars += bars_of(rows[-1]) if trained else []
        begin = time.perf_counter()
        planted = planted_shapes(options.seeds, pool) if options.seeds else []
    print(f"shapes in real companies ({time.perf_counter() - begin:.0f} s)")
    for row in planted:
        print("      " + "  ".join(f"{name} {value}" for name, value in row.items()))
    tail = pooled(counts)
    for t in tail:
        print(
            f"{'trained' if t['trained'] else 'correlation alone'}, {t['where']}, {t['what']}: P(p<{t['level']:g}) "
            f"{t['share']:.5f} [{t['low']:.5f}, {t['high']:.5f}], splits {t['least']:.5f} to {t['most']:.5f}, "
            f"{t['draws']} draws"
        )
    bars += bars_of_all(rows, tail, planted)
    print(f"{sum(b['met'] for b in bars)} of {len(bars)} bars met")
    sizes = {"replicates": options.replicates, "ablation": options.ablation, "seeds": options.seeds}
    write("odds", sizes | {"rows": rows, "tail": tail, "planted": planted, "bars": bars}, ("scipy",), 0)


if __name__ == "__main__":
    main()
