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

HEAD = """# Benchmarks
`make bench` runs every script of this folder and prints each bar as met or missed; results lie in `results/*.json` with
machine, versions and seed, and `tables.py` writes this page from them. Machines are noisy: peers are timed in
alternation with ours in the same run, medians are quoted, and ratios count more than times.
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
    rows = "".join(
        f"| {b['what']} | {b['value']:.3g} | {b['wanted']} | {'met' if b['met'] else '**missed**'} |\n"
        for b in result["results"]["bars"]
    )
    return f"| bar | measured | wanted | |\n|---|---|---|---|\n{rows}"


NULLS = ("block_bootstrap", "phase_randomized", "sign_flip")
KINDS = (*NULLS, "ar_sieve")
Row = dict[str, Any]

CHANCE = """\
Surrogates of held-out companies, where a pattern is there by chance only; {replicates} replicates. *Within*: share of
p below .05, .01 and .001 under the null the surrogates come from, smallest to largest over the three nulls. *Across*
(wanted <= .10): the largest p over the other two nulls, worst of the three kinds and of an autoregressive sieve that is
never fitted. *One null alone*: the p of a single null on surrogates of another kind, worst. *Scans*: share of scans of
all held-out companies, surrogates of one kind, in which the default verdict finds anything at q <= 0.1; smallest to
largest over the four kinds. *Worst company*: the largest share of p < .05 (within) that a single company has over all
its draws (at least 40 of one kind); *>= .15*: how many companies have three times the promised share, and how many of
fair ones would by binomial chance, the three nulls counted apart.

| pattern | where | within .05 | .01 | .001 | across .05 | one null alone | scans | worst company | >= .15 |
|---|---|---|---|---|---|---|---|---|---|
"""

FLOOR = """
*What the features buy*: a naive detector has one Gumbel per channel for all companies alike, fitted to block-bootstrap
surrogates of the same training companies, with the same price for alternatives. Its own kind first: P(p < .05) on
block-bootstrap surrogates, by our p-value of that null and by the naive one, and the same by company (standard
deviation over companies, the worst, and how many at >= .15). Then both as they would be used: P(p < .05) of our default
verdict and of the naive one, smallest to largest over all four kinds; far below .05 is honest but costs power.

| pattern | where | .05 ours | naive | sd by company, ours | naive | worst, ours | naive | >= .15, ours | naive | of | \
any kind, ours | naive |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""

POWER = """
*Power*: share of planted patterns found at q <= 0.1 by the default verdict, asked "now", in block-bootstrapped
companies, at the planted place (intersection over union at least 0.5). It depends on how many companies carry the
pattern: one in five (prevalence 20 %), or exactly one company of the scan (lone). *False*: of the companies found at
20 %, the share that carries nothing or was matched elsewhere. Height is in one-step deviations; a random walk strays 4
of them in 16 steps, so a height of 6 is hard to tell from chance for any method. *Match inside*: the same detector with
its features measured over the whole run, the match included (measured for three patterns).

| pattern | 6: one in five | lone | false | 12: one in five | lone | false | 12, match inside: one in five | lone |
|---|---|---|---|---|---|---|---|---|
"""


def odds(result: dict) -> str:
    rows = result["results"]["rows"]
    text = CHANCE.format(replicates=result["results"]["replicates"])
    text += "".join(_chance(row) for row in rows) + FLOOR + "".join(_floor(row) for row in rows)
    return text + POWER + "".join(_power(row) for row in rows if "power 12" in row)


def _over(row: Row, name: str, kinds: tuple[str, ...] = NULLS) -> list[float]:
    return [row[name.format(kind)] for kind in kinds]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _chance(row: Row) -> str:
    spans = [
        f"{min(shares):.{digits}f}-{max(shares):.{digits}f}"
        for level, digits in (("0.05", 3), ("0.01", 4), ("0.001", 4))
        for shares in [_over(row, f"within {{}} {level}")]
    ]
    scans = _over(row, "scans {}", KINDS)
    what = ("unfair", "unfair by chance", "counted")
    unfair, by_chance, counted = (sum(_over(row, f"company {{}} {name}")) for name in what)
    return _line([
        row["pattern"], row["where"], *spans,
        f"{max(_over(row, 'across {} 0.05', KINDS)):.3f}",
        f"{max(_over(row, 'alone {}', KINDS)):.2f}",
        f"{min(scans):.2f}-{max(scans):.2f}",
        f"{max(_over(row, 'company {} worst')):.2f}",
        f"{unfair:.0f} of {counted:.0f} (chance {by_chance:.1f})",
    ])  # fmt: skip


def _floor(row: Row) -> str:
    ours, naive = "company block_bootstrap", "company naive block_bootstrap"
    return _line([
        row["pattern"], row["where"],
        f"{row['within block_bootstrap 0.05']:.3f}", f"{row['naive block_bootstrap']:.3f}",
        *(f"{row[f'{side} {what}']:{form}}"
          for what, form in (("sd", ".3f"), ("worst", ".2f"), ("unfair", ".0f")) for side in (ours, naive)),
        f"{row[f'{ours} counted']:.0f}",
        *(f"{min(shares):.3f}-{max(shares):.3f}" for side in ("verdict", "naive")
          for shares in [_over(row, f"{side} {{}}", KINDS)]),
    ])  # fmt: skip


def _power(row: Row) -> str:
    names = [f"{what} {height}" for height in (6, 12) for what in ("power", "lone", "false")]
    names += ["power 12, match inside", "lone 12, match inside"]
    return _line([row["pattern"], *(f"{row[name]:.2f}" if name in row else "" for name in names)])


def scan(result: dict) -> str:
    r = result["results"]
    times = "\n| what, on series in memory | median |\n|---|---|\n"
    text = f"| where | {' | '.join(r['scan']['now'])} |\n|---|{'---|' * len(r['scan']['now'])}\n"
    for where, laps in r["scan"].items():
        text += f"| {where} | {' | '.join(f'{s:.2f} s' for s in laps.values())} |\n"
    for name, t in r["times"].items():
        times += f"| {name} | {t['median']:.2f} s |\n"
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


def _header(names: list[str]) -> str:
    return _line(names) + f"|{'---|' * len(names)}\n"


SECTIONS = {
    "search": ("Pattern search", search),
    "scan": ("A whole scan: 10,000 companies x 3 metrics x 80 quarters", scan),
    "odds": ("Honest odds", odds),
    "shapes": ("Drawn shapes, planted and found", shapes),
}


def page() -> str:
    text = HEAD
    for name, (title, table) in SECTIONS.items():
        result = load(name)
        if result:
            text += f"\n## {title}\n{stamp(result)}\n{table(result)}\n"
            text += bars(result) if name != "odds" else _count(result)
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


def _count(result: dict) -> str:
    met = [b for b in result["results"]["bars"] if b["met"]]
    missed = [b for b in result["results"]["bars"] if not b["met"]]
    text = (
        f"{len(met)} of {len(result['results']['bars'])} bars met: within [.03, .07] and [.005, .02], across <= .10.\n"
    )
    return text + "".join(f"- **missed** {b['what']}: {b['value']:.3g} (wanted {b['wanted']})\n" for b in missed)


if __name__ == "__main__":
    main()
