"""Speed of the pattern search: against stumpy, over 12 scales, from 1,000 to 100,000 series, and from cold.

Peer: one stumpy.mass call over NaN-joined series, the fastest way stumpy offers. Both sides give the z-normalised
distance of every window of every series, in the same alternation, once with two threads each (numba's for stumpy, an
executor's for us) and once with one; the largest difference is checked. Correlations alone, which is where the search
for a pattern stops, are timed beside it.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from measure import bar, fresh_process, interleave, peak_megabytes, write

from tsbench.detect.bank import bank_of
from tsbench.detect.search import best_windows, fill_distances
from tsbench.patterns import Channel, Pattern

SERIES, LENGTH, WINDOW, THREADS, SEED = 10_000, 250, 64, 2, 0


def main() -> None:
    import numba
    import stumpy

    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((SERIES, LENGTH)).cumsum(axis=1)
    query = np.sin(np.linspace(0, 6, WINDOW)) + 0.1 * rng.standard_normal(WINDOW)
    template = (query - query.mean()) / np.sqrt(((query - query.mean()) ** 2).sum())
    joined = np.concatenate([x, np.full((SERIES, 1), np.nan)], axis=1).ravel()
    windows = LENGTH - WINDOW + 1
    start = np.arange(SERIES) * LENGTH
    profile = np.empty(SERIES * LENGTH)
    pool = ThreadPoolExecutor(THREADS)

    def ours(executor: ThreadPoolExecutor | None) -> None:
        fill_distances(x.ravel(), start, start + LENGTH, template, profile, executor=executor)

    def peer(threads: int) -> np.ndarray:
        numba.set_num_threads(threads)
        return stumpy.mass(query, joined)

    calls = {
        "stumpy.mass, NaN-joined, 2 threads": lambda: peer(2),
        "tsbench, 2 threads": lambda: ours(pool),
        "stumpy.mass, NaN-joined, 1 thread": lambda: peer(1),
        "tsbench, 1 thread": lambda: ours(None),
    }
    times = interleave(calls)
    ours(None)
    here = (start[:, None] + np.arange(windows)).ravel()
    at = (np.arange(SERIES)[:, None] * (LENGTH + 1) + np.arange(windows)).ravel()
    error = float(np.abs(profile[here] - peer(THREADS)[at]).max())
    ratio = {
        n: times[f"stumpy.mass, NaN-joined, {n}"]["median"] / times[f"tsbench, {n}"]["median"]
        for n in ("1 thread", "2 threads")
    }
    for name, timing in times.items():
        print(f"{name}: {timing['median'] * 1e3:.1f} ms")
    print(f"x stumpy with one thread each: {ratio['1 thread']:.1f}; largest difference: {error:.2e}")

    points = tuple(zip(np.linspace(0, 1, WINDOW), query, strict=True))
    bank = bank_of(Pattern("bench", (Channel("value", points),), length=(24, 104), prominence=3), "history")
    scales = int(bank.length.size)
    by_count = {}
    for n in (1_000, 10_000, 100_000):
        values = np.tile(x, (n // SERIES, 1)).ravel()[None] if n >= SERIES else x[:n].ravel()[None]
        start = np.arange(n) * LENGTH
        runs = (start, start + LENGTH, np.zeros(n, np.int64))
        timing = interleave({"best": lambda v=values, r=runs: best_windows(v, r, bank, executor=pool)}, n=5)["best"]
        by_count[n] = timing | {"microseconds_per_series": timing["median"] / n * 1e6}
        print(f"{scales} scales, {n:>7} series: {timing['median'] * 1e3:8.1f} ms")
    per = [row["microseconds_per_series"] for row in by_count.values()]

    cold = {
        "import tsbench": fresh_process("import tsbench"),
        "import numpy, pandas, numba": fresh_process("import numpy, pandas, numba"),
        "fresh process to first match": fresh_process(FIRST_MATCH),
    }
    first = cold["fresh process to first match"]["median"]
    linear, peak, light = max(per) / min(per), peak_megabytes(), cold["import tsbench"]["median"]
    twelve, both = by_count[10_000]["median"], ratio["2 threads"]
    bars = [
        bar("x stumpy.mass, distances, 10,000 x 250, m=64, 2 threads each", both, ">= 40", both >= 40),
        bar(f"{scales} scales, 10,000 x 250, seconds", twelve, "<= 0.25", twelve <= 0.25),
        bar("time per series, slowest over fastest of 1k, 10k, 100k", linear, "<= 1.5 (linear)", linear <= 1.5),
        bar("peak memory, MB", peak, "< 1000", peak < 1000),
        bar("fresh process to first match, seconds", first, "<= 2", first <= 2),
        bar("import tsbench, seconds", light, "<= 0.3", light <= 0.3),
    ]
    result = {"profile": times, "ratio": ratio, "largest_difference": error, "scales": scales, "by_count": by_count,
              "cold": cold, "bars": bars}  # fmt: skip
    write("search", result, ("stumpy",), SEED)


FIRST_MATCH = """
import numpy as np
from tsbench import Panel, Pattern, Channel
from tsbench.detect.bank import bank_of, stretches_of
from tsbench.detect.search import best_windows, fill_distances
rng = np.random.default_rng(0)
panel = Panel.from_arrays(list(rng.standard_normal((200, 100)).cumsum(axis=1)))
pattern = Pattern("dip", (Channel("value", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 24), prominence=3)
s = stretches_of(pattern, panel)
print(best_windows(s.values, (s.start, s.stop, s.first_end("history")), bank_of(pattern, "history")).score.max())
"""

if __name__ == "__main__":
    main()
