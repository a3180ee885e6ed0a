"""Does the board grow while one works on it? Half an hour of moves in JupyterLab, memory read twice a minute.

A corner is dragged to and fro, sliders run from end to end, patterns and places change; between readings the browser's
garbage is collected, so that what is counted is held. Growth is from the first third after the warm-up to the last.
    kernel     resident MB of the process that searches
    heap       MB of JavaScript objects that the page holds
    page       resident MB of the browser's process that draws the page
    nodes      elements of the page
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
from board import BOARD, PATTERN, UNIVERSES, filled_store, opened
from measure import bar, write
from playwright.sync_api import CDPSession, Page, sync_playwright

from tsbench.lab.server import jupyterlab, write_notebook

READ_SECONDS, WARM_SECONDS = 30.0, 180.0
PRESETS = ("step_up", "overlooked", "plateau", PATTERN)
# What may be added in half an hour, in MB: below that memory is flat.
WANTED = {"kernel": 15.0, "heap": 5.0, "page": 15.0}


def descendants(name: str) -> list[psutil.Process]:
    """Processes below this one whose command line holds `name`."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if name in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def resident(name: str) -> float:
    """MB of the largest process below this one whose command line holds `name`."""
    return max((process.memory_info().rss for process in descendants(name)), default=0) / 1e6


def reading(session: CDPSession) -> dict[str, float]:
    """Memory now, garbage collected."""
    session.send("HeapProfiler.collectGarbage")
    told = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return {
        "kernel": resident("ipykernel_launcher"),
        "heap": told["JSHeapUsedSize"] / 1e6,
        "page": resident("--type=renderer"),
        "nodes": told["Nodes"],
    }


def worked(page: Page, round_: int) -> int:
    """A few seconds of a person's work; how many moves."""
    corner = page.locator(".tsb-dot").nth(1)
    corner.scroll_into_view_if_needed()
    box = corner.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for i in range(60):
        page.mouse.move(box["x"] + 50 * (i % 20 - 10) / 10, box["y"] + 40 * (i % 7 - 3) / 3)
        page.wait_for_timeout(25)
    page.mouse.up()
    for name in ("prominence", "warp", "jitter"):
        page.get_by_label(name).focus()
        for key in ["ArrowRight"] * 8 + ["ArrowLeft"] * 8:
            page.keyboard.press(key)
            page.wait_for_timeout(20)
    page.get_by_label("preset").select_option(PRESETS[round_ % len(PRESETS)])
    page.get_by_role("button", name=("now", "history")[round_ % 2], exact=True).click()
    page.wait_for_function("() => document.querySelector('.tsb-designer').resting()")
    return 60 + 3 * 16


def soak(page: Page, seconds: float) -> tuple[list[dict[str, Any]], int]:
    """Readings (seconds since the start, memory), and how many moves were made."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    begin, readings, moves = time.monotonic(), list[dict[str, Any]](), 0
    for round_ in itertools.count():
        passed = time.monotonic() - begin
        if not readings or passed - readings[-1]["seconds"] >= READ_SECONDS:
            readings.append({"seconds": round(passed), **reading(session)})
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
    with tempfile.TemporaryDirectory() as temporary, filled_store(Path(temporary)) as database:
        folder = Path(temporary) / "lab"
        folder.mkdir()
        write_notebook(folder / "soak.ipynb", UNIVERSES["shipped"], BOARD)
        with jupyterlab(folder, {"DATABASE_URL": database}) as url, sync_playwright() as playwright:
            system = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(120_000)
            opened(page, url, "soak")
            readings, moves = soak(page, 60 * minutes)
            browser.close()
    grown = {name: growth(readings, name) for name in ("kernel", "heap", "page", "nodes")}
    last = readings[-1]["seconds"] / 60
    bars = [
        bar(f"{name}: growth over {last:.0f} minutes of moves, MB", grown[name], f"<= {mb:g}", grown[name] <= mb)
        for name, mb in WANTED.items()
    ]
    results = {"minutes": minutes, "moves": moves, "readings": readings, "growth": grown, "bars": bars}
    write("soak", results, ("anywidget", "jupyterlab", "playwright"), 0)


if __name__ == "__main__":
    main()
