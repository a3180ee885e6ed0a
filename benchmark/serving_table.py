"""The service's part of benchmark/README.md: its speed beside its peers, and what the stress bench found."""

from typing import Any

Row = dict[str, Any]

SERVING = """\
One worker on one core, the load generator on the other; 32 keep-alive connections by {wrk}; medians of {rounds}
rounds in alternation. Every answer was compared, under load too, with one that agrees with the arithmetic. The peers
keep one model in memory, store nothing, have no versions and give no p-value. PostgreSQL {version} of the service on
the service's core, fsync {fsync}, synchronous_commit {synchronous_commit}. *CPU*: of the server's process, per request.

"""
FITS = """
Fits of 6 points into one of a thousand series, each answered once it is durable; pgbench runs the very statement,
one fit a transaction, from the generator's core. Fits that arrive together share a commit, which a plain client of the
database cannot have.

"""
BURSTS = """
A hundred requests at the same instant, each on a new connection (medians of the rounds). By httpx the client itself
takes most of the time: the bare server does no better under it.

"""
STRESS = """\
Written by `make stress` ([docs/stress.md](../docs/stress.md)): one worker, a database of its own; the client on the
other core. *From when due*: an open loop with random moments, counted from the moment that the timetable says; *from
when sent* is what a client that waits for its answers would have told.

"""


def serving_table(result: Row) -> str:
    """The section of benchmark/serving.py.

    Parameters
        result : its record.
    """
    r = result["results"]
    rounds = len(next(iter(r["single"].values()))["rates"])
    text = SERVING.format(wrk=r["wrk"], rounds=rounds, **r["postgres"])
    base = r["single"]["plain FastAPI"]["rate"]
    text += header("one value per request", "req/s", "p50", "p99", "CPU", "x plain FastAPI")
    for name, row in r["single"].items():
        cells = (f"{row['rate']:,.0f}", f"{row['p50']:.2f} ms", f"{row['p99']:.2f} ms", f"{row['cpu_us']:.0f} us")
        text += line(name, *cells, f"{row['rate'] / base:.1f}")
    text += "\n" + header("1,000 values per request", "values/s", "p50", "p99", "answer")
    for name, row in r["batch"].items():
        cells = (f"{row['values_per_second'] / 1e6:.2f} M", f"{row['p50']:.1f} ms", f"{row['p99']:.1f} ms")
        text += line(name, *cells, f"{row['answer_bytes'] / 1e3:.0f} kB")
    text += "\n" + payload_table(r["payload"])
    text += FITS + header("fits", "per second")
    for name, row in r["fits"].items():
        text += line(name, f"{row['rate']:,.0f}")
    text += BURSTS + header("100 at once", "p50", "p95", "max")
    for name, row in r["bursts"].items():
        text += line(name, *(f"{row[key]:.0f} ms" for key in ("p50", "p95", "max")))
    cold, warm, touched = r["cold"]["cold"], r["cold"]["warm"], r["database"]
    text += (
        f"\nA model that lies in the database alone answers in {cold['p50']:.2f} ms (p99 {cold['p99']:.2f}), the next "
        f"time in {warm['p50']:.2f} ms (p99 {warm['p99']:.2f}), one request at a time. Of the "
        f"{touched['connections']} connections to the database {touched['touched']} ran a statement while "
        f"{touched['predictions']:,} warm predictions were answered, the listener's heartbeat apart. "
    )
    for name, row in r["notices"].items():
        text += f"A version {name} is seen by both of two workers after {row['p50']:.1f} ms "
        text += f"(p99 {row['p99']:.1f}, slowest of {row['n']} {row['max']:.1f}). "
    return text + f"From nothing to ready, database made: {r['start_seconds']:.1f} s.\n\n"


def stress_table(result: Row) -> str:
    """The section of benchmark/stress.py.

    Parameters
        result : its record.
    """
    r = result["results"]
    text = STRESS + header(
        "asked per second", "answered", "p50 from when due", "p99 from when due", "p99 from when sent"
    )
    for row in r["sweep"]:
        due, sent = row["from_due"], row["from_send"]
        times = (f"{due['p50']:.2f} ms", f"{due['p99']:.2f} ms", f"{sent['p99']:.2f} ms")
        text += line(f"{row['asked']:,.0f}", f"{row['answered']:,.0f}", *times)
    stall = r["stall"]
    if stall:
        text += f"\nThe service stopped for {stall['seconds']:g} s at {stall['rate']:g} requests per second: "
        text += "; ".join(
            f"the {name} loop tells of {stall[name]['late']} late requests in {stall[name]['requests']}, p99 "
            f"{stall[name]['p99']:.0f} ms" for name in ("closed", "open")
        )  # fmt: skip
        text += ".\n"
    mix = r["mix"]
    text += f"\nThe mix of `locustfile.py`, {mix['users']} users for {mix['seconds']} s:\n\n"
    text += header("request", "requests", "failed", "p50", "p95", "p99", "max")
    for row in [*mix["requests"], mix["together"]]:
        times = (f"{row[key]:.1f} ms" for key in ("p50", "p95", "p99", "max"))
        text += line(row["name"], f"{row['requests']:,}", str(row["failures"]), *times)
    return text + "\n"


def payload_table(rows: list[Row]) -> str:
    """Requests and values per second by the number of values in a request."""
    text = header("values in a request", "req/s", "values/s", "p99", "with timestamps: req/s", "values/s", "p99")
    for n in dict.fromkeys(row["values"] for row in rows):
        cells = []
        for row in sorted((row for row in rows if row["values"] == n), key=lambda row: row["timestamps"]):
            cells += [f"{row['rate']:,.0f}", f"{row['values_per_second'] / 1e6:.2f} M", f"{row['p99']:.1f} ms"]
        text += line(f"{n:,}", *cells)
    return text


def line(*cells: str) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cells)} |\n"


def header(*names: str) -> str:
    """The head of a table in Markdown."""
    return line(*names) + f"|{'---|' * len(names)}\n"
