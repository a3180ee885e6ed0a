"""The mix of requests of locustfile.py: locust as a process of its own, and what its files say."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# locust: stopping, its files
FAREWELL = 60
PERCENTS = {"p50": "50%", "p95": "95%", "p99": "99%", "max": "100%"}
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
    log = out / "locust.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=out)
        try:
            code = process.wait(seconds + FAREWELL)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        raise RuntimeError(f"locust ended with {code}:\n{log.read_text('utf-8', 'replace')[-2000:]}")
    return {"users": users, "seconds": seconds, **read(out)}


def read(out: Path) -> Row:
    """What `locust_stats.csv` and `locust_failures.csv` of a folder say."""
    rows = [_row(row) for row in _csv(out / "locust_stats.csv")]
    if not rows or not any(row["requests"] for row in rows):
        raise RuntimeError(f"locust made no request; see {out / 'locust.log'}")
    failures = [{"name": row["Name"], "times": int(row["Occurrences"]), "error": row["Error"][:200]}
                for row in _csv(out / "locust_failures.csv")]  # fmt: skip
    together = next(row for row in rows if row["name"] == "Aggregated")
    rows.remove(together)
    return {"requests": rows, "together": together, "failures": sorted(failures, key=lambda f: -f["times"])[:10]}


def _row(row: dict[str, str]) -> Row:
    times = {name: _number(row[column]) for name, column in PERCENTS.items()}
    counted = {"requests": int(row["Request Count"]), "failures": int(row["Failure Count"])}
    return {"name": row["Name"], **counted, "rate": _number(row["Requests/s"]), **times}


def _number(text: str) -> float:
    return float(text) if text not in ("", "N/A") else float("nan")


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
