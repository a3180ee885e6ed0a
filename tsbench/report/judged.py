"""What readers said about the matches of a scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tsbench.evaluate import Precision, precision_at
from tsbench.report.html import fill

TOP = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts on the best matches of a scan, as one sentence.

    precision : of the first TOP that were judged. tried : drawings scanned under the pattern's name.
    """

    precision: Precision
    tried: int

    @property
    def told(self) -> str:
        """The sentence."""
        p = self.precision
        if p.accepted + p.rejected == 0:
            said = f"Nobody has judged the first {TOP} matches yet: tsbench label PATTERN SYMBOL accept|reject|unsure."
        else:
            said = (
                f"Of the first {TOP} matches, readers accepted {p.accepted} and rejected {p.rejected}"
                f"{f', {p.unsure} unsure' if p.unsure else ''}: {p.precision:.0%} of those judged, "
                f"{p.low:.0%} to {p.high:.0%} with 95% confidence."
            )
        if self.tried > 1:
            said += (
                f" {self.tried} drawings have been scanned under this name. Odds of a drawing that was chosen among "
                "several are exploratory; scan the half of the companies that no drawing was tuned on to confirm."
            )
        return said

    def _repr_html_(self) -> str:
        return fill("judged", text=self.told)


def judged(matches: pd.DataFrame, labels: pd.DataFrame, tried: int = 1) -> Judged:
    """The labelled precision of a scan.

    Parameters
        matches : of the scan, any order. labels : what `store.labels.of(pattern)` returns.
        tried : drawings scanned under the pattern's name, `Scan.tried`.
    """
    best = matches[matches["start"].notna()].sort_values(["p_value", "score"], ascending=[True, False]).head(TOP)
    said = {_key(row): row["verdict"] for row in labels.to_dict("records")}
    return Judged(precision_at([said.get(_key(row)) for row in best.to_dict("records")], TOP), tried)


def _key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return (row["entity"], tuple(row["channels"]), pd.Timestamp(row["start"]), pd.Timestamp(row["end"]))
