"""What loading found and did, file by file."""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import pandas as pd

from tsbench.series import Panel
from tsbench.series.calendar import DAY, longest_step_days, missing_in_steps, nominal_days
from tsbench.series.grouped import series_of_points
from tsbench.series.quality import summarize
from tsbench.store.intake import Intake


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file.

    rows : lines read, bad ones included. companies : that have a good row.
    metrics : number of series by "metric, frequency". first, last : ends of the earliest and latest period.
    duplicates : rows that repeat another to the letter; dropped. missing : values empty, NaN or infinite; kept as
        missing.
    holes, missing_periods : gaps inside series, and the fiscal periods that lie in them; longest_holes names some.
    flags : (metric, kind, points, share of the metric's points) of values the quality pass doubts.
    bad, bad_rows : refused rows, and (line, reason) of the first 20 of them.
    added, revised, unchanged : values that were new to the store, that replaced another, that it had already.
    """

    path: str
    sha256: str
    unit: str
    rows: int
    companies: int
    metrics: dict[str, int]
    first: str
    last: str
    duplicates: int
    missing: int
    holes: int
    missing_periods: int
    longest_holes: tuple[str, ...]
    flags: tuple[tuple[str, str, int, float], ...]
    bad: int
    bad_rows: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]
    added: int = 0
    revised: int = 0
    unchanged: int = 0

    def __str__(self) -> str:
        lines = [self._head]
        lines += [f"  {label}: {text}" for label, text in self._facts()]
        return "\n".join([*lines, *self.bad_lines()])

    def _repr_html_(self) -> str:
        facts = "".join(f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in self._facts())
        bad = "".join(f"<li>{escape(line.strip())}</li>" for line in self.bad_lines())
        return f"<p><strong>{escape(self._head)}</strong></p><table>{facts}</table><ul>{bad}</ul>"

    @property
    def _head(self) -> str:
        rows, companies = counted(self.rows, self.unit), counted(self.companies, "company", "companies")
        return f"{self.path}: {rows}, {companies}, {self.first} to {self.last}"

    def _facts(self) -> list[tuple[str, str]]:
        series = ", ".join(f"{name} ({count:,} series)" for name, count in self.metrics.items())
        if self.added or self.revised:
            stored = f"{counted(self.added, 'value')} new, {self.revised:,} revised, {self.unchanged:,} already there"
        else:
            stored = f"nothing new: all {self.unchanged:,} values are already there"
        holes = f"{self.holes:,} with {counted(self.missing_periods, 'period')} missing"
        if self.longest_holes:
            holes += f"; longest: {'; '.join(self.longest_holes)}"
        flags = "; ".join(f"{m} {kind} {n:,} ({share:.2%})" for m, kind, n, share in self.flags)
        facts = [
            ("series", series or "none"),
            ("stored", stored),
            ("duplicate rows dropped", f"{self.duplicates:,}"),
            ("values missing or not finite", f"{self.missing:,}"),
            ("holes by fiscal period", holes if self.holes else "none"),
            ("doubtful values (kept, flagged)", flags or "none"),
        ]
        return facts + [("note", note) for note in self.notes]

    def bad_lines(self) -> list[str]:
        """The bad rows in words, one line each; empty when there are none."""
        if not self.bad:
            return []
        shown = [f"    {self.unit} {line}: {reason}" for line, reason in self.bad_rows]
        more = [f"    ... and {self.bad - len(shown):,} more"] if self.bad > len(shown) else []
        return [f"  bad rows: {self.bad:,} of {self.rows:,}", *shown, *more]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """All files of one call, in the order they were loaded, and the seconds it took."""

    files: tuple[FileReport, ...]
    seconds: float

    @property
    def changed(self) -> bool:
        """Whether the store holds anything it did not hold before."""
        return any(f.added or f.revised for f in self.files)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.files), self._end])

    def _repr_html_(self) -> str:
        return "".join(f._repr_html_() for f in self.files) + f"<p>{self._end}</p>"

    @property
    def _end(self) -> str:
        return f"{counted(len(self.files), 'file')} in {self.seconds:.1f} s"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"files": [f.to_dict() for f in self.files], "seconds": self.seconds}


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: 1 file, 2 files, 1,000 companies."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def describe(path: str, sha256: str, unit: str, intake: Intake, panel: Panel) -> FileReport:
    """The report of a file before it is stored.

    Parameters
        panel : the intake's series with the flags of the quality pass.
    """
    series = (panel.index["metric"] + ", " + panel.index["frequency"]).value_counts(sort=False).sort_index()
    holes = _holes(panel)
    ends = pd.to_datetime(pd.Series([panel.times.min(), panel.times.max()]), unit="us") if panel.times.size else None
    found = summarize(panel)
    return FileReport(
        path,
        sha256,
        unit,
        intake.rows,
        int(panel.index["entity"].nunique()),
        {str(name): int(n) for name, n in series.items()},
        "" if ends is None else f"{ends.iloc[0]:%Y-%m-%d}",
        "" if ends is None else f"{ends.iloc[1]:%Y-%m-%d}",
        intake.duplicates,
        intake.missing,
        len(holes),
        int(holes["periods"].sum()),
        tuple(f"{h.entity} {h.metric} {h.after:%Y-%m-%d} to {h.before:%Y-%m-%d}" for h in holes.head(3).itertuples()),
        tuple(zip(*(found[c].to_list() for c in ("metric", "flag", "points", "share")), strict=True)),
        intake.bad,
        intake.bad_rows,
        intake.notes,
    )


def _holes(panel: Panel) -> pd.DataFrame:
    """One row per hole, longest first: entity, metric, after and before (the periods beside it), periods missing."""
    series = series_of_points(panel.offsets)
    frequency = panel.index["frequency"].to_numpy()
    days = (panel.times[1:] - panel.times[:-1]) / DAY
    inside = series[1:] == series[:-1]
    missing = missing_in_steps(days, nominal_days(frequency)[series[1:]], longest_step_days(frequency)[series[1:]])
    at = ((missing > 0) & inside).nonzero()[0]
    table = pd.DataFrame(
        {
            "entity": panel.index["entity"].to_numpy()[series[at]],
            "metric": panel.index["metric"].to_numpy()[series[at]],
            "after": pd.to_datetime(panel.times[at], unit="us"),
            "before": pd.to_datetime(panel.times[at + 1], unit="us"),
            "periods": missing[at],
        }
    )
    return table.sort_values("periods", ascending=False, kind="stable", ignore_index=True)
