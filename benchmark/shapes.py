"""Are drawn shapes found? Average precision on planted series and companies, beside other methods on the same windows.

The test sets stand in shape_sets.py and were frozen before the detector; the other methods in shape_peers.py. Every
method has the same scales, gives up to five matches per series that overlap little, and trains, if it does, on series
without planted patterns: synthetic ones for bar a, every second company for bar b, which is tested on the others.
    ap50, ap75      average precision at intersection over union 0.5 and 0.75
    iou             mean intersection over union of the hits (at 0.5)
    false_alarms    matches per series that are no hits, down to the score that finds 80 % of the planted; none: never
    auc             does the best score of a series tell carriers from the rest: area under the ROC curve
    calibration     ours only: expected calibration error of the score as the probability of a hit, ten bins
A match that is no hit and lies on a natural carrier of a company (`ignored`) is left out, whoever found it.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from measure import bar, write
from scipy.stats import rankdata
from shape_peers import PEERS, PER_SERIES, Windows
from shape_sets import (
    COMPANY_LENGTH,
    LENGTH,
    ShapeSet,
    backgrounds,
    company_runs,
    planted,
    planted_in_companies,
    shapes,
)
from threadpoolctl import threadpool_limits

from tsbench.detect import PatternDetector
from tsbench.evaluate import average_precision, hits
from tsbench.patterns import Pattern

OURS, WORKERS, BACKGROUNDS = "tsbench", 2, 300
METHODS, PATTERNS, SEEDS, SERIES = (OURS, *PEERS), tuple(shapes()), (0, 1, 2), 250
SNRS = (6, 3)
SETS = {"planted": planted, "companies": planted_in_companies}
LENGTHS = {"planted": LENGTH, "companies": COMPANY_LENGTH}
WANTED = {("planted", 6): 0.85, ("planted", 3): 0.65, ("companies", 6): 0.75}
IOU, RECALL, BINS = 0.5, 0.8, 10
MEASURES = ("ap50", "ap75", "iou", "auc", "calibration")
# Average precision of the plain correlation in the pilot from which the bars were set: other series, seven scales.
PILOT = {
    "6": {"head_and_shoulders": 0.540, "v_dip": 0.337, "step": 0.208, "double_bottom": 0.450},
    "3": {"head_and_shoulders": 0.207, "v_dip": 0.113, "step": 0.107, "double_bottom": 0.159},
}

Row = dict[str, Any]
Task = tuple[str, str, int, int, tuple[str, ...]]


def hosts_of(where: str, pattern: Pattern, seed: int) -> ShapeSet:
    """The series without planted patterns that a method may learn from."""
    if where == "planted":
        return backgrounds(BACKGROUNDS, len(pattern.channels), seed)
    nothing = pd.DataFrame(columns=["entity", "start", "end"])
    return ShapeSet(company_runs(pattern, held_out=False), nothing, nothing)


def finder(method: str, pattern: Pattern, hosts: ShapeSet, seed: int) -> Callable[[ShapeSet], pd.DataFrame]:
    """A method, trained: from a set to its matches."""
    if method == OURS:
        panel = hosts.panel()
        # Names of their own: a company that a detector knows is judged by half of it.
        panel = replace(panel, index=panel.index.assign(entity="host " + panel.index["entity"]))
        detector = PatternDetector(pattern, seed=seed).fit(panel)
        return lambda cell: detector.find(cell.panel(), where="history", per_entity=PER_SERIES)
    score = PEERS[method](pattern, hosts, seed)

    def find(cell: ShapeSet) -> pd.DataFrame:
        windows = Windows(cell, pattern)
        return windows.matches(score(windows))

    return find


def measure_task(task: Task) -> list[Row]:
    """One pattern and seed: every method is trained once, then asked at each SNR."""
    where, name, seed, series, methods = task
    pattern = shapes(LENGTHS[where])[name]
    hosts = hosts_of(where, pattern, seed)
    cells = {snr: SETS[where](pattern, series, snr, seed) for snr in SNRS}
    rows = []
    with threadpool_limits(1):
        for method in methods:
            find = finder(method, pattern, hosts, seed)
            for snr, cell in cells.items():
                figures = figures_of(cell, find(cell), calibrated=method == OURS)
                rows.append({"where": where, "pattern": name, "snr": snr, "seed": seed, "method": method, **figures})
    return rows


def figures_of(cell: ShapeSet, found: pd.DataFrame, *, calibrated: bool) -> dict[str, float]:
    """Every figure of one method on one set."""
    hit = hits(cell.truth, found, iou=IOU)
    counted = hit | (shared(found, cell.ignored) < IOU)
    found, hit = found[counted].reset_index(drop=True), hit[counted]
    score, planted_in = found["score"].to_numpy(float), np.isin(cell.names, cell.truth["entity"])
    best = found.groupby("entity")["score"].max().reindex(cell.names, fill_value=-np.inf)
    ranks = rankdata(best.to_numpy(float))
    carriers, others = planted_in.sum(), (~planted_in).sum()
    out = {
        "ap50": average_precision(cell.truth, found, iou=0.5),
        "ap75": average_precision(cell.truth, found, iou=0.75),
        "iou": float(shared(found[hit], cell.truth).mean()),
        "false_alarms": false_alarms(score, hit, len(cell.truth)) / len(cell.series),
        "auc": (ranks[planted_in].sum() - carriers * (carriers + 1) / 2) / (carriers * others),
    }
    return out | ({"calibration": calibration_error(score, hit)} if calibrated else {})


def shared(found: pd.DataFrame, stretches: pd.DataFrame) -> np.ndarray:
    """Per match, its largest intersection over union with a stretch of the same entity; 0 where there is none."""
    if not len(stretches) or not len(found):
        return np.zeros(len(found))
    place = pd.Series(np.arange(len(found)), index=found.index, name="place")
    pairs = found[["entity", "start", "end"]].join(place).merge(stretches, on="entity", suffixes=("", "_true"))
    both = np.minimum(pairs["end"], pairs["end_true"]) - np.maximum(pairs["start"], pairs["start_true"])
    either = np.maximum(pairs["end"], pairs["end_true"]) - np.minimum(pairs["start"], pairs["start_true"])
    largest = np.zeros(len(found))
    np.maximum.at(largest, pairs["place"], both / either)
    return largest


def false_alarms(score: np.ndarray, hit: np.ndarray, stretches: int) -> float:
    """Matches that are no hits among those needed, best first, to find 80 % of the stretches; inf: never found."""
    ranked = hit[np.argsort(-score, kind="stable")]
    enough = np.flatnonzero(np.cumsum(ranked) >= RECALL * stretches)
    return float((~ranked[: enough[0] + 1]).sum()) if enough.size else np.inf


def calibration_error(score: np.ndarray, hit: np.ndarray) -> float:
    """Expected calibration error: how far, on average over matches, the share of hits in a bin is from its scores."""
    which = np.clip((score * BINS).astype(int), 0, BINS - 1)
    return sum(abs((score - hit)[which == b].sum()) for b in range(BINS)) / max(score.size, 1)


def over_seeds(rows: list[Row]) -> list[Row]:
    """One row per set, pattern, SNR and method: means over the seeds, medians of the false alarms, None for never."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in ("where", "pattern", "snr", "method")), []).append(row)
    out = []
    for (where, pattern, snr, method), group in groups.items():
        row: Row = {"where": where, "pattern": pattern, "snr": snr, "method": method}
        row |= {name: statistics.fmean(r[name] for r in group) for name in group[0] if name in MEASURES}
        alarms = statistics.median(r["false_alarms"] for r in group)
        row |= {"false_alarms": None if np.isinf(alarms) else alarms, "ap50_by_seed": [r["ap50"] for r in group]}
        out.append(row)
    return out


