"""Do the best matches look like the drawing to a stranger? Sheets for blind judges, and the count of their verdicts.

    python benchmark/resemblance.py draw OUT
    python benchmark/resemblance.py count OUT JUDGEMENTS.json ... [--who "three readers who saw only the sheets"]

`draw` asks three arms for their ten best stretches of the shipped companies' history, one per company at most, for
eight patterns of the library: one drawing over three alternative channels.
    tsbench       PatternDetector.find
    dense net     shape_peers.dense_net on every window, at the pattern's scales, of the same gap-free stretches
    correlation   PatternDetector(trained=False).find: no trained judge; the discount for a low shape stays
tsbench and correlation keep the pattern's constraints; the net, like the systems it stands for, knows none.
OUT/<pattern>.png shows the drawing, and below it every stretch that an arm chose, each once, shuffled and numbered: the
channel's values from edge to edge, without axes, company, arm or score. OUT/key.json tells which arms chose what, so
judges get the PNGs alone. Each judge answers for every stretch, in a file {pattern: {number: "like" or "unlike"}}.

`count` calls a stretch like the drawing when more than half of the judges do, and writes results/resemblance.json.
`draw` needs the test extra and a Chromium.
"""

import argparse
import json
import shutil
import sys
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from base_rates import shipped
from measure import write
from shape_peers import Windows, dense_net
from shape_sets import ShapeSet
from threadpoolctl import threadpool_limits

from tsbench.detect import PatternDetector, Stretches, stretches_of
from tsbench.evaluate import wilson
from tsbench.patterns import Pattern, named
from tsbench.series import Panel

