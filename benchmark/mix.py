"""The mix of requests of locustfile.py: locust as a process of its own, and what its users noted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from open_loop import percentiles

HERE = Path(__file__).parent
# locust: stopping, its files
FAREWELL = 60
TOGETHER = "all"
Row = dict[str, Any]


def run(url: str, *, users: int, seconds: int, out: Path) -> Row:
    """Let locust's users loose on a service for some seconds.

    Parameters
        url : of the service. users : all from the beginning. seconds : until they stop.
        out : folder of `locust.html` and `locust_*.csv`.
    Returns    its requests by name, all together, and what was wrong.
    Raises     RuntimeError: locust itself failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("locust*"):
        old.unlink()
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--host", url]
    command += ["-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--stop-timeout", "5", "--only-summary"]
    command += ["--csv", str(out / "locust"), "--html", str(out / "locust.html"), "--exit-code-on-error", "0"]
    log, times = out / "locust.log", out / "locust_times.json"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=out,
                                   env={**os.environ, "STRESS_TIMES": str(times)})  # fmt: skip
        try:
            code = process.wait(seconds + FAREWELL)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        raise RuntimeError(f"locust ended with {code}:\n{log.read_text('utf-8', 'replace')[-2000:]}")
    return {"users": users, "seconds": seconds, **told(times)}


def told(times: Path) -> Row:
    """What the users noted: a row per kind of request, one of all together, and what failed."""
    if not times.is_file():
        raise RuntimeError(f"locust left no times; see {times.with_name('locust.log')}")
    noted = json.loads(times.read_text("utf-8"))
    failures = noted["failures"]

    def row(name: str, milliseconds: list[float]) -> Row:
        failed = sum(failure["times"] for failure in failures if name in (failure["name"], TOGETHER))
        counted = {"name": name, "requests": len(milliseconds), "failures": failed}
        return {**counted, "rate": len(milliseconds) / noted["lasted"], **percentiles(np.array(milliseconds) / 1000)}

    by_name = noted["milliseconds"]
    if not by_name:
        raise RuntimeError(f"locust made no request; see {times.with_name('locust.log')}")
    rows = [row(name, by_name[name]) for name in sorted(by_name)]
    together = row(TOGETHER, [one for milliseconds in by_name.values() for one in milliseconds])
    return {"requests": rows, "together": together, "failures": failures[:10]}
