"""How much load the service bears: a mix by locust, rates up to saturation, a stall, batch sizes, cold models.

`make stress` starts the service on a database of its own, loads it for about a minute and a half, stops it, and holds
the figures against limits.json. Exit status 1: a limit is missed. 2: it could not be measured. With --url a service of
yours is loaded instead; it keeps nothing of it. docs/stress.md tells how to read the figures.
"""

import argparse
import json
import os
import secrets
import shutil
import sys
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import load_runs
import mix
from measure import RESULTS, ROOT, bar, write
from own_service import CLIENT_CORE, answers, own_service, pin, stop_on_sigterm

LIMITS = Path(__file__).with_name("limits.json")
PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "msgspec", "orjson", "locust", "gevent")
LOOPS, SIGNS = ("closed", "open"), {"at_least": ">=", "at_most": "<="}
Row = dict[str, Any]


def main() -> None:
    given = arguments()
    stop_on_sigterm()
    pin(CLIENT_CORE)
    limits = json.loads(LIMITS.read_text("utf-8"))
    try:
        with target(given.url) as (url, pid):
            result = measured(url, pid, given)
    except (OSError, RuntimeError, ValueError) as error:
        refused = isinstance(error, urllib.error.HTTPError)
        said = f"{error.url} answers {error.code}: {error.read(300).decode(errors='replace')}" if refused else error
        print(f"could not be measured: {said}", file=sys.stderr)
        sys.exit(2)
    result["bars"] = verdict(result, limits)
    write("stress", result, PACKAGES, load_runs.SEED, given.out)
    tell(result, given.out)
    if given.keep:
        shutil.copy(given.out / "stress.json", RESULTS / "stress.json")
        print("kept as the stored baseline; run benchmark/tables.py")
    sys.exit(0 if all(row["met"] for row in result["bars"]) else 1)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="", help="a running service; default: one of its own")
    parser.add_argument("--users", type=int, default=20, help="of locust")
    parser.add_argument("--seconds", type=int, default=20, help="of locust's mix")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "stress", help="folder of record, CSV and HTML")
    parser.add_argument("--keep", action="store_true", help="store the record as the baseline, benchmark/results")
    parser.add_argument("--quick", action="store_true", help="a second each, to try it; limits mean little then")
    given = parser.parse_args()
    given.url, given.out = given.url.rstrip("/"), given.out.resolve()
    return given


@contextmanager
def target(url: str) -> Iterator[tuple[str, int | None]]:
    """Address and process of what is loaded; the process only of a service of our own."""
    if not url:
        with own_service() as own:
            print(f"a service of its own answers at {own.url} after {own.started_in:.1f} s", flush=True)
            yield own.url, own.pid
        return
    if not answers(url + "/health/live"):
        raise OSError(f"{url}/health/live does not answer with 200; give --url the address of a running tsbench serve")
    yield url, None


def measured(url: str, pid: int | None, given: argparse.Namespace) -> Row:
    """Every figure of one run."""
    seconds = 1.0 if given.quick else 3.0
    result: Row = {"service": {"own": pid is not None, "url": given.url, "workers": 1 if pid else None}}
    room = load_runs.Room(url, os.environ.get("TSBENCH_API_TOKEN"), f"stress-{secrets.token_hex(3)}")
    try:
        result["cold"] = load_runs.cold_and_warm(room)
        result["peak"] = load_runs.peak(room, seconds)
        result["sweep"] = load_runs.sweep(room, result["peak"]["rate"], seconds)
        result["stall"] = None if pid is None else load_runs.stall(room, pid)
        result["payload"] = load_runs.payload(room, seconds / 3)
        result["mix"] = mix.run(url, users=given.users, seconds=3 if given.quick else given.seconds, out=given.out)
    finally:
        room.leave()
    return result


def of_mix(name: str, figure: str) -> Callable[[Row], float]:
    """A figure of one kind of request of the mix."""
    return lambda result: next(row[figure] for row in result["mix"]["requests"] if row["name"].startswith(name))


def wrong(result: Row) -> int:
    """Wrong or missing answers of the whole run; beyond saturation, what came too late is not called missing."""
    rows = [result["peak"], *result["payload"], *((result["stall"][loop] for loop in LOOPS) if result["stall"] else ())]
    missing = sum(row["unanswered"] for row in rows)
    strange = sum(row["wrong"] for row in [result["cold"], *result["sweep"], *rows])
    return int(missing + strange + result["mix"]["together"]["failures"])


FIGURES: dict[str, tuple[str, Callable[[Row], float]]] = {
    "wrong_answers": ("answers that were wrong or failed", wrong),
    "capacity_per_second": (
        "predictions per second that are kept up, open loop, 99 % within 25 ms",
        lambda result: load_runs.capacity(result["sweep"]),
    ),
    "half_capacity_p99_ms": (
        "99th percentile from when due at half of that, ms",
        lambda result: load_runs.half_of_capacity(result["sweep"])["from_due"]["p99"],
    ),
    "values_per_second": (
        "values per second in batches, at the best size",
        lambda result: max(row["values_per_second"] for row in result["payload"]),
    ),
    "mix_requests_per_second": ("mix: requests per second", lambda result: result["mix"]["together"]["rate"]),
    "mix_predict_p95_ms": ("mix: predictions, 95th percentile, ms", of_mix("predict", "p95")),
    "mix_batch_p95_ms": ("mix: batches of 500, 95th percentile, ms", of_mix("batch", "p95")),
    "mix_fit_p95_ms": ("mix: fits of 100 points, 95th percentile, ms", of_mix("fit", "p95")),
    "mix_plot_p95_ms": ("mix: pages with a figure, 95th percentile, ms", of_mix("plot", "p95")),
    "mix_ready_p95_ms": ("mix: /health/ready, 95th percentile, ms", of_mix("ready", "p95")),
}


def verdict(result: Row, limits: dict[str, dict[str, float]]) -> list[Row]:
    """Every limit beside its figure."""
    unknown = set(limits) - set(FIGURES)
    if unknown:
        sys.exit(f"limits.json names {', '.join(sorted(unknown))}; known: {', '.join(FIGURES)}")
    rows = []
    for name, limit in limits.items():
        what, figure = FIGURES[name]
        value = figure(result)
        least, most = limit.get("at_least", float("-inf")), limit.get("at_most", float("inf"))
        wanted = " and ".join(f"{sign} {limit[key]:,}" for key, sign in SIGNS.items() if key in limit)
        rows.append(bar(what, value, wanted, least <= value <= most))
    return rows


def tell(result: Row, out: Path) -> None:
    """Where the files are, what failed first, and the figures of the stored baseline."""
    for failure in result["mix"]["failures"]:
        print(f"  {failure['times']} x {failure['name']}: {failure['error']}")
    stored = RESULTS / "stress.json"
    if stored.exists():
        before = json.loads(stored.read_text("utf-8"))
        told = {row["what"]: row["value"] for row in before["results"]["bars"]}
        print(f"beside the stored record of {before['made_at'][:10]}, {before['machine']['cpu']}:")
        for row in result["bars"]:
            if row["what"] in told:
                print(f"  {row['what']}: {row['value']:.4g}, then {told[row['what']]:.4g}")
    missed = sum(not row["met"] for row in result["bars"])
    print(f"{'every limit is met' if not missed else f'{missed} limits are missed'}; files in {out}")


if __name__ == "__main__":
    main()
