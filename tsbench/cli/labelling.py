"""`tsbench label` and `labels`: what the user says of matches, and how good the list is by that."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from tsbench.cli.output import say, show_table
from tsbench.cli.session import has_store, open_store, session
from tsbench.errors import BadInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from tsbench.store import Store

TOP = 10


def label(
    pattern: str, symbol: str, verdict: Literal["accept", "reject", "unsure"], *, scan: str | None = None
) -> None:
    """Say of a company's match whether it shows the pattern; a new verdict on the same stretch replaces the old one.

    Parameters
    ----------
    pattern
        Name of the pattern that was scanned.
    symbol
        The company.
    verdict
        accept: it shows the pattern. reject: it does not. unsure: it counts for neither.
    scan
        The scan whose match is meant. Default: the finished scan of the pattern that ended last.
    """
    from tsbench import checks

    with _scanned() as store:
        scan_id = _last_scan(store, pattern) if scan is None else _finished(store, pattern, scan)
        if scan_id is None:
            _check_name(store, pattern)
            raise NotFound(f"no scan of {pattern!r} is finished; run: tsbench scan --pattern {pattern}")
        matches = store.scans.matches(scan_id)
        entities = list(matches["entity"])
        # best first, as the scan was printed
        rank = entities.index(checks.known(symbol, f"match row of scan {scan_id!r} for", entities)) + 1
        match = matches.iloc[rank - 1]
        store.labels.put(pattern, match, verdict, scan_id=scan_id, rank=rank)
    print(
        f"{verdict}: {symbol} in {match['metric']}, {match['start']:%Y-%m} to {match['end']:%Y-%m}, "
        f"rank {rank} of scan {scan_id}"
    )


def labels(pattern: str, *, scan: str | None = None) -> None:
    """List the labels of a pattern, and the precision of a scan's first ten matches by them.

    A match counts as judged when its stretch bears a label, whichever scan it was labelled in.

    Parameters
    ----------
    pattern
        Name of the pattern.
    scan
        The scan whose first ten are counted. Default: the finished scan of the pattern that ended last.
    """
    with _scanned() as store:
        scan_id = _last_scan(store, pattern) if scan is None else _finished(store, pattern, scan)
        found = store.labels.of(pattern)
        if found.empty:
            _check_name(store, pattern)
            say(f"no match of {pattern!r} is labelled yet; run: tsbench label {pattern} SYMBOL accept")
            return
        matches = None if scan_id is None else store.scans.matches(scan_id)
    show_table(
        {
            "company": list(found["entity"]),
            "in": [" & ".join(channels) for channels in found["channels"]],
            "from": [f"{start:%Y-%m}" for start in found["start"]],
            "to": [f"{end:%Y-%m}" for end in found["end"]],
            "verdict": list(found["verdict"]),
            "score": [f"{score:.3f}" if score == score else "" for score in found["score"]],
            "rank": [str(rank) for rank in found["rank"].astype(object).fillna("")],
            "of scan": [scan_name or "" for scan_name in found["scan_id"]],
        },
        right=frozenset({"score", "rank"}),
    )
    if matches is None:
        say(f"no precision: no scan of {pattern!r} is finished; run: tsbench scan --pattern {pattern}")
    else:
        print(_precision(found, matches, f"the first {TOP} of scan {scan_id}"))


def _precision(found: "pd.DataFrame", matches: "pd.DataFrame", which: str) -> str:
    """One sentence on the first ten matches of a scan, as far as they were judged."""
    from tsbench.evaluate import precision_at

    verdicts = dict(zip(map(_stretch, found.to_dict("records")), found["verdict"], strict=True))
    listed = matches[matches["status"] == "tested"].head(TOP)
    ranked = [verdicts.get(_stretch(row)) for row in listed.to_dict("records")]
    best = precision_at(ranked, TOP)
    judged = best.accepted + best.rejected
    rest = f"{best.unsure} unsure, {ranked.count(None)} without a label"
    if not judged:
        return f"precision unknown: none of {which} is accepted or rejected ({rest})"
    return (
        f"precision {best.precision:.0%} in {which}: {best.accepted} of {judged} judged are accepted ({rest}); "
        f"95 % interval {best.low:.0%} to {best.high:.0%}"
    )


def _stretch(row: dict[Hashable, Any]) -> tuple[object, ...]:
    """What a label and a match have in common when they mean the same."""
    return row["entity"], tuple(row["channels"]), row["start"], row["end"]


@contextmanager
def _scanned() -> Iterator["Store"]:
    """The store. Raises NotFound where there is none, for a label is no reason to make one."""
    settings = session()
    if not has_store(settings):
        raise NotFound(f"the project {settings.home} has no store, so nothing was scanned; run: tsbench scan")
    with open_store(settings) as store:
        yield store


def _finished(store: "Store", pattern: str, scan: str) -> str:
    """`scan`, when it is a finished scan of the pattern."""
    row = store.scans.get(scan)
    if row.pattern["name"] != pattern:
        raise BadInput(f"scan {scan!r} looked for {row.pattern['name']!r}, not for {pattern!r}")
    if row.status != "done":
        raise BadInput(f"scan {scan!r} is not finished; run: tsbench scan --pattern {pattern} --scan-id {scan}")
    return scan


def _last_scan(store: "Store", pattern: str) -> str | None:
    """The finished scan of the pattern that ended last; None when there is none."""
    known = store.scans.list(pattern)
    done = known[known["status"] == "done"].sort_values("finished_at")
    return None if done.empty else str(done["id"].iloc[-1])


def _check_name(store: "Store", pattern: str) -> None:
    """Nothing, when something is known of a pattern of that name: it was scanned, is saved or shipped."""
    from tsbench import jobs

    if store.scans.list(pattern).empty:
        jobs.resolve(store, pattern)
