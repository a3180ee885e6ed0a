"""What makes two series the same series.

A series is named by five parts. Two series that differ in any of them never merge: annual and quarterly
revenue are different series, and so are net-income ROIC and NOPAT ROIC (a different basis).
"""

from dataclasses import astuple, dataclass

from tsbench.errors import BadInput

FREQUENCIES = ("annual", "quarterly", "monthly", "weekly", "daily", "irregular")
KEY_COLUMNS = ("entity", "metric", "frequency", "basis", "source")
FORBIDDEN = "|\n\r\t"


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """(entity, metric, frequency, basis, source); the last two may be empty when the data do not say."""

    entity: str
    metric: str
    frequency: str = "irregular"
    basis: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.entity or not self.metric:
            raise BadInput(f"a series needs an entity and a metric, got {self.entity!r} and {self.metric!r}")
        if self.frequency not in FREQUENCIES:
            raise BadInput(f"frequency must be one of {', '.join(FREQUENCIES)}; got {self.frequency!r}")
        for part in astuple(self):
            if any(mark in part for mark in FORBIDDEN):
                raise BadInput(f"{part!r} holds a separator ('|', tab or line break); rename it in the file")

    @property
    def within_entity(self) -> str:
        """The key inside one company's document: `metric|frequency|basis|source`."""
        return "|".join(astuple(self)[1:])

    @classmethod
    def parse(cls, entity: str, within_entity: str) -> "SeriesKey":
        """The key of a series of `entity`: the inverse of `within_entity`. BadInput when that has not four parts."""
        parts = within_entity.split("|")
        if len(parts) != 4:
            raise BadInput(f"{within_entity!r} is no series key; wanted metric|frequency|basis|source")
        return cls(entity, *parts)
