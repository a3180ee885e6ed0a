"""Scans made by hand, finished runs, and a browser."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsbench.patterns import Channel, Constraint, Pattern
from tsbench.report import Run
from tsbench.series import Panel

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@dataclass
class MadeScan:
    """What a report reads of a scan."""

    matches: pd.DataFrame
    pattern: Pattern
    parameters: dict[str, Any] = field(default_factory=lambda: {"where": "now", "null": "largest"})
    id: str = "made-1"

    @property
    def funnel(self) -> pd.DataFrame:
        tested = int((self.matches["status"] == "tested").sum())
        return pd.DataFrame(
            {
                "stage": ["in the store", "tested"],
                "companies": [len(self.matches), tested],
                "dead": [len(self.matches) - tested, 0],
                "note": ["", "long enough"],
            }
        )


@pytest.fixture
def pattern() -> Pattern:
    rise = ((0.0, 0.0), (1.0, 1.0))
    return Pattern(
        "growth",
        (Channel("yoy(revenue)", rise), Channel("roic", rise), Channel("log(market_cap)")),
        length=(6, 8),
        constraints=(Constraint("log(market_cap)", "change", -0.1, 0.1),),
        description="Growth and return rise, price does not.",
    )


@pytest.fixture
def panel() -> Panel:
    """Twelve companies of 24 quarters that end in June 2019, steps that a reader can check by hand."""
    ends = pd.date_range(end="2019-06-30", periods=24, freq="QE")
    frames = []
    for i in range(12):
        step = np.arange(24)
        for metric, values in {
            "revenue": 1e9 * 1.02**step * (1 + i / 10),
            "roic": 0.05 + 0.01 * step * (i % 3),
            "market_cap": np.full(24, 2e9 * (i + 1)),
        }.items():
            name = f"Company {i}" if i else "A & <B>"
            frames.append(
                pd.DataFrame(
                    {
                        "entity": f"C{i:02d}",
                        "metric": metric,
                        "time": ends,
                        "value": values,
                        "name": name,
                        "sector": "Unknown",
                    }
                )
            )
    return Panel.from_frame(pd.concat(frames))


@pytest.fixture
def make_scan(pattern: Pattern, panel: Panel) -> Any:
    """A function: p- and q-values of the first companies in, a scan out; the last two companies are not live."""

    def make(p: list[float], q: list[float], **parameters: Any) -> MadeScan:
        n = len(panel.entities)
        odds = np.full((2, n), np.nan)
        odds[0, : n - 2], odds[1, : n - 2] = 0.9, 1.0
        odds[:, : len(p)] = p, q
        tested = np.arange(n) < n - 2
        last = pd.Timestamp("2019-06-30", tz="UTC")
        matches = pd.DataFrame(
            {
                "entity": panel.entities,
                "name": [str(x) for x in panel.index.drop_duplicates("entity")["name"]],
                "sector": "Unknown",
                "status": np.where(tested, "tested", "not live"),
                "channels": [list(pattern.expressions)] * n,
                "start": pd.Series([pd.Timestamp("2017-09-30", tz="UTC")] * n).where(tested),
                "end": pd.Series([last] * n).where(tested),
                "length": 8,
                "complete": 1.0,
                "score": np.where(tested, 1 - np.nan_to_num(odds[0]), np.nan),
                "p_value": odds[0],
                "q_value": odds[1],
                "flagged": 0,
                "last": [last] * (n - 2) + [pd.Timestamp("2008-09-30", tz="UTC")] * 2,
                "evidence": [{}] * n,
            }
        )
        return MadeScan(matches, pattern, {"where": "now", "null": "largest", "frequency": "quarterly"} | parameters)

    return make


@pytest.fixture
def finished_run(tmp_path: Path) -> Run:
    return Run(
        id="20260101-120000-made",
        notebook="made",
        parameters={"length": 3, "label": "<script>alert(1)</script>"},
        status="done",
        started="2026-01-01T12:00:00+00:00",
        deadline=60.0,
        command="tsbench report made -p length=3",
        seconds=1.5,
        headline="three points",
        versions={"tsbench": "0.1.0"},
        folder=tmp_path,
    )
