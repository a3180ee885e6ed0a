"""Between Panels and the documents companies are stored as, and between Python values and jsonb.

jsonb holds no NaN: a missing number is written as null and read back as NaN.
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from tsbench.errors import BadInput
from tsbench.series import KEY_COLUMNS, Panel, SeriesKey
from tsbench.series.calendar import assumed_available_at
from tsbench.series.grouped import group_count, offsets_of

# available_at of a value whose file did not say when it became public.
UNKNOWN = np.iinfo(np.int64).min


def to_json(document: Any) -> str:
    """The text of a document for a jsonb parameter; numpy arrays and numbers are read, NaN becomes null.

    Raises     BadInput: something in it has no place in JSON, an infinite number for one.
    """
    try:
        text = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=_plain)
    except TypeError as error:
        raise BadInput(f"the document cannot be written as JSON: {error}") from error
    # orjson writes infinity as null too, which would lose a bound without a word.
    if b"null" in text:
        _refuse_infinity(document)
    if rb"\u0000" in text:
        raise BadInput("the document holds a NUL character, which PostgreSQL cannot store")
    return text.decode()


def nulls_as_nan(document: Any) -> Any:
    """The document with every null as NaN: for documents of numbers."""
    if isinstance(document, dict):
        return {k: nulls_as_nan(v) for k, v in document.items()}
    if isinstance(document, list):
        return [nulls_as_nan(v) for v in document]
    return math.nan if document is None else document


def documents_of(panel: Panel) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """(entity, its document of series) for every entity of the panel, in order.

    `available_at` is written where it is known (not `UNKNOWN`), flags where there are any.
    """
    edges = [slice(a, b) for a, b in pairwise(panel.offsets.tolist())]
    known = group_count(panel.available_at != UNKNOWN, panel.offsets)
    flagged = group_count(panel.flags > 0, panel.offsets)
    keys = zip(*(panel.index[c].to_list() for c in KEY_COLUMNS), strict=True)
    rows = zip(keys, edges, known, flagged, strict=True)
    for entity, group in groupby(rows, key=lambda row: row[0][0]):
        series = {}
        for key, part, some_known, some_flagged in group:
            series[SeriesKey(*key).within_entity] = {
                "time": panel.times[part],
                "value": panel.values[part],
                "available_at": _with_nulls(panel.available_at[part]) if some_known else None,
                "flags": panel.flags[part] if some_flagged else None,
            }
        yield entity, series


def panel_of(rows: Iterable[tuple[str, str, str, str, dict[str, Any]]]) -> Panel:
    """The Panel of rows (symbol, name, sector, series key, document), in any order.

    Its index has name and sector. Where a document does not say when a value became public, `available_at` is
    `UNKNOWN`; see `with_assumed_availability`.
    """
    # The first five are unique, so no comparison ever reaches the documents.
    ordered = sorted((symbol, *key.split("|"), name, sector, document) for symbol, name, sector, key, document in rows)
    columns = list(zip(*ordered, strict=True)) or [() for _ in range(8)]
    series = columns[7]
    names = (*KEY_COLUMNS, "name", "sector")
    index = pd.DataFrame({c: pd.Series(v, dtype="str") for c, v in zip(names, columns, strict=False)})
    times = [np.array(s["time"], dtype=np.int64) for s in series]
    offsets = offsets_of(np.array([t.size for t in times], dtype=np.int64))
    values = [np.array(s.get("value", [np.nan] * t.size), dtype=np.float64) for s, t in zip(series, times, strict=True)]
    available = np.full(int(offsets[-1]), UNKNOWN)
    flags = np.zeros(int(offsets[-1]), np.uint8)
    for i, s in enumerate(series):
        part = slice(offsets[i], offsets[i + 1])
        if s.get("available_at") is not None:
            available[part] = [UNKNOWN if a is None else a for a in s["available_at"]]
        if s.get("flags") is not None:
            flags[part] = s["flags"]
    return Panel.from_parts(_joined(values, np.float64), offsets, _joined(times, np.int64), index, available, flags)


def with_assumed_availability(panel: Panel) -> Panel:
    """The panel with every unknown `available_at` assumed, and a column `availability` in its index that says so.

    The column is "filed" (all dates are known), "assumed" (none) or "mixed".
    """
    unknown = panel.available_at == UNKNOWN
    guess = assumed_available_at(panel.times, panel.index["frequency"].to_list(), panel.offsets)
    count = group_count(unknown, panel.offsets)
    how = np.where(count == 0, "filed", np.where(count == np.diff(panel.offsets), "assumed", "mixed"))
    index = panel.index.assign(availability=pd.Series(how, dtype="str", index=panel.index.index))
    return replace(panel, available_at=np.where(unknown, guess, panel.available_at), index=index)


def _joined(parts: list[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _with_nulls(available_at: NDArray[np.int64]) -> list[int | None]:
    return [None if a == UNKNOWN else a for a in available_at.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} {value!r}"[:120])


def _refuse_infinity(document: Any) -> None:
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list | tuple):
        for part in document:
            _refuse_infinity(part)
    elif isinstance(document, float | np.floating | np.ndarray) and np.isinf(document).any():
        raise BadInput("the document holds an infinite number; leave a bound out instead")
