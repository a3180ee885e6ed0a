"""The service, or another server, in a process of its own: started, waited for, stopped, its traces removed."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tsbench.settings import table
from tsbench.store import embedded

PATIENCE, FAREWELL = 120.0, 15.0
# Whoever is asked has a core, whoever asks has the other; on one core both share it.
SERVER_CORE, CLIENT_CORE = 0, 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Running:
    """A server that answers.

    url : without a path. pid : of the process that was started, which leads its process group.
    home : its project folder; None of a server that is not ours. database_url : its database; None likewise.
    started_in : seconds from the start of the process to the first answer.
    """

    url: str
    pid: int
    home: Path | None
    database_url: str | None
    started_in: float

    def cpu_seconds(self) -> float:
        """Processor time of the whole process group so far: what outside load cannot falsify."""
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == self.pid:
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def pin(core: int) -> None:
    """Keep this process, and those it starts from now on, on one core; no change where there is only one."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def stop_on_sigterm() -> None:
    """Let SIGTERM end this process through its `finally` blocks, so that what it started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@contextmanager
def own_service(
    *, workers: int = 1, database_url: str | None = None, redis_url: str | None = None
) -> Iterator[Running]:
    """`tsbench serve` on a temporary project of its own, by default with an embedded database of its own.

    Parameters
        workers : processes of the service.
        database_url, redis_url : None = embedded ones, which are stopped and deleted at the end.
    """
    home = Path(tempfile.mkdtemp(prefix="tsbench-load-"))
    ours = {name for setting in table() for name in (setting.name, *setting.aliases)}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"TSBENCH_HOME": str(home)}
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    environment |= {"REDIS_URL": redis_url} if redis_url else {}
    port = free_port()
    command = [sys.executable, "-m", "tsbench", "serve", "--port", str(port), "--workers", str(workers)]
    before = embedded.status(home)
    try:
        with server(command, port, environment, ready="/health/ready") as running:
            yield Running(running.url, running.pid, home, database_url or before.database_url, running.started_in)
    finally:
        if database_url is None:
            embedded.stop(home, force=True)
            shutil.rmtree(before.folder, ignore_errors=True)
            shutil.rmtree(before.sockets, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def server(
    command: list[str], port: int, environment: dict[str, str] | None = None, *, ready: str
) -> Iterator[Running]:
    """A process that listens on a port, on the servers' core, in a process group of its own.

    Parameters
        command, environment : of the process. port : where it will answer.
        ready : path that answers 200 once it is ready.
    Raises     RuntimeError: it ended or did not answer; the end of its log is in the message.
    """
    url, began = f"http://127.0.0.1:{port}", time.perf_counter()
    with tempfile.TemporaryFile() as log:
        before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        pin(SERVER_CORE)
        try:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=Path(__file__).parent, preexec_fn=_end_with_parent,
            )  # fmt: skip
        finally:
            if before is not None:
                os.sched_setaffinity(0, before)
        try:
            while not answers(url + ready):
                if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                    log.seek(0)
                    said = log.read().decode("utf-8", "replace")[-2000:]
                    raise RuntimeError(f"{' '.join(command)} did not answer at {url}{ready}:\n{said}")
                time.sleep(0.02)
            yield Running(url, process.pid, None, None, time.perf_counter() - began)
        finally:
            end(process)


def _end_with_parent() -> None:
    """In the child: SIGTERM when the parent dies however it dies (Linux; elsewhere `kill -9` leaves it running)."""
    if sys.platform == "linux":
        LIBC.prctl(1, signal.SIGTERM)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process that leads its group: asked first, then killed with all its children."""
    process.terminate()
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
