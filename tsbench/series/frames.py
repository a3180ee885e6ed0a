"""From tables and plain arrays to the layout of a Panel, with every check the layout relies on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tsbench.errors import BadInput
from tsbench.series.calendar import assumed_available_at, infer_frequencies
from tsbench.series.grouped import offsets_of
from tsbench.series.identity import FREQUENCIES, KEY_COLUMNS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
# What files of companies call our columns.
SPOKEN = {"entity": ("ticker", "symbol"), "time": ("date",)}


class Parts(NamedTuple):
    """The fields of a Panel, in order; see `tsbench.series.Panel`. `rows` is its index: one row per series."""

    values: Floats
    offsets: Ints
    times: Ints
    rows: pd.DataFrame
    available_at: Ints
    flags: NDArray[np.uint8]


def microseconds(dates: Any, name: str) -> Ints:
    """Dates as int64 microseconds UTC; a naive date counts as UTC, a missing one is numpy's NaT (the minimum)."""
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(dates), utc=True)).tz_localize(None)
    except (ValueError, TypeError) as error:
        raise BadInput(f"column {name} cannot be read as dates: {error}") from error
    return np.asarray(stamps.as_unit("us").to_numpy().astype(np.int64))


def moment(date: Any) -> int:
    """One date as microseconds UTC; a naive date counts as UTC. BadInput for a bare number: its unit is unsaid."""
    try:
        stamp = pd.NaT if isinstance(date, int | float) else pd.Timestamp(date)
    except (ValueError, TypeError):
        stamp = pd.NaT
    if not isinstance(stamp, pd.Timestamp):
        raise BadInput(f"{date!r} is no date; wanted e.g. '2019-06-30'")
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("us").to_numpy().astype(np.int64))  # .value would count nanoseconds


def from_long_frame(frame: pd.DataFrame) -> Parts:
    """See `Panel.from_frame`."""
    frame = _with_our_names(frame)
    _check_columns(frame)
    keys = {c: _key_column(frame, c) for c in KEY_COLUMNS if c in frame or c in ("basis", "source")}
    times = microseconds(frame["time"], "time")
    unknown = times == np.iinfo(np.int64).min
    if unknown.any():
        raise BadInput(f"column time is missing in row {frame.index[unknown][0]!r}; drop or fill it")
    values = _numbers(frame["value"])

    codes = [pd.factorize(column, sort=True)[0] for column in keys.values()]
    order = np.lexsort((times, *codes[::-1]))
    group = np.stack([c[order] for c in codes])
    new = np.flatnonzero(np.concatenate([[True], (group[:, 1:] != group[:, :-1]).any(axis=0)])[: order.size])
    offsets = np.append(new, order.size).astype(np.int64)
    if "frequency" not in keys:
        found = infer_frequencies(times[order], offsets)
        inferred = pd.Categorical(found, categories=sorted(FREQUENCIES)).codes
        by_series = [group[i][new] for i in range(2)] + [inferred] + [group[i][new] for i in range(2, len(group))]
        rank = np.lexsort(by_series[::-1])
        order = np.concatenate([order[offsets[i] : offsets[i + 1]] for i in rank]) if rank.size else order
        offsets = offsets_of(np.diff(offsets)[rank])
        frequency = np.array(found, dtype=object)[rank]
    else:
        frequency = keys["frequency"][order[offsets[:-1]]]
    _check_ascending(frame, times[order], order, offsets)

    first = order[offsets[:-1]]
    attributes = [c for c in frame.columns if c not in {*KEY_COLUMNS, "time", "value", "available_at", "flags"}]
    index = pd.DataFrame(
        {c: pd.Series(frequency if c == "frequency" else keys[c][first], dtype="str") for c in KEY_COLUMNS}
        | {c: frame[c].iloc[first].array for c in attributes}
    )
    times = times[order]
    available = assumed_available_at(times, list(frequency), offsets)
    if "available_at" in frame:
        told = microseconds(frame["available_at"], "available_at")[order]
        available = np.where(told == np.iinfo(np.int64).min, available, told)
    flags = frame["flags"].to_numpy(np.uint8)[order] if "flags" in frame else np.zeros(order.size, np.uint8)
    return Parts(values[order], offsets, times, index, available, flags)


