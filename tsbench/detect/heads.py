"""The heads of a pattern: one for a joint drawing, one for each different drawing among alternatives."""

import numpy as np

from tsbench.detect.bank import Bank, Stretches, of_channel
from tsbench.detect.executor import Executor
from tsbench.detect.head import Head, fit_head
from tsbench.patterns import Pattern


def fit_heads(
    pattern: Pattern, stretches: Stretches, bank: Bank, *, now: bool, seed: int, executor: Executor | None = None
) -> dict[int, Head]:
    """Train on the stretches of a background.

    Parameters
        stretches : runs in which copies are planted. bank : the templates of the whole drawing. seed : fixes the draws.
        now : for windows in the last two periods, else anywhere.
        executor : the folds go through its `map`.
    Returns
        by channel, -1 for a joint pattern; alternatives with the same drawing share one head.
    Raises     TooShort: no stretch has room for the pattern.
    """
    lanes = [-1] if pattern.combine == "all" else list(range(len(pattern.channels)))
    groups: dict[tuple[tuple[float, float], ...], list[int]] = {}
    for lane in lanes:
        groups.setdefault(pattern.channels[lane].points if lane >= 0 else (), []).append(lane)
    heads: dict[int, Head] = {}
    half = stretches.half.astype(bool)
    for group in groups.values():
        runs = np.flatnonzero(np.isin(stretches.channel, group))
        hosts = [
            stretches.of_channel(int(stretches.channel[r]))[:, stretches.start[r] : stretches.stop[r]] for r in runs
        ]
        channels = list(range(len(pattern.channels))) if group == [-1] else [group[0]]
        own = of_channel(bank, group[0])
        taught = half[stretches.entity[runs]]
        head = fit_head(pattern, channels, own, hosts, taught, now=now, seed=seed, executor=executor)
        heads |= dict.fromkeys(group, head)
    return heads