PATTERNS = (
    "dip_recovery", "step_up", "inflection_up", "fade", "plateau", "failed_recovery", "erosion", "s_curve",
)  # fmt: skip
ARMS = ("tsbench", "dense net", "correlation")
BEST, SEED = 10, 0
VERDICTS = ("like", "unlike")
COLUMNS = ["entity", "channel", "start", "end"]
# Pixels: a panel, the drawing, and the room around a line. A sheet of 30 stays small enough to be seen in one piece.
PANEL, TARGET, MARGIN = (232, 150), (420, 200), 12
PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 16px; width: 1220px; background: #fff; color: #333; font: 15px sans-serif; }
.target { display: flex; justify-content: center; margin-bottom: 18px; }
.stretches { display: grid; grid-template-columns: repeat(5, 232px); gap: 12px 15px; }
svg { display: block; border: 1px solid #bbb; }
polyline { fill: none; stroke: #222; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
</style>"""

Stretch = tuple[str, str, int, int]
Judgement = dict[str, dict[str, str]]


# ---- the sheets -------------------------------------------------------------------------------------------


def chosen(pattern: Pattern, panel: Panel, stretches: Stretches) -> dict[str, list[Stretch]]:
    """By arm, its best stretches: (entity, channel, start, end), half-open positions in the entity's series."""
    found = {
        arm: PatternDetector(pattern, seed=SEED, trained=trained).fit(panel).find(panel, per_entity=1)
        for arm, trained in (("tsbench", True), ("correlation", False))
    }
    found["dense net"] = by_net(pattern, stretches)
    return {arm: list(found[arm][COLUMNS].head(BEST).itertuples(index=False, name=None)) for arm in ARMS}


def by_net(pattern: Pattern, stretches: Stretches) -> pd.DataFrame:
    """Every company's best window, best first, by a net taught the pattern's one drawing; it serves all channels."""
    one = replace(pattern, channels=pattern.channels[:1], constraints=())
    runs = list(zip(stretches.entity, stretches.start, stretches.stop, stretches.channel, strict=True))
    series = [stretches.values[k : k + 1, a:b] for _, a, b, k in runs]
    nothing = pd.DataFrame(columns=["entity", "start", "end"])
    hosts = ShapeSet(series, nothing, nothing)
    windows = Windows(hosts, one)
    with threadpool_limits(1):
        score = dense_net(one, hosts, SEED)(windows)
    best = windows.best(score, count=1)
    entity, start, _, channel = np.array(runs)[windows.row[best]].T
    first = start - stretches.offsets[entity] + windows.start[best]
    table = pd.DataFrame(
        {
            "entity": stretches.index["entity"].to_numpy(dtype=object)[entity],
            "channel": np.array(pattern.expressions, dtype=object)[channel],
            "start": first,
            "end": first + windows.length[best],
            "score": score[best],
        }
    )
    return table.sort_values("score", ascending=False, kind="stable").drop_duplicates("entity")


def numbered(name: str, arms: dict[str, list[Stretch]]) -> dict[str, dict[str, Any]]:
    """The key of a sheet: every distinct stretch under a random number, and the arms that chose it."""
    stretches = list(dict.fromkeys(stretch for arm in ARMS for stretch in arms[arm]))
    order = np.random.default_rng([SEED, zlib.crc32(name.encode())]).permutation(len(stretches))
    return {
        str(number): {
            "arms": [arm for arm in ARMS if stretches[i] in arms[arm]],
            **dict(zip(COLUMNS, stretches[i], strict=True)),
        }
        for number, i in enumerate(order, 1)
    }


def sheet(pattern: Pattern, stretches: Stretches, key: dict[str, dict[str, Any]]) -> str:
    """The page of one pattern: the drawing, then every stretch under its number."""
    row = {entity: i for i, entity in enumerate(stretches.index["entity"])}
    panels = []
    for number, one in key.items():
        first = stretches.offsets[row[one["entity"]]]
        y = stretches.values[pattern.expressions.index(one["channel"]), first + one["start"] : first + one["end"]]
        panels.append(f"<div>{number}{line(np.arange(y.size), y, PANEL)}</div>")
    drawing = line(*pattern.channels[0].drawing, TARGET)
    return (
        f'{PAGE}<div class="target"><div>The drawing{drawing}</div></div><div class="stretches">{"".join(panels)}</div>'
    )


def line(x: np.ndarray, y: np.ndarray, size: tuple[int, int]) -> str:
    """An SVG of straight lines through the points, stretched to fill its frame."""
    width, height = size
    across = MARGIN + (width - 2 * MARGIN) * (x - x[0]) / (x[-1] - x[0])
    down = MARGIN + (height - 2 * MARGIN) * (y.max() - y) / (np.ptp(y) or 1.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
    return f'<svg width="{width}" height="{height}"><polyline points="{points}"/></svg>'


def photograph(pages: dict[str, str], out: Path) -> None:
    """One PNG per page, by a headless Chromium: the system's, else the one playwright brought."""
    from playwright.sync_api import sync_playwright

    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1252, "height": 600})
        for name, html in pages.items():
            tab.set_content(html)
            tab.screenshot(path=out / f"{name}.png", full_page=True)
        browser.close()


def draw(out: Path) -> None:
    """The sheets and their key, into `out`."""
    panel = shipped()
    key, pages = {}, {}
    for name in PATTERNS:
        pattern = named(name)
        stretches = stretches_of(pattern, panel)
        key[name] = numbered(name, chosen(pattern, panel, stretches))
        pages[name] = sheet(pattern, stretches, key[name])
        print(f"{name}: {len(key[name])} stretches", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    photograph(pages, out)
    (out / "key.json").write_text(json.dumps(key, indent=1, default=int) + "\n")


# ---- the count --------------------------------------------------------------------------------------------


def checked(path: Path, key: dict[str, dict[str, Any]]) -> Judgement:
    """One judge's file; ends the script where it does not answer for every stretch of the key and no other."""
    judgement: Judgement = json.loads(path.read_text())
    wanted = {(name, number) for name, sheet in key.items() for number in sheet}
    given = {(name, number): verdict for name, sheet in judgement.items() for number, verdict in sheet.items()}
    wrong = sorted(wanted ^ set(given)) + sorted(where for where, verdict in given.items() if verdict not in VERDICTS)
    if wrong:
        few = ", ".join(f"{name} {number}" for name, number in wrong[:5])
        sys.exit(f"{path}: {len(wrong)} stretches missing, unknown or neither like nor unlike, such as {few}")
    return judgement


def counted(likes: Iterable[tuple[list[str], int]], judges: int) -> dict[str, Any]:
    """The figures over some stretches, each with its arms and how many judges found it like the drawing.

    agreement : share of pairs of judges that say the same of a stretch. kappa : the same above chance (Fleiss 1971).
    Both are None for a single judge, kappa also where all verdicts are equal.
    """
    rows = list(likes)
    of, like = Counter(), Counter()
    for arms, said in rows:
        of.update(arms)
        like.update(arms if 2 * said > judges else ())
    shares = {}
    for arm in ARMS:
        low, high = wilson(like[arm], of[arm])
        shares[arm] = {"like": like[arm], "of": of[arm], "low": low, "high": high}
    said = np.array([said for _, said in rows])
    agreement = kappa = None
    if judges > 1:
        pairs = judges * (judges - 1)
        agreement = float(np.mean(said * (said - 1) + (judges - said) * (judges - said - 1)) / pairs)
        share = said.mean() / judges
        by_chance = share**2 + (1 - share) ** 2
        kappa = float((agreement - by_chance) / (1 - by_chance)) if by_chance < 1 else None
    return {"stretches": len(rows), "arms": shares, "agreement": agreement, "kappa": kappa}


def count(out: Path, paths: list[Path], who: str) -> None:
    """Every figure, printed and written."""
    key = json.loads((out / "key.json").read_text())
    judgements = [checked(path, key) for path in paths]
    rows = [
        {"pattern": name, "number": int(number), **one, "verdicts": [judge[name][number] for judge in judgements]}
        for name, sheet in key.items()
        for number, one in sheet.items()
    ]

    def figures(names: Iterable[str]) -> dict[str, Any]:
        mine = [(row["arms"], row["verdicts"].count("like")) for row in rows if row["pattern"] in names]
        return counted(mine, len(judgements))

    patterns, total = [{"pattern": name, **figures([name])} for name in key], figures(key)
    for row in (*patterns, {"pattern": "all", **total}):
        shares = "  ".join(
            f"{arm} {one['like']}/{one['of']} [{one['low']:.2f}, {one['high']:.2f}]" for arm, one in row["arms"].items()
        )
        sure = "" if row["agreement"] is None else f"  judges agree {row['agreement']:.2f}"
        print(f"{row['pattern']:16} {row['stretches']:3} stretches  {shares}{sure}")
    if total["kappa"] is not None:
        print(f"kappa of the judges over all stretches: {total['kappa']:.2f}")
    results = {"judges": len(judgements), "who": who, "patterns": patterns, "total": total, "judgements": rows}
    write("resemblance", results, ("scikit-learn", "scipy"), SEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part")
    parts.add_parser("draw", help="the sheets and their key").add_argument("out", type=Path)
    counting = parts.add_parser("count", help="the verdicts, by arm")
    counting.add_argument("out", type=Path)
    counting.add_argument("judgements", type=Path, nargs="+")
    counting.add_argument("--who", default="readers who saw only the sheets", help="the judges, in general words")
    options = parser.parse_args()
    if options.part == "draw":
        draw(options.out)
    elif options.part == "count":
        count(options.out, options.judgements, options.who)
    else:  # `make bench` runs every script, and this one waits for judges
        parser.print_usage()


if __name__ == "__main__":
    main()
