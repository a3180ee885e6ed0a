"""The heads of a pattern: one for a joint drawing, one for each different drawing among alternatives."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from tsbench.detect.bank import Bank, Stretches, Where, of_channel
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head, fit_head
from tsbench.detect.lessons import Labelled, Lessons
from tsbench.patterns import Pattern

# A drawing that still forms says too little to train on.
JUDGED: tuple[Where, ...] = ("now", "history")


def fit_heads(
    pattern: Pattern,
    stretches: Stretches,
    banks: Mapping[Where, Bank],
    *,
    seed: int,
    share: float = 1.0,
    executor: Executor | None = None,
) -> dict[Where, dict[int, Head]]:
    """Train on the stretches of a background, for each question that a judge answers.

    Parameters
        stretches : runs in which copies are planted. banks : the templates by question. seed : fixes the draws.
        share : see `fit_head`. executor : the folds go through its `map`.
    Returns
        by question and channel, -1 for a joint pattern; alternatives with the same drawing share one head.
    Raises     TooShort: no stretch has room for the pattern.
    """
    given: dict[str, Any] = {"seed": seed, "share": share, "executor": executor}
    return {where: _heads(pattern, stretches, banks[where], where == "now", given) for where in JUDGED}


def _heads(pattern: Pattern, stretches: Stretches, bank: Bank, now: bool, given: dict[str, Any]) -> dict[int, Head]:
    lanes = [-1] if pattern.combine == "all" else list(range(len(pattern.channels)))
    groups: dict[tuple[tuple[float, float], ...], list[int]] = {}
    for lane in lanes:
        groups.setdefault(pattern.channels[lane].points if lane >= 0 else (), []).append(lane)
    heads: dict[int, Head] = {}
    names = stretches.index["entity"].to_numpy(dtype=object)
    for group in groups.values():
        runs = np.flatnonzero(np.isin(stretches.channel, group))
        hosts = [
            stretches.of_channel(int(stretches.channel[r]))[:, stretches.start[r] : stretches.stop[r]] for r in runs
        ]
        channels = list(range(len(pattern.channels))) if group == [-1] else [group[0]]
        own = of_channel(bank, group[0])
        companies = [str(name) for name in names[stretches.entity[runs]]]
        head = fit_head(pattern, channels, own, hosts, companies, now=now, **given)
        heads |= dict.fromkeys(group, head)
    return heads


def taught(lanes: Mapping[int, Head], stretches: Stretches, seen: Labelled) -> dict[int, Head]:
    """The heads with the lessons of labelled windows; lanes that share a head go on sharing it."""
    names = stretches.index["entity"].to_numpy(dtype=object)
    wiser: dict[int, Head] = {}
    for head in {id(head): head for head in lanes.values()}.values():
        mine = [lane for lane, other in lanes.items() if other is head]
        rows = np.flatnonzero(np.isin(stretches.channel[seen.run], mine))
        if rows.size:
            # A window is read from the row of its own channel; joint ones from all rows.
            run = seen.run[rows]
            told = [lane for lane in mine if (stretches.channel[run] == lane).any()]
            features, missing = [], []
            for lane in told:
                here = stretches.channel[run] == lane
                part = Labelled(*(getattr(seen, f.name)[rows][here] for f in fields(Labelled)))
                of_run = (stretches.start[part.run], stretches.stop[part.run])
                fold = head.judge_of(stretches.index["entity"])[stretches.entity[part.run]]
                found = head.judged(stretches.of_channel(lane), of_run, part, fold)
                features.append(found[0])
                # The score of a clear window goes beyond 1: an accepted one has nothing to lose by that.
                missing.append(np.where(part.wanted > 0.5, np.maximum(1.0 - found[1], 0.0), np.minimum(-found[1], 0.0)))
            order = np.concatenate([np.flatnonzero(stretches.channel[run] == lane) for lane in told])
            companies = [str(names[e]) for e in stretches.entity[run[order]]]
            head = replace(head, lessons=Lessons.learn(np.concatenate(features), np.concatenate(missing), companies))
        wiser |= dict.fromkeys(mine, head)
    return wiser
