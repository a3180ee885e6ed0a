"""How soon do the companies answer a drawing? JupyterLab in a real browser, a corner dragged across the board.

For each universe the milliseconds from a pointer's move to the redrawn cards, told by the page itself; the browser, the
server and the kernel share the machine.
    shipped     the shipped companies, quarterly: every answer is the whole search of stage one
    large       10,000 random walks of 80 to 250 quarters, three metrics each: a preview while the corner moves
    overlap     share of the 20 best companies of the whole search that are among the 20 of the preview, by pattern
    open        seconds from an empty kernel to the first cards of notebook 02, all its cells run
    learnt      seconds from the first verdict on an untrained drawing to the first ranking by odds, and the exact one
"""

import argparse
import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from measure import ROOT, bar, write
from playwright.sync_api import Page, sync_playwright

from tsbench.lab import PatternDesigner
from tsbench.lab.ranking import Companies
from tsbench.lab.server import jupyterlab, write_notebook
from tsbench.patterns import named
from tsbench.store import Store, embedded

MOVES, PAUSE_MS, TOP = 300, 25, 20
PREVIEWED = (
    "dip_recovery", "failed_recovery", "step_up", "s_curve", "plateau", "fade", "erosion", "acceleration", "overlooked",
)  # fmt: skip
PATTERN = "dip_recovery"
SHIPPED = ROOT / "data" / "companies"
LARGE = """
import numpy as np, pandas as pd
from tsbench.series import Panel
rng = np.random.default_rng(0)
length = rng.integers(80, 251, 10_000)
step = round(91.3125 * 86_400e6)
end = np.datetime64("2019-06-30", "us").astype(np.int64)
values, times, rows = [], [], []
for i, m in enumerate(length):
    for metric, size, level in (("market_cap", 0.14, 22.0), ("revenue", 0.06, 20.0), ("roic", 0.02, 0.1)):
        x = level + np.cumsum(rng.standard_t(4, m) * size / 1.4)
        values.append(x if metric == "roic" else np.exp(x))
        times.append(end - step * np.arange(m)[::-1])
        rows.append((f"C{i:05d}", metric, "quarterly", "", "made"))
index = pd.DataFrame(rows, columns=["entity", "metric", "frequency", "basis", "source"])
offsets = np.r_[0, np.cumsum([v.size for v in values])].astype(np.int64)
source = Panel.from_parts(np.concatenate(values), offsets, np.concatenate(times), index)
"""
UNIVERSES = {"shipped": "from tsbench import Store\nsource = Store()", "large": LARGE}
BOARD = f"from tsbench.lab import PatternDesigner\nPatternDesigner(source, pattern={PATTERN!r})"
WANTED = {"shipped": 80, "large": 150}


def opened(page: Page, url: str, name: str) -> float:
    """Run all cells of a notebook; seconds until the board shows companies."""
    page.goto(f"{url}/lab/workspaces/{name}/tree/{name}.ipynb")
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    begin = time.perf_counter()
    page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_selector(".tsb-card")
    return time.perf_counter() - begin


def dragged(page: Page) -> list[float]:
    """Milliseconds from each answered move to its cards."""
    corner = page.locator(".tsb-dot").nth(1)
    corner.scroll_into_view_if_needed()
    box = corner.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(MOVES):
        page.mouse.move(x + 60 * abs(1 - (i % 120) / 60), y + 40 * abs(1 - (i % 80) / 40))
        page.wait_for_timeout(PAUSE_MS)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('.tsb-designer').resting()")
    latencies: list[float] = page.evaluate("() => document.querySelector('.tsb-designer').latencies")
    return latencies


@contextlib.contextmanager
def filled_store(folder: Path) -> Iterator[str]:
    """The address of a store of its own with the shipped companies."""
    with embedded.acquire(folder, redis=False) as services, embedded.fresh_database(services.database_url) as url:
        with Store(url) as store:
            store.upgrade()
            store.load(SHIPPED, progress=False)
        yield url
    embedded.stop(folder, force=True)


def overlap() -> dict[str, float]:
    """How much of the whole search's top the preview shows, on the large universe."""
    made: dict[str, Any] = {}
    exec(LARGE, made)  # noqa: S102  the very universe of the notebook
    out = {}
    with ThreadPoolExecutor(2) as pool:
        companies = Companies(made["source"], pool)
        for name in PREVIEWED:
            whole, quick = (set(companies.rank(named(name), top=TOP, preview=p).table["entity"]) for p in (False, True))
            out[name] = len(whole & quick) / TOP
    return out


def learnt(database: str) -> dict[str, tuple[float, float]]:
    """Seconds from a verdict to the first answer and to the exact one, by pattern; without a page."""
    out = {}
    with Store(database) as store:
        panel = store.series_of(frequency="quarterly")
    for name in ("dip_recovery", "step_up", "overlooked"):
        board = PatternDesigner(panel, pattern=name)
        time.sleep(4.0)  # a person looks before judging
        card = {key: board.found["cards"][1][key] for key in ("entity", "channels", "first", "last", "score")}
        answers: list[float] = []
        board.observe(
            lambda change, at=answers: change["new"]["by"] == "odds" and at.append(time.perf_counter()), "found"
        )
        begin = time.perf_counter()
        board._heard(board, {"do": "judge", "pattern": board.found["pattern"], "verdict": "reject", **card}, [])
        board.wait(120)
        out[name] = (answers[0] - begin, answers[-1] - begin)
        board.close()
    return out


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary, filled_store(Path(temporary)) as database:
        folder = Path(temporary) / "lab"
        folder.mkdir()
        for name, source in UNIVERSES.items():
            write_notebook(folder / f"{name}.ipynb", source, BOARD)
        shutil.copy(ROOT / "notebooks" / "02_design_pattern.ipynb", folder)
        with jupyterlab(folder, {"DATABASE_URL": database}) as url, sync_playwright() as playwright:
            system = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])
            for name in UNIVERSES:
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(120_000)
                opened(page, url, name)
                found = sorted(dragged(page))
                rows[name] = {
                    "median": statistics.median(found), "p95": found[int(0.95 * len(found))], "max": found[-1],
                    "answers": len(found), "moves": MOVES,
                }  # fmt: skip
                print(name, rows[name], flush=True)
                page.close()
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(120_000)
            seconds = opened(page, url, "02_design_pattern")
            browser.close()
        verdicts = learnt(database)
    bars = [
        bar(
            f"{name}: a move to its companies, 95th percentile, ms",
            rows[name]["p95"],
            f"<= {ms}",
            rows[name]["p95"] <= ms,
        )
        for name, ms in WANTED.items()
    ]
    bars.append(bar("notebook 02, all cells run, to the first cards, s", seconds, "<= 10", seconds <= 10))
    slowest = max(first for first, _ in verdicts.values())
    bars.append(
        bar("first verdict on an untrained drawing to its answer, slowest of 3, s", slowest, "<= 2", slowest <= 2)
    )
    shares = overlap()
    mean = statistics.fmean(shares.values())
    print({name: round(share, 2) for name, share in shares.items()})
    bars.append(
        bar(f"large: the preview's {TOP} best among those of the whole search, mean", mean, ">= .9", mean >= 0.9)
    )
    write(
        "board",
        {"rows": rows, "overlap": shares, "open": seconds, "learnt": verdicts, "bars": bars},
        ("anywidget", "jupyterlab", "playwright"),
        0,
    )


if __name__ == "__main__":
    main()
