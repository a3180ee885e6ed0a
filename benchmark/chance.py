"""Pure chance: the shipped companies, their series with every run replaced by a surrogate, and the naive odds."""

from dataclasses import replace

import numpy as np
import pandas as pd
from measure import ROOT
from scipy.signal import lfilter

from tsbench.detect import Stretches, stretches_of
from tsbench.detect.bank import RECENT_PERIODS, Where, bank_of, of_channel
from tsbench.detect.nulls import surrogate_runs
from tsbench.detect.search import best_windows, long_enough, question_of, search_runs
from tsbench.evaluate import any_of
from tsbench.patterns import NULLS, Pattern
from tsbench.patterns.surrogates import resample
from tsbench.series import Panel
from tsbench.series.quality import flag

SHIPPED = ROOT / "data" / "companies" / "quarterly_1993_2019.parquet"
KINDS = (*NULLS, "ar_sieve")


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
    """The floor: one Gumbel per channel for all companies alike, without features.

    Fitted like ours on surrogates of the training companies, but of block bootstraps alone; the moments of atanh(score)
    give location and scale. Several runs of a company are paid for by Sidak, as in ours.
    """

    def __init__(self, pattern: Pattern, train: Stretches, questions: list[Where], rng: np.random.Generator) -> None:
        self._banks = {where: bank_of(pattern, where) for where in questions}
        self._fitted: dict[tuple[Where, int], tuple[float, float, float]] = {}
        for where, bank in self._banks.items():
            usable = np.flatnonzero(long_enough(train, bank))
            for channel in np.unique(train.channel[usable]):
                rows = usable[train.channel[usable] == channel]
                values, length = surrogate_runs(train, rows, -(-2_000 // rows.size), "block_bootstrap", rng)
                stop = np.cumsum(length)
                first_end = np.zeros_like(stop) if where == "history" else stop - (RECENT_PERIODS - 1)
                found = best_windows(values, (stop - length, stop, first_end), of_channel(bank, int(channel)))
                y = _unbounded(found.score[np.isfinite(found.score)])
                scale = float(y.std() * np.sqrt(6) / np.pi)
                location = float(y.mean() - 0.57722 * scale)
                self._fitted[where, int(channel)] = location, scale, float(np.isfinite(found.score).mean())

    def p_value(self, stretches: Stretches, where: Where) -> np.ndarray:
        """One p-value per entity; NaN where none of its runs can hold an answer."""
        bank = self._banks[where]
        question = question_of(stretches, bank, where)
        score = search_runs(stretches, question, bank).score
        smallest = np.full(len(stretches.index), np.nan)
        for channel in np.unique(stretches.channel[question.runs]):
            rows = np.flatnonzero(question.runs & (stretches.channel == channel))
            location, scale, allowed = self._fitted[where, int(channel)]
            p = allowed * -np.expm1(-np.exp(-(_unbounded(score[rows]) - location) / scale))
            np.fmin.at(smallest, stretches.entity[rows], np.where(np.isfinite(score[rows]), p, 1.0))
        return any_of(smallest, np.bincount(stretches.entity[question.runs], minlength=smallest.size))


def _unbounded(score: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(score, -0.9999, 0.9999))
