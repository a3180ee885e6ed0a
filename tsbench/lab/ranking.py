"""Every company's best stretch for a drawing that is still being drawn."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.detect import Executor, PatternDetector, Stretches, Where, stretches_of
from tsbench.detect.bank import Bank, bank_of
from tsbench.detect.search import Question, question_of, search_runs, shortest_run
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import Pattern
from tsbench.series import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Sets of channels kept evaluated: those of a drawing, and of the few that were looked at before it.
KEPT = 4
# From this many companies on a preview is quicker; one in so many of its runs is then searched in full.
MANY, FINALISTS = 1_000, 10


@dataclass(frozen=True, slots=True)
class Ranking:
    """The companies nearest to a drawing.

    table : best first; entity, name, sector, channel (-1 = all of a joint pattern), start, stop (half-open positions in
    the stretches), first, last (times of the first and last period, microseconds), score; p_value and q_value of a
    fitted detector.
    tested : companies that were long enough and, but for history, live. companies : all of them.
    """

    pattern: Pattern
    where: Where
    table: pd.DataFrame
    tested: int
    companies: int


class Companies:
    """A panel, ready to be asked about one drawing after another; channels are evaluated once.

    panel : raw metrics of one frequency. executor : the searches go through its `map`.
    """

    def __init__(self, panel: Panel, executor: Executor | None = None) -> None:
        self.panel = panel
        self.executor = executor
        self._asked: tuple[Stretches, tuple[Where, int, str], Question] | None = None
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[tuple[str, ...], str], Stretches] = OrderedDict()

    def stretches(self, pattern: Pattern) -> Stretches:
        """The pattern's channels over the panel. Raises NotFound or BadInput as `stretches_of` does."""
        key = pattern.expressions, pattern.combine
        with self._lock:
            if key not in self._seen:
                self._seen[key] = stretches_of(pattern, self.panel)
                while len(self._seen) > KEPT:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(key)
            return self._seen[key]

    def rank(self, pattern: Pattern, *, where: Where = "history", top: int = 12, preview: bool = False) -> Ranking:
        """The `top` companies by their best stretch: correlation with the amplitude gate, at every place and scale.

        Parameters
            pattern : the drawing. where : as in `PatternDetector.scan`.
            preview : of many companies, look at every third scale first, and at all scales only where that looks best:
                half the time, nearly the same list (benchmark/board.py says how nearly).
        Raises     NotFound: a metric is not there. BadInput: an expression or a drawing that cannot be looked for.
        """
        stretches, bank = self.stretches(pattern), bank_of(pattern, where)
        question = self._question(pattern, stretches, bank, where)
        tested = int(np.unique(stretches.entity[question.runs]).size)
        if preview and tested > MANY:
            rough = search_runs(stretches, question, _every_third(bank), heads={}, executor=self.executor).score[:, 0]
            finalists = np.zeros(rough.size, np.bool_)
            finalists[np.argpartition(-rough, rough.size // FINALISTS)[: rough.size // FINALISTS]] = True
            question = replace(question, runs=question.runs & finalists)
        best = search_runs(stretches, question, bank, heads={}, executor=self.executor)
        score = np.where((best.start[:, 0] >= 0) & (best.score[:, 0] > 0), best.score[:, 0], -np.inf)
        order = np.argsort(-score, kind="stable")
        # The first of each entity is its best run.
        run = order[np.sort(np.unique(stretches.entity[order], return_index=True)[1])]
        run = run[np.isfinite(score[run])][:top]
        start, stop = best.start[run, 0], best.start[run, 0] + best.length[run, 0]
        table = _table(stretches, stretches.entity[run], stretches.channel[run], start, stop, score[run])
        return Ranking(pattern, where, table, tested, len(stretches.index))

    def _question(self, pattern: Pattern, stretches: Stretches, bank: Bank, where: Where) -> Question:
        """`question_of`, which a corner that moves does not change."""
        key, known = (where, shortest_run(bank), pattern.example), self._asked
        if known is None or known[0] is not stretches or known[1] != key:
            known = self._asked = stretches, key, question_of(stretches, bank, where, None, pattern.example)
        return known[2]

    def rank_by_odds(self, detector: PatternDetector, *, where: Where = "history", top: int = 12) -> Ranking:
        """The `top` companies by the p-value of a fitted detector, the score among equals; q over all tested."""
        pattern = detector.pattern
        stretches = self.stretches(pattern)
        found = detector.score(stretches, where=where, executor=self.executor)
        found["q_value"] = benjamini_hochberg(found["p_value"])
        found = found.assign(at=np.arange(len(found)))
        tested = int((found["status"] == "tested").sum())
        found = found[found["length"] > 0].sort_values(["p_value", "score"], ascending=[True, False], kind="stable")
        found = found.head(top)
        entity = found["at"].to_numpy()
        start = stretches.offsets[entity] + np.array([e["first"] for e in found["evidence"]], np.int64)
        joint = pattern.combine == "all"
        channel = [-1 if joint else pattern.expressions.index(names[0]) for names in found["channels"]]
        stop = start + found["length"].to_numpy()
        table = _table(stretches, entity, np.array(channel, np.int64), start, stop, found["score"].to_numpy())
        table = table.assign(p_value=found["p_value"].to_numpy(), q_value=found["q_value"].to_numpy())
        return Ranking(pattern, where, table, tested, len(stretches.index))


def _every_third(bank: Bank) -> Bank:
    """The bank with every third length, the shortest among them: there chance comes nearest, and scores are close."""
    rows = np.isin(bank.length, np.unique(bank.length)[::3])
    few = {name: getattr(bank, name)[rows] for name in ("offset", "length", "complete", "sign")}
    return replace(bank, **few)


def _table(stretches: Stretches, entity: Ints, channel: Ints, start: Ints, stop: Ints, score: Floats) -> pd.DataFrame:
    index = stretches.index.iloc[entity].reset_index(drop=True)
    return pd.DataFrame(
        {
            "entity": index["entity"],
            "name": index.get("name", index["entity"]),
            "sector": index.get("sector", ""),
            "channel": channel,
            "start": start,
            "stop": stop,
            "first": stretches.times[start],
            "last": stretches.times[stop - 1],
            "score": score,
        }
    )
