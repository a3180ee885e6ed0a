"""Panel: many series end to end in one array, one row of the index per series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tsbench import checks
from tsbench.errors import NotFound
from tsbench.series.align import align
from tsbench.series.calendar import DAY, longest_step_days
from tsbench.series.frames import Parts, check_parts, from_long_frame, from_plain_arrays, moment
from tsbench.series.grouped import offsets_of
from tsbench.series.scaling import scale

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Gap-free, NaN-free stretches: values[start:stop] of series `series`, all half-open int64 arrays."""

    series: Ints
    start: Ints
    stop: Ints


@dataclass(frozen=True, slots=True, repr=False)
class Panel:
    """Many series, end to end.

    values : float64, shape (total,). NaN = missing; never infinite.
    offsets : int64, shape (n_series + 1,). Series i is values[offsets[i]:offsets[i + 1]].
    times : int64 microseconds UTC, shape (total,), ascending inside a series; the end of each period.
    index : DataFrame, one row per series: entity, metric, frequency, basis, source, then any attributes (name,
        sector, ...). Sorted by these five, which are unique.
    available_at : int64 microseconds, shape (total,): when each value became public.
    flags : uint8 bit set, shape (total,): doubts raised by the quality pass; 0 = none. Values stay untouched.
    """

    values: Floats
    offsets: Ints
    times: Ints
    index: pd.DataFrame
    available_at: Ints
    flags: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def __post_init__(self) -> None:
        if self.flags.size == 0 and self.values.size:
            object.__setattr__(self, "flags", np.zeros(self.values.size, np.uint8))

    # ---- making one -----------------------------------------------------------------------------------

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "Panel":
        """A panel from a long frame.

        Parameters
            frame : columns entity (else ticker or symbol), metric, time (else date), value; optional frequency,
                basis, source, available_at, flags and attributes that are constant per series (name, sector). NaN
                values are kept as missing. Without frequency it is inferred per series, without available_at it is
                assumed.
        Raises     BadInput: a column or key is missing or named twice, a time is missing or twice in one series, a
            frequency is unknown, a value is no number or infinite.
        """
        parts = from_long_frame(frame)
        check_parts(parts)
        return cls(*parts)

    @classmethod
    def from_parts(
        cls,
        values: Floats,
        offsets: Ints,
        times: Ints,
        index: pd.DataFrame,
        available_at: Ints | None = None,
        flags: NDArray[np.uint8] | None = None,
    ) -> "Panel":
        """A panel from arrays that are already in the layout of the class; checks lengths and infinities.

        Parameters
            values, offsets, times, index : as the fields of the class.
            available_at, flags : the same; default: public at once, no doubts.
        Raises     BadInput: lengths do not fit each other, or a value is infinite.
        """
        parts = Parts(
            values,
            offsets.astype(np.int64),
            times,
            index.reset_index(drop=True),
            times if available_at is None else available_at,
            np.zeros(values.size, np.uint8) if flags is None else flags,
        )
        check_parts(parts)
        return cls(*parts)

    @classmethod
    def from_arrays(
        cls,
        arrays: Sequence[ArrayLike],
        *,
        times: Sequence[ArrayLike] | None = None,
        entities: Sequence[str] | None = None,
        metric: str = "value",
        frequency: str = "irregular",
    ) -> "Panel":
        """A panel from plain arrays, one per series; without times the positions count as microseconds.

        Parameters
            arrays : one array of shape (n_i,) per series. NaN is kept as missing, infinity refused.
            times : one ascending array of int64 microseconds or datetime64 per series.
            metric, frequency : of every series.
            entities : one name per series, all different; "s0", "s1", ... by default. The panel is sorted by them.
        """
        parts = from_plain_arrays(arrays, times, entities, metric, frequency)
        check_parts(parts)
        return cls(*parts)

    # ---- looking at it --------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"Panel({len(self)} series of {self.index['entity'].nunique()} entities, {self.values.size} values)"

    def _repr_html_(self) -> str:
        span = self.index.assign(points=np.diff(self.offsets)).groupby(["metric", "frequency"])["points"]
        table = span.agg(["count", "min", "median", "max"]).rename(columns={"count": "series"})
        return f"<p>{self!r}</p>{table.to_html()}"

    @property
    def entities(self) -> list[str]:
        """The distinct entities, in order."""
        return list(dict.fromkeys(self.index["entity"]))

    def series(self, i: int) -> tuple[Ints, Floats]:
        """(times, values) of series i, as views."""
        part = slice(self.offsets[i], self.offsets[i + 1])
        return self.times[part], self.values[part]

    def to_frame(self) -> pd.DataFrame:
        """The long frame `from_frame` takes: key columns, attributes, time, value, available_at, flags."""
        long = self.index.loc[np.repeat(np.arange(len(self)), np.diff(self.offsets))].reset_index(drop=True)
        return long.assign(
            time=pd.to_datetime(self.times, unit="us", utc=True),
            value=self.values,
            available_at=pd.to_datetime(self.available_at, unit="us", utc=True),
            flags=self.flags,
        )

    # ---- parts of it ----------------------------------------------------------------------------------

    def take(self, rows: ArrayLike) -> "Panel":
        """The series at `rows` (ascending positions or a mask)."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        lengths = np.diff(self.offsets)[rows]
        offsets = offsets_of(lengths)
        pick = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return self._points(pick, offsets, self.index.iloc[rows])

    def _points(self, pick: NDArray[Any], offsets: Ints, index: pd.DataFrame) -> "Panel":
        return Panel(
            self.values[pick],
            offsets,
            self.times[pick],
            index.reset_index(drop=True),
            self.available_at[pick],
            self.flags[pick],
        )

    def select(
        self,
        *,
        entity: str | Sequence[str] | None = None,
        metric: str | Sequence[str] | None = None,
        frequency: str | None = None,
        since: Any = None,
        until: Any = None,
        as_of: Any = None,
    ) -> "Panel":
        """The part that fits every given condition.

        Parameters
            entity, metric : one name or several. frequency : one.
            since, until : anything pandas reads as a date; since <= time < until.
            as_of : only values with available_at <= as_of: what was public then.
        Raises     NotFound: a named entity or metric is not in the panel. A series left empty is dropped.
        """
        keep = np.ones(len(self), bool)
        for column, wanted in (("entity", entity), ("metric", metric), ("frequency", frequency)):
            if wanted is None:
                continue
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            absent = sorted(set(names) - set(self.index[column]))
            if absent:
                known = ", ".join(map(str, self.index[column].unique()[:8]))
                raise NotFound(f"the panel has no {column} {', '.join(map(repr, absent))}; it has {known}, ...")
            keep &= self.index[column].isin(names).to_numpy()
        panel = self if keep.all() else self.take(keep)
        inside = np.ones(panel.values.size, bool)
        if since is not None:
            inside &= panel.times >= moment(since)
        if until is not None:
            inside &= panel.times < moment(until)
        if as_of is not None:
            inside &= panel.available_at <= moment(as_of)
        return panel if inside.all() else panel._where(inside)

    def _where(self, inside: NDArray[np.bool_]) -> "Panel":
        lengths = np.add.reduceat(np.r_[inside, False].astype(np.int64), self.offsets[:-1])
        lengths[np.diff(self.offsets) == 0] = 0
        filled = lengths > 0
        offsets = offsets_of(lengths[filled])
        return self._points(np.flatnonzero(inside), offsets, self.index[filled])

    def chunks(self, k: int) -> Iterator["Panel"]:
        """At most k panels of about equal numbers of values, never splitting an entity."""
        checks.whole(k, "k", 1)
        if not len(self):
            return
        entity = self.index["entity"].to_numpy()
        borders = np.flatnonzero(np.concatenate([[True], entity[1:] != entity[:-1]]))
        cuts = np.searchsorted(self.offsets[borders], np.linspace(0, self.values.size, k + 1)[1:-1])
        edges = np.unique(np.concatenate([[0], borders[np.minimum(cuts, borders.size - 1)], [len(self)]]))
        for a, b in pairwise(edges):
            yield self.take(np.arange(a, b))

    # ---- derived panels -------------------------------------------------------------------------------

    def without_flagged(self) -> "Panel":
        """The same panel with flagged values missing (NaN)."""
        if not self.flags.any():
            return self
        return replace(self, values=np.where(self.flags > 0, np.nan, self.values))

    def aligned(self) -> "Panel":
        """All series of one entity and frequency on one time axis with a row for every fiscal period.

        Times of different series within 0.4 of a period are one period. A period that no series has (a hole) becomes a
        row of NaN whose time is interpolated, so that k positions are always k periods. Cost O(total log total).
        """
        return Panel(*align(self))

    def runs(self) -> Runs:
        """Every gap-free, NaN-free stretch of every series; a search never bridges a hole."""
        solid = ~np.isnan(self.values)
        breaks = np.zeros(self.values.size + 1, bool)
        breaks[self.offsets] = True
        longest = longest_step_days(self.index["frequency"].to_numpy())
        step = np.diff(self.times) / DAY
        breaks[1:-1] |= step > np.repeat(longest, np.diff(self.offsets))[1:]
        inside = np.r_[False, solid]
        starts = np.flatnonzero(solid & (~inside[:-1] | breaks[:-1]))
        stops = np.flatnonzero(solid & (~np.r_[solid[1:], False] | breaks[1:])) + 1
        series = np.searchsorted(self.offsets, starts, side="right") - 1
        return Runs(series.astype(np.int64), starts.astype(np.int64), stops.astype(np.int64))

    def scaled(self, how: Literal["zscore", "minmax", "log", "asinh", "index100"]) -> "Panel":
        """Each series on a common scale; see `tsbench.series.scaling.scale`."""
        return replace(self, values=scale(self.values, self.offsets, how))
