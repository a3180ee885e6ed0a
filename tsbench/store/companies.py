"""Companies as documents: all of them by one statement, one of them by another, and a sign that any has changed."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from tsbench import checks
from tsbench.errors import NotFound
from tsbench.series import SeriesKey
from tsbench.store.engine import transaction
from tsbench.store.statements import statement


class Series(NamedTuple):
    """A stored series: what it is, times in microseconds UTC (ends of periods) and values, None where missing."""

    key: SeriesKey
    times: list[int]
    values: list[float | None]


class Company(NamedTuple):
    """A stored company, with one series for each metric that was asked for and is there."""

    symbol: str
    name: str
    sector: str
    series: dict[str, Series]


class Asked(NamedTuple):
    """What an answer about a pattern rests on.

    version : of the detector; None when there is none such. tried : drawings looked for under the pattern's name.
    fingerprint : of the companies.
    """

    version: int | None
    tried: int
    fingerprint: str


class Companies:
    """The companies of a store.

    Where a company has several series of one metric and frequency, the first by basis, then by source counts; one whose
    file told neither comes first.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def fingerprint(self) -> str:
        """A text that is another one after any company was added, changed or removed, by whomever."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("company_fingerprint"))
            ((text,),) = cursor.fetchall()
        return str(text)

    def asked(self, pattern: str, version: int | None) -> Asked:
        """What an answer about a pattern rests on, by one statement.

        Parameters
            pattern : its name. version : of its detector; None = the latest.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("pattern_asked"), {"pattern": pattern, "version": version})
            ((found, tried, fingerprint),) = cursor.fetchall()
        return Asked(found, int(tried), str(fingerprint))

    def symbols(self) -> list[str]:
        """Every symbol, sorted."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("every_symbol"))
            return [symbol for (symbol,) in cursor.fetchall()]

    def all(self, metrics: Sequence[str], frequency: str = "quarterly") -> list[Company]:
        """Every company by symbol, by one statement; those with none of the series too.

        Parameters
            metrics : the series wanted. frequency : of them.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("companies_with_series"), {"metrics": list(metrics), "frequency": frequency})
            rows = cursor.fetchall()
        found: dict[str, Company] = {}
        for symbol, name, sector, key, times, values in sorted(rows, key=_place):
            company = found.setdefault(symbol, Company(symbol, name, sector, {}))
            if key is not None:
                parsed = SeriesKey.parse(symbol, key)
                company.series.setdefault(parsed.metric, Series(parsed, times, values))
        return list(found.values())

    def one(
        self,
        symbol: str,
        metric: str,
        *,
        frequency: str = "quarterly",
        basis: str | None = None,
        source: str | None = None,
    ) -> Company:
        """A company with its series of one metric, by one statement.

        Parameters
            symbol, metric, frequency : what is wanted. basis, source : None = as the class says.
        Raises     NotFound: no such company, or it has no such series; the error names what is nearest.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("company_with_series"), {"symbol": symbol, "metric": metric})
            rows = cursor.fetchall()
        if not rows:
            raise self.unknown(symbol)
        name, sector = rows[0][:2]
        series = [Series(SeriesKey.parse(symbol, row[2]), row[3], row[4]) for row in rows if row[2] is not None]
        told = {"frequency": frequency, "basis": basis, "source": source}
        wanted = {part: value for part, value in told.items() if value is not None}
        fitting = [s for s in series if s.key.metric == metric and _fits(s.key, wanted)]
        if not fitting:
            raise _absent(symbol, metric, wanted, [s.key for s in series])
        return Company(symbol, name, sector, {metric: min(fitting, key=lambda s: s.key)})

    def unknown(self, symbol: str) -> NotFound:
        """The error for a symbol that is not there, with those spelled most like it."""
        symbols = self.symbols()
        alike = [s for s in symbols if s.casefold() == symbol.casefold()]
        if alike:
            return NotFound(f"no company {symbol!r}; did you mean {' or '.join(map(repr, alike[:3]))}?")
        try:
            checks.known(symbol, "company", symbols)
        except NotFound as error:
            return error
        return NotFound(f"no company {symbol!r} a moment ago; ask again")


def _place(row: tuple[Any, ...]) -> tuple[str, list[str]]:
    """By symbol, then by the parts of the key: what is not told comes first."""
    return row[0], (row[3] or "").split("|")


def _fits(key: SeriesKey, wanted: dict[str, Any]) -> bool:
    return all(getattr(key, part) == value for part, value in wanted.items())


def _absent(symbol: str, metric: str, wanted: dict[str, Any], keys: Iterable[SeriesKey]) -> NotFound:
    """The error for a series that a company has not, with what it has."""
    keys = sorted(keys)
    metrics = list(dict.fromkeys(key.metric for key in keys))
    if metric not in metrics:
        try:
            checks.known(metric, f"metric of {symbol!r} called", metrics)
        except NotFound as error:
            return error
    there = "; ".join(
        _told({part: getattr(key, part) for part in ("frequency", "basis", "source")})
        for key in keys
        if key.metric == metric
    )
    return NotFound(f"{symbol!r} has no {metric!r} of {_told(wanted)}; it has {there}")


def _told(parts: dict[str, Any]) -> str:
    return ", ".join(f"{part} {value!r}" for part, value in parts.items() if value)
