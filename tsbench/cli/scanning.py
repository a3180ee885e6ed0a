"""`tsbench scan`: one pattern over every company, resumable, to the terminal or to files."""

import secrets
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsbench.cli.output import records, say, show_json, show_table
from tsbench.cli.session import need_companies, open_store, session

if TYPE_CHECKING:
    import pandas as pd

    from tsbench.jobs import Scan


def scan(
    *,
    pattern: str | None = None,
    where: Literal["now", "history", "forming"] = "now",
    as_of: date | None = None,
    sector: str | None = None,
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
        A date: only what was public then is seen. Default: everything.
    sector
        Only this sector; 'Unknown' is one.
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
    pattern = pattern or settings.pattern
    scan_id = scan_id or f"{pattern}-{secrets.token_hex(4)}"
    with open_store(settings) as store, _threads(settings.workers) as executor:
        need_companies(store)
        try:
            found = jobs.scan(
                store,
                pattern,
                scan_id=scan_id,
                where=where,
                as_of=as_of,
                sector=sector,
                frequency=frequency,
                null=null,
                confirm=confirm,
                seed=seed,
                executor=executor,
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped; what is done is kept: same command with --scan-id {scan_id}") from None
    if csv is not None:
        found.matches.to_csv(csv, index=False)
        say(f"wrote {len(found.matches)} rows to {csv}")
    if json:
        show_json(_document(found))
        return
    for stage in found.funnel.itertuples():
        print(f"{stage.stage:<28} {stage.companies:>6} companies, {stage.dead:>5} dead  {stage.note}".rstrip())
    print()
    show_matches(found.matches, top=top, q_limit=settings.q_limit)
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
    rows = tested.head(top)
    if passed:
        print(f"{passed} of {len(tested)} tested companies pass q <= {q_limit:g}")
    else:
        print(f"none of {len(tested)} tested companies passes q <= {q_limit:g}; the nearest {len(rows)}, unproven:")
    show_table(
        {
            "": [str(rank) for rank in range(1, len(rows) + 1)],
            "company": [str(entity) for entity in rows["entity"]],
            "name": [str(name)[:28] for name in rows["name"]],
            "in": [str(metric) for metric in rows["metric"]],
            "from": [f"{start:%Y-%m}" for start in rows["start"]],
            "to": [f"{end:%Y-%m}" for end in rows["end"]],
            "score": [f"{score:.3f}" for score in rows["score"]],
            "p": [f"{p:.4f}" for p in rows["p_value"]],
            "own p": [f"{p:.3f}" if p == p else "" for p in rows["p_confirmed"]],
            "q": [f"{q:.3f}" for q in rows["q_value"]],
            "null": [str(null) for null in rows["null"]],
        },
        right=frozenset({"", "score", "p", "own p", "q"}),
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
