"""Base rates: how many of the shipped companies pass each pattern of the library, under each picture of chance.

Every pattern is fitted on all shipped companies and asked of them now and in history, as drawn and relative to the
median company. Fundamentals and joint patterns are asked as they are, chart patterns of log(market_cap) and sensor
patterns of roic, those about volatility of its volatility. Patterns of several channels that need a metric which
the companies lack are left out. A company passes at q <= 0.1 (Benjamini-Hochberg over all tested), under each null
alone and under the verdict, the largest p over the three.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from typing import Any

import pandas as pd
from chance import SHIPPED
from measure import write

from tsbench.detect import PatternDetector
from tsbench.detect.bank import Where
from tsbench.errors import BadInput
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import NULLS, Pattern, groups, library, named, on, relative
from tsbench.series import Panel
from tsbench.series.quality import flag

QUESTIONS: tuple[Where, ...] = ("now", "history")
PASSES, WORKERS = 0.1, 2
COUNTS = ("tested", *NULLS, "verdict")
# What stands in for the metric that a group of patterns is drawn for, by the text in their expressions.
STANDS_FOR = {"prices": ("log(close)", "log(market_cap)"), "sensors": ("value", "roic")}


def shipped() -> Panel:
    """The shipped companies, doubtful values flagged, so that detectors leave them out."""
    frame = pd.read_parquet(SHIPPED).rename(columns={"ticker": "entity", "date": "time"}).assign(frequency="quarterly")
    panel = Panel.from_frame(frame)
    return replace(panel, flags=flag(panel))


def asked(name: str, metrics: set[str]) -> Pattern | None:
    """The library's pattern as the companies can answer it; None when they cannot."""
    pattern = named(name)
    for group, (drawn_for, instead) in STANDS_FOR.items():
        if name in groups()[group] and len(pattern.channels) == 1:
            pattern = on(pattern, pattern.expressions[0].replace(drawn_for, instead))
    return pattern if set(pattern.metrics) <= metrics else None


def forms(pattern: Pattern) -> list[tuple[bool, Pattern]]:
    """(relative or not, pattern): as drawn, and against the median company where that has a meaning."""
    try:
        return [(False, pattern), (True, relative(pattern))]
    except BadInput:
        return [(False, pattern)]


def passing(table: pd.DataFrame) -> dict[str, int]:
    """How many companies a scan tested, and how many of them pass under each null and under the verdict."""
    tested = table[table["status"] == "tested"]
    columns = {null: f"p_{null}" for null in NULLS} | {"verdict": "p_value"}
    found = {name: int((benjamini_hochberg(tested[p]) <= PASSES).sum()) for name, p in columns.items()}
    return {"tested": len(tested), **found}


def rates(name: str, panel: Panel) -> list[dict[str, Any]]:
    """One row per form and question of a pattern; where the detector refuses, `refused` says why."""
    pattern = asked(name, set(panel.index["metric"]))
    rows = []
    for is_relative, form in forms(pattern) if pattern else ():
        detector, unfit = PatternDetector(form, seed=0), ""
        try:
            detector.fit(panel)
        except BadInput as error:
            unfit = str(error)
        for where in QUESTIONS:
            counts, refused = dict.fromkeys(COUNTS, 0), unfit
            try:
                counts = counts if unfit else passing(detector.scan(panel, where=where))
            except BadInput as error:
                refused = str(error)
            row = {"pattern": name, "asked": form.name, "relative": is_relative, "where": where}
            rows.append(row | counts | {"refused": refused})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", nargs="*", default=list(library()))
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    begin = time.perf_counter()
    with ProcessPoolExecutor(WORKERS) as pool:
        for name, found in zip(options.patterns, pool.map(rates, options.patterns, repeat(shipped())), strict=True):
            rows += found
            seconds = time.perf_counter() - begin
            print(f"{seconds:4.0f} s  {name}" + ("" if found else ": the companies cannot answer it"))
            for row in found:
                form = "relative" if row["relative"] else "as drawn"
                counts = "  ".join(f"{what} {row[what]}" for what in COUNTS)
                print(f"      {row['where']:8} {form:9} {row['refused'] or counts}", flush=True)
    write("base_rates", {"passes": PASSES, "rows": rows}, ("scipy",), 0)


if __name__ == "__main__":
    main()
