"""From the rows of a file to series: which rows are wrong, which are said twice, and how often a series comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.series import KEY_COLUMNS, Panel
from tsbench.series.calendar import DAY, infer_frequencies
from tsbench.series.frames import Ints
from tsbench.series.identity import FORBIDDEN, FREQUENCIES
from tsbench.store.columns import NO_TIME, Coded
from tsbench.store.documents import UNKNOWN
from tsbench.store.files import Rows

Mask = NDArray[np.bool_]
# (entity, metric, basis, source) -> the frequencies it is stored under.
Stored = Mapping[tuple[str, str, str, str], set[str]]
LONGEST_NAME = 200
SHOWN = 20
# Fewer points than this do not tell how often a series comes.
TELLING = 4
# The end of the running year may lie ahead; further ahead is a slip of the pen.
AHEAD = 366 * DAY


@dataclass(frozen=True, slots=True)
class Intake:
    """What a file says, once judged.

    panel : its accepted series; `available_at` is `UNKNOWN` where the file does not say, name and sector are "" there.
    missing : accepted values that are missing or infinite, all kept as missing.
    duplicates : rows that repeat another to the letter, dropped.
    bad, bad_rows : how many rows are refused, and (line, reason) of the first of them.
    notes : what a reader should know besides.
    """

    panel: Panel
    rows: int
    missing: int
    duplicates: int
    bad: int
    bad_rows: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


class _Doubts:
    """The first thing wrong with each row."""

    def __init__(self, rows: int) -> None:
        self.kind = np.zeros(rows, np.int16)
        self.say: list[Callable[[int], str]] = []

    def add(self, wrong: Mask, say: Callable[[int], str]) -> None:
        if wrong.any():
            self.say.append(say)
            self.kind[(self.kind == 0) & wrong] = len(self.say)

    @property
    def good(self) -> Mask:
        good: Mask = self.kind == 0
        return good

    def first(self, rows: Rows) -> tuple[int, tuple[tuple[int, str], ...]]:
        wrong = np.flatnonzero(self.kind)
        if not wrong.size and not rows.misshapen:
            return 0, ()
        lines, misshapen = rows.locate()
        if lines.size != len(rows):
            lines = np.zeros(len(rows), np.int64)
        nearest = wrong[np.argsort(lines[wrong], kind="stable")][:SHOWN]
        found = misshapen[:SHOWN] + [(int(lines[i]), self.say[self.kind[i] - 1](int(i))) for i in nearest]
        return wrong.size + rows.misshapen, tuple(sorted(set(found))[:SHOWN])


def judge(rows: Rows, *, stored: Stored, defaults: Mapping[str, str], now: int) -> Intake:
    """The series of a file, and every row that cannot be part of one.

    Parameters
        rows : as read.
        stored : which frequencies the database knows of a series, for files that do not say theirs.
        defaults : frequency, basis, source of rows that do not say.
        now : microseconds UTC; dates far ahead of it are refused.
    """
    doubts = _Doubts(len(rows))
    columns = {c: _with_default(rows.columns.get(c), defaults.get(c, ""), len(rows)) for c in KEY_COLUMNS}
    _judge_cells(rows, columns, now, doubts)
    columns["frequency"] = _frequencies(rows, columns, stored, doubts)
    order, same, twice = _sorted(rows, columns, doubts)

    kept = order[~same]
    codes = np.stack([columns[c].codes[kept] for c in KEY_COLUMNS])
    new = np.concatenate([[True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)])[: kept.size]
    offsets = np.append(np.flatnonzero(new), kept.size).astype(np.int64)
    labels = {c: np.array(columns[c].labels, dtype=object) for c in KEY_COLUMNS}
    index = pd.DataFrame({c: pd.Series(labels[c][codes[i, new]], dtype="str") for i, c in enumerate(KEY_COLUMNS)})
    notes = [f"columns not read: {', '.join(rows.ignored)}"] if rows.ignored else []
    for attribute in ("name", "sector"):
        index[attribute], several = _latest(rows, columns["entity"], attribute, kept, index["entity"])
        if several:
            have = "company has" if several == 1 else "companies have"
            notes.append(f"{several} {have} more than one {attribute}; that of the latest date is kept")
    values = np.where(np.isinf(rows.value[kept]), np.nan, rows.value[kept])
    told = rows.available_at.micros[kept] if rows.available_at else np.full(kept.size, NO_TIME)
    available = np.where(told == NO_TIME, UNKNOWN, told)
    bad, bad_rows = doubts.first(rows)
    return Intake(
        Panel.from_parts(values, offsets, rows.time.micros[kept], index, available),
        len(rows) + rows.misshapen,
        int(np.isnan(values).sum()),
        twice,
        bad,
        bad_rows,
        tuple(notes),
    )


def _with_default(column: Coded | None, default: str, n: int) -> Coded:
    if column is None:
        return Coded(np.zeros(n, np.int64), [default])
    if not default or "" not in column.labels:
        return column
    labels = sorted({label or default for label in column.labels})
    place = np.array([labels.index(label or default) for label in column.labels])
    return Coded(place[column.codes], labels)


def _judge_cells(rows: Rows, columns: dict[str, Coded], now: int, doubts: _Doubts) -> None:
    spoken = {"entity": "ticker"}
    named = columns | {c: rows.columns[c] for c in ("name", "sector") if c in rows.columns}
    for c, column in named.items():
        reasons = {
            i: reason
            for i, label in enumerate(column.labels)
            if (reason := _wrong_label(label, spoken.get(c, c), c)) is not None
        }
        if reasons:
            wrong = np.isin(column.codes, list(reasons))
            doubts.add(wrong, lambda i, column=column, reasons=reasons: reasons[int(column.codes[i])])  # type: ignore[misc]
    time = rows.time
    doubts.add(time.micros == NO_TIME, lambda i: f"date {time.text(i)!r} is no date; wanted YYYY-MM-DD")
    doubts.add(time.micros > now + AHEAD, lambda i: f"date {time.text(i)!r} lies more than a year ahead")
    doubts.add(rows.unreadable, lambda i: f"value {rows.value_text(i)!r} is no number")
    filed = rows.available_at
    if filed is not None:
        wrong = filed.micros == NO_TIME
        wrong[[i for i in np.flatnonzero(wrong) if filed.text(int(i)) in ("", "None")]] = False
        doubts.add(wrong, lambda i: f"available_at {filed.text(i)!r} is no date; wanted YYYY-MM-DD")


def _wrong_label(label: str, spoken: str, column: str) -> str | None:
    if not label:
        return f"{spoken} is missing" if column in ("entity", "metric") else None
    if column == "frequency" and label not in FREQUENCIES:
        return f"frequency {label!r} is none of {', '.join(FREQUENCIES)}"
    if len(label) > LONGEST_NAME:
        return f"{spoken} has {len(label)} characters, at most {LONGEST_NAME} are kept"
    forbidden = FORBIDDEN if column in KEY_COLUMNS else ""
    if any(mark in forbidden or ord(mark) < 32 for mark in label):
        return f"{spoken} {label!r} holds a separator or control character"
    return None


class _Untold(NamedTuple):
    """The series whose rows do not say their frequency: their rows in order, borders, and parts of the key."""

    rows: Ints
    offsets: Ints
    keys: list[tuple[str, str, str, str]]


def _frequencies(rows: Rows, columns: dict[str, Coded], stored: Stored, doubts: _Doubts) -> Coded:
    """The frequency of every row: as told, else inferred per series, never across unlike ones.

    A series of fewer than four points takes the one frequency it is stored under, else the one that prevails for its
    metric in the file.
    """
    told = columns["frequency"]
    if "" not in told.labels:
        return told
    untold = _untold(rows, columns, doubts.good & (told.codes == told.labels.index("")))
    found = infer_frequencies(rows.time.micros[untold.rows], untold.offsets)
    points = np.diff(untold.offsets)
    long = pd.DataFrame({"metric": [k[1] for k in untold.keys], "frequency": found})[points >= TELLING]
    prevailing = long.groupby("metric")["frequency"].agg(lambda f: f.mode().iloc[0]).to_dict()
    unclear = np.zeros(len(rows), dtype=bool)
    for i in np.flatnonzero(points < TELLING):
        known = stored.get(untold.keys[i], set())
        if len(known) == 1:
            found[i] = next(iter(known))
        elif len(known) > 1 and found[i] not in known:
            unclear[untold.rows[untold.offsets[i] : untold.offsets[i + 1]]] = True
        elif not known:
            found[i] = prevailing.get(untold.keys[i][1], found[i])
    doubts.add(
        unclear,
        lambda i: (
            f"{columns['entity'][i]} {columns['metric'][i]} is stored under several frequencies and so few "
            "values do not tell which they are; add a column frequency"
        ),
    )
    labels = [*sorted({*told.labels, *found} - {""}), ""]
    codes = np.array([labels.index(label) for label in told.labels])[told.codes]
    codes[untold.rows] = np.repeat([labels.index(f) for f in found], points)
    return Coded(codes, labels)


def _untold(rows: Rows, columns: dict[str, Coded], mine: Mask) -> _Untold:
    parts = [columns[c] for c in ("entity", "metric", "basis", "source")]
    key = _combined(parts)
    where = np.flatnonzero(mine)
    where = where[np.lexsort((rows.time.micros[where], key[where]))]
    new = np.flatnonzero(np.concatenate([[True], np.diff(key[where]) != 0])[: where.size])
    entity, metric, basis, source = ([p.labels[c] for c in p.codes[where[new]]] for p in parts)
    return _Untold(
        where, np.append(new, where.size).astype(np.int64), list(zip(entity, metric, basis, source, strict=True))
    )


def _combined(columns: list[Coded]) -> Ints:
    """One number per row that sorts like the labels of all columns, the first weighing most."""
    key = np.zeros(columns[0].codes.size, np.int64)
    for column in columns:
        key = key * max(len(column.labels), 1) + column.codes
    return key


def _sorted(rows: Rows, columns: dict[str, Coded], doubts: _Doubts) -> tuple[Ints, Mask, int]:
    """(good rows by key and time, which of them repeat the one before, how many did so to the letter).

    Rows that give one series two values at one time are all bad.
    """
    key = _combined([columns[c] for c in KEY_COLUMNS])

    def ordered() -> tuple[Ints, Mask]:
        order = np.flatnonzero(doubts.good)
        order = order[np.lexsort((rows.time.micros[order], key[order]))]
        same = np.zeros(order.size, dtype=bool)
        same[1:] = (np.diff(key[order]) == 0) & (np.diff(rows.time.micros[order]) == 0)
        return order, same

    order, same = ordered()
    if not same.any():
        return order, same, 0
    value = rows.value[order]
    unlike = np.zeros(order.size, dtype=bool)
    unlike[1:] = same[1:] & (value[1:] != value[:-1]) & ~(np.isnan(value[1:]) & np.isnan(value[:-1]))
    if rows.available_at is not None:
        filed = rows.available_at.micros[order]
        unlike[1:] |= same[1:] & (filed[1:] != filed[:-1])
    group = np.cumsum(~same) - 1
    conflicting = np.zeros(len(rows), dtype=bool)
    conflicting[order[(np.bincount(group, weights=unlike) > 0)[group]]] = True
    doubts.add(
        conflicting,
        lambda i: (
            f"{columns['entity'][i]} {columns['metric'][i]} has more than one value on {rows.time.text(i)}; keep "
            "one, or tell them apart by frequency, basis or source"
        ),
    )
    order, same = ordered()
    return order, same, int(same.sum())


def _latest(rows: Rows, entity: Coded, attribute: str, kept: Ints, wanted: pd.Series) -> tuple[list[str], int]:
    """The attribute of each entity on its latest date ("" when not told), and how many entities have several."""
    column = rows.columns.get(attribute)
    if column is None:
        return [""] * len(wanted), 0
    empty = column.labels.index("") if "" in column.labels else -1
    told = kept[column.codes[kept] != empty]
    width = len(column.labels)
    pairs = pd.unique(entity.codes[told] * width + column.codes[told])
    names_of = np.bincount(pairs // width, minlength=len(entity.labels))
    if (names_of > 1).any():
        by_time = told[np.argsort(rows.time.micros[told], kind="stable")]
        pairs = entity.codes[by_time] * width + column.codes[by_time]
    name_of = dict(zip((pairs // width).tolist(), (pairs % width).tolist(), strict=True))
    place = {label: i for i, label in enumerate(entity.labels)}
    codes = [name_of.get(place[e], -1) for e in wanted]
    return ["" if c < 0 else column.labels[c] for c in codes], int((names_of > 1).sum())
