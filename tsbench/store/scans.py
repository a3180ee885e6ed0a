"""Scans and their matches: written chunk by chunk, each whole or not at all, so that a killed scan can go on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
import pandas as pd
import sqlalchemy as sa

from tsbench.errors import BadInput, NotFound
from tsbench.store.documents import nulls_as_nan, to_json
from tsbench.store.engine import transaction
from tsbench.store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

# Column of the frame -> column of the table, where bare words are reserved in SQL or unclear there.
RENAMED = {"start": "start_at", "end": "end_at", "last": "last_at", "null": "null_name"}
COLUMNS = (
    "entity", "name", "sector", "status", "metric", "channels", "start", "end", "length", "complete", "score",
    "p_value", "q_value", "null", "p_by_null", "flagged", "last", "evidence",
)  # fmt: skip
MOMENTS = ("start", "end", "last")
NUMBERS = ("complete", "score", "p_value", "q_value")
COUNTS = ("length", "flagged")


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One scan: what was asked of which data, and whether all of it is answered."""

    id: str
    pattern: dict[str, Any]
    parameters: dict[str, Any]
    data_hash: str
    status: Literal["running", "done"]
    started_at: datetime
    finished_at: datetime | None


class Scans:
    """The scans of a store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def begin(self, scan_id: str, pattern: dict[str, Any], parameters: dict[str, Any], data_hash: str) -> ScanRow:
        """A new scan, or the one of that id, which must ask the same.

        Raises     BadInput: the id belongs to a scan of another pattern, other parameters or other data.
        """
        if not scan_id:
            raise BadInput("a scan needs an id")
        asked = {"pattern": to_json(pattern), "parameters": to_json(parameters), "data_hash": data_hash}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("begin_scan"), {"id": scan_id, **asked})
            row = _get(cursor, scan_id)
        differences = _differences(row, orjson.loads(asked["pattern"]), orjson.loads(asked["parameters"]), data_hash)
        if differences:
            raise BadInput(f"scan {scan_id!r} exists with {' and '.join(differences)}; give the new scan another id")
        return row

    def get(self, scan_id: str) -> ScanRow:
        """The scan of that id. Raises NotFound."""
        with transaction(self._engine) as cursor:
            return _get(cursor, scan_id)

    @contextmanager
    def turn(self, scan_id: str) -> Iterator[None]:
        """Nobody else has the turn of this scan inside, in whatever process; whoever wants it waits.

        Two who run one scan at once would each find that the other has finished it. The turn takes a connection and
        ends with its process, however that ends.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("scan_turn"), {"id": scan_id})
            # the lock outlives this transaction, so that none is open while the scan runs
            cursor.connection.commit()
            try:
                yield
            finally:
                cursor.execute(statement("leave_scan_turn"), {"id": scan_id})

    def done_chunks(self, scan_id: str) -> set[int]:
        """The chunks whose matches are stored."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("done_chunks"), {"id": scan_id})
            return {chunk for (chunk,) in cursor.fetchall()}

    def put_chunk(self, scan_id: str, chunk: int, rows: pd.DataFrame) -> None:
        """Store the matches of one chunk and mark it done, in one transaction; again is the same as once.

        Parameters
            rows : one row per entity with the columns of `matches`; entity and status must be there, and every other
                p_NAME beside p_value is kept as the p-value under the null NAME. NaN, NaT and None mean "not tested".
        Raises     NotFound: no such scan. BadInput: it is done, or a column is missing or unknown.
        """
        documents = to_json(_documents(rows))
        with transaction(self._engine) as cursor:
            _lock_running(cursor, scan_id)
            cursor.execute(statement("put_matches"), {"id": scan_id, "rows": documents})
            cursor.execute(statement("mark_chunk"), {"id": scan_id, "chunk": int(chunk)})

    def finish(self, scan_id: str, q_values: Mapping[str, float] | pd.DataFrame) -> None:
        """Set what only the whole family tells, and the status done, in one transaction.

        Parameters
            q_values : q-value by entity; or a frame entity, q_value and any further p_NAME, added to the matches.
        Raises     NotFound: no such scan. BadInput: it is done already, or an entity has no match row.
        """
        frame = (
            q_values
            if isinstance(q_values, pd.DataFrame)
            else pd.DataFrame({"entity": list(q_values), "q_value": list(q_values.values())})
        )
        rows = to_json(
            [
                {"entity": row["entity"], "q_value": row["q_value"], "p_by_null": _by_null(row)}
                for row in frame.to_dict("records")
            ]
        )
        with transaction(self._engine) as cursor:
            _lock_running(cursor, scan_id)
            cursor.execute(statement("set_q_values"), {"id": scan_id, "rows": rows})
            if cursor.rowcount != len(frame):
                raise BadInput(
                    f"scan {scan_id!r} has match rows for {cursor.rowcount} of the {len(frame)} entities given; "
                    "put all chunks before finishing"
                )
            cursor.execute(statement("finish_scan"), {"id": scan_id})

    def matches(self, scan_id: str) -> pd.DataFrame:
        """One row per entity, tested ones first by p-value; NaN and NaT where not tested.

        Columns: entity, name, sector, status, metric, channels, start, end, length, complete, score, p_value, q_value,
        null, one p_NAME per null, flagged, last, evidence. Raises NotFound for an unknown scan.
        """
        with transaction(self._engine) as cursor:
            _get(cursor, scan_id)
            cursor.execute(statement("matches"), {"id": scan_id})
            table = pd.DataFrame(cursor.fetchall(), columns=list(COLUMNS), dtype=object)
        table["channels"] = [channels or [] for channels in table["channels"]]
        table["evidence"] = pd.Series([nulls_as_nan(e) for e in table["evidence"]], dtype=object)
        for column in MOMENTS:
            table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[us, UTC]")
        for column in NUMBERS:
            table[column] = table[column].astype(float)
        for column in COUNTS:
            table[column] = table[column].fillna(0).astype("int64")
        nulls = sorted({name for by_null in table["p_by_null"] for name in by_null})
        at = list(table.columns).index("p_by_null")
        by_null = table.pop("p_by_null")
        for i, name in enumerate(nulls):
            table.insert(at + i, f"p_{name}", pd.Series([b.get(name) for b in by_null], dtype=float))
        return table

    def list(self, pattern: str | None = None) -> pd.DataFrame:
        """One row per scan, newest first: what was asked, when, how many companies it holds and the smallest q."""
        columns = ["id", "pattern", "where", "as_of", "sector", "status", "started_at", "finished_at"]
        with transaction(self._engine) as cursor:
            cursor.execute(statement("list_scans"), {"pattern": pattern})
            return pd.DataFrame(cursor.fetchall(), columns=[*columns, "companies", "tested", "smallest_q"])

    def previous(self, scan_id: str) -> str | None:
        """The last scan before this one that asked the same and that a report told, or None.

        The same is pattern, where, sector, half, frequency, null, and whether it looked from a day in the past. Told
        means that the record of a report that ended "done" names it, see `Runs`; a scan by hand, or of a report that
        failed, timed out or was stopped, is passed over.
        """
        with transaction(self._engine) as cursor:
            _get(cursor, scan_id)
            cursor.execute(statement("previous_scan"), {"id": scan_id})
            row = cursor.fetchone()
        return None if row is None else str(row[0])


def _get(cursor: "Cursor", scan_id: str) -> ScanRow:
    cursor.execute(statement("get_scan"), {"id": scan_id})
    row = cursor.fetchone()
    if row is None:
        raise NotFound(f"no scan {scan_id!r} is stored")
    return ScanRow(*row)


def _differences(row: ScanRow, pattern: dict[str, Any], parameters: dict[str, Any], data_hash: str) -> list[str]:
    """In what a stored scan asks something else, in words, each as stored -> given."""
    found = []
    if row.pattern != pattern:
        was, now = row.pattern.get("name"), pattern.get("name")
        found.append(f"another pattern ({was} -> {now})" if was != now else f"another drawing of the pattern {was!r}")
    if row.parameters != parameters:
        pairs = [
            (n, row.parameters.get(n, "unset"), parameters.get(n, "unset")) for n in sorted(row.parameters | parameters)
        ]
        changes = ", ".join(f"{name}: {was} -> {now}" for name, was, now in pairs if was != now)
        found.append(f"other parameters ({changes})")
    if row.data_hash != data_hash:
        found.append("other data (the store was loaded since)")
    return found


def _lock_running(cursor: "Cursor", scan_id: str) -> None:
    cursor.execute(statement("lock_scan"), {"id": scan_id})
    row = cursor.fetchone()
    if row is None:
        raise NotFound(f"no scan {scan_id!r} is stored; begin it first")
    if row[0] == "done":
        raise BadInput(f"scan {scan_id!r} is done; its matches stay as they are")


def _documents(rows: pd.DataFrame) -> list[dict[str, Any]]:
    absent = sorted({"entity", "status"} - set(rows.columns))
    strange = [c for c in rows.columns if c not in COLUMNS and not c.startswith("p_")]
    if absent or strange:
        wrong = f"lack {', '.join(absent)}" if absent else f"have the unknown columns {', '.join(strange)}"
        raise BadInput(f"match rows {wrong}; known are {', '.join(COLUMNS)} and p_NAME")
    documents = []
    for row in rows.to_dict("records"):
        document = {RENAMED.get(c, c): _cell(row[c]) for c in COLUMNS if c in row and c != "p_by_null"}
        documents.append(document | {"p_by_null": _by_null(row), "evidence": document.get("evidence") or {}})
    return documents


def _by_null(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {c.removeprefix("p_"): v for c, v in row.items() if c.startswith("p_") and c not in ("p_value", "p_by_null")}


def _cell(value: Any) -> Any:
    """Missing values of pandas as None; everything else as it is."""
    return None if not isinstance(value, dict | list) and pd.api.types.is_scalar(value) and pd.isna(value) else value
