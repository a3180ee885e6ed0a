"""Panels whose truth is known, and the pattern that most tests look for."""

import numpy as np
import pandas as pd

from tsbench.patterns import Channel, Pattern
from tsbench.series import Panel

VEE = ((0, 1), (0.5, 0), (1, 1))
DIP = Pattern("dip", (Channel("value", VEE),), length=(8, 16), prominence=3.0)
QUARTERS = pd.date_range("1995-03-31", periods=90, freq="QE")


def walks(n=60, length=80, seed=0, dips=(), depth=14.0, end=None):
    """Random walks of quarterly values; those in `dips` carry a dip of 12 quarters that ends at `end`."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, length)).cumsum(axis=1)
    for i in dips:
        stop = length if end is None else end
        x[i, stop - 12 : stop] -= depth * np.interp(np.linspace(0, 1, 12), [0, 0.5, 1], [0, 1, 0])
    frame = pd.concat(
        [
            pd.DataFrame({"entity": f"E{i:02d}", "metric": "value", "time": QUARTERS[:length], "value": row})
            for i, row in enumerate(x)
        ]
    )
    return Panel.from_frame(frame.assign(frequency="quarterly"))


def joint_panel(seed=0, n=40):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        for metric in ("a", "b", "c"):
            x = 50 + rng.standard_normal(60).cumsum()
            if i == 3 and metric != "c":
                x[-10:] += 14 * np.linspace(0, 1, 10)
            if i == 3 and metric == "c":
                x[-12:] = 50 + 0.01 * rng.standard_normal(12)
            rows.append(pd.DataFrame({"entity": f"E{i:02d}", "metric": metric, "time": QUARTERS[:60], "value": x}))
    return Panel.from_frame(pd.concat(rows).assign(frequency="quarterly"))
