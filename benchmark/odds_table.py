"""The sections of README.md about odds, power and base rates, from what odds.py and base_rates.py wrote."""

import statistics
from itertools import product
from typing import Any

NULLS = ("block_bootstrap", "phase_randomized", "sign_flip")
KINDS = (*NULLS, "ar_sieve")
METHODS = {True: "tsbench", False: "correlation alone"}
VERDICTS = ("strictest", "block bootstrap")
HEIGHTS = (6, 12)
Row = dict[str, Any]

CHANCE = """\
Surrogates of held-out companies, where a pattern is there by chance only; {replicates} splits of the companies.
*Within*: share of p below .05, .01 and .001 under the null the surrogates come from, smallest to largest over the three
nulls. *Across* (wanted <= .10): the largest p over the other two nulls, worst of the three kinds and of an
autoregressive sieve that is never fitted. *One null alone*: the p of a single null on surrogates of another kind, the
worst. *Scans*: share of scans of all held-out companies, surrogates of one kind, in which the default verdict finds
anything at q <= 0.1; smallest to largest over the four kinds. *Worst company*: the largest share of p < .05 (within)
that a single company has over all its draws (at least 40 of one kind); *>= .15*: how many companies have three times
the promised share, and how many of fair ones would by binomial chance, the three nulls counted apart.

"""

TAIL = """
*The tail*: all patterns together. *Within*: the p of the null that the surrogates come from, all three pooled. *Sieve*:
the default verdict, the largest p of three, on surrogates of the fourth kind, which no null was fitted on; below the
promised share is honest and costs power. In brackets the 95 % interval of Wilson, which takes the draws as independent;
then the least and the most of a single split. *Correlation alone*: the detector without its trained judge
(`trained=False`), on {ablation} splits.

"""

FLOOR = """
*What the features buy*: a naive detector has the same scores, but one Gumbel per channel for all companies alike,
fitted to block-bootstrap surrogates of the same training companies, with the same price for alternatives. Its own kind
first: P(p < .05) on block-bootstrap surrogates, by our p-value of that null and by the naive one, and the same by
company (standard deviation over companies, the worst, and how many at >= .15). Then both as they would be used:
P(p < .05) of our default verdict and of the naive one, smallest to largest over all four kinds.

"""

POWER = """
*Power at the end of surrogates*: share of planted patterns found at q <= 0.1 by the default verdict, asked "now", at
the planted place (intersection over union at least 0.5), in block-bootstrapped held-out companies. A bent copy of the
drawing, with noise made of the host's own steps, takes the place of the last stretch; its height is 6 or 12 standard
deviations of the host's steps, and a random walk strays 4 of them in 16 steps. *One in five* of the companies carries
the pattern, or exactly one (*lone*). *False*: of the companies found at one in five, the share that carries nothing or
was matched elsewhere. *Match inside*: features measured over the whole run, the match included (three patterns).

"""

PLANTED = """
*Power in real companies*: the eight shapes of *Drawn shapes, planted and found*, in sets of 250 real held-out stretches
of which six in ten carry the shape and most others another one; the detector is fitted on the other companies and asked
"history"; {seeds} sets a cell. *Recall*: share of carriers found at q <= 0.1 at the planted place. *False*: of those
that pass, the share that carries no planted copy of the shape, empty where nothing passes; a match on a natural carrier
counts nowhere. Under the default verdict (*strictest* of three nulls), and under the block bootstrap alone.

"""

BASE_RATES = """\
Every pattern of the library that the shipped companies can answer, asked of all of them as drawn and relative to the
median company. *Passing*: companies at q <= 0.1, added up over patterns, under each null alone and under the verdict,
the largest p over the three; *any*: patterns that at least one company passes; *refused*: the detector has no odds,
because the constraints hardly ever allow a window or no stretch is long enough. Nobody knows how many of these are
right. By pattern: [docs/library.md](../docs/library.md).

"""


