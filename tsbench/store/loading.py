"""Files into the store: read, judged, merged with what is there, flagged and written, all in one transaction."""

import hashlib
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from tqdm.auto import tqdm

from tsbench.errors import BadInput
from tsbench.series import KEY_COLUMNS, Panel
from tsbench.series.grouped import group_count, offsets_of, series_of_points
from tsbench.series.quality import flag
from tsbench.store.documents import UNKNOWN, documents_of, panel_of, to_json
from tsbench.store.engine import transaction
from tsbench.store.files import read_rows
from tsbench.store.intake import judge
from tsbench.store.load_report import FileReport, LoadReport, describe
from tsbench.store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

KINDS = (".csv", ".csv.gz", ".parquet", ".pq")
UNKNOWN_SECTOR = "Unknown"
# Companies per COPY: enough to keep PostgreSQL busy, few enough for the bar to move.
BATCH = 250


def load_files(
    engine: sa.Engine,
    paths: Sequence[Path],
    *,
    skip_bad: bool,
    progress: bool,
    metric: str | None,
    defaults: Mapping[str, str],
) -> LoadReport:
    """See `Store.load`."""
    started = time.perf_counter()
    files = _files(paths)
    reports: list[FileReport] = []
    with (
        transaction(engine) as cursor,
        tqdm(total=0, unit=" companies", disable=None if progress else True, leave=False) as bar,
    ):
        cursor.execute(statement("load_lock"))
        cursor.execute(statement("stage_companies"))
        for path in files:
            reports.append(_load(cursor, path, bar, skip_bad=skip_bad, metric=metric, defaults=defaults))
        refused = [r for r in reports if r.bad and not skip_bad]
        if refused:
            lines = [f"nothing was loaded; {len(refused)} of {len(files)} files hold bad rows"]
            lines += [line for r in refused for line in (r.path, *r.bad_lines())]
            raise BadInput("\n".join([*lines, "mend the rows, or leave them out: skip_bad=True (--skip-bad)"]))
    return LoadReport(tuple(reports), time.perf_counter() - started)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.name.lower().endswith(KINDS))
            if not inside:
                raise BadInput(f"{path} holds no .csv, .csv.gz or .parquet file")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise BadInput(f"{path} does not exist; name a file or a folder")
    if not found:
        raise BadInput("no file is named; wanted .csv, .csv.gz or .parquet files, or folders of them")
    return found


