"""What the user said of matches: in the store's labels, or in memory where there is no store."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from tsbench.evaluate import VERDICTS, Verdict
from tsbench.evaluate.retrieval import overlap
from tsbench.series.frames import moment

if TYPE_CHECKING:
    from tsbench.store import Store

# Stretches that share this much (intersection over union) are the same to a reader.
SAME = 0.5
COLUMNS = ["entity", "channels", "start", "end", "verdict", "score"]


class Verdicts:
    """Labels by the name of a pattern; `store` keeps them, without one they last as long as the session."""

    def __init__(self, store: "Store | None") -> None:
        self._store = store
        self._kept: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
        self._read: dict[str, pd.DataFrame] = {}

    def put(self, pattern: str, match: dict[str, Any], verdict: Verdict) -> None:
        """Keep a verdict on a match (entity, channels, start, end, score); it replaces one on the same stretch."""
        if self._store is not None:
            self._store.labels.put(pattern, match, verdict)
            self._read.pop(pattern, None)
        else:
            stretch = match["entity"], tuple(match["channels"]), match["start"], match["end"]
            self._kept.setdefault(pattern, {})[stretch] = {**match, "verdict": verdict}

    def of(self, pattern: str) -> pd.DataFrame:
        """The labels of a pattern, with the columns that `PatternDetector.refit` reads."""
        if self._store is None:
            return pd.DataFrame(list(self._kept.get(pattern, {}).values()), columns=COLUMNS)
        if pattern not in self._read:
            self._read[pattern] = self._store.labels.of(pattern)
        return self._read[pattern]

    def said(self, pattern: str) -> "Said":
        """What was said of stretches of a pattern of this name."""
        rows = [
            (row["entity"], tuple(row["channels"]), moment(row["start"]), moment(row["end"]), row["verdict"])
            for row in self.of(pattern).to_dict("records")
        ]
        return Said(rows)


class Said:
    """Verdicts by stretch. One on a stretch that is nearly this one counts: a judge that learns moves the bounds."""

    def __init__(self, rows: list[tuple[str, tuple[str, ...], int, int, str]]) -> None:
        self._rows = rows

    def of(self, entity: str, channels: tuple[str, ...], first: int, last: int) -> str:
        """The verdict on the stretch from `first` to `last` (microseconds), the nearest one; "" for none."""
        best, found = SAME, ""
        for name, expressions, a, b, verdict in self._rows:
            if name == entity and expressions == channels:
                shared = overlap(first, last, a, b)
                if shared >= best:
                    best, found = shared, verdict
        return found

    def count(self) -> dict[str, int]:
        """How many stretches were accepted, rejected, left unsure."""
        return {verdict: sum(row[-1] == verdict for row in self._rows) for verdict in VERDICTS}
