"""JupyterLab, or a notebook as an app without code, from this very environment: for a person, a test, a measurement.

python -m tsbench.lab.server lab FOLDER [OPTION ...]      JupyterLab, options as of `jupyter lab`
python -m tsbench.lab.server app NOTEBOOK [OPTION ...]    Voilà, options as of `voila`
Both listen on loopback only and let in whoever has the token that they print.
"""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tsbench.errors import Unavailable
from tsbench.store.embedded.daemon import last_lines, wait_until

# overrides.json are settings of JupyterLab; voila/ holds the template of the app.
JUPYTER = Path(__file__).parent / "jupyter"
# Seconds a server may take to answer, and to end.
PATIENCE, LEAVING = 60.0, 30.0
# Seconds after which the app ends the kernel of a page that was closed, and between its looks.
ABANDONED = {"idle_timeout": 120.0, "interval": 30.0}


def lab_command(folder: Path) -> list[str]:
    """The words that start JupyterLab on loopback with `folder` as its root."""
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    shown = [f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.app_settings_dir={JUPYTER}"]
    return [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", *shown, *root]


def app_command(notebook: Path) -> list[str]:
    """The words that start Voilà on loopback with one notebook: its outputs, its boards, no code.

    Cells appear as they are done; only so has a figure a place to keep its picture, which plotly asks for. Voilà tells
    nobody when a page is closed, hence the kernels that end when nobody is connected.
    """
    style = ["--template=tsbench", "--progressive_rendering=True"]
    ends = [f"--MappingKernelManager.cull_{name}={seconds:.0f}" for name, seconds in ABANDONED.items()]
    return [sys.executable, "-m", "voila", str(notebook.resolve()), "--Voila.ip=127.0.0.1", *style, *ends]


def app_environment() -> dict[str, str]:
    """What the environment must say beside the words of `app_command`: where the template lies."""
    return {"JUPYTER_PATH": os.pathsep.join(filter(None, [str(JUPYTER), os.environ.get("JUPYTER_PATH")]))}


@contextmanager
def jupyterlab(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a JupyterLab that shows `folder`, without token or browser; it ends with the block.

    Its settings, kernels' histories and log lie in hidden folders of `folder`, none of the user's are read.

    Parameters
        folder : an existing folder. environment : variables added to those of this process.
    Raises     Unavailable: it does not answer; the message holds the end of its log.
    """
    alone = ["--no-browser", "--port-retries=0", "--IdentityProvider.token="]
    with _serving([*lab_command(folder), *alone], "api/status", folder, environment or {}) as url:
        yield url


@contextmanager
def app(notebook: Path, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of `notebook` as an app, without token or browser; it ends with the block.

    Parameters
        notebook : run anew for every visitor. folder : an existing folder for settings and log.
        environment : variables added to those of this process.
    Raises     Unavailable: it does not answer; the message holds the end of its log.
    """
    alone = ["--no-browser", "--Voila.port_retries=0"]
    given = {**app_environment(), **(environment or {})}
    with _serving([*app_command(notebook), *alone], "voila/static/", folder, given) as url:
        yield url


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of code `cells` at `path`; what a cell raises does not stop the next.

    It names its language: else JupyterLab asks the reader for a kernel.
    """
    import nbformat

    tags = {"tags": ["raises-exception"]}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell, metadata=tags) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


@contextmanager
def _serving(command: Sequence[str], path: str, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = Path(command[2]).name
    log = folder / f".{name}.log"
    own = {f"JUPYTER_{kind}_DIR": str(folder / f".{kind.lower()}") for kind in ("CONFIG", "DATA", "RUNTIME")}
    own["IPYTHONDIR"] = str(folder / ".ipython")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--port={port}"], env={**os.environ, **own, **environment}, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or _answers(f"{url}/{path}"), PATIENCE)
        if not _answers(f"{url}/{path}"):
            left = process.poll()
            how = f"does not answer after {PATIENCE:.0f} s" if left is None else f"ended with status {left}"
            raise Unavailable(f"{name} {how}; the end of what it said:\n{last_lines(log.read_bytes(), 12)}")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    """Whether a server speaks there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def main() -> None:
    """Become the server that the command line names."""
    match sys.argv[1:]:
        case ["lab", folder, *options]:
            command, environment = [*lab_command(Path(folder)), *options], {}
        case ["app", notebook, *options]:
            command, environment = [*app_command(Path(notebook)), "--token", *options], app_environment()
        case _:
            sys.exit(f"wanted: lab FOLDER or app NOTEBOOK, got: {' '.join(sys.argv[1:])}")
    os.execve(command[0], command, {**os.environ, **environment})


if __name__ == "__main__":
    main()