def _load(
    cursor: "Cursor",
    path: Path,
    bar: "tqdm[Any]",
    *,
    skip_bad: bool,
    metric: str | None,
    defaults: Mapping[str, str],
) -> FileReport:
    bar.set_description(f"reading {path.name}")
    with path.open("rb") as raw:
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    rows = read_rows(path, metric)
    symbols = rows.columns["entity"].labels
    cursor.execute(statement("stored_companies"), {"symbols": symbols})
    companies = {symbol: (name, sector) for symbol, name, sector in cursor.fetchall()}
    bar.set_description(f"checking {path.name}")
    keys = _stored_keys(cursor, list(companies))
    intake = judge(rows, stored=keys, defaults=defaults, now=time.time_ns() // 1000)
    if intake.bad and not skip_bad:
        return describe(path.name, sha256, rows.unit, intake, intake.panel)

    bar.set_description(f"merging {path.name}")
    merged = merge(_stored_series(cursor, intake.panel, list(companies)), intake.panel)
    report = describe(
        path.name, sha256, rows.unit, intake, replace(intake.panel, flags=merged.panel.flags[merged.told])
    )
    report = replace(report, added=merged.added, revised=merged.revised, unchanged=merged.unchanged)
    _write(cursor, merged, companies, bar, f"writing {path.name}")
    cursor.execute(statement("log_load"), {"path": str(path), "sha256": sha256, "report": to_json(report.to_dict())})
    return report


def _stored_keys(cursor: "Cursor", symbols: list[str]) -> dict[tuple[str, str, str, str], set[str]]:
    cursor.execute(statement("stored_keys"), {"symbols": symbols})
    found: dict[tuple[str, str, str, str], set[str]] = {}
    for symbol, key in cursor.fetchall():
        metric, frequency, basis, source = key.split("|")
        found.setdefault((symbol, metric, basis, source), set()).add(frequency)
    return found


def _stored_series(cursor: "Cursor", panel: Panel, symbols: list[str]) -> Panel:
    keys = panel.index[list(KEY_COLUMNS[1:])].drop_duplicates()
    wanted = {"symbols": symbols, "keys": ["|".join(row) for row in keys.itertuples(index=False)]}
    cursor.execute(statement("stored_series"), wanted)
    return panel_of(cursor)


@dataclass(frozen=True, slots=True)
class Merged:
    """The series a file names, with what was stored of them.

    told : which points of `panel` the file tells, in the order it tells them. changed : which series must be written.
    """

    panel: Panel
    told: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    added: int
    revised: int
    unchanged: int


def merge(stored: Panel, told: Panel) -> Merged:
    """Point by point: a newer value replaces the stored one, a missing one does not; all else is kept; flags anew.

    Parameters
        stored : any series; those the file does not name are left out.
        told : what the file says; `available_at` is `UNKNOWN` where it does not say.
    """
    columns = list(KEY_COLUMNS)
    place = {key: i for i, key in enumerate(told.index[columns].itertuples(index=False, name=None))}
    rows = stored.index[columns].itertuples(index=False, name=None)
    of_stored = np.array([place.get(key, -1) for key in rows], dtype=np.int64)
    stored, of_stored = stored.take(of_stored >= 0), of_stored[of_stored >= 0]
    series = np.concatenate([of_stored[series_of_points(stored.offsets)], series_of_points(told.offsets)])
    times = np.concatenate([stored.times, told.times])
    values = np.concatenate([stored.values, told.values])
    available = np.concatenate([stored.available_at, told.available_at])
    old_flags = np.concatenate([stored.flags, told.flags])
    new = np.arange(series.size) >= stored.values.size
    if stored.values.size:
        order = np.lexsort((new, times, series))
        series, times, values, available, old_flags, new = (
            a[order] for a in (series, times, values, available, old_flags, new)
        )
    again = np.zeros(series.size, dtype=bool)
    again[1:] = (np.diff(series) == 0) & (np.diff(times) == 0)
    at = np.flatnonzero(again)
    revised = ~np.isnan(values[at]) & (values[at] != values[at - 1])
    filed = available[at] != UNKNOWN
    revised |= filed & (available[at] != available[at - 1])
    kept = np.isnan(values[at])
    values[at] = np.where(kept, values[at - 1], values[at])
    available[at] = np.where(filed | revised, available[at], available[at - 1])
    old_flags[at] = old_flags[at - 1]

    last = np.ones(series.size, dtype=bool)
    last[at - 1] = False
    offsets = offsets_of(np.bincount(series[last], minlength=len(told)))
    panel = Panel.from_parts(values[last], offsets, times[last], told.index, available[last])
    panel = replace(panel, flags=flag(panel))
    differs = new & ~again
    differs[at] = revised
    changed = group_count(differs[last] | (panel.flags != old_flags[last]), offsets) > 0
    added = int((new & ~again).sum())
    return Merged(panel, new[last], changed, added, int(revised.sum()), int((~revised).sum()))


def _write(
    cursor: "Cursor", merged: Merged, companies: Mapping[str, tuple[str, str]], bar: "tqdm[Any]", what: str
) -> None:
    series = dict(documents_of(merged.panel.take(merged.changed)))
    facts = merged.panel.index.drop_duplicates("entity")[["entity", "name", "sector"]]
    lines: list[str] = []
    for symbol, told_name, told_sector in facts.itertuples(index=False, name=None):
        old_name, old_sector = companies.get(symbol, (symbol, UNKNOWN_SECTOR))
        name = told_name or old_name
        sector = old_sector if told_sector in ("", UNKNOWN_SECTOR) else told_sector
        if symbol in series or (name, sector) != (old_name, old_sector):
            cells = (symbol, name, sector, to_json(series.get(symbol, {})))
            lines.append("\t".join(cell.replace("\\", "\\\\") for cell in cells) + "\n")
    bar.set_description(what)
    bar.total = (bar.total or 0) + len(lines)
    remaining = iter(lines)
    while batch := list(islice(remaining, BATCH)):
        cursor.copy_expert(statement("copy_staged"), io.StringIO("".join(batch)))
        bar.update(len(batch))
    cursor.execute(statement("merge_staged"))
    cursor.execute(statement("unstage"))