def odds_table(results: dict[str, Any]) -> str:
    """The section about odds and power in Markdown, without heading and stamp; `results` of results/odds.json."""
    rows, tail = [row for row in results["rows"] if row["trained"]], results["tail"]
    alone = [row for row in results["rows"] if not row["trained"] and "power 12" in row]
    beside = {row["pattern"]: row for row in [*alone, _mean(alone)]}
    text = CHANCE.format(**results) + _table(
        ["pattern", "where", "within .05", ".01", ".001", "across .05", "one null alone", "scans", "worst company",
         ">= .15"], [_chance(row) for row in rows],
    )  # fmt: skip
    text += TAIL.format(**results) + _table(
        ["p of", "asked", "", "P(p < .05)", "P(p < .01)", "P(p < .001)", "splits, .001", "draws"], _tail(tail)
    )
    text += FLOOR + _table(
        ["pattern", "where", ".05 ours", "naive", "sd by company, ours", "naive", "worst, ours", "naive",
         ">= .15, ours", "naive", "of", "any kind, ours", "naive"], [_floor(row) for row in rows],
    )  # fmt: skip
    powered = [row for row in rows if "power 12" in row]
    columns = ("one in five", "lone", "false", "correlation alone: one in five", "lone")
    head = [f"{height}: {what}" if what == columns[0] else what for height in HEIGHTS for what in columns]
    text += POWER + _table(
        ["pattern", *head, "12, match inside: one in five"],
        [_power(row, beside.get(row["pattern"], {})) for row in [*powered, _mean(powered)]],
    )
    planted = results["planted"]
    if not planted:
        return text
    head = [
        f"{method}, {verdict}: recall" if what == "recall" else what
        for method in METHODS.values()
        for verdict in VERDICTS
        for what in ("recall", "false")
    ]
    lines = [
        _planted(name, height, [row for row in planted if name in (row["pattern"], "all")])
        for name in dict.fromkeys([*(row["pattern"] for row in planted), "all"])
        for height in HEIGHTS
    ]
    return text + PLANTED.format(**results) + _table(["shape", "SNR", "carriers", *head], lines)


def count(bars: list[Row]) -> str:
    """How many bars are met, and each that is not."""
    missed = [b for b in bars if not b["met"]]
    text = f"\n{len(bars) - len(missed)} of {len(bars)} bars met: within [.03, .07], [.005, .02] and [.0005, .002], "
    text += "across <= .10, recall >= .6 at SNR 6.\n"
    return text + "".join(f"- **missed** {b['what']}: {b['value']:.3g} (wanted {b['wanted']})\n" for b in missed)


def base_rates_table(results: dict[str, Any]) -> str:
    """The section about base rates in Markdown, without heading and stamp; `results` of results/base_rates.json."""
    lines = []
    for where in ("now", "history"):
        for relative in (False, True):
            rows = [row for row in results["rows"] if (row["where"], row["relative"]) == (where, relative)]
            asked = [row for row in rows if not row["refused"]]
            most = max(asked, key=lambda row: row["verdict"])
            lines.append([
                where, "relative" if relative else "as drawn", f"{len(asked)}", f"{len(rows) - len(asked)}",
                f"{sum(row['tested'] for row in asked):,}",
                *(f"{sum(row[what] for row in asked)}" for what in (*NULLS, "verdict")),
                f"{sum(row['verdict'] > 0 for row in asked)}",
                f"{most['pattern']}, {most['verdict']} of {most['tested']}" if most["verdict"] else "none",
            ])  # fmt: skip
    passing = [f"passing, {what.replace('_', ' ')}" for what in (*NULLS, "verdict")]
    return BASE_RATES + _table(["asked", "", "patterns", "refused", "companies tested", *passing, "any", "most"], lines)


def _table(head: list[str], lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *lines))


def _over(row: Row, name: str, kinds: tuple[str, ...] = NULLS) -> list[float]:
    return [row[name.format(kind)] for kind in kinds]


