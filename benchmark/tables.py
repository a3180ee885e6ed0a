"""benchmark/README.md from the results: every figure the project quotes stands there, and only from here."""

import json
from pathlib import Path

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


ODDS = """\
Share of p-values below .05 (wanted .05) and .01 on surrogates of held-out companies, where a pattern is there
by chance only; mean over {replicates} replicates. *Within*: the null the surrogates come from, smallest to
largest over the three nulls. *Across*: the largest p over the other two nulls, worst of the three kinds and of
an autoregressive sieve that is never fitted. *Naive*: one Gumbel for all companies, the floor. *Power*: share
of planted patterns found at q <= 0.1 in block-bootstrapped companies, and the false ones among the found.
Height is in one-step deviations; a random walk strays 4 of them in 16 steps, so a height of 6 is hard to tell
from chance for any method.

| pattern | where | within .05 | within .01 | across .05 | naive .05 | power at height 6 | at 12 | false at 12 |
|---|---|---|---|---|---|---|---|---|
"""


def odds(result: dict) -> str:
    text = ODDS.format(replicates=result["results"]["replicates"])
    for row in result["results"]["rows"]:
        five = [v for k, v in row.items() if k.startswith("within") and k.endswith(".05")]
        one = [v for k, v in row.items() if k.startswith("within") and k.endswith(".01")]
        across = max(v for k, v in row.items() if k.startswith("across") and k.endswith(".05"))
        power = [row.get(f"power snr {s}") for s in (6, 12)]
        shown = [f"{p:.2f}" if p is not None else "" for p in (*power, row.get("false share snr 12"))]
        text += (
            f"| {row['pattern']} | {row['where']} | {min(five):.3f}-{max(five):.3f} | {min(one):.4f}-{max(one):.4f} | "
            f"{across:.3f} | {row['naive gumbel .05']:.2f} | {' | '.join(shown)} |\n"
        )
    return text


def scan(result: dict) -> str:
    r = result["results"]
    text = f"| where | {' | '.join(r['scan']['now'])} |\n|---|{'---|' * len(r['scan']['now'])}\n"
    for where, laps in r["scan"].items():
        text += f"| {where} | {' | '.join(f'{s:.2f} s' for s in laps.values())} |\n"
    floor = r["plain_loop_scaled"]
    return (
        text + f"\nA plain numpy loop over the same windows, search alone: {floor:.0f} s (scaled from 100 companies).\n"
    )


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
    return text + f"\nLargest difference from stumpy's distances: {r['largest_difference']:.1e}.\n"


SECTIONS = {
    "search": ("Pattern search", search),
    "scan": ("A whole scan: 10,000 companies x 3 metrics x 80 quarters", scan),
    "odds": ("Honest odds", odds),
}


def main() -> None:
    text = HEAD
    for name, (title, table) in SECTIONS.items():
        result = load(name)
        if result:
            text += f"\n## {title}\n{stamp(result)}\n{table(result)}\n"
            text += bars(result) if name != "odds" else _count(result)
    (Path(__file__).parent / "README.md").write_text(text)
    print("wrote benchmark/README.md")


def _count(result: dict) -> str:
    met = [b for b in result["results"]["bars"] if b["met"]]
    missed = [b for b in result["results"]["bars"] if not b["met"]]
    text = (
        f"{len(met)} of {len(result['results']['bars'])} bars met: within [.03, .07] and [.005, .02], across <= .10.\n"
    )
    return text + "".join(f"- **missed** {b['what']}: {b['value']:.3g} (wanted {b['wanted']})\n" for b in missed)


if __name__ == "__main__":
    main()