def from_plain_arrays(
    arrays: Sequence[ArrayLike],
    times: Sequence[ArrayLike] | None,
    entities: Sequence[str] | None,
    metric: str,
    frequency: str,
) -> Parts:
    """See `Panel.from_arrays`."""
    parts = [np.ascontiguousarray(a, dtype=np.float64) for a in arrays]
    width = len(str(max(len(parts) - 1, 0)))
    names = [f"s{i:0{width}d}" for i in range(len(parts))] if entities is None else list(entities)
    if len(names) != len(parts) or len(set(names)) != len(parts):
        raise BadInput(f"{len(parts)} arrays need as many different entities, got {len(set(names))}")
    if times is not None and len(times) != len(parts):
        raise BadInput(f"{len(parts)} arrays need as many arrays of times, got {len(times)}")
    stamps = (
        [np.arange(p.size, dtype=np.int64) for p in parts]
        if times is None
        else [np.ascontiguousarray(t).astype("datetime64[us]").astype(np.int64) for t in times]
    )
    for name, part, stamp in zip(names, parts, stamps, strict=True):
        if part.ndim != 1 or stamp.shape != part.shape or (np.diff(stamp) <= 0).any():
            raise BadInput(
                f"{name}: values of shape {part.shape} need as many ascending times, got shape {stamp.shape}"
            )
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    index = pd.DataFrame(
        {
            "entity": pd.Series([names[i] for i in order], dtype="str"),
            "metric": pd.Series([metric] * len(parts), dtype="str"),
            "frequency": pd.Series([frequency] * len(parts), dtype="str"),
            "basis": pd.Series([""] * len(parts), dtype="str"),
            "source": pd.Series([""] * len(parts), dtype="str"),
        }
    )
    values = np.concatenate([parts[i] for i in order]) if parts else np.zeros(0)
    joined = np.concatenate([stamps[i] for i in order]) if parts else np.zeros(0, np.int64)
    offsets = offsets_of(np.array([parts[i].size for i in order], dtype=np.int64))
    return Parts(values, offsets, joined, index, joined, np.zeros(values.size, np.uint8))


def check_parts(parts: Parts) -> None:
    """BadInput when lengths do not fit or a value is infinite."""
    values, offsets, times, rows, available_at, flags = parts
    if offsets.size != len(rows) + 1 or offsets[0] != 0 or offsets[-1] != values.size or (np.diff(offsets) < 0).any():
        raise BadInput(
            f"offsets must run from 0 to {values.size} in {len(rows) + 1} ascending steps, got {offsets.size} "
            f"from {offsets[0] if offsets.size else None} to {offsets[-1] if offsets.size else None}"
        )
    for name, array in (("times", times), ("available_at", available_at), ("flags", flags)):
        if array.size != values.size:
            raise BadInput(f"{name} must have one entry per value ({values.size}), got {array.size}")
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = rows.iloc[int(np.searchsorted(offsets, infinite[0], side="right")) - 1]
        raise BadInput(f"{row['entity']} {row['metric']} holds infinity; write missing as NaN")


def _with_our_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `SPOKEN` columns under our name, where ours is absent."""
    names: dict[str, str] = {}
    for ours, spoken in SPOKEN.items():
        found = [name for name in spoken if name in frame and ours not in frame]
        if len(found) > 1:
            raise BadInput(f"columns {' and '.join(found)} both name the {ours}; drop one, or rename it to {ours}")
        names |= dict.fromkeys(found, ours)
    return frame.rename(columns=names) if names else frame


def _check_columns(frame: pd.DataFrame) -> None:
    missing = sorted({"entity", "metric", "time", "value"} - set(frame.columns))
    if missing:
        wanted = [f"{name} (or {', '.join(SPOKEN[name])})" if name in SPOKEN else name for name in missing]
        raise BadInput(f"the frame lacks {', '.join(wanted)}; it has {', '.join(map(str, frame.columns))}")


def _key_column(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """A key column as plain strings: a missing basis or source is "", any other missing part is refused."""
    if name not in frame:
        return np.full(len(frame), "", dtype=object)
    column = frame[name]
    absent = column.isna().to_numpy()
    if absent.any() and name not in ("basis", "source"):
        raise BadInput(f"column {name} is missing in row {frame.index[absent][0]!r}; every series needs one")
    text = column.astype("str").to_numpy(dtype=object)
    if absent.any():
        text = np.where(absent, "", text)
    if name == "frequency":
        strange = sorted(set(pd.unique(text)) - set(FREQUENCIES))
        if strange:
            raise BadInput(f"frequency must be one of {', '.join(FREQUENCIES)}; got {', '.join(map(repr, strange))}")
    return np.asarray(text, dtype=object)


def _numbers(column: pd.Series) -> Floats:
    try:
        return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (ValueError, TypeError) as error:
        raise BadInput(f"column value must hold numbers: {error}") from error


def _check_ascending(frame: pd.DataFrame, times: Ints, order: Ints, offsets: Ints) -> None:
    for_same_series = np.ones(times.size, dtype=bool)
    for_same_series[offsets[:-1]] = False
    twice = np.flatnonzero((np.diff(times) <= 0) & for_same_series[1:])
    if twice.size:
        row = frame.iloc[int(order[twice[0]])]
        raise BadInput(
            f"{row['entity']} {row['metric']} has two values at {row['time']} ({twice.size} such pairs); "
            "keep one, or give them different frequency, basis or source"
        )
