"""benchmark/README.md from the results: every figure the project quotes stands there, and only from here.

With --check nothing is written: exit status 1 when the page is not what the results make of it.
"""

import argparse
import difflib
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from measure import RESULTS
from odds_table import base_rates_table, count, odds_table
from resemblance_table import resemblance_table
from serving_table import serving_table, stress_table

HEAD = """# Benchmarks
`make bench` runs every script of this folder and prints each bar as met or missed; results lie in `results/*.json` with
machine, versions and seed, and `tables.py` writes this page from them. Machines are noisy: peers are timed in
alternation with ours in the same run, medians are quoted, and ratios count more than times. `serving.py` needs wrk, the
load generator (a package of that name in Debian, Ubuntu and Homebrew), and says so where there is none. `make stress`
needs nothing more than the service; [docs/stress.md](../docs/stress.md) tells what it measures and what its limits are.
"""


def load(name: str) -> dict:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def stamp(result: dict) -> str:
    machine, versions = result["machine"], result["versions"]
    packages = ", ".join(f"{name} {number}" for name, number in versions.items())
    where = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
    return f"*{where}; {packages}; seed {result['seed']}; {result['made_at'][:10]}.*\n"


def bars(result: dict) -> str:
    if "bars" not in result["results"]:
        return ""
    rows = "".join(
        f"| {b['what']} | {b['value']:.3g} | {b['wanted']} | {'met' if b['met'] else '**missed**'} |\n"
        for b in result["results"]["bars"]
    )
    return f"| bar | measured | wanted | |\n|---|---|---|---|\n{rows}"


Row = dict[str, Any]


def scan(result: dict) -> str:
    r = result["results"]
    times = "\n| what, on series in memory | median |\n|---|---|\n"
    text = f"| where | {' | '.join(r['scan']['now'])} |\n|---|{'---|' * len(r['scan']['now'])}\n"
    for where, laps in r["scan"].items():
        text += f"| {where} | {' | '.join(f'{s:.2f} s' for s in laps.values())} |\n"
    for name, t in r["times"].items():
        times += f"| {name} | {t['median']:.2f} s |\n"
    for name, t in r.get("learning", {}).items():
        times += f"| {name}, shipped companies, one channel | {t['median']:.2f} s |\n"
    return text + times + f"\nThe numpy floor scaled to all companies: {r['numpy_scaled']:.1f} s.\n"


def search(result: dict) -> str:
    r = result["results"]
    text = "| what | median |\n|---|---|\n"
    for name, t in r["profile"].items():
        text += f"| {name}, 10,000 x 250, m=64 | {t['median'] * 1e3:.1f} ms |\n"
    for n, t in r["by_count"].items():
        what = f"best match over {r['scales']} scales, {int(n):,} series of 250, 2 threads"
        text += f"| {what} | {t['median'] * 1e3:.0f} ms |\n"
    for name, t in r["cold"].items():
        text += f"| {name} | {t['median']:.2f} s |\n"
    ratio = ", ".join(f"{value:.1f} with {name} each" for name, value in r["ratio"].items())
    return text + f"\nTimes stumpy: {ratio}. Largest difference of the distances: {r['largest_difference']:.1e}.\n"


SHAPES = """\
{series} series a cell, {patterns} patterns, {seeds} seeds; six in ten carry the drawing (bent, at a random length) and
seven in ten of the others hold another one. SNR: height over the noise's innovations. Every method has the same scales
and gives up to five matches a series that share at most 0.3; tsbench and the ridge train on series without planted
drawings. *AP*: average precision at intersection over union .5 and .75. *Overlap*: mean intersection over union of the
hits. *False alarms*: per series, down to the score that finds 80 % of the planted (medians; never: not found at all).
*AUC*: carriers against the rest by the best score of a series. All but the false alarms are means over patterns and
seeds. *Correlation*: with the drawing; *gated*: discounted where the shape is low against the noise. *stumpy.mass*: its
distance over the root of the length, which ranks as the correlation does. *Banded DTW*: the 60 best-correlated windows
of a series ranked anew by warping on 32 points, band 10 %. *Ridge recipe*: ridge on samples and convolution features,
trained on planted drawings with two rounds of hard negatives. *Dense net*: a 64-32-1 network taught drawings against
uniform noise, the usual first try; such detectors see a whole series padded with zeros, here its windows slide and are
resampled, which is kinder. *Random*: any windows.
"""

