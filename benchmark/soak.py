"""Does the board grow while one works on it? Half an hour of moves in JupyterLab, memory read twice a minute.

A corner is dragged to and fro, sliders run from end to end, patterns and places change. Before each reading the browser
collects its garbage, so that what is counted is held. Growth is from the first third after the warm-up to the last.
    kernel     resident MB of the process that searches
    heap       MB of JavaScript objects that the page holds
    page       resident MB of the browser's process that draws the page
"""

import argparse
import itertools
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from board import BOARD, PATTERN, UNIVERSES, filled_store
from devtools import Page, opened
from measure import bar, write

from tsbench.lab.server import jupyterlab, write_notebook

READ_SECONDS, WARM_SECONDS, PAUSE = 30.0, 180.0, 0.025
PRESETS = ("step_up", "overlooked", "plateau", PATTERN)
# What may be added in half an hour, in MB: below that memory is flat.
WANTED = {"kernel": 15.0, "heap": 5.0, "page": 15.0}
RIGHT, LEFT = ("ArrowRight", 39), ("ArrowLeft", 37)
DESIGNER = "document.querySelector('.tsb-designer')"


def kernel() -> float:
    """MB of the kernel below this process."""
    found = [p for p in psutil.Process().children(recursive=True) if "ipykernel_launcher" in " ".join(p.cmdline())]
    return max(process.memory_info().rss for process in found) / 1e6


def reading(page: Page) -> dict[str, float]:
    """Memory now, garbage collected."""
    page.send("HeapProfiler.collectGarbage")
    told = {m["name"]: m["value"] for m in page.send("Performance.getMetrics")["metrics"]}
    return {"kernel": kernel(), "heap": told["JSHeapUsedSize"] / 1e6, "page": page.resident()}


def start(page: Page) -> None:
    """Run both cells of the notebook, by Shift and Enter."""
    page.until("document.querySelector('#jp-main-statusbar')?.textContent.includes('| Idle')")
    for cell in range(2):
        page.run(f"document.querySelectorAll('.jp-CodeCell .cm-content')[{cell}].focus()")
        page.key("Enter", 13, shift=True)
    page.until("document.querySelectorAll('.tsb-card').length")


def worked(page: Page, round_: int) -> int:
    """A few seconds of a person's work; how many moves."""
    corner = "document.querySelectorAll('.tsb-dot')[1]"
    page.run(f"{corner}.scrollIntoView({{block: 'center'}})")
    box = page.run(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({corner}.getBoundingClientRect())")
    page.mouse("mousePressed", *box)
    for i in range(60):
        page.mouse("mouseMoved", box[0] + 5 * (i % 20 - 10), box[1] + 13 * (i % 7 - 3))
        time.sleep(PAUSE)
    page.mouse("mouseReleased", *box)
    for name in ("prominence", "warp", "jitter"):
        page.run(f"document.querySelector('input[aria-label={name}]').focus()")
        for key in [RIGHT] * 8 + [LEFT] * 8:
            page.key(*key)
            time.sleep(PAUSE)
    preset = "document.querySelector('select[aria-label=preset]')"
    page.run(f"{preset}.value = '{PRESETS[round_ % len(PRESETS)]}', {preset}.dispatchEvent(new Event('change'))")
    place = ("now", "history")[round_ % 2]
    page.run(f"[...{DESIGNER}.querySelectorAll('button')].find(b => b.textContent === '{place}').click()")
    page.until(f"{DESIGNER}.resting()")
    return 60 + 3 * 16


def soak(page: Page, seconds: float) -> tuple[list[dict[str, Any]], int]:
    """Readings (seconds since the start, memory), and how many moves were made."""
    page.send("Performance.enable")
    begin, readings, moves = time.monotonic(), list[dict[str, Any]](), 0
    for round_ in itertools.count():
        passed = time.monotonic() - begin
        if not readings or passed - readings[-1]["seconds"] >= READ_SECONDS:
            readings.append({"seconds": round(passed), **reading(page)})
            print(readings[-1], flush=True)
        if passed > seconds:
            return readings, moves
        moves += worked(page, round_)
    raise AssertionError


def growth(readings: list[dict[str, Any]], name: str) -> float:
    """Median of the last third less that of the first, the warm-up left out."""
    settled = [r[name] for r in readings if r["seconds"] >= WARM_SECONDS] or [r[name] for r in readings]
    third = max(len(settled) // 3, 1)
    return statistics.median(settled[-third:]) - statistics.median(settled[:third])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    system = shutil.which("chromium") or shutil.which("google-chrome") or "chrome"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        filled_store(Path(temporary)) as database,
    ):
        folder = Path(temporary) / "lab"
        folder.mkdir()
        write_notebook(folder / "soak.ipynb", UNIVERSES["shipped"], BOARD)
        with jupyterlab(folder, {"DATABASE_URL": database}) as url:
            address = f"{url}/lab/workspaces/soak/tree/soak.ipynb"
            with opened(system, address, Path(temporary) / "browser") as page:
                start(page)
                readings, moves = soak(page, 60 * minutes)
    grown = {name: growth(readings, name) for name in WANTED}
    bars = [
        bar(f"{name}: growth over {minutes:g} minutes of moves, MB", grown[name], f"<= {mb:g}", grown[name] <= mb)
        for name, mb in WANTED.items()
    ]
    results = {"minutes": minutes, "moves": moves, "readings": readings, "growth": grown, "bars": bars}
    write("soak", results, ("anywidget", "jupyterlab"), 0)


if __name__ == "__main__":
    main()
