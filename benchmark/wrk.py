"""wrk, the load generator that is fast enough for rates: run it, read what it prints, have it look at every answer."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ABSENT = "wrk is not installed (Debian and Ubuntu: apt install wrk; macOS: brew install wrk); nothing was measured"
UNIT = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


class Measured(NamedTuple):
    """One run: requests per second, milliseconds, answers that were right, answers that were not."""

    rate: float
    p50: float
    p99: float
    right: int
    wrong: int


def version() -> str:
    """What `wrk --version` says; empty where there is none."""
    if shutil.which("wrk") is None:
        return ""
    told = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)
    return (told.stdout + told.stderr).partition("\n")[0].partition(" [")[0]


def run(url: str, body: str, right: str, *, seconds: float, connections: int = 32, series: int = 0) -> Measured:
    """POST a body for some seconds over keep-alive connections, one thread; every answer is compared.

    Parameters
        url : with the path. body : JSON. seconds, connections : of the run.
        right : with `series` 0 the whole body of the answer, else a piece that it must hold.
        series : when not 0, `{n}` in the path becomes a random number below it at every request.
    """
    with tempfile.TemporaryDirectory(prefix="tsbench-wrk-") as folder:
        script, address = Path(folder, "load.lua"), url.replace("{n}", "0")
        script.write_text(_script(url, body, right, series))
        told = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s", "-s", script,
             address],
            capture_output=True, text=True, check=True, timeout=seconds + 30,
        ).stdout  # fmt: skip
    good, bad = (int(found) for found in re.findall(r"^(?:right|wrong) (\d+)$", told, re.M))
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    bad += sum(map(int, broken.groups())) if broken else 0
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert rate is not None, told
    return Measured(float(rate[1]), _percentile(told, 50), _percentile(told, 99), good, bad)


def _percentile(told: str, percent: int) -> float:
    """Milliseconds of a line like `99%    2.10ms`."""
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", told, re.M)
    assert found is not None, told
    return float(found[1]) * UNIT[found[2]]


def _script(url: str, body: str, right: str, series: int) -> str:
    path = "/" + url.split("/", 3)[3]
    random = f'local path = ({_lua(path)}):gsub("{{n}}", math.random(0, {series - 1}))'
    request = f"function request()\n{random}\nreturn wrk.format(nil, path)\nend\n" if series else ""
    same = f"body:find({_lua(right)}, 1, true)" if series else f"body == {_lua(right)}"
    return (
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = {_lua(body)}\n{request}'
        "local threads = {}\nfunction setup(thread) threads[#threads + 1] = thread end\n"
        "function init() right, wrong = 0, 0; math.randomseed(1) end\n"
        f"function response(status, headers, body)\n"
        f"if status == 200 and {same} then right = right + 1 else wrong = wrong + 1 end\nend\n"
        "function done()\nfor _, thread in ipairs(threads) do\n"
        'print("right " .. thread:get("right")); print("wrong " .. thread:get("wrong"))\nend\nend\n'
    )


def _lua(text: str) -> str:
    """A text as Lua's long string, which knows no escapes."""
    return f"[==[{text}]==]"
