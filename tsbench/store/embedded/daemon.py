"""Server processes that outlive the process that starts them.

A daemon has its own session (Ctrl-C in a terminal does not reach it), inherits no open file (a lock
of its starter stays the starter's) and bears a mark on its command line by which it is found again:
a pid file may name a process that died and whose number another program bears by now.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tsbench.errors import Unavailable
from tsbench.store.embedded.place import Account

# The daemon's stdout must leave the pipe that carries its pid, or the pipe's reader waits for ever.
_DETACH = '"$@" >&2 & echo $!'
_PROGRAM = re.compile(r"(^|/)(postgres|valkey-server|redis-server)($|[\s:])")


def spawn(command: Sequence[str | Path], account: Account, log: Path) -> int:
    """Start a daemon that prints into a new `log` (the last one is kept as .1); its pid.

    A shell starts it in the background and ends, so that init becomes its parent: no zombie stays
    with us when it dies, and arguments travel as they are, whatever quotes they hold.
    """
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as output:
        shell = subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", *map(str, command)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            **account.options(),
        )
    return int(shell.stdout)


def marked(mark: str) -> list[int]:
    """Pids of the live servers that bear `mark`."""
    whole = re.compile(rf"\b{re.escape(mark)}\b")
    return [pid for pid, program, line in _command_lines() if whole.search(line) and _PROGRAM.search(program)]


def _command_lines() -> Iterator[tuple[int, str, str]]:
    """(pid, program, whole command line) of every process that shows one; a zombie shows none."""
    if sys.platform == "linux":
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    line = os.fsdecode((entry / "cmdline").read_bytes())
                    yield int(entry.name), line.split("\0", 1)[0], line.replace("\0", " ")
    else:
        listing = subprocess.run(["ps", "-axo", "pid=,command="], check=True, capture_output=True)
        for row in os.fsdecode(listing.stdout).splitlines():
            pid, _, line = row.strip().partition(" ")
            yield int(pid), line, line


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie that nobody reaps does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2]
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not state.strip().startswith("Z")


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Poll until `condition` is true; False when `seconds` pass first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end(pids: Collection[int], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, waiting its seconds, until every process is gone.

    Raises     Unavailable: some process survives the last signal.
    """
    for number, seconds in steps:
        for pid in filter(alive, pids):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not any(map(alive, pids)), seconds):
            return
    raise Unavailable(f"server processes {sorted(filter(alive, pids))} do not end; end them by hand and try again")


def last_lines(text: bytes, count: int = 6) -> str:
    """The end of what a server printed, indented for a message."""
    lines = text.decode(errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line}" for line in lines) or "  (nothing)"
