"""Null models: series that look like the observed ones but hold no pattern except by chance.

Each resamples the one-step differences of a gap-free stretch and sums them up again from the first value, so level,
length and holes stay as they are. They differ in what else they keep, and so in the question they answer:

    block_bootstrap     blocks of consecutive differences, drawn with replacement from the stretch taken as a circle:
                        keeps drift, heavy tails and short memory. "Would this company's usual moves, in another
                        order, do it?"   (Politis & Romano 1992, circular block bootstrap)
    phase_randomized    same power spectrum, random phases: keeps drift and all linear memory, makes the differences
                        Gaussian. "Would a linear process of this spectrum do it?"   (Theiler et al. 1992)
    sign_flip           each difference keeps its size and gets a random sign: keeps the volatility's course, removes
                        drift and memory. "Would moves of these sizes, up or down by a coin, do it?"

For a joint pattern all channels share blocks, phases and signs, so their dependence on each other is kept too.
"""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.series import Panel

Floats = NDArray[np.float64]
Null = Literal["block_bootstrap", "phase_randomized", "sign_flip"]
NULLS: tuple[Null, ...] = ("block_bootstrap", "phase_randomized", "sign_flip")
# Trailing-year sums and y/y growth overlap by three quarters, so their differences remember four: two years keep it.
BLOCK_LENGTH = 8


def resample(stretch: Floats, n: int, kind: Null, rng: np.random.Generator) -> Floats:
    """n surrogates of one stretch of one or several channels.

    Parameters
        stretch : float64, shape (channels, length), no NaN, length >= 3.
        n : how many.
        kind : one of `NULLS`.
        rng : the source of randomness; channels share its draws.
    Returns
        float64, shape (channels, n, length); every surrogate begins with the observed first value.
    """
    steps = np.diff(stretch, axis=1)
    length = steps.shape[1]
    if kind == "block_bootstrap":
        blocks = -(-length // BLOCK_LENGTH)
        starts = rng.integers(0, length, (n, blocks, 1))
        order = ((starts + np.arange(BLOCK_LENGTH)) % length).reshape(n, -1)[:, :length]
        drawn = steps[:, order]
    elif kind == "phase_randomized":
        drift = steps.mean(axis=1, keepdims=True)
        spectrum = np.fft.rfft(steps - drift, axis=1)
        turn = np.exp(2j * np.pi * rng.random((n, spectrum.shape[1])))
        if length % 2 == 0:
            turn[:, -1] = np.where(turn[:, -1].real >= 0, 1.0, -1.0)  # the Nyquist term has no phase, only a sign
        drawn = np.fft.irfft(spectrum[:, None, :] * turn, length, axis=2) + drift[:, :, None]
    else:
        drawn = steps[:, None, :] * rng.choice((-1.0, 1.0), (n, length))
    out = np.empty((stretch.shape[0], n, length + 1))
    out[:, :, 0] = stretch[:, :1]
    np.cumsum(drawn, axis=2, out=out[:, :, 1:])
    out[:, :, 1:] += stretch[:, :1, None]
    return out


def surrogates(panel: Panel, n: int, *, kind: Null, shared_phase: bool = False, seed: int = 0) -> Panel:
    """A panel with n surrogates of every series.

    Parameters
        panel : any panel; holes and NaN stay where they are, each gap-free stretch is resampled on its own and
            stretches of fewer than 3 values are left as they are.
        n : surrogates per series, >= 1.
        kind : one of `NULLS`; see the module's text for what each keeps.
        shared_phase : the series of one entity share their random draws, so that their dependence is kept; their
            stretches must then be equal, as in an aligned panel without ragged starts.
        seed : equal seeds give equal surrogates.
    Returns
        Panel, n * len(panel) series; entity `X` becomes `X#0`, `X#1`, ...
    """
    checks.choice(kind, "kind", NULLS)
    checks.whole(n, "n", 1)
    runs = panel.runs()
    copies = np.tile(panel.values, (n, 1))
    rng = np.random.default_rng(seed)
    entity = panel.index["entity"].to_numpy(dtype=object)[runs.series]
    groups = pd.factorize(entity)[0] if shared_phase else np.arange(runs.start.size)
    within = np.array([panel.offsets[s] for s in runs.series], np.int64)
    for group in range(groups.max(initial=-1) + 1):
        members = np.flatnonzero(groups == group)
        stretches = {(runs.start[r] - within[r], runs.stop[r] - within[r]) for r in members}
        state = rng.bit_generator.state
        if shared_phase and len(stretches) * len(set(runs.series[members])) != members.size:
            raise BadInput(f"{entity[members[0]]}: series with different gaps cannot share draws; align and trim first")
        for r in members:
            if shared_phase:
                rng.bit_generator.state = state
            a, b = runs.start[r], runs.stop[r]
            if b - a >= 3:
                copies[:, a:b] = resample(panel.values[None, a:b], n, kind, rng)[0]
    index = pd.concat([panel.index.assign(entity=panel.index["entity"] + f"#{i}") for i in range(n)], ignore_index=True)
    order = np.lexsort([index[c].to_numpy(dtype=object) for c in ("source", "basis", "frequency", "metric", "entity")])
    lengths = np.tile(np.diff(panel.offsets), n)[order]
    offsets = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    starts = np.concatenate([panel.offsets[:-1] + i * panel.values.size for i in range(n)])[order]
    pick = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    source = pick % max(panel.values.size, 1)
    return Panel(
        copies.ravel()[pick],
        offsets,
        panel.times[source],
        index.iloc[order].reset_index(drop=True),
        panel.available_at[source],
        panel.flags[source],
    )