def averages(rows: list[Row], where: str, snr: int, method: str) -> dict[str, float]:
    """Every figure of a method, averaged over the patterns."""
    mine = [row for row in rows if (row["where"], row["snr"], row["method"]) == (where, snr, method)]
    return {name: statistics.fmean(row[name] for row in mine) for name in MEASURES if name in mine[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--patterns", nargs="*", default=list(PATTERNS), choices=PATTERNS)
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--series", type=int, default=SERIES)
    options = parser.parse_args()
    rows, begin = [], time.perf_counter()
    tasks = list(product(SETS, options.patterns, options.seeds, [options.series], [tuple(options.methods)]))
    with ProcessPoolExecutor(WORKERS) as pool:
        for (where, name, seed, *_), part in zip(tasks, pool.map(measure_task, tasks), strict=True):
            rows += part
            for snr in SNRS:
                shown = "  ".join(f"{row['method']} {row['ap50']:.2f}" for row in part if row["snr"] == snr)
                print(
                    f"{time.perf_counter() - begin:4.0f} s  {where} {name}, SNR {snr}, seed {seed}: {shown}", flush=True
                )
    rows = over_seeds(rows)
    for where, snr, method in product(SETS, SNRS, options.methods):
        figures = "  ".join(f"{name} {value:.3f}" for name, value in averages(rows, where, snr, method).items())
        print(f"{where}, SNR {snr}, {method}: {figures}")
    if OURS not in options.methods:
        return
    bars = [
        bar(f"{where}, SNR {snr}: mean AP at IoU 0.5", value, f">= {wanted}", value >= wanted)
        for (where, snr), wanted in WANTED.items()
        for value in [averages(rows, where, snr, OURS)["ap50"]]
    ]
    chosen = (tuple(options.methods), tuple(options.patterns), tuple(options.seeds), options.series)
    if chosen == (METHODS, PATTERNS, SEEDS, SERIES):
        result = {"series": SERIES, "seeds": len(SEEDS), "pilot": PILOT, "rows": rows, "bars": bars}
        write("shapes", result, ("scikit-learn", "scipy", "stumpy"), SEEDS[0])
    else:
        print("a part of the run: nothing written")


if __name__ == "__main__":
    main()
