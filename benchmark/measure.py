"""Timing, the machine's stamp and the result file: shared by every script here."""

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]


def interleave(calls: dict[str, Callable[[], Any]], n: int = 7) -> dict[str, dict[str, float]]:
    """Time callables in alternation, so that outside load hits all alike; one call of each first, not counted."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(n):
        for name, call in calls.items():
            gc.collect(0)
            begin = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begin)
    return {name: {"median": statistics.median(s), "min": min(s), "max": max(s), "n": n} for name, s in seconds.items()}


def fresh_process(code: str, n: int = 5) -> dict[str, float]:
    """Wall time of `python -c code`, start of the interpreter included."""
    seconds = []
    for _ in range(n):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begin)
    return {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds), "n": n}


def peak_megabytes() -> float:
    """The process's largest resident size so far (Linux: ru_maxrss of a child begins at its parent's size)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def write(name: str, results: dict[str, Any], packages: tuple[str, ...], seed: int, folder: Path = RESULTS) -> None:
    """<folder>/<name>.json, by default in benchmark/results: the results under the machine's stamp."""
    stamp = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpu": _cpu(), "cores": os.cpu_count(), "load_at_end": os.getloadavg()[0],
            "platform": platform.platform(), "python": platform.python_version(),
        },
        "versions": {package: _version(package) for package in ("numba", "numpy", "pandas", *packages)},
        "seed": seed,
    }  # fmt: skip
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(stamp | {"results": results}, indent=1, default=float) + "\n")
    print(f"wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")


def bar(what: str, value: float, wanted: str, met: bool) -> dict[str, Any]:
    """One line per bar, printed and kept."""
    print(f"{'met ' if met else 'MISS'}  {what}: {value:.4g} (wanted {wanted})")
    return {"what": what, "value": value, "wanted": wanted, "met": bool(met)}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
