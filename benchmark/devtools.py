"""A browser page driven by the DevTools protocol alone, with none of its recorders on.

Playwright listens to the network of every page it drives, and the page then keeps more with every message: fine for a
test, but the memory of a page cannot be measured so.
"""

import itertools
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import websocket

PATIENCE = 60.0


class Page:
    """The one page of a browser: run script in it, move its mouse, press its keys."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self._process = process
        self._socket = websocket.create_connection(address, timeout=600, max_size=None)
        self._numbers = itertools.count(1)

    def send(self, method: str, **given: Any) -> dict[str, Any]:
        """One command, and its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                return dict(told["result"])

    def run(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        told = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{script[:80]}: {told['exceptionDetails'].get('text')}")
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > end:
                raise TimeoutError(script)
            time.sleep(0.1)

    def mouse(self, what: str, x: float, y: float) -> None:
        """what : "mouseMoved", "mousePressed" or "mouseReleased"."""
        pressed = {"button": "left", "buttons": 1, "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type=what, x=x, y=y, **pressed)

    def key(self, name: str, code: int, *, shift: bool = False) -> None:
        """Press and let go; `code` as `KeyboardEvent.keyCode`."""
        held = {"key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        for what in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=what, **held)

    def resident(self) -> float:
        """MB of the process that draws the page: the largest of its kind."""
        sizes = []
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                if "--type=renderer" in process.cmdline():
                    sizes.append(process.memory_info().rss / 1e6)
            except psutil.Error:
                continue
        return max(sizes)


@contextmanager
def opened(executable: str, url: str, folder: Path) -> Iterator[Page]:
    """A headless browser of its own at `url`, its profile in `folder`; it ends with the block."""
    given = ["--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--remote-allow-origins=*"]
    place = [f"--user-data-dir={folder}", "--window-size=1280,1000", url]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([executable, *given, *place], **quiet)
    try:
        yield Page(process, _address(folder))
    finally:
        process.terminate()
        process.wait(30)


def _address(folder: Path) -> str:
    """Where the page listens, once it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            port = int((folder / "DevToolsActivePort").read_text().split()[0])
            tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5))
            return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
        except (OSError, ValueError, IndexError, StopIteration, urllib.error.URLError):
            time.sleep(0.1)
    raise TimeoutError(f"no browser answers in {folder}")
