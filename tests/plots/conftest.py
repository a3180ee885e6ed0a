"""Companies small enough to check a figure by hand."""

import numpy as np
import pandas as pd
import pytest

from tsbench.patterns import Channel, Constraint, Pattern
from tsbench.series import Panel

ENDS = pd.date_range(end="2019-06-30", periods=24, freq="QE")
RISE = ((0.0, 0.0), (1.0, 1.0))


@pytest.fixture
def pattern() -> Pattern:
    return Pattern(
        "growth",
        (Channel("roic", RISE), Channel("log(market_cap)", RISE), Channel("revenue")),
        length=(6, 8),
        constraints=(Constraint.flat("revenue", 10), Constraint("roic", "change", 0.02)),
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    """Six companies: roic rises by a point a quarter from i points, market cap doubles every ten, revenue is flat."""
    step = np.arange(24)
    parts = []
    for i in range(6):
        for metric, values in {
            "roic": 0.01 * (step + i),
            "market_cap": 1e9 * (i + 1) * 2 ** (step / 10),
            "revenue": np.full(24, 1e9),
        }.items():
            parts.append(pd.DataFrame({"entity": f"C{i}", "metric": metric, "time": ENDS, "value": values, "flags": 0}))
    return pd.concat(parts, ignore_index=True).assign(name=lambda f: "Company " + f["entity"].str[1:], sector="Energy")


@pytest.fixture
def panel(frame: pd.DataFrame) -> Panel:
    return Panel.from_frame(frame)


@pytest.fixture
def matches() -> pd.DataFrame:
    """The last eight quarters of two companies."""
    return pd.DataFrame(
        {
            "entity": ["C2", "C4"],
            "name": ["Company 2", ""],
            "start": [ENDS[-8].tz_localize("UTC")] * 2,
            "end": [ENDS[-1].tz_localize("UTC")] * 2,
            "length": 8,
            "channels": [["roic", "log(market_cap)", "revenue"]] * 2,
            "q_value": [0.04, np.nan],
        }
    )
