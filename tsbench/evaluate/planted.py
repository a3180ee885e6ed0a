"""Real companies and planted copies in one layout, so that one detector can be asked about both."""

from dataclasses import replace
from itertools import count, islice

import pandas as pd

from tsbench.evaluate.halves import half_of
from tsbench.patterns import Pattern, Synthetic, evaluate_all, synthesize
from tsbench.series import Panel


def in_channels(pattern: Pattern, panel: Panel) -> tuple[Pattern, Panel]:
    """Companies as `synthesize` lays out its series: every channel of the pattern a metric of its own.

    Parameters
        pattern : whose channels.
        panel : raw metrics; flagged values are left out.
    Returns
        (the pattern as `synthesize` renames it, a panel of its channels under the companies' own names and attributes).
    Raises     NotFound: a metric that the pattern reads is not there.
    """
    longest = pattern.length[1] + 4
    renamed = synthesize(pattern, 1, length=longest, share=0.0).pattern
    channels = evaluate_all(pattern.expressions, panel.without_flagged())
    frames = [channel.to_frame().assign(metric=f"channel_{k}", flags=0) for k, channel in enumerate(channels)]
    return renamed, Panel.from_frame(pd.concat(frames, ignore_index=True))


def planted(
    pattern: Pattern, panel: Panel, n: int, *, snr: float | tuple[float, float], share: float = 0.5, seed: int = 0
) -> Synthetic:
    """Copies of the pattern planted in the companies of the second half, under names of that half (see `half_of`).

    A `PatternDetector` has a judge for each half of the companies, taught by the other half; so what it finds here, no
    company has taught it.

    Parameters
        pattern, n, snr, share, seed : as in `synthesize`.
        panel : raw metrics of companies of both halves; those of the second are the backgrounds.
    Raises     NotFound: no company of the second half has what the pattern reads. TooShort: as in `synthesize`.
    """
    hosts = panel.take(half_of(panel.index["entity"]))
    made = synthesize(pattern, n, backgrounds=hosts, snr=snr, share=share, seed=seed)
    every = (f"S{i:06d}" for i in count())
    names = dict(zip(made.panel.entities, islice((name for name in every if half_of([name])[0]), n), strict=True))
    index = made.panel.index.assign(entity=made.panel.index["entity"].map(names))
    truth = made.truth.assign(entity=made.truth["entity"].map(names))
    return replace(made, panel=replace(made.panel, index=index), truth=truth)
