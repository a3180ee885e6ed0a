"""One pattern over every company of the store: read once, chunks over an executor, each chunk kept as it comes."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import pandas as pd

from tsbench import checks
from tsbench.detect import WHERE, Executor, NullChoice, PatternDetector, Stretches, Where, nulls_of, stretches_of
from tsbench.errors import BadInput, NotFound
from tsbench.evaluate import HALVES, benjamini_hochberg
from tsbench.jobs.funnel import funnel
from tsbench.jobs.named import data_hash, resolve
from tsbench.jobs.threads import threads
from tsbench.jobs.training import fitted
from tsbench.patterns import Pattern
from tsbench.series import Panel

if TYPE_CHECKING:
    from tsbench.store import Store

Half = Literal["explore", "confirm"]
# Matches that a notebook shows of a scan.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found.

    matches : one row per company, tested or not; columns as `tsbench.detect.matches.COLUMNS` and p_confirmed.
    funnel : stage, companies, dead, note: how many companies each condition left.
    seconds : wall time of read, channels, fit, search (with significance), confirm and write.
    tried : how many different drawings have been scanned under the pattern's name so far.
    """

    id: str
    pattern: Pattern
    parameters: dict[str, Any]
    matches: pd.DataFrame
    funnel: pd.DataFrame
    seconds: dict[str, float]
    tried: int = 1

    @property
    def exploratory(self) -> bool:
        """Whether the odds may owe something to the choice of the drawing: several were tried on all companies."""
        return self.tried > 1 and self.parameters.get("half") != "confirm"

    def passing(self, q: float = 0.1) -> pd.DataFrame:
        """The matches with q_value <= q, most surprising first."""
        return self.matches[self.matches["q_value"] <= q]

    def __repr__(self) -> str:
        tested = int((self.matches["status"] == "tested").sum())
        return f"Scan({self.id!r}, {self.pattern.name}, {tested} companies tested, {len(self.passing())} at q <= 0.1)"

    def _repr_html_(self) -> str:
        from tsbench.report.html import odds

        best = self.matches[self.matches["p_value"].notna()].head(SHOWN)
        table = best[["entity", "name", "sector", "channels", "score"]].assign(
            stretch=[f"{a:%Y-%m} to {b:%Y-%m}" for a, b in zip(best["start"], best["end"], strict=True)],
            p=[odds(p, e.get("p_floor", 0.0)) for p, e in zip(best["p_value"], best["evidence"], strict=True)],
            q=best["q_value"].map(odds),
            channels=best["channels"].map(", ".join),
        )
        table = table[["entity", "name", "sector", "channels", "stretch", "score", "p", "q"]]
        return (
            f"<p>{escape(repr(self))}</p>{table.style.hide(axis='index').format(precision=2, escape='html').to_html()}"
        )


