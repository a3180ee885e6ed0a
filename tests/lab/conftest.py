"""JupyterLab itself, in a folder of its own, on the store of the test."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

import tsbench.lab

SETTINGS = Path(tsbench.lab.__file__).parent / "jupyter"
PROJECT = Path(__file__).parents[2]
PATIENCE = 60.0


@dataclass
class Lab:
    """A running JupyterLab: its address and the folder whose notebooks it shows."""

    url: str
    folder: Path

    def write(self, name: str, *cells: str) -> None:
        """A notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, self.folder / name)


@contextmanager
def running(folder: Path, environment: dict[str, str]) -> Iterator[Lab]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folders = {f"JUPYTER_{kind}_DIR": str(folder / f".{kind.lower()}") for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0", "--no-browser",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", f"--LabApp.app_settings_dir={SETTINGS}",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]  # fmt: skip
    with (folder / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **folders, "IPYTHONDIR": str(folder / ".ipython"), **environment}, cwd=folder,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{url}/api/status") or process.poll() is not None)
        assert process.poll() is None, (folder / "jupyter.log").read_text("utf-8")
        yield Lab(url, folder)
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == 200)
    except (urllib.error.URLError, OSError):
        return False


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def jupyterlab(companies: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab whose kernels open the store of the shipped companies."""
    folder = tmp_path_factory.mktemp("lab")
    project = {"TSBENCH_HOME": str(PROJECT), "TSBENCH_REPORTS": str(folder / "reports"), "DATABASE_URL": companies.url}
    with running(folder, project) as lab:
        yield lab
