"""The real thing: JupyterLab draws a figure and a board in a headless browser, and the board answers."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tsbench.doctor.findings import Told
from tsbench.errors import MissingExtra

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PANEL = """
import numpy as np
from tsbench import Channel, Panel, Pattern, plots
from tsbench.lab import PatternDesigner
rng = np.random.default_rng(0)
panel = Panel.from_arrays([rng.normal(size=60).cumsum() for _ in range(20)])
valley = Pattern("valley", (Channel("value", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14))
"""
# What is shown by a cell, and by what one knows that it was drawn. The board's plain form has no .tsb-card.
SHOWN = {"figure": ("plots.drawing(valley)", ".js-plotly-plot .main-svg"),
         "board": ("PatternDesigner(panel, pattern=valley)", ".tsb-designer .tsb-card")}  # fmt: skip
# Seconds that JupyterLab and the kernel may take; seconds that the browser may then take for each drawing.
RUNNING, DRAWING = 60.0, 10.0
RUN = "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(one => /\\d/.test(one.textContent))"
FAULTS = '.jp-OutputArea-output[data-mime-type$="stderr"], .jp-OutputArea-output[data-mime-type$="error"]'
ANSWERED = "() => document.querySelector('.tsb-designer').latencies.length > 0"


def drawn(screenshot: Path | None = None) -> Told:
    """Whether a figure and a board are drawn; if not, what the browser's console and the kernel said.

    screenshot : file for a picture of the page.
    """
    with _browser() as browser:
        if browser is None:
            return "not checked", (
                "playwright finds no browser; install the package chromium or google-chrome, or run: "
                "playwright install chromium"
            )
        # only here, for the board's room needs most of the packages
        from tsbench.lab.server import jupyterlab, write_notebook

        with TemporaryDirectory(prefix="tsbench-doctor-") as made:
            write_notebook(Path(made, "doctor.ipynb"), PANEL, *(cell for cell, _ in SHOWN.values()))
            with jupyterlab(Path(made)) as url:
                return _looked(browser.new_page(viewport={"width": 1280, "height": 1400}), url, screenshot)


@contextmanager
def _browser() -> Iterator[Any]:
    """A headless Chromium: the system's, else the one playwright brought, else None.

    Raises     MissingExtra: playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingExtra("playwright", "browser") from error
    with sync_playwright() as playwright:
        system = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if system is None and not Path(playwright.chromium.executable_path).exists():
            yield None
            return
        # Chromium refuses its sandbox to root
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=system, args=root)
        try:
            yield browser
        finally:
            browser.close()


def _looked(page: Any, url: str, screenshot: Path | None) -> Told:
    from playwright.sync_api import TimeoutError as TooLong

    console: list[str] = []
    page.on("console", lambda said: console.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    page.set_default_timeout(1e3 * RUNNING)
    missing = []
    try:
        # a workspace of its own: another would open what it held before
        page.goto(f"{url}/lab/workspaces/doctor/tree/doctor.ipynb")
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(RUN)
        page.set_default_timeout(1e3 * DRAWING)
        for name, (_, drawing) in SHOWN.items():
            try:
                page.locator(drawing).first.wait_for()
            except TooLong:
                missing.append(f"the {name} was not drawn")
        if not missing:
            page.locator(".tsb-dot").nth(1).press("ArrowRight")
            page.wait_for_function(ANSWERED)
    except TooLong as error:
        missing.append(f"JupyterLab took too long: {error.message.splitlines()[0]}")
    finally:
        if screenshot is not None:
            page.screenshot(path=screenshot)
    if not missing:
        return "ok", "JupyterLab drew a figure and a board, and the board answered"
    said = [f"the console: {text}" for text in dict.fromkeys(console)]
    said += [f"the kernel: {text.strip()}" for text in page.locator(FAULTS).all_inner_texts()]
    return "wrong", "\n".join([*missing, *said])
