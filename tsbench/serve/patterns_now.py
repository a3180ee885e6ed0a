"""Which companies show a pattern, by scans of all of them: each made once, kept in the store, remembered here."""

import asyncio
import hashlib
import shlex
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, NamedTuple

import orjson
import pandas as pd

from tsbench import __version__
from tsbench.detect import PatternDetector, Where
from tsbench.detect.bank import bank_of
from tsbench.errors import NotFound
from tsbench.jobs import data_hash, resolve, scan
from tsbench.serve.once import Once
from tsbench.settings import Settings
from tsbench.store import Store
from tsbench.store.companies import Companies

# Scans remembered by a worker, the longest unused leaving first; the store keeps all.
MOST_HELD = 32
LATEST = 0
REASONS = {
    "too short": "none of its gap-free stretches is as long as the shortest match",
    "no clean run": "a series that the pattern reads is missing, or nothing of it is left without holes and doubts",
    "not live": "its last usable period is more than 1.5 periods behind the newest; where=history asks of its past",
    "the example": "the pattern was drawn from it, with hindsight",
    "no series": "it has none of the quarterly series that the pattern reads",
}


class Asked(NamedTuple):
    """What a scan answers: a pattern's detector, where, and of which state of the companies."""

    pattern: str
    version: int
    where: Where
    companies: str


class Found(NamedTuple):
    """What a scan said: companies tested, drawings tried until then, its rows by symbol, and every symbol there was.

    as_of : the end of the newest period that was scanned, which is what "now" means; None when nothing was.
    """

    scan_id: str
    tested: int
    tried: int
    rows: dict[str, dict[str, Any]]
    symbols: frozenset[str]
    as_of: str | None


class PatternsNow:
    """Answers whether a company shows a pattern, by its q-value among all companies.

    The first question about a detector and a state of the companies scans them all, in a thread, one scan at a time;
    whoever asks meanwhile waits for it. The scan is kept under a name made of what it answers, so that other workers
    and later processes find it, and two never make it at once.

    Parameters
        store : companies, detectors, scans. settings : the default pattern and version, the q-limit, the threads.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._companies = Companies(store.engine)
        self._held: OrderedDict[Asked, Found] = OrderedDict()
        self._once: Once[Asked, Found] = Once()
        self._turn = asyncio.Lock()

    async def answer(self, symbol: str, pattern: str | None, version: int | None, where: Where) -> bytes:
        """The answer as JSON.

        Parameters
            symbol : of a company. pattern : its name; None = that of the settings.
            version : of its detector, LATEST for the latest; None = that of the settings for their pattern.
            where : as in `PatternDetector.scan`.
        Raises     NotFound: no such company, pattern, detector or version. BadInput: the pattern cannot be asked so.
        """
        name = self._settings.pattern if pattern is None else pattern
        if version is None:
            version = self._settings.pattern_version if name == self._settings.pattern else LATEST
        state = await asyncio.to_thread(self._companies.asked, name, version or None)
        if state.version is None:
            raise await asyncio.to_thread(self._no_detector, name, version)
        asked = Asked(name, state.version, where, state.fingerprint)
        if asked in self._held:
            self._held.move_to_end(asked)
            found = self._held[asked]
        else:
            found = await self._once.do(asked, lambda: self._find(asked))
        if symbol not in found.symbols:
            raise await asyncio.to_thread(self._companies.unknown, symbol)
        return self._told(symbol, asked, found, max(state.tried, found.tried))

    async def _find(self, asked: Asked) -> Found:
        async with self._turn:
            found = await asyncio.to_thread(self._scanned, asked)
        self._held[asked] = found
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return found

    def _scanned(self, asked: Asked) -> Found:
        store, threads = self._store, self._settings.workers
        _, state = store.registry.get(asked.pattern, asked.version)
        detector = PatternDetector.from_state(state)
        pattern = detector.pattern
        bank_of(pattern, asked.where)  # refuses what cannot be asked before anything is stored
        symbols = frozenset(self._companies.symbols())
        panel = store.series_of(metric=pattern.metrics, frequency="quarterly")
        parts = [asked.pattern, asked.version, asked.where, data_hash(panel), __version__]
        digest = hashlib.blake2b(orjson.dumps(parts), digest_size=8).hexdigest()
        scan_id = f"serve-{asked.pattern}-v{asked.version}-{asked.where}-{digest}"
        with store.scans.turn(scan_id), ThreadPoolExecutor(threads) if threads else nullcontext() as executor:
            made = scan(
                store, pattern, scan_id=scan_id, where=asked.where, confirm=0, detector=detector, panel=panel,
                executor=executor, progress=False,
            )  # fmt: skip
        rows = {str(row["entity"]): {str(k): v for k, v in row.items()} for row in made.matches.to_dict("records")}
        tested = int((made.matches["status"] == "tested").sum())
        newest = made.matches["last"].max()
        as_of = None if pd.isna(newest) else f"{newest:%Y-%m-%d}"
        return Found(scan_id, tested, made.tried, rows, symbols, as_of)

    def _told(self, symbol: str, asked: Asked, found: Found, tried: int) -> bytes:
        row = found.rows.get(symbol, {"status": "no series"})
        q_limit, q_value, nearest = self._settings.q_limit, row.get("q_value"), _stretch(row)
        detected = row["status"] == "tested" and q_value is not None and q_value <= q_limit
        return orjson.dumps(
            {
                "symbol": symbol,
                "pattern_detected": detected,
                "pattern": asked.pattern,
                "version": str(asked.version),
                "where": asked.where,
                "as_of": found.as_of,
                "status": row["status"],
                "reason": REASONS.get(row["status"]),
                "q_limit": q_limit,
                "p_value": row.get("p_value"),
                "q_value": q_value,
                "matches": [nearest] if detected and nearest else [],
                "nearest": nearest,
                "companies_tested": found.tested,
                "drawings_tried": tried,
                "scan_id": found.scan_id,
            }
        )

    def _no_detector(self, name: str, version: int) -> NotFound:
        """The error for a detector that is not there."""
        models = self._store.registry.list()
        versions = models["version"][models["name"] == name]
        if versions.empty:
            try:
                resolve(self._store, name)
            except NotFound as error:
                return error
            return NotFound(f"no detector of {name!r} is trained; run: tsbench train {shlex.quote(name)}")
        return NotFound(f"the detector of {name!r} has no version {version}; the latest is {versions.max()}")


def _stretch(row: dict[str, Any]) -> dict[str, Any] | None:
    """The best stretch of a scan's row; None where there is none."""
    if pd.isna(row.get("start")):
        return None
    return {
        "metric": row["metric"],
        "start": f"{row['start']:%Y-%m-%d}",
        "end": f"{row['end']:%Y-%m-%d}",
        "score": row["score"],
        "p_value": row["p_value"],
    }