IN_COMPANIES = """
*In real companies*: the same in every second shipped company, {patterns} patterns of 10 to 30 quarters; methods train
on the other companies. SNR: height over the company's usual one-step change. A match on a natural carrier (correlation
at least .9, three quarters of the planted height) counts neither way.
"""

PILOT = """
*Is the set as hard as the pilot's?* The bars were set after a pilot on other series, with seven scales. Average
precision of the correlation there and here; easier and harder: by more than .05.
"""


def shapes(result: dict) -> str:
    r = result["results"]
    counts = {"series": r["series"], "seeds": r["seeds"], "patterns": len({row["pattern"] for row in r["rows"]})}
    text = SHAPES.format(**counts) + _found(r["rows"], "planted") + PILOT + _pilot(r["rows"], r["pilot"])
    return text + IN_COMPANIES.format(**counts) + _found(r["rows"], "companies")


def _found(rows: list[Row], where: str) -> str:
    """Every figure by method, then the average precision by pattern."""
    rows = [row for row in rows if row["where"] == where]
    methods, snrs = (list(dict.fromkeys(row[key] for row in rows)) for key in ("method", "snr"))
    names = ("AP .5", "AP .75", "overlap", "false alarms", "AUC")
    text = "\n" + _header(
        ["method", *(f"SNR {snr}: {names[0]}" if n == 0 else names[n] for snr in snrs for n in range(5))]
    )
    for method in methods:
        groups = [[row for row in rows if (row["method"], row["snr"]) == (method, snr)] for snr in snrs]
        text += _line([method, *(cell for group in groups for cell in _figures(group))])
    text += "\n" + _header(["AP .5 by pattern", "SNR", "tsbench, worst and best seed", *methods])
    for pattern in dict.fromkeys(row["pattern"] for row in rows):
        for snr in snrs:
            cells = {row["method"]: row for row in rows if (row["pattern"], row["snr"]) == (pattern, snr)}
            seeds = cells["tsbench"]["ap50_by_seed"]
            spread = f"{min(seeds):.2f}-{max(seeds):.2f}"
            text += _line([pattern, str(snr), spread, *(f"{cells[method]['ap50']:.2f}" for method in methods)])
    ours = [[row["calibration"] for row in rows if row["snr"] == snr and "calibration" in row] for snr in snrs]
    errors = ", ".join(f"{statistics.fmean(group):.3f} at SNR {snr}" for snr, group in zip(snrs, ours, strict=True))
    return text + f"\nExpected calibration error of our score as the probability of a hit (ten bins): {errors}.\n"


def _figures(group: list[Row]) -> list[str]:
    alarms = statistics.median(math.inf if row["false_alarms"] is None else row["false_alarms"] for row in group)
    mean = {name: f"{statistics.fmean(row[name] for row in group):.3f}" for name in ("ap50", "ap75", "iou", "auc")}
    return [mean["ap50"], mean["ap75"], mean["iou"], "never" if math.isinf(alarms) else f"{alarms:.2f}", mean["auc"]]


def _pilot(rows: list[Row], pilot: dict[str, dict[str, float]]) -> str:
    patterns = list(pilot["6"])
    text = "\n" + _header(["SNR", "", *patterns, "mean"])
    for snr, there in pilot.items():
        here = {
            row["pattern"]: row["ap50"]
            for row in rows
            if (row["where"], row["method"], str(row["snr"])) == ("planted", "correlation", snr)
        }
        pairs = [(there[name], here[name]) for name in patterns]
        pairs.append(tuple(map(statistics.fmean, zip(*pairs, strict=True))))
        for what, values in zip(("pilot", "here"), zip(*pairs, strict=True), strict=True):
            text += _line([snr, what, *(f"{value:.3f}" for value in values)])
        text += _line([snr, "the set is", *(_harder(*pair) for pair in pairs)])
    return text


def _harder(there: float, here: float) -> str:
    return "within .05" if abs(here - there) <= 0.05 else "easier" if here > there else "harder"


LIMIT = """\
{series} pure random walks of {points} points with and as many without a shape of 10 to 30 points, noise of memory .5 in
it. *Power*: share of the shapes whose series scores above all but 5 % (1 %) of bare walks. The *ideal observer* is told
the noise, the height and the law of the bends, and averages the likelihood over all of them: nothing finds more at that
share of false positives. The others know the drawing alone.

"""


