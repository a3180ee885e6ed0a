"""The detector behind a board: trained on its drawing, taught by its verdicts."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from tsbench.detect import Executor, PatternDetector
from tsbench.jobs import judged_windows
from tsbench.lab.ranking import Companies
from tsbench.lab.tasks import Cancelled
from tsbench.patterns import Pattern
from tsbench.store.drawings import spec_hash

# Series that stand for chance; how many of them, and what share of a judge, do for a first answer to a verdict.
SURROGATES, PREVIEW, QUICK = 6_000, 600, 0.2


class Teacher:
    """Keeps the detector of one drawing at a time; `changed` is called whenever there is another.

    companies : what it learns on. executor : the searches go through its `map`. learnt : verdicts it was last taught.
    """

    def __init__(self, companies: Companies, executor: Executor, changed: Callable[[], None]) -> None:
        self._companies, self._executor, self._changed = companies, executor, changed
        self._detector: PatternDetector | None = None
        self.learnt = 0

    def of(self, drawing: Pattern) -> PatternDetector | None:
        """The detector, if it is of this drawing and name; the unit of its points is no difference."""
        known = self._detector
        if known is None or known.pattern.name != drawing.name or spec_hash(known.pattern) != spec_hash(drawing):
            return None
        return known

    def train(self, drawing: Pattern, labels: pd.DataFrame, *, preview: bool) -> PatternDetector:
        """Fit a detector, or teach the one there is; with `preview` a coarse judge, or coarse odds, come first.

        Labels that lie nowhere in these channels teach nothing. When it is cancelled the detector before stays.
        """
        before, detector = self._detector, self.of(drawing)
        stretches = self._companies.stretches(drawing)
        seen = judged_windows(drawing, stretches, labels)
        self.learnt = 0 if seen is None else seen.run.size
        first = PREVIEW if preview and seen is not None else SURROGATES
        try:
            if detector is None:
                given: dict[str, Any] = {"seen": seen, "executor": self._executor}
                if first < SURROGATES:
                    self._use(PatternDetector(drawing, surrogates=first).fit_stretches(stretches, share=QUICK, **given))
                detector = self._use(PatternDetector(drawing, surrogates=SURROGATES).fit_stretches(stretches, **given))
            elif seen is not None:
                detector = self._taught(detector, labels, first)
                if first < SURROGATES:
                    detector = self._taught(detector, labels, SURROGATES)
        except Cancelled:
            self._detector = before
            self._changed()
            raise
        return detector

    def _taught(self, detector: PatternDetector, labels: pd.DataFrame, surrogates: int) -> PatternDetector:
        panel = self._companies.panel
        return self._use(detector.refit(labels, panel, surrogates=surrogates, executor=self._executor))

    def _use(self, detector: PatternDetector) -> PatternDetector:
        self._detector = detector
        self._changed()
        return detector
