"""Pure chance: the shipped companies, their series with every run replaced by a surrogate, and the naive odds."""

from dataclasses import replace

import numpy as np
import pandas as pd
from measure import ROOT
from scipy.signal import lfilter

from tsbench.detect import PatternDetector, Stretches, stretches_of
from tsbench.detect.bank import Where, bank_of
from tsbench.detect.odds import unbounded
from tsbench.detect.search import question_of, search_runs
from tsbench.evaluate import any_of
from tsbench.patterns import NULLS, Pattern
from tsbench.patterns.surrogates import resample
from tsbench.series import Panel
from tsbench.series.quality import flag

SHIPPED = ROOT / "data" / "companies" / "quarterly_1993_2019.parquet"
KINDS = (*NULLS, "ar_sieve")
# Surrogates of every company that the naive odds are fitted on.
SETS = 12


def companies(pattern: Pattern) -> Stretches:
    """The shipped companies as the pattern sees them, flagged values left out."""
    frame = pd.read_parquet(SHIPPED).rename(columns={"ticker": "entity", "date": "time"}).assign(frequency="quarterly")
    panel = Panel.from_frame(frame)
    return stretches_of(pattern, replace(panel, flags=flag(panel)))


def chance(stretches: Stretches, kind: str, rng: np.random.Generator) -> Stretches:
    """The stretches with every run replaced by one surrogate of itself."""
    values = stretches.values.copy()
    for start, stop, channel in zip(stretches.start, stretches.stop, stretches.channel, strict=True):
        rows = slice(None) if channel < 0 else slice(channel, channel + 1)
        run = stretches.values[rows, start:stop]
        if stop - start >= 4:
            drawn = sieve(run, rng) if kind == "ar_sieve" else resample(run, 1, kind, rng)[:, 0]
            values[rows, start:stop] = drawn
    return replace(stretches, values=values)


def sieve(run: np.ndarray, rng: np.random.Generator, order: int = 4) -> np.ndarray:
    """Autoregressive sieve bootstrap of the differences (Buehlmann 1997): AR(4) with resampled residuals."""
    steps = np.diff(run, axis=1)
    n = steps.shape[1]
    if n <= 3 * order:
        return run[:, :1] + np.c_[np.zeros(len(run)), np.cumsum(steps[:, rng.permutation(n)], axis=1)]
    pick = rng.integers(0, n - order, n + 50)
    out = np.empty_like(steps)
    for k, row in enumerate(steps - steps.mean(axis=1, keepdims=True)):
        lags = np.stack([row[order - j - 1 : n - j - 1] for j in range(order)], axis=1)
        weights = np.linalg.lstsq(lags, row[order:], rcond=None)[0]
        if np.abs(np.roots(np.r_[1, -weights])).max(initial=0) >= 0.98:
            weights = np.zeros(order)
        residual = row[order:] - lags @ weights
        out[k] = lfilter([1.0], np.r_[1.0, -weights], (residual - residual.mean())[pick])[-n:] + steps[k].mean()
    return run[:, :1] + np.c_[np.zeros(len(run)), np.cumsum(out, axis=1)]


class NaiveOdds:
    """The floor: the detector's own scores, but one Gumbel per channel for all companies alike, without features.

    Fitted like ours on surrogates of the training companies, but of block bootstraps alone; the moments of the scores
    (of atanh where they are correlations) give location and scale. Several runs of a company are paid for by Sidak, as
    in ours.
    """

    def __init__(
        self, detector: PatternDetector, train: Stretches, questions: list[Where], rng: np.random.Generator
    ) -> None:
        self._heads = {where: detector._heads.get(where, {}) for where in questions}
        self._banks = {where: bank_of(detector.pattern, where) for where in questions}
        self._fitted: dict[tuple[Where, int], tuple[float, float, float]] = {}
        drawn = [chance(train, "block_bootstrap", rng) for _ in range(SETS)]
        for where, bank in self._banks.items():
            runs = question_of(train, bank, where).runs
            score = np.stack([self._scores(one, where) for one in drawn])
            for channel in np.unique(train.channel[runs]):
                best = score[:, runs & (train.channel == channel)]
                y = unbounded(best[np.isfinite(best)], channel not in self._heads[where])
                scale = float(y.std() * np.sqrt(6) / np.pi)
                location = float(y.mean() - 0.57722 * scale)
                self._fitted[where, int(channel)] = location, scale, float(np.isfinite(best).mean())

    def _scores(self, stretches: Stretches, where: Where) -> np.ndarray:
        """The best score of every run; -inf for those not asked about."""
        question = question_of(stretches, self._banks[where], where)
        return search_runs(stretches, question, self._banks[where], heads=self._heads[where]).score[:, 0]

    def p_value(self, stretches: Stretches, where: Where) -> np.ndarray:
        """One p-value per entity; NaN where none of its runs can hold an answer."""
        question, score = question_of(stretches, self._banks[where], where), self._scores(stretches, where)
        smallest = np.full(len(stretches.index), np.nan)
        for channel in np.unique(stretches.channel[question.runs]):
            rows = np.flatnonzero(question.runs & (stretches.channel == channel))
            location, scale, allowed = self._fitted[where, int(channel)]
            z = (unbounded(score[rows], channel not in self._heads[where]) - location) / scale
            p = allowed * -np.expm1(-np.exp(-z))
            np.fmin.at(smallest, stretches.entity[rows], np.where(np.isfinite(score[rows]), p, 1.0))
        return any_of(smallest, np.bincount(stretches.entity[question.runs], minlength=smallest.size))
