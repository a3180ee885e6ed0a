"""Fit the detector of a pattern to the companies of the store, and register it."""

from typing import TYPE_CHECKING

import pandas as pd

from tsbench.detect import Executor, PatternDetector, Stretches, stretches_of
from tsbench.detect.lessons import Labelled, labelled_windows
from tsbench.errors import BadInput, NotFound
from tsbench.jobs.named import data_hash, resolve
from tsbench.jobs.threads import threads
from tsbench.patterns import Pattern
from tsbench.series import Panel

if TYPE_CHECKING:
    from tsbench.store import ModelVersion, Store


# periods of history for which the needed score is noted: 5, 10, 20 years of quarters
LENGTHS = (20, 40, 80)


def fitted(
    store: "Store", pattern: Pattern, stretches: Stretches, *, seed: int = 0, executor: Executor | None = None
) -> PatternDetector:
    """A detector that has learnt from the stretches and from the verdicts that the store keeps on its matches.

    Parameters
        store : keeps the labels. pattern : what to look for. stretches : of the universe, for this pattern.
        seed : fixes all draws. executor : as in `PatternDetector.fit`; default: one thread per core.
    """
    seen = judged_windows(pattern, stretches, store.labels.of(pattern.name))
    with threads(executor) as pool:
        return PatternDetector(pattern, seed=seed).fit_stretches(stretches, seen=seen, executor=pool)


def train(
    store: "Store",
    pattern: Pattern | str,
    *,
    frequency: str = "quarterly",
    seed: int = 0,
    executor: Executor | None = None,
) -> "ModelVersion":
    """Fit a detector on every company and register it under the pattern's name as a new version.

    Parameters
        store : where the companies are read and the model is kept.
        pattern : a Pattern, or the name of one that is saved in the store or shipped.
        frequency : of the series to read.
        seed : fixes the surrogates.
        executor : the searches go through its `map`.
    Returns
        ModelVersion. Its metrics: companies and stretches learnt from, and for 20, 40 and 80 periods of history the
        score that a lone company among all would need for q <= 0.1.
    Raises     NotFound: no such pattern, or no company has what it needs.
    """
    pattern = resolve(store, pattern)
    panel = store.series_of(metric=pattern.metrics, frequency=frequency)
    if not len(panel):
        raise NotFound(f"the store holds no {frequency} {' or '.join(pattern.metrics)}; see `tsbench load`")
    stretches = stretches_of(pattern, panel)
    return register(store, fitted(store, pattern, stretches, seed=seed, executor=executor), stretches, panel)


def register(store: "Store", detector: PatternDetector, stretches: Stretches, panel: Panel) -> "ModelVersion":
    """Keep a fitted detector as a new version under its pattern's name, with the metrics that `train` names.

    Parameters
        store : where it is kept. detector : a fitted one.
        stretches : what it was fitted to. panel : the series they are of; its fingerprint is kept.
    """
    companies = len(stretches.index)
    needed = detector.needed_score(LENGTHS, q=0.1, family=companies)
    metrics = {
        "companies": companies,
        "stretches": int(stretches.start.size),
        "needed_score": needed.to_dict("records"),
    }
    name, seed = detector.pattern.name, detector.seed
    return store.registry.put(name, detector, metrics=metrics, data_hash=data_hash(panel), seed=seed)


def judged_windows(pattern: Pattern, stretches: Stretches, labels: pd.DataFrame) -> Labelled | None:
    """What labels teach: the accepted and rejected windows that these data hold; None where they hold none.

    Parameters
        pattern, stretches : as in `fitted`. labels : what `store.labels.of` returns.
    """
    told = labels[labels["verdict"] != "unsure"]
    try:
        return labelled_windows(pattern, stretches, told) if len(told) else None
    except BadInput:  # another frequency, an earlier day, other channels under the same name
        return None