def scan(
    store: "Store",
    pattern: Pattern | str,
    *,
    scan_id: str | None = None,
    where: Where = "now",
    as_of: Any = None,
    sector: str | None = None,
    half: Half | None = None,
    frequency: str = "quarterly",
    null: NullChoice = "largest",
    seed: int = 0,
    confirm: int = 10,
    chunk: int = 250,
    detector: PatternDetector | None = None,
    panel: Panel | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Scan:
    """Scan every company for a pattern; kept in the store chunk by chunk.

    Parameters
        store : where the companies are read (one statement) and the matches are kept.
        pattern : a Pattern, or the name of one that is saved in the store or shipped.
        scan_id : name of the scan; an unfinished scan of that name goes on where it stopped, a finished one is
            returned as it is. Default: a new name.
        where, as_of, null, confirm : as in `PatternDetector.scan`.
        sector : only companies of this sector are tested; medians and ranks over the universe still see all.
        half : only companies of this half are tested, see `evaluate.half_of`: draw and redraw on "explore", then ask
            "confirm" once, whose odds owe nothing to the tuning.
        frequency : of the series to read.
        seed : fixes the surrogates.
        chunk : companies per transaction.
        detector : a fitted one for this pattern; default: fit one on the companies read, taught by the store's labels.
        panel : those series, where the caller has read them: of all companies, of `frequency` and `as_of`.
        executor : chunks go through its `map`; default: one thread per core.
        progress : a bar on standard error.
    Raises     NotFound: no such pattern, sector or metric. BadInput: the scan_id belongs to a scan with another
        pattern, other parameters or other data.
    """
    pattern = resolve(store, pattern)
    checks.whole(chunk, "chunk", 1)
    checks.whole(confirm, "confirm", 0)
    checks.choice(where, "where", WHERE)
    checks.choice(half, "half", (None, *HALVES))
    nulls_of(null)
    if detector is not None:
        if detector.pattern != pattern:
            raise BadInput(f"the detector was fitted for {detector.pattern.name!r}, the scan is for {pattern.name!r}")
        detector.check_fitted(as_of)
    scan_id = scan_id or f"{pattern.name}-{uuid.uuid4().hex[:8]}"
    parameters = {
        "where": where,
        "as_of": None if as_of is None else str(pd.Timestamp(as_of).date()),
        "sector": sector,
        "half": half,
        "frequency": frequency,
        "null": null,
        "seed": detector.seed if detector else seed,
        "confirm": confirm,
        "chunk": chunk,
        "detector": None if detector is None else fingerprint(detector),
    }
    clock = _Clock()
    if panel is None:
        panel = store.series_of(metric=pattern.metrics, frequency=frequency, as_of=as_of)
    if not len(panel):
        raise NotFound(
            f"the store holds no {frequency} {' or '.join(pattern.metrics)}{' as of ' + str(as_of) if as_of else ''}; "
            "see `tsbench load`"
        )
    clock.lap("read")
    universe = stretches_of(pattern, panel)
    tested = _of_half(_of_sector(universe, sector, store), half)
    clock.lap("channels")
    row = store.scans.begin(scan_id, pattern.to_json(), parameters, data_hash(panel))
    tried = store.drawings.tried(pattern) if row.status != "done" else store.drawings.count(pattern.name)
    if row.status != "done":
        with threads(executor) as pool:
            if detector is None:
                detector = fitted(store, pattern, universe, seed=seed, executor=pool)
            clock.lap("fit")
            live = universe.last > 0
            newest = int(universe.times[universe.last[live] - 1].max()) if live.any() else None
            score = partial(detector.score, where=where, null=null, newest=newest)
            done = store.scans.done_chunks(scan_id)
            todo = [i for i in range(0, len(tested.index), chunk) if i // chunk not in done]
            pieces = (tested.only(np.arange(i, min(i + chunk, len(tested.index)))) for i in todo)
            for i, rows in zip(todo, _bar(pool.map(score, pieces), len(todo), pattern.name, progress), strict=True):
                clock.lap("search")
                store.scans.put_chunk(scan_id, i // chunk, rows)
                clock.lap("write")
        verdict = store.scans.matches(scan_id)[["entity", "p_value", "score"]]
        verdict["q_value"] = benjamini_hochberg(verdict["p_value"])
        clock.lap("search")
        best = verdict.sort_values(["p_value", "score"], ascending=[True, False]).head(confirm)
        names = list(best["entity"][best["p_value"].notna()])
        own = dict(zip(names, detector.confirm(tested, names, where=where, null=null, newest=newest), strict=True))
        verdict["p_confirmed"] = verdict["entity"].map(own).astype(float)
        clock.lap("confirm")
        store.scans.finish(scan_id, verdict[["entity", "q_value", "p_confirmed"]])
        clock.lap("write")
    matches = store.scans.matches(scan_id).sort_values(
        ["p_value", "score"], ascending=[True, False], kind="stable", na_position="last", ignore_index=True
    )
    return Scan(
        scan_id, pattern, parameters, matches, funnel(store.companies(), universe, matches, sector, half),
        clock.seconds, tried,
    )  # fmt: skip


def fingerprint(detector: PatternDetector) -> str:
    """A fingerprint of all that a fitted detector is, so that one scan never mixes two."""
    state = detector.to_state()
    digest = hashlib.blake2b(orjson.dumps(state.meta, option=orjson.OPT_SORT_KEYS), digest_size=16)
    for name in sorted(state.arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(state.arrays[name]).tobytes())
    return digest.hexdigest()


def _of_sector(universe: Stretches, sector: str | None, store: "Store") -> Stretches:
    if sector is None:
        return universe
    inside = np.flatnonzero(universe.index["sector"] == sector)
    if not inside.size:
        checks.known(sector, "sector", sorted(store.companies()["sector"].astype(str).unique()))
        raise NotFound(f"the companies of sector {sector!r} have none of the metrics that the pattern reads")
    return universe.only(inside)


def _of_half(tested: Stretches, half: Half | None) -> Stretches:
    return tested if half is None else tested.only(np.flatnonzero(tested.half == HALVES.index(half)))


def _bar(found: Any, total: int, name: str, progress: bool) -> Iterator[pd.DataFrame]:
    from tqdm.auto import tqdm

    yield from tqdm(found, total=total, desc=f"scan {name}", unit="chunk", disable=not progress)


class _Clock:
    """Wall time by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now
