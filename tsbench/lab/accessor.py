"""`.tsb` on pandas objects: from a Series or a table to a panel, or straight to what it shows of a pattern."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.detect import stretches_of
from tsbench.detect.bank import bank_of
from tsbench.detect.matches import found_windows
from tsbench.detect.search import question_of, search_runs
from tsbench.errors import BadInput
from tsbench.patterns import Pattern, named, on
from tsbench.series import Panel

LONG = {"metric", "value"}
COLUMNS = ["entity", "start", "end", "length", "score"]


class _Tsb:
    """What Series and tables have in common: they become a panel, and are searched as one."""

    def panel(self, metric: str = "value") -> Panel:
        """See the kinds below."""
        raise NotImplementedError

    def _labels(self, panel: Panel) -> dict[str, NDArray[np.generic] | pd.Index]:
        """Per entity, the index labels of its values."""
        raise NotImplementedError

    def match(self, pattern: Pattern | str, *, top: int = 5, per_entity: int = 3) -> pd.DataFrame:
        """The stretches that follow a drawing best: correlation with the amplitude gate, no odds.

        Parameters
            pattern : with one drawing, which is looked for in these values whatever its own expressions are (then
                conditions in their units do not count). Or the name of a shipped one.
            top : rows. per_entity : of one series at most so many, apart from each other.
        Returns
            DataFrame, best first: entity, start, end (labels of the first and last value), length (values), score.
        Raises     BadInput: a pattern of several different drawings. NotFound: no shipped pattern of that name.
        """
        panel = self.panel()
        asked = named(pattern) if isinstance(pattern, str) else pattern
        drawing = _of_one_drawing(asked, str(panel.index["metric"].iloc[0]))
        stretches, bank = stretches_of(drawing, panel), bank_of(drawing, "history")
        kept = checks.whole(per_entity, "per_entity", 1)
        best = search_runs(stretches, question_of(stretches, bank, "history"), bank, heads={}, kept=kept)
        found = found_windows(drawing, stretches, best, {}, kept).head(checks.whole(top, "top", 1))
        labels = self._labels(panel)
        ends = zip(found["entity"], found["start"], found["end"], strict=True)
        rows = [(name, labels[name][a], labels[name][b - 1], b - a) for name, a, b in ends]
        table = pd.DataFrame(rows, columns=COLUMNS[:-1])
        return table.assign(score=found["score"].to_numpy())


@pd.api.extensions.register_series_accessor("tsb")
class SeriesTsb(_Tsb):
    """`series.tsb`: one series; its index is its time where that is dates, else positions are."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def panel(self, metric: str = "value") -> Panel:
        """A panel of this one series, named as the series is, else "series"."""
        return _wide(self._series.to_frame("series" if self._series.name is None else self._series.name), metric)

    def _labels(self, panel: Panel) -> dict[str, NDArray[np.generic] | pd.Index]:
        return dict.fromkeys(panel.entities, self._series.index)


@pd.api.extensions.register_dataframe_accessor("tsb")
class FrameTsb(_Tsb):
    """`frame.tsb`: a long table (entity or ticker, metric, time or date, value), else a series per column."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def _long(self) -> bool:
        return set(self._frame.columns) >= LONG

    def panel(self, metric: str = "value") -> Panel:
        """The table as a panel; `metric` names what the columns of a wide one hold."""
        return Panel.from_frame(self._frame) if self._long else _wide(self._frame, metric)

    def _labels(self, panel: Panel) -> dict[str, NDArray[np.generic] | pd.Index]:
        if not self._long:
            return dict.fromkeys(panel.entities, self._frame.index)
        times = pd.to_datetime(panel.times, unit="us", utc=True)
        return {name: times[panel.offsets[i] : panel.offsets[i + 1]] for i, name in enumerate(panel.index["entity"])}

    def match(self, pattern: Pattern | str, *, top: int = 5, per_entity: int = 3) -> pd.DataFrame:
        """As for a series (`pattern`, `top`, `per_entity`); a long table must hold one metric, else scan `panel()`."""
        if self._long and self._frame["metric"].nunique() > 1:
            kinds = ", ".join(map(str, self._frame["metric"].unique()[:5]))
            raise BadInput(f"the table holds several metrics ({kinds}); filter one, or scan .tsb.panel()")
        return super().match(pattern, top=top, per_entity=per_entity)


def _of_one_drawing(pattern: Pattern, metric: str) -> Pattern:
    """The pattern looked for in one metric; alternatives that share a drawing count as that drawing."""
    if pattern.expressions == (metric,):
        return pattern
    alike = len({channel.points for channel in pattern.channels}) == 1 and pattern.combine == "any"
    lone = replace(pattern, channels=pattern.channels[:1], combine="all") if alike else pattern
    return on(replace(lone, constraints=(), example=""), metric)


def _wide(frame: pd.DataFrame, metric: str) -> Panel:
    """One series per column."""
    for column in frame:
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise BadInput(f"column {column!r} holds {frame[column].dtype}, wanted numbers; convert or drop it")
    arrays = [frame[column].to_numpy(np.float64, na_value=np.nan) for column in frame]
    times = None
    if isinstance(frame.index, pd.DatetimeIndex):
        utc = frame.index if frame.index.tz is None else frame.index.tz_convert("UTC").tz_localize(None)
        times = [utc.to_numpy()] * len(arrays)
    return Panel.from_arrays(arrays, times=times, entities=[str(column) for column in frame], metric=metric)
