"""What the stress bench measured, for a notebook: run now, or the newest record, beside the stored one."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tsbench import checks
from tsbench.errors import NotFound, Unavailable
from tsbench.report.html import fill
from tsbench.settings import Settings, find_home, read_settings

# Beyond the seconds of locust: everything else that the bench measures, and stopping.
REST, FAREWELL = 180, 40
PERCENTILES = ("p50", "p95", "p99", "max")
FRAME = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the stress bench beside what was measured, as HTML.

    frame : a row per limit: what, value, stored (the same figure in the stored record, NaN where there is none),
        wanted, met.
    """

    frame: pd.DataFrame = field(repr=False)

    def _repr_html_(self) -> str:
        rows = [
            {**row, "value": short(row["value"]), "stored": short(row["stored"])}
            for row in self.frame.to_dict("records")
        ]
        return fill("stress", rows=rows, compared=bool(self.frame["stored"].notna().any()))


@dataclass(frozen=True, slots=True)
class Stress:
    """What the stress bench measured of a service.

    headline, lead, note : the answer in one sentence, what was loaded and when, how the limits stand.
    limits : each with its figure.
    sweep : the open loop, a row per rate: asked, answered, p50, p95, p99, max (ms from when due), sent_p99, kept,
        wrong.
    loops : a stall in both loops: loop, requests, late, p50, p95, p99, max; empty of another's service.
    mix : locust, a row per kind of request: name, requests, failures, rate, p50, p95, p99, max.
    errors : what failed in the mix: name, times, error.
    payload : batches: values, timestamps, rate, values_per_second, sent_bytes, answer_bytes, p50, p95, p99, max.
    cold : a row per way to ask: asked, p50, p95, p99, max; of a page, asked once, p50 alone.
    machine : what it ran on, beside the stored record.
    stored_sweep, stored_mix : of the stored record; None where this is the stored one.
    """

    headline: str
    lead: str
    note: str
    limits: Limits = field(repr=False)
    sweep: pd.DataFrame = field(repr=False)
    loops: pd.DataFrame = field(repr=False)
    mix: pd.DataFrame = field(repr=False)
    errors: pd.DataFrame = field(repr=False)
    payload: pd.DataFrame = field(repr=False)
    cold: pd.DataFrame = field(repr=False)
    machine: pd.DataFrame = field(repr=False)
    stored_sweep: pd.DataFrame | None = field(default=None, repr=False)
    stored_mix: pd.DataFrame | None = field(default=None, repr=False)


def stress(base_url: str = "", *, run: bool = False, users: int = 20, seconds: int = 20) -> Stress:
    """The newest record of the stress bench beside the stored one; measured now when asked.

    The bench, locust in it, runs as a process of its own and is stopped with this one.

    Parameters
        base_url : a running service to load now, which keeps nothing of it; empty = one of its own.
        run : load a service now, about a minute and a half; with a `base_url` this is understood.
        users, seconds : of locust's mix, when one is run.
    Raises     NotFound: there is no record, or no bench. Unavailable: nothing could be measured; the message says why.
    """
    settings = read_settings()
    folder = _bench(settings)
    out = settings.reports_folder / "stress"
    if run or base_url:
        checks.whole(users, "users", 1, 10_000)
        checks.whole(seconds, "seconds", 1, 3_600)
        given = ["--users", str(users), "--seconds", str(seconds), "--out", str(out)]
        _run([str(folder / "stress.py"), *given, *(["--url", base_url] if base_url else [])], seconds)
    stored = _record(folder / "results" / "stress.json")
    fresh = _record(out / "stress.json")
    if stored and fresh and not (run or base_url) and fresh["made_at"] <= stored["made_at"]:
        fresh = None
    if fresh is None and stored is None:
        raise NotFound(f"no record in {out} or {folder / 'results'}; run: make stress")
    return told(fresh or stored or {}, stored if fresh else None)


