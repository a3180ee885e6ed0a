"""JupyterLab itself, in a folder of its own, on the store of the test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tsbench.lab import server

PROJECT = Path(__file__).parents[2]
# Milliseconds after which a page is given up.
SLOW = 60_000


@dataclass
class Lab:
    """A running JupyterLab: its address and the folder whose notebooks it shows."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> None:
        """A notebook of code cells."""
        server.write_notebook(self.folder / name, *cells)


@pytest.fixture(scope="module")
def jupyterlab(companies: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab whose kernels open the store of the shipped companies."""
    folder = tmp_path_factory.mktemp("lab")
    project = {"TSBENCH_HOME": str(PROJECT), "TSBENCH_REPORTS": str(folder / "reports"), "DATABASE_URL": companies.url}
    with server.jupyterlab(folder, project) as url:
        yield Lab(url, folder)


@pytest.fixture(scope="module")
def watched(browser: Any) -> Iterator[Callable[[str], tuple[Any, list[str]]]]:
    """Opens a page of a server, and lists what goes wrong on it: errors, and requests that leave the server."""
    opened = []

    def open_page(url: str) -> tuple[Any, list[str]]:
        page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(SLOW)
        opened.append(page)
        wrong: list[str] = []
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        local = (url, url.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(local) else wrong.append(asked.url))
        return page, wrong

    yield open_page
    for page in opened:
        page.context.close()