def _chance(row: Row) -> list[str]:
    spans = [
        f"{min(shares):.{digits}f}-{max(shares):.{digits}f}"
        for level, digits in (("0.05", 3), ("0.01", 4), ("0.001", 4))
        for shares in [_over(row, f"within {{}} {level}")]
    ]
    scans = _over(row, "scans {}", KINDS)
    what = ("unfair", "unfair by chance", "counted")
    unfair, by_chance, counted = (sum(_over(row, f"company {{}} {name}")) for name in what)
    return [
        row["pattern"], row["where"], *spans,
        f"{max(_over(row, 'across {} 0.05', KINDS)):.3f}",
        f"{max(_over(row, 'alone {}', KINDS)):.2f}",
        f"{min(scans):.2f}-{max(scans):.2f}",
        f"{max(_over(row, 'company {} worst')):.2f}",
        f"{unfair:.0f} of {counted:.0f} (chance {by_chance:.1f})",
    ]  # fmt: skip


def _tail(tail: list[Row]) -> list[list[str]]:
    """One line per question, method and kind of check; levels side by side, the far one last."""
    lines: dict[tuple[str, ...], list[Row]] = {}
    for row in sorted(tail, key=lambda row: (row["what"] != "within", row["where"] != "now", not row["trained"])):
        lines.setdefault((row["what"].split()[-1], row["where"], METHODS[row["trained"]]), []).append(row)
    out = []
    for key, levels in lines.items():
        levels.sort(key=lambda row: -row["level"])
        shares = [
            f"{row['share']:.{digits}f} ({row['low']:.{digits}f}-{row['high']:.{digits}f})"
            for row, digits in zip(levels, (4, 4, 5), strict=True)
        ]
        far = levels[-1]
        out.append([*key, *shares, f"{far['least']:.4f}-{far['most']:.4f}", f"{far['draws']:,}"])
    return out


def _floor(row: Row) -> list[str]:
    ours, naive = "company block_bootstrap", "company naive block_bootstrap"
    return [
        row["pattern"], row["where"],
        f"{row['within block_bootstrap 0.05']:.3f}", f"{row['naive block_bootstrap']:.3f}",
        *(f"{row[f'{side} {what}']:{form}}"
          for what, form in (("sd", ".3f"), ("worst", ".2f"), ("unfair", ".0f")) for side in (ours, naive)),
        f"{row[f'{ours} counted']:.0f}",
        *(f"{min(shares):.3f}-{max(shares):.3f}" for side in ("verdict", "naive")
          for shares in [_over(row, f"{side} {{}}", KINDS)]),
    ]  # fmt: skip


def _power(row: Row, alone: Row) -> list[str]:
    cells = [
        f"{found[f'{what} {height}']:.2f}" if f"{what} {height}" in found else ""
        for height in HEIGHTS
        for found, names in ((row, ("power", "lone", "false")), (alone, ("power", "lone")))
        for what in names
    ]
    inside = row.get("power 12, match inside")
    return [row["pattern"], *cells, "" if inside is None else f"{inside:.2f}"]


def _mean(rows: list[Row]) -> Row:
    """The mean of every power over the patterns."""
    names = [f"{what} {height}" for height in HEIGHTS for what in ("power", "lone", "false")]
    return {"pattern": "mean"} | {name: statistics.fmean(row[name] for row in rows) for name in names if rows}


def _planted(name: str, height: int, rows: list[Row]) -> list[str]:
    cells: list[str] = []
    for trained, verdict in product(METHODS, VERDICTS):
        mine = [row for row in rows if (row["height"], row["trained"], row["verdict"]) == (height, trained, verdict)]
        carriers, found, false, passing = (
            sum(row[what] for row in mine) for what in ("carriers", "found", "false", "passing")
        )
        cells = cells or [name, f"{height}", f"{carriers}"]
        cells += [f"{found / carriers:.2f}", f"{false / passing:.2f}" if passing else ""]
    return cells