def limit(result: dict) -> str:
    r = result["results"]
    methods = list(dict.fromkeys(row["method"] for row in r["rows"]))
    text = LIMIT.format(**r) + _header(["pattern", "SNR", *(f"{method}: 5 % (1 %)" for method in methods)])
    cells = {(row["pattern"], row["snr"], row["method"]): row["power"] for row in r["rows"]}
    patterns, snrs = (list(dict.fromkeys(row[key] for row in r["rows"])) for key in ("pattern", "snr"))
    for snr in snrs:
        found = [[cells[pattern, snr, method] for method in methods] for pattern in patterns]
        mean = [
            {share: statistics.fmean(p[share] for p in column) for share in column[0]}
            for column in zip(*found, strict=True)
        ]
        for name, powers in zip((*patterns, "mean"), (*found, mean), strict=True):
            text += _line([name, str(snr), *(f"{p['0.05']:.2f} ({p['0.01']:.2f})" for p in powers)])
    return text


BOARD = """\
Milliseconds from a pointer's move to the redrawn companies, told by the page in a headless Chromium; browser,
JupyterLab and kernel share the two cores. Shipped: the whole search of stage one at every move. Large: 10,000 companies
x 3 metrics of 80 to 250 quarters; while a corner moves every third scale first, then all where that looks best, and the
whole search once it rests.

"""


SOAK = """\
Corners dragged, sliders run to and fro, patterns and places changed in JupyterLab without a pause; garbage is collected
before each reading. Growth: median of the last third less that of the first, three minutes of warm-up left out. Driven
by DevTools alone: under playwright, which records every message, the page grows by some MB a minute.

"""


def board(result: dict) -> str:
    r = result["results"]
    text = BOARD + _header(["universe", "moves", "answered", "median", "p95", "max"])
    for name, row in r["rows"].items():
        times = (f"{row[key]:.0f} ms" for key in ("median", "p95", "max"))
        text += _line([name, str(row["moves"]), str(row["answers"]), *times])
    shares = ", ".join(f"{name} {share:.2f}" for name, share in r["overlap"].items())
    text += (
        f"\nOf the 20 best of the whole search the preview shows: {shares}.\n\nFirst verdict on an untrained drawing: "
    )
    learnt = (f"{name} {first:.1f} s, exact {exact:.1f} s" for name, (first, exact) in r["learnt"].items())
    return text + f"{'; '.join(learnt)}.\n\n"


def soak(result: dict) -> str:
    r = result["results"]
    text = SOAK + _header(["minutes", "kernel", "JavaScript heap", "page"])
    wanted = range(0, len(r["readings"]), max(len(r["readings"]) // 6, 1))
    for row in [r["readings"][i] for i in wanted]:
        sizes = (f"{row[name]:.0f} MB" for name in ("kernel", "heap", "page"))
        text += _line([f"{row['seconds'] / 60:.0f}", *sizes])
    return text + f"\n{r['moves']:,} moves of corners and sliders in {r['minutes']:.0f} minutes.\n\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _header(names: list[str]) -> str:
    return _line(names) + f"|{'---|' * len(names)}\n"


SECTIONS = {
    "search": ("Pattern search", search),
    "scan": ("A whole scan: 10,000 companies x 3 metrics x 80 quarters", scan),
    "odds": ("Honest odds", lambda result: odds_table(result["results"])),
    "base_rates": ("Base rates of the library", lambda result: base_rates_table(result["results"])),
    "shapes": ("Drawn shapes, planted and found", shapes),
    "board": ("Drawing while every company answers", board),
    "soak": ("Memory after half an hour at the board", soak),
    "serving": ("The service beside its peers", serving_table),
    "stress": ("The service under stress", stress_table),
    "limit": ("How much could be found at all?", limit),
    "resemblance": ("Do the best ten look like the drawing?", lambda result: resemblance_table(result["results"])),
}


def page() -> str:
    text = HEAD
    for name, (title, table) in SECTIONS.items():
        result = load(name)
        if result:
            text += f"\n## {title}\n{stamp(result)}\n{table(result)}\n"
            if name != "resemblance":
                text += count(result["results"]["bars"]) if name == "odds" else bars(result)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when README.md differs")
    check = parser.parse_args().check
    path = Path(__file__).parent / "README.md"
    if not check:
        path.write_text(page())
        print("wrote benchmark/README.md")
        return
    old, new = path.read_text().splitlines(), page().splitlines()
    change = list(difflib.unified_diff(old, new, "README.md", "from the results", lineterm=""))
    if change:
        print("\n".join(change))
        sys.exit("benchmark/README.md is not what the results make of it; run benchmark/tables.py")


if __name__ == "__main__":
    main()
