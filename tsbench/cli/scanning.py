"""`tsbench scan`: one pattern over every company, resumable, to the terminal or to files."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsbench.cli.output import records, say, show_json, show_table
from tsbench.cli.session import need_companies, open_store, session
from tsbench.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

    from tsbench.jobs import Scan


def scan(
    *,
    pattern: str | None = None,
    where: Literal["now", "history", "forming"] = "now",
    as_of: str | None = None,
    sector: str | None = None,
    half: Literal["explore", "confirm"] | None = None,
    frequency: str = "quarterly",
    null: Literal["largest", "block_bootstrap", "phase_randomized", "sign_flip"] = "largest",
    confirm: int = 10,
    seed: int = 0,
    scan_id: str | None = None,
    top: int = 10,
    json: bool = False,
    csv: Path | None = None,
) -> None:
    """Scan every company for a pattern and print the matches with their odds.

    Ctrl-C or a crash leaves a scan that goes on where it was: run the same command with its --scan-id.

    Parameters
    ----------
    pattern
        Name of a shipped or saved pattern. Default: TSBENCH_PATTERN.
    where
        now: the match ends within the last two periods of a live company. history: anywhere. forming: at least 60 %
        of it is there and it still goes on.
    as_of
        A date, 2015-06-30: only what was public then is seen. Default: everything.
    sector
        Only this sector; 'Unknown' is one.
    half
        Only this half of the companies: draw and redraw on explore, then ask confirm once.
    frequency
        Of the series to read: quarterly, annual, ...
    null
        The picture of chance that p-values refer to; largest takes the most cautious of the three.
    confirm
        The first so many companies are also compared with surrogates of their very own series.
    seed
        Seed of the random series that stand for chance.
    scan_id
        Name of the scan; an unfinished one of that name goes on. Default: a new name.
    top
        Matches to print.
    json
        Print everything as one JSON document instead.
    csv
        Also write all rows to this file.
    """
    from tsbench import jobs

    settings = session()
    day = None if as_of is None else _day(as_of)
    if csv is not None:
        _check_writable(csv)
    pattern = pattern or settings.pattern
    scan_id = scan_id or f"{pattern}-{secrets.token_hex(4)}"
    with open_store(settings) as store, _threads(settings.workers) as executor:
        need_companies(store)
        known = store.scans.list()
        finished = scan_id in set(known["id"][known["status"] == "done"])
        try:
            found = jobs.scan(
                store,
                pattern,
                scan_id=scan_id,
                where=where,
                as_of=day,
                sector=sector,
                half=half,
                frequency=frequency,
                null=null,
                confirm=confirm,
                seed=seed,
                executor=executor,
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped; what is done is kept: same command with --scan-id {scan_id}") from None
    if finished:
        say(f"scan {scan_id}: already finished, shown as stored")
    if csv is not None:
        _flat(found.matches).to_csv(csv, index=False)
        say(f"wrote {len(found.matches)} rows to {csv}")
    if json:
        show_json(_document(found))
        return
    for stage in found.funnel.itertuples():
        print(f"{stage.stage:<28} {stage.companies:>6} companies, {stage.dead:>5} dead  {stage.note}".rstrip())
    print()
    show_matches(found.matches, top=top, q_limit=settings.q_limit)
    if found.exploratory:
        say(
            f"{found.tried} drawings have been scanned under this name: take the odds as exploratory and confirm with "
            "--half confirm"
        )
    times = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in found.seconds.items())
    say(f"scan {found.id}: {times}")


def show_matches(matches: "pd.DataFrame", *, top: int, q_limit: float) -> None:
    """One sentence, then the best rows of a scan as a table.

    Parameters
        matches : the match rows of a scan, one per company.
        top : rows to print.
        q_limit : largest q-value that counts as a match.
    """
    tested = matches[matches["status"] == "tested"].sort_values(
        ["q_value", "p_value", "score"], ascending=[True, True, False]
    )
    passed = int((tested["q_value"] <= q_limit).sum())
    # a company where nothing resembles the pattern is tested, and has no stretch to show
    rows = tested[tested["start"].notna()].head(top)
    if passed:
        print(f"{passed} of {len(tested)} tested companies pass q <= {q_limit:g}")
    else:
        nearest = f"the nearest {len(rows)}, unproven:" if len(rows) else "no stretch comes near it"
        print(f"none of {len(tested)} tested companies passes q <= {q_limit:g}; {nearest}")
    if rows.empty:
        return
    show_table(
        {
            "": [str(rank) for rank in range(1, len(rows) + 1)],
            "company": [str(entity) for entity in rows["entity"]],
            "name": [str(name)[:28] for name in rows["name"]],
            "in": [str(metric) for metric in rows["metric"]],
            "from": [f"{start:%Y-%m}" for start in rows["start"]],
            "to": [f"{end:%Y-%m}" for end in rows["end"]],
            "score": [f"{score:.3f}" for score in rows["score"]],
            "p": [_p(p, found.get("p_floor", 0.0)) for p, found in zip(rows["p_value"], rows["evidence"], strict=True)],
            "own p": [f"{p:.3f}" if p == p else "" for p in rows["p_confirmed"]],
            "q": [f"{q:.3f}" for q in rows["q_value"]],
            "null": [str(null) for null in rows["null"]],
        },
        right=frozenset({"", "score", "p", "own p", "q"}),
    )
    own = tested["p_confirmed"][tested["q_value"] <= q_limit].dropna()
    if len(own):
        print(
            f"against chance versions of its own series, {int((own <= 0.05).sum())} of the {len(own)} that pass hold "
            "too (own p <= 0.05)"
        )


def _p(p: float, floor: float) -> str:
    """At the smallest that the surrogates support, p is only known to be below."""
    return f"< {floor:.4f}" if p <= floor * (1 + 1e-9) else f"{p:.4f}"


def _day(text: str) -> str:
    """A date as 2015-06-30, however it was written."""
    import pandas as pd

    day = pd.to_datetime(text, errors="coerce")
    if pd.isna(day):
        raise BadInput(f"--as-of {text!r} is no date; write it as 2015-06-30")
    return f"{day:%Y-%m-%d}"


def _check_writable(path: Path) -> None:
    """Nothing, when a file can be written there. Raises BadInput: a scan takes too long to find out at its end."""
    folder = path.parent
    if not folder.is_dir():
        raise BadInput(f"--csv {path}: the folder {folder} does not exist")
    if path.is_dir():
        raise BadInput(f"--csv {path} is a folder; name a file")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise BadInput(f"--csv {path} cannot be written; name a file elsewhere")


def _flat(matches: "pd.DataFrame") -> "pd.DataFrame":
    """The match rows with one plain text per cell: channels joined, evidence as JSON."""
    import orjson

    return matches.assign(
        channels=[" & ".join(channels) for channels in matches["channels"]],
        evidence=[
            orjson.dumps(evidence, option=orjson.OPT_SERIALIZE_NUMPY).decode() for evidence in matches["evidence"]
        ],
    )


@contextmanager
def _threads(workers: int) -> Iterator[Executor | None]:
    """As many threads as the settings ask for; None leaves the choice to the scan."""
    if not workers:
        yield None
        return
    executor = ThreadPoolExecutor(workers, thread_name_prefix="scan")
    try:
        yield executor
    finally:
        # on Ctrl-C chunks not begun are dropped, those begun finish
        executor.shutdown(wait=True, cancel_futures=True)


def _document(scan: "Scan") -> dict[str, Any]:
    """A scan as one JSON-able document."""
    return {
        "scan_id": scan.id,
        "pattern": scan.pattern.name,
        "parameters": scan.parameters,
        "funnel": records(scan.funnel),
        "seconds": scan.seconds,
        "matches": records(scan.matches),
    }
