"""PatternDetector: from a drawing to a ranked table of companies with the odds of each."""

from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tsbench import checks
from tsbench.detect.bank import WHERE, Bank, Stretches, Where, bank_of, stretches_of
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head
from tsbench.detect.heads import fit_heads, taught
from tsbench.detect.lessons import Labelled, labelled_windows
from tsbench.detect.matches import found_windows, match_table
from tsbench.detect.nulls import (
    NullChoice,
    OddsTable,
    fit_odds,
    needed_scores,
    nulls_of,
    own_p_values,
    p_values,
    sampled,
)
from tsbench.detect.search import question_of, search_runs, shortest_run
from tsbench.detect.state import KIND, VERSION, pack, unpack
from tsbench.detect.windows import correlations
from tsbench.errors import BadInput, NotFitted
from tsbench.evaluate import benjamini_hochberg
from tsbench.patterns import Pattern
from tsbench.records import State
from tsbench.series import Panel
from tsbench.series.frames import moment

Floats = NDArray[np.float64]
SETTINGS = ("seed", "surrogates", "background_entities", "trained")


class PatternDetector:
    """Finds a pattern in every company and says how likely that is by chance.

    A hypothesis is one (pattern, entity): the largest score over positions, scales, gap-free stretches and
    alternative channels. `fit` trains a judge of candidate windows on copies of the drawing and near misses planted in
    the background, and learns the odds on surrogates of it, once for each null model; the default verdict is the
    largest p-value over the nulls. Not a scikit-learn estimator: it takes panels.

    Parameters
        pattern : what to look for.
        seed : fixes the surrogates; equal seed and background give equal numbers.
        surrogates : per null and alternative channel. The p-value of a stretch goes down to 1 / (surrogates + 1).
        background_entities : at most so many entities, drawn evenly from the background, are resampled.
        trained : False leaves out the judge: correlation with the amplitude gate alone decides. A drawing that still
            forms is always asked that way, for its first part says too little to train on.
    """

    def __init__(
        self,
        pattern: Pattern,
        *,
        seed: int = 0,
        surrogates: int = 6_000,
        background_entities: int = 400,
        trained: bool = True,
    ) -> None:
        self.pattern = pattern
        self.seed = checks.whole(seed, "seed", 0)
        self.surrogates = checks.whole(surrogates, "surrogates", 500)
        self.background_entities = checks.whole(background_entities, "background_entities", 10)
        self._banks: dict[Where, Bank] = {where: bank_of(pattern, where) for where in ("now", "history")}
        with suppress(BadInput):  # a drawing that begins flat shows nothing while it forms; asking for it says so
            self._banks["forming"] = bank_of(pattern, "forming")
        self.trained = bool(trained)
        self._heads: dict[Where, dict[int, Head]] = {}
        self._odds: OddsTable = {}
        self._known = 0

    def __repr__(self) -> str:
        state = f"fitted on {self.surrogates} surrogates" if self._odds else "not fitted"
        return f"PatternDetector({self.pattern!r}, {state})"

    def fit(self, background: Panel, *, executor: Executor | None = None) -> Self:
        """Learn what chance looks like.

        Parameters
            background : raw metrics of real series, the universe to be scanned or one like it; flagged values are
                left out. Holes and NaN split a series.
            executor : the searches go through its `map`.
        Raises     NotFound: a metric the pattern needs is not there. TooShort: no stretch is long enough.
        """
        return self.fit_stretches(stretches_of(self.pattern, background), executor=executor)

    def fit_stretches(
        self, stretches: Stretches, *, seen: Labelled | None = None, share: float = 1, executor: Executor | None = None
    ) -> Self:
        """`fit` on `stretches` evaluated before (cross-sectional channels on their universe); `executor` as there.

        `seen` : windows of these that a user has judged. `share` : of a judge's usual size, less for a quick one.
        """
        if self.trained:
            known = sampled(stretches, self.background_entities, self.seed)
            self._heads = fit_heads(self.pattern, known, self._banks, seed=self.seed, share=share, executor=executor)
        return self._fit_odds(stretches, seen, executor)

    def _fit_odds(self, stretches: Stretches, seen: Labelled | None, executor: Executor | None) -> Self:
        if seen is not None:
            self._heads = {where: taught(lanes, stretches, seen) for where, lanes in self._heads.items()}
        known = sampled(stretches, self.background_entities, self.seed)
        self._odds = fit_odds(
            known, self._banks, heads=self._heads, surrogates=self.surrogates, seed=self.seed, executor=executor
        )
        self._known = known.known
        return self

    def refit(
        self,
        labels: pd.DataFrame,
        background: Panel,
        *,
        surrogates: int | None = None,
        executor: Executor | None = None,
    ) -> "PatternDetector":
        """A new detector, its odds too, that has learnt from a user's verdicts on matches; this one stays as it is.

        A company is never judged with its own labels. Labels replace those of an earlier `refit`.

        Parameters
            labels : what `store.labels.of(pattern)` returns: entity, channels, start, end, verdict.
            background : the raw metrics that hold the labelled stretches; the odds are learnt on them.
            surrogates : fewer than this one's, for a quick preview of the odds. executor : as in `fit`.
        Raises     NotFitted: `fit` first. BadInput: the detector is not `trained`, or no label fits the data.
        """
        self.check_fitted()
        if not self.trained:
            raise BadInput("a detector with trained=False has no judge that could learn from labels; fit a trained one")
        wiser, stretches = copy(self), stretches_of(self.pattern, background)
        wiser.surrogates = checks.whole(surrogates or self.surrogates, "surrogates", 500)
        return wiser._fit_odds(stretches, labelled_windows(self.pattern, stretches, labels), executor)

    def check_fitted(self, as_of: Any = None) -> None:
        """Raise NotFitted before `fit`, and BadInput when the background holds values published after `as_of`."""
        if not self._odds:
            raise NotFitted("this detector has no odds yet; call fit(background) first")
        if as_of is not None and self._known > moment(as_of):
            known = pd.Timestamp(self._known, unit="us").date()
            raise BadInput(
                f"the detector was fitted on values published up to {known}, after as_of {as_of}; "
                "fit it on panel.select(as_of=...) of that day"
            )

    def scan(
        self,
        panel: Panel,
        *,
        where: Where = "now",
        as_of: Any = None,
        null: NullChoice = "largest",
        confirm: int = 0,
        executor: Executor | None = None,
    ) -> pd.DataFrame:
        """Every entity's best match, most surprising first.

        Parameters
            panel : raw metrics; flagged values are left out.
            where : "now" = ends in the last two periods of a live entity; "history" = anywhere, dead entities too;
                "forming" = the first 60 to 90 % of the drawing ends in the last two periods.
            as_of : use only what was public then; the panel's flags are taken as given (`Store.series_of` judges anew).
            null : whose p-value is the verdict; "largest" takes the largest over all.
            confirm : for the first so many rows also run 999 surrogates of that very series per null; column
                p_confirmed.
            executor : the search goes through its `map`.
        Returns
            DataFrame, one row per entity, columns as `tsbench.detect.matches.COLUMNS`. Entities that could not be
            tested stand at the end with their reason in `status` and NaN odds; q_value is Benjamini-Hochberg over
            the tested ones.
        Raises     NotFitted: `fit` first. BadInput: an unknown question, or a background from after `as_of`.
        """
        self.check_fitted(as_of)
        if as_of is not None:
            panel = panel.select(as_of=as_of)
        stretches = stretches_of(self.pattern, panel)
        table = self.score(stretches, where=where, null=null, executor=executor)
        table["q_value"] = benjamini_hochberg(table["p_value"])
        table = table.sort_values(["p_value", "score"], ascending=[True, False], kind="stable", na_position="last")
        table = table.reset_index(drop=True)
        if confirm:
            first = self.confirm(stretches, list(table["entity"][:confirm]), where=where, null=null)
            table["p_confirmed"] = pd.Series(first).reindex(table.index)
        return table

    def score(
        self,
        stretches: Stretches,
        *,
        where: Where,
        null: NullChoice = "largest",
        newest: int | None = None,
        executor: Executor | None = None,
    ) -> pd.DataFrame:
        """Search and odds for prepared stretches, in the order of their entities, without q-values.

        `where`, `null`, `executor` as in `scan`; a chunk of a larger panel gives that one's `newest` period (us).
        """
        self.check_fitted()
        nulls_of(null)
        bank, heads = self._bank(where), self._heads.get(where, {})
        question = question_of(stretches, bank, where, newest, self.pattern.example)
        best = search_runs(stretches, question, bank, heads=heads, executor=executor)
        p, floor = p_values(self.pattern, stretches, question.runs, best, self._odds, where)
        return match_table(self.pattern, stretches, bank, best, p, floor, question, where, null, heads)

    def find(
        self, panel: Panel, *, where: Where = "history", per_entity: int = 5, executor: Executor | None = None
    ) -> pd.DataFrame:
        """Every entity's best matches that stand apart, without odds.

        Parameters
            panel, where, executor : as in `scan`. per_entity : at most so many of each entity.
        Returns
            DataFrame, best first: entity, channel (the expression, or all of a joint pattern), start, end (half-open
            positions in the entity's series), score (as in `scan`). Raises NotFitted: `fit` first.
        """
        self.check_fitted()
        checks.whole(per_entity, "per_entity", 1)
        stretches, bank, heads = stretches_of(self.pattern, panel), self._bank(where), self._heads.get(where, {})
        question = question_of(stretches, bank, where, None, self.pattern.example)
        best = search_runs(stretches, question, bank, heads=heads, kept=per_entity, executor=executor)
        return found_windows(self.pattern, stretches, best, heads, per_entity)

    def _bank(self, where: Where) -> Bank:
        checks.choice(where, "where", WHERE)
        return self._banks[where] if where in self._banks else bank_of(self.pattern, where)

    def score_windows(self, windows: ArrayLike) -> Floats:
        """Correlation of given windows with the pattern, without search, gate or odds.

        Parameters
            windows : shape (n, channels, window) or, for one channel, (n, window). NaN gives NaN.
        Returns
            float64, shape (n,), in [-1, 1]: the smallest over the channels ("all") or the largest ("any").
        """
        return correlations(self.pattern, windows)

    def confirm(
        self,
        stretches: Stretches,
        entities: list[str],
        *,
        where: Where,
        null: NullChoice = "largest",
        newest: int | None = None,
        n: int = 999,
    ) -> Floats:
        """p-values of some entities from n surrogates of their own series; `where`, `null`, `newest` as in `score`.

        No model stands between: (1 + surrogates that score at least as high) / (n + 1), Sidak over the stretches.
        NaN for an entity that is not tested. Costs a rescan of n series per stretch and null.
        """
        bank, heads = self._bank(where), self._heads.get(where, {})
        question = question_of(stretches, bank, where, newest, self.pattern.example)
        named = stretches.index["entity"].isin(entities).to_numpy()
        question = replace(question, runs=question.runs & named[stretches.entity])
        own = own_p_values(stretches, question, bank, heads, kinds=nulls_of(null), n=n, seed=self.seed)
        return np.array([own.get(entity, np.nan) for entity in entities], dtype=np.float64)

    def needed_score(self, lengths: ArrayLike, *, q: float, family: int, where: Where = "now") -> pd.DataFrame:
        """The score a lone match must reach to pass, by length of the series; 1 = no score reaches it.

        An entity with one stretch per alternative channel is meant, so each of them must beat q / family by Sidak.
        Lengths far outside those of the background are answered like the nearest that it had.

        Parameters
            lengths : periods. q : the false discovery rate asked for. where : as in `scan`. family : entities tested
                together; the first of them needs p <= q / family.
        Returns
            DataFrame, one row per length and channel: length, channel, needed score under the strictest null. The
            other features are the background's average.
        """
        tries = len(self.pattern.channels) if self.pattern.combine == "any" else 1
        p = float(-np.expm1(np.log1p(-checks.between(q, "q", 0, 1) / checks.whole(family, "family", 1)) / tries))
        shortest = shortest_run(self._bank(where))
        lengths = np.asarray(lengths, dtype=np.int64)
        return needed_scores(self.pattern, self._odds, self._heads.get(where, {}), where, lengths, p, shortest)

    def to_state(self) -> State:
        """Everything fitted, as plain numbers. Raises NotFitted before `fit`."""
        self.check_fitted()
        meta = {"pattern": self.pattern.to_json(), "known": self._known} | {n: getattr(self, n) for n in SETTINGS}
        return State(KIND, VERSION, meta, pack(self._heads, self._odds))

    @classmethod
    def from_state(cls, state: State) -> "PatternDetector":
        """The inverse of `to_state`. Raises BadInput for another kind or another version."""
        heads, odds = unpack(state)
        detector = cls(Pattern.from_json(state.meta["pattern"]), **{name: state.meta[name] for name in SETTINGS})
        detector._known, detector._heads, detector._odds = int(state.meta["known"]), heads, odds
        return detector
