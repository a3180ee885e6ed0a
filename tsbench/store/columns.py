"""Columns of a table as arrays: text as codes, dates as microseconds, numbers as floats, with what cannot be read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.series.frames import Floats, Ints

MISSING = pa.array(["", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "-"])
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{8}")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text: row i says labels[codes[i]]. Labels are stripped, distinct and in code point order."""

    codes: Ints
    labels: list[str]

    def __getitem__(self, row: int) -> str:
        return self.labels[int(self.codes[row])]


@dataclass(frozen=True, slots=True)
class Moments:
    """A column of dates: microseconds, `NO_TIME` where there is none to read; `text(row)` is what stands there."""

    micros: Ints
    text: Callable[[int], str]


def coded(column: pa.ChunkedArray) -> Coded:
    """A column of text, categories or anything that has a text."""
    if not pa.types.is_dictionary(column.type):
        column = pc.cast(column, pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], pa.string()).dictionary_encode()
    written = ["" if label is None else str(label).strip() for label in whole.dictionary.to_pylist()]
    labels = sorted({*written, ""}) if whole.null_count else sorted(set(written))
    place = {label: i for i, label in enumerate(labels)}
    rank = np.array([*(place[label] for label in written), place.get("", -1)], dtype=np.int64)
    codes = whole.indices.fill_null(len(written)).to_numpy(zero_copy_only=False)
    return Coded(rank[codes], labels)


def moments(column: pa.ChunkedArray) -> Moments:
    """A column of dates; text is read as ISO 8601 with a whole date, naive means UTC."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        micros = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64()).fill_null(NO_TIME)
        return Moments(np.array(micros.combine_chunks()), lambda row: str(column[row].as_py()))
    text = coded(column)
    stamps = np.array([_microseconds(label) for label in text.labels], dtype=np.int64)
    return Moments(stamps[text.codes] if stamps.size else np.zeros(0, np.int64), text.__getitem__)


def _microseconds(text: str) -> int:
    """ISO 8601 with a whole date; a bare year or month would leave open which day it ends on."""
    try:
        stamp = datetime.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        stamp = None
    if stamp is None:
        return NO_TIME
    stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
    since = stamp - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def numbers(column: pa.ChunkedArray) -> tuple[Floats, NDArray[np.bool_], Callable[[int], str]]:
    """(values, which are unreadable, what stands in a row); missing and unreadable ones are NaN."""

    def text(row: int) -> str:
        return str(column[row].as_py())

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        try:
            found = pc.cast(column, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadInput(f"column value must hold numbers, it holds {column.type}") from error
        array = np.array(found.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)
        return array, np.zeros(array.size, dtype=bool), text
    stripped = pc.utf8_trim_whitespace(column)
    present = pc.if_else(pc.is_in(stripped, MISSING), None, stripped)
    try:
        values = np.array(pc.cast(present, pa.float64()).to_numpy(), dtype=np.float64)
        return values, np.zeros(values.size, dtype=bool), text
    except pa.ArrowInvalid:
        cells = present.to_pylist()
    values = np.full(len(cells), np.nan)
    unreadable = np.zeros(len(cells), dtype=bool)
    for i, cell in enumerate(cells):
        if cell is not None:
            unreadable[i] = NUMBER.fullmatch(cell) is None
            values[i] = np.nan if unreadable[i] else float(cell)
    return values, unreadable, text
