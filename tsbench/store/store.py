"""Store: companies, patterns, models, scans and runs in PostgreSQL, read and written as Panels and frames."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from tsbench import checks
from tsbench.errors import NotFound
from tsbench.series import Panel
from tsbench.series.identity import FREQUENCIES
from tsbench.series.quality import flag
from tsbench.store import schema
from tsbench.store.documents import panel_of, with_assumed_availability
from tsbench.store.drawings import Drawings
from tsbench.store.engine import open_engine, shown, transaction
from tsbench.store.funnel import count
from tsbench.store.job_requests import JobRequests
from tsbench.store.labels import Labels
from tsbench.store.load_report import LoadReport
from tsbench.store.loading import load_files
from tsbench.store.runs import Runs
from tsbench.store.scans import Scans
from tsbench.store.schedules import Schedules
from tsbench.store.series_versions import SeriesVersions
from tsbench.store.statements import statement
from tsbench.store.versions import Patterns, Registry
from tsbench.store.watchlists import Watchlists

if TYPE_CHECKING:
    from tsbench.store.embedded import Services

Names = str | Iterable[str] | None


class Store:
    """One database. A context manager; safe to share between threads, each process opens its own.

    Parameters
        url : a PostgreSQL database, never changed unasked: see `upgrade`. None starts (or joins) the embedded one of
            the project and brings its tables up to date.
        project : folder whose embedded services are meant. With neither, the settings decide: DATABASE_URL, else the
            project that the current folder lies in.
        pool_size, pool_timeout : connections at most, and seconds to wait for a free one.

    patterns : saved patterns. registry : fitted models. scans : scans and matches. runs : records of report runs.
    labels : what the user said of matches. drawings : how many shapes were tried under a pattern's name.
    watchlists : companies under a name. schedules : reports that run by the clock.
    series_versions : detectors fitted on single series, each with what it was fitted on.
    job_requests : what workers are asked to do, and how far it is.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        project: Path | None = None,
        pool_size: int = 16,
        pool_timeout: float = 10.0,
    ) -> None:
        self._services: Services | None = None
        if url is None and project is None:
            from tsbench.settings import read_settings

            settings = read_settings()
            url, project = settings.database, settings.home
        if url is None:
            from tsbench.store.embedded import acquire

            self._services = acquire(project or Path.cwd(), redis=False)
        try:
            address = self._services.database_url if self._services else str(url)
            self.engine = open_engine(address, pool_size=pool_size, pool_timeout=pool_timeout)
            if self._services is not None and self._services.owned:
                self.upgrade()
        except BaseException:
            if self._services is not None:
                self._services.close()
            raise
        self.patterns = Patterns(self.engine)
        self.registry = Registry(self.engine)
        self.scans = Scans(self.engine)
        self.labels = Labels(self.engine)
        self.drawings = Drawings(self.engine)
        self.runs = Runs(self.engine)
        self.watchlists = Watchlists(self.engine)
        self.series_versions = SeriesVersions(self.engine)
        self.schedules = Schedules(self.engine)
        self.job_requests = JobRequests(self.engine)

    @property
    def url(self) -> str:
        """The address, password included: what another process needs to open the same store."""
        return self.engine.url.render_as_string(hide_password=False)

    def __repr__(self) -> str:
        return f"Store({shown(self.engine.url)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections, and of the embedded services, which the last of their users stops."""
        self.engine.dispose()
        if self._services is not None:
            self._services.close()

    # ---- schema ---------------------------------------------------------------------------------------

    def upgrade(self) -> None:
        """Bring the tables to this version. Rows stay; safe to run again."""
        schema.upgrade(self.engine)

    def check(self) -> list[str]:
        """What keeps the database from being usable, one line each; empty when nothing does."""
        return schema.problems(self.engine)

    # ---- companies ------------------------------------------------------------------------------------

    def load(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        skip_bad: bool = False,
        progress: bool = True,
        metric: str | None = None,
        frequency: str | None = None,
        basis: str = "",
        source: str = "",
    ) -> LoadReport:
        """Load company files. All of them in one transaction; loading again changes nothing, and says so.

        Values of one series and time replace each other, the newer file winning; all else is added.

        Parameters
            paths : .csv, .csv.gz or .parquet files, or folders of them. Long files have the columns ticker, metric,
                date, value and may have name, sector, frequency, basis, source, available_at; wide CSV files have a
                first column date and one column per ticker.
            skip_bad : leave bad rows out and load the rest; without it one bad row refuses everything.
            progress : a bar on standard error.
            metric : of a file without that column; default for a wide one: its file name.
            frequency, basis, source : of rows that do not say. An unsaid frequency is inferred per series.
        Raises     BadInput: a file cannot be read or holds bad rows; they are listed, and nothing is stored.
        """
        if frequency is not None:
            checks.choice(frequency, "frequency", FREQUENCIES)
        several = [paths] if isinstance(paths, str | Path) else list(paths)
        return load_files(
            self.engine,
            [Path(p) for p in several],
            skip_bad=skip_bad,
            progress=progress,
            metric=metric,
            defaults={"frequency": frequency or "", "basis": basis, "source": source},
        )

    def series_of(
        self,
        *,
        symbols: Names = None,
        sector: Names = None,
        metric: Names = None,
        frequency: str | None = None,
        as_of: Any = None,
    ) -> Panel:
        """The series that pass every filter, of all companies, by one statement.

        Parameters
            symbols, sector, metric : one name or several; None = all. The sector "Unknown" is one like others.
            frequency : one, e.g. "quarterly"; None = all.
            as_of : a date: only values that were public then, and only the doubts they raise by themselves.
        Returns
            Panel, its index with name, sector and availability ("filed", "assumed" or "mixed": where available_at
            comes from). Empty when nothing was public at `as_of`.
        Raises     NotFound: a symbol is unknown, or nothing passes the filters; the error names what there is.
        """
        filters = _filters(symbols, sector, metric, frequency)
        wanted = {
            "symbols": filters.get("symbols"),
            "sectors": filters.get("sector"),
            "metrics": filters.get("metric"),
            "frequency": frequency,
        }
        with transaction(self.engine) as cursor:
            cursor.execute(statement("series_of"), wanted)
            panel = panel_of(cursor)
        if filters and (not len(panel) or len(filters.get("symbols", ())) > panel.index["entity"].nunique()):
            self._explain_absence(filters, len(panel))
        panel = with_assumed_availability(panel)
        if as_of is None:
            return panel
        past = panel.select(as_of=as_of)
        return replace(past, flags=flag(past))

    def companies(self) -> pd.DataFrame:
        """One row per company: symbol, name, sector, last_at (end of its latest period), series (how many)."""
        with transaction(self.engine) as cursor:
            cursor.execute(statement("companies"))
            rows = cursor.fetchall()
        table = pd.DataFrame(rows, columns=["symbol", "name", "sector", "series", "last_at"])
        table["last_at"] = pd.to_datetime(table["last_at"], unit="us", utc=True).astype("datetime64[us, UTC]")
        return table[["symbol", "name", "sector", "last_at", "series"]]

    def funnel(
        self,
        *,
        symbols: Names = None,
        sector: Names = None,
        metric: Names = None,
        frequency: str | None = None,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """What each of these filters of `series_of` costs: companies and dead companies, left and dropped.

        Parameters
            symbols, sector, metric, frequency, as_of : as in `series_of`.
        Returns
            DataFrame stage, companies, dead, dropped, dead_dropped, note; see `tsbench.store.funnel.count`.
        """
        with transaction(self.engine) as cursor:
            cursor.execute(statement("spans"), {"past_too": as_of is not None})
            spans = panel_of(cursor)
        if as_of is not None:
            spans = with_assumed_availability(spans).select(as_of=as_of)
        return count(spans, _filters(symbols, sector, metric, frequency))

    def _explain_absence(self, filters: dict[str, list[str]], found: int) -> None:
        with transaction(self.engine) as cursor:
            symbols = filters.get("symbols", [])
            cursor.execute(statement("company_symbols"), {"symbols": symbols})
            known_symbols = {symbol for (symbol,) in cursor.fetchall()}
            cursor.execute(statement("known_names"))
            ((sectors, metrics, frequencies),) = cursor.fetchall()
        strange = [s for s in symbols if s not in known_symbols]
        if strange:
            raise NotFound(f"the store has no company {', '.join(map(repr, strange[:12]))}; see Store.companies()")
        if found:
            return
        for name, known in (("sector", sectors), ("metric", metrics), ("frequency", frequencies)):
            for asked in filters.get(name, ()):
                checks.known(asked, name, known)
        asked = "; ".join(f"{name} {', '.join(names[:5])}" for name, names in filters.items())
        raise NotFound(f"no series of the store has all of: {asked}")


def _filters(symbols: Names, sector: Names, metric: Names, frequency: str | None) -> dict[str, list[str]]:
    given: Sequence[tuple[str, Names]] = (
        ("symbols", symbols),
        ("sector", sector),
        ("metric", metric),
        ("frequency", frequency),
    )
    return {
        name: [wanted] if isinstance(wanted, str) else list(dict.fromkeys(map(str, wanted)))
        for name, wanted in given
        if wanted is not None
    }