def told(record: FRAME, stored: FRAME | None = None) -> Stress:
    """A record of the stress bench in frames and sentences.

    Parameters
        record : as benchmark/stress.py writes it. stored : the one to compare with, or None.
    """
    r = record["results"]
    kept = f"{_kept(r['sweep']):,.0f} predictions per second are kept up, 99 % answered within 25 ms"
    mix, missed = r["mix"]["together"], [row["what"] for row in r["bars"] if not row["met"]]
    wrong = "none of them wrong" if not mix["failures"] else f"{mix['failures']:,} of them wrong or failed"
    whose = f"the service at {r['service']['url']}" if r["service"]["url"] else "a service of its own with one worker"
    which = "The stored record" if stored is None else "A run"
    limits = pd.DataFrame(r["bars"])
    before = {} if stored is None else {row["what"]: row["value"] for row in stored["results"]["bars"]}
    limits["stored"] = [before.get(what, float("nan")) for what in limits["what"]]
    return Stress(
        headline=f"{kept}; a mix of {mix['rate']:,.0f} requests per second was answered, {wrong}",
        lead=f"{which} of {record['made_at'][:10]} on {_machine(record)}: {whose}.",
        note="Every limit is met." if not missed else f"Missed: {'; '.join(missed)}.",
        limits=Limits(limits),
        sweep=_sweep(r),
        loops=_loops(r["stall"]),
        mix=pd.DataFrame(r["mix"]["requests"]),
        errors=pd.DataFrame(r["mix"]["failures"], columns=["name", "times", "error"]),
        payload=pd.DataFrame(r["payload"]),
        cold=_cold(r["cold"]),
        machine=_stamps(record, stored),
        stored_sweep=None if stored is None else _sweep(stored["results"]),
        stored_mix=None if stored is None else pd.DataFrame(stored["results"]["mix"]["requests"]),
    )  # fmt: skip


def short(value: float) -> str:
    """A figure of any size for readers: thousands apart, three digits below a hundred, a dash when missing."""
    if value != value:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _bench(settings: Settings) -> Path:
    """Folder of the bench: of the project, or of the one that the notebook lies in."""
    for home in (settings.home, find_home()):
        if (home / "benchmark" / "stress.py").is_file():
            return home / "benchmark"
    raise NotFound(
        f"no benchmark/stress.py in {settings.home}; it comes with the project's files, not with the package"
    )


def _run(command: list[str], seconds: int) -> None:
    """The bench as a process of its own; whatever ends this one ends it."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds + REST)
    except BaseException:
        process.terminate()
        try:
            process.communicate(timeout=FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        raise
    # 1 says that a limit is missed: the record says so too
    if process.returncode not in (0, 1):
        raise Unavailable(f"the stress bench ended with {process.returncode}: {said.strip()[-1000:]}")


def _record(path: Path) -> FRAME | None:
    if not path.is_file():
        return None
    record: FRAME = json.loads(path.read_text("utf-8"))
    return record


def _kept(sweep: list[FRAME]) -> float:
    """The highest rate that is kept up."""
    return max((float(row["asked"]) for row in sweep if row["kept"]), default=0.0)


def _sweep(results: FRAME) -> pd.DataFrame:
    rows = []
    for row in results["sweep"]:
        counted = {"asked": round(row["asked"]), "answered": round(row["answered"])}
        times = {**row["from_due"], "sent_p99": row["from_send"]["p99"]}
        rows.append({**counted, **times, "kept": row["kept"], "wrong": row["wrong"]})
    return pd.DataFrame(rows)


def _loops(stall: FRAME | None) -> pd.DataFrame:
    columns = ["loop", "requests", "late", *PERCENTILES, "wrong"]
    rows = [{"loop": f"{name} loop", **stall[name]} for name in ("open", "closed")] if stall else []
    return pd.DataFrame(rows, columns=columns)


def _cold(cold: FRAME) -> pd.DataFrame:
    rows = [
        {"asked": "a model that only the database holds", **cold["cold"]},
        {"asked": "the same again, from memory", **cold["warm"]},
    ]
    for what, key in (("the first page with a figure", "first_page_ms"), ("the next one", "page_ms")):
        rows.append({"asked": what, "p50": cold[key]})
    return pd.DataFrame(rows, columns=["asked", *PERCENTILES])


def _stamps(record: FRAME, stored: FRAME | None) -> pd.DataFrame:
    """A row per fact of the machine and the versions; a column per record."""
    columns = {"this record": record} | ({"stored record": stored} if stored else {})
    facts = {name: _facts(one) for name, one in columns.items()}
    names = list(dict.fromkeys(fact for one in facts.values() for fact in one))
    return pd.DataFrame({"": names, **{name: [one.get(fact, "–") for fact in names] for name, one in facts.items()}})


def _facts(record: FRAME) -> dict[str, str]:
    machine, mix = record["machine"], record["results"]["mix"]
    own = {"made at": record["made_at"], "processor": machine["cpu"], "cores": str(machine["cores"])}
    own |= {"system": machine["platform"], "python": machine["python"]}
    own |= {"load at the end": f"{machine['load_at_end']:.2f}"}
    own |= {"users of the mix": str(mix["users"]), "seconds of the mix": str(mix["seconds"])}
    versions: dict[str, str] = record["versions"]
    return own | versions


def _machine(record: FRAME) -> str:
    return f"{record['machine']['cpu']}, {record['machine']['cores']} cores"
