"""Company files as they stand: long CSV or Parquet, and wide CSV, plain or gzipped. Only the shape is judged here.

Text is read as text, so that a bad cell can be shown as it was written; line numbers are worked out only when one is
needed, by a second and slower pass over the file.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.series.frames import SPOKEN, Floats, Ints
from tsbench.store.columns import MISSING, Coded, Moments, coded, moments, numbers

ALIASES = {spoken: ours for ours, names in SPOKEN.items() for spoken in names}
REQUIRED = ("entity", "metric", "time", "value")
TEXT = ("entity", "name", "sector", "metric", "frequency", "basis", "source")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. `value` is NaN where it is missing or unreadable; `unreadable` tells which.

    locate : gives the line (Parquet: row) of every row, and (line, reason) of lines that made no row.
    """

    columns: dict[str, Coded]
    time: Moments
    available_at: Moments | None
    value: Floats
    unreadable: NDArray[np.bool_]
    value_text: Callable[[int], str]
    misshapen: int
    ignored: tuple[str, ...]
    locate: Callable[[], tuple[Ints, list[tuple[int, str]]]]
    unit: str

    def __len__(self) -> int:
        return self.value.size


def read_rows(path: Path, metric: str | None = None) -> Rows:
    """The rows of a file.

    Parameters
        path : .csv, .csv.gz or .parquet. Long: columns ticker (or entity, symbol), metric, date (or time), value and
            optional name, sector, frequency, basis, source, available_at. Wide CSV: a first column date, then one
            column per ticker; an empty cell is no row.
        metric : of a wide file, or of a long one without that column; a wide file's name is the default.
    Raises     BadInput: unknown kind, missing columns, or text that is no table.
    """
    name = path.name.lower()
    if not path.is_file():
        raise BadInput(f"{path} is no file")
    if name.endswith((".parquet", ".pq")):
        return _read_parquet(path, metric)
    if not name.endswith((".csv", ".csv.gz")):
        raise BadInput(f"{path.name}: only .csv, .csv.gz and .parquet files are read")
    with _opened(path) as text:
        header = next(filter(None, csv.reader(text)), [])
    if not header:
        raise BadInput(f"{path.name} is empty; wanted a header line: ticker,name,sector,metric,date,value")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise BadInput(f"{path.name} has two columns {', '.join(map(repr, twice[:5]))}; rename or drop one")
    plain = [column.strip().lower() for column in header]
    wide = "value" not in plain and plain[0] in ("date", "time") and len(header) > 1
    return _read_wide(path, header, metric) if wide else _read_long_csv(path, header, metric)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise BadInput(f"{path.name} cannot be read as a UTF-8 CSV file: {error}") from error


def _canonical(path: Path, header: list[str], metric: str | None) -> dict[str, str]:
    """Our name -> the file's name of every column we know."""
    found: dict[str, str] = {}
    for column in header:
        ours = ALIASES.get(column.strip().lower(), column.strip().lower())
        if ours in found:
            raise BadInput(f"{path.name}: columns {found[ours]!r} and {column!r} both name the {ours}; drop one")
        if ours in TEXT or ours in REQUIRED or ours == "available_at":
            found[ours] = column
    lacking = [c for c in REQUIRED if c not in found and not (c == "metric" and metric)]
    if lacking:
        spoken = {"entity": "ticker", "time": "date"}
        raise BadInput(
            f"{path.name} lacks the column{'s' * (len(lacking) > 1)} {', '.join(spoken.get(c, c) for c in lacking)}; "
            f"it has {', '.join(header[:12])}. A long file: ticker,name,sector,metric,date,value; wide: date, tickers"
        )
    return found


def _read_csv(path: Path, kinds: dict[str, pa.DataType]) -> tuple[pa.Table, int]:
    """The columns named, and how many lines had another number of fields."""
    misshapen = 0

    def skip(_: Any) -> str:
        nonlocal misshapen
        misshapen += 1
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=1 << 24),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=kinds, include_columns=list(kinds), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path.name} cannot be read as a UTF-8 CSV file: {error}") from error
    return table, misshapen


def _read_long_csv(path: Path, header: list[str], metric: str | None) -> Rows:
    names = _canonical(path, header, metric)
    labels = pa.dictionary(pa.int32(), pa.string())
    table, misshapen = _read_csv(path, {column: pa.string() if c == "value" else labels for c, column in names.items()})
    return _rows(
        table.rename_columns(list(names)), metric, misshapen, _ignored(header, names), lambda: _lines(path), "line"
    )


def _read_parquet(path: Path, metric: str | None) -> Rows:
    try:
        header = pyarrow.parquet.read_schema(path).names
        names = _canonical(path, header, metric)
        table = pyarrow.parquet.read_table(path, columns=list(names.values()))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path.name} cannot be read as a Parquet file: {error}") from error
    table = table.select(list(names.values())).rename_columns(list(names))
    rows = np.arange(1, table.num_rows + 1)
    return _rows(table, metric, 0, _ignored(header, names), lambda: (rows, []), "row")


def _read_wide(path: Path, header: list[str], metric: str | None) -> Rows:
    name = path.name.removesuffix(".gz").removesuffix(".csv") if metric is None else metric
    table, misshapen = _read_csv(path, dict.fromkeys(header, pa.string()))
    n = table.num_rows
    cells = pa.chunked_array([chunk for c in header[1:] for chunk in table[c].chunks], pa.string())
    text = pc.utf8_trim_whitespace(cells)
    filled = np.flatnonzero(~np.asarray(pc.is_in(text, MISSING)))
    day = table[header[0]].combine_chunks().dictionary_encode()
    long = pa.table(
        {
            "entity": pa.DictionaryArray.from_arrays(pa.array(filled // max(n, 1)), pa.array(header[1:])),
            "time": day.take(pa.array(filled % max(n, 1))),
            "value": text.take(pa.array(filled)),
        }
    )

    def locate() -> tuple[Ints, list[tuple[int, str]]]:
        lines, other = _lines(path)
        return lines[filled % max(n, 1)], other

    return _rows(long, name, misshapen, (), locate, "line")


def _ignored(header: list[str], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(column for column in header if column not in names.values())


def _rows(
    table: pa.Table,
    metric: str | None,
    misshapen: int,
    ignored: tuple[str, ...],
    locate: Callable[[], tuple[Ints, list[tuple[int, str]]]],
    unit: str,
) -> Rows:
    columns = {c: coded(table[c]) for c in TEXT if c in table.column_names}
    if "metric" not in columns and metric is not None:
        columns["metric"] = Coded(np.zeros(table.num_rows, np.int64), [metric.strip()])
    value, unreadable, value_text = numbers(table["value"])
    available_at = moments(table["available_at"]) if "available_at" in table.column_names else None
    return Rows(
        columns,
        moments(table["time"]),
        available_at,
        value,
        unreadable,
        value_text,
        misshapen,
        ignored,
        locate,
        unit,
    )


def _lines(path: Path) -> tuple[Ints, list[tuple[int, str]]]:
    """The first line of every row of a CSV file, and the lines whose number of fields is not the header's."""
    lines: list[int] = []
    misshapen: list[tuple[int, str]] = []
    with _opened(path) as text:
        reader = csv.reader(text)
        width = len(next(filter(None, reader)))
        start = reader.line_num + 1
        for row in reader:
            if len(row) == width:
                lines.append(start)
            elif row:
                misshapen.append((start, f"{len(row)} fields, wanted {width} as in the header"))
            start = reader.line_num + 1
    return np.array(lines, dtype=np.int64), misshapen
