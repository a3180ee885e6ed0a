"""Labels: what the user said of a match, kept by pattern and stretch for the detector to learn from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa
from pandas.api.types import is_list_like, is_number
from sqlalchemy.dialects.postgresql import ARRAY

from tsbench import checks
from tsbench.errors import BadInput, NotFound
from tsbench.evaluate import VERDICTS, Verdict
from tsbench.store.engine import transaction
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    Match = Mapping[str, Any] | pd.Series

COLUMNS = ("entity", "channels", "start", "end", "verdict", "score", "rank", "scan_id", "made_at")
MOMENTS = ("start", "end", "made_at")
STRETCH = ("entity", "channels", "start", "end")

label = sa.Table(
    "label",
    metadata,
    sa.Column("pattern", TEXT, primary_key=True),
    sa.Column("entity", TEXT, primary_key=True),
    sa.Column("channels", ARRAY(sa.Text), primary_key=True),
    sa.Column("start_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("end_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="SET NULL")),
    sa.Column("score", sa.Double),
    sa.Column("rank", sa.Integer),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.CheckConstraint("verdict IN ('accept', 'reject', 'unsure')", name="label_verdict"),
)


class Labels:
    """The labels of a store.

    They belong to the name of a pattern, whatever its version, saved or not, and to a stretch of a company, not to a
    scan: another scan that finds the same stretch finds its label. They are hours of somebody's judgement, so a pattern
    that is deleted leaves its labels, and saved again under the same name it has them; `delete` takes them back.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(
        self, pattern: str, match: "Match", verdict: Verdict, *, scan_id: str | None = None, rank: int | None = None
    ) -> None:
        """Keep a verdict on a match; it replaces an earlier one on the same stretch and all that is kept with it.

        Parameters
            pattern : name of the pattern that was looked for.
            match : a row of a scan's matches, or anything with entity, channels, start and end (first and last period,
                both included; a time without a zone is UTC) and perhaps score.
            verdict : "accept" (it shows the pattern), "reject" or "unsure".
            scan_id : the scan that found it. rank : its place in that scan's list, from 1.
        Raises     BadInput: no such verdict, the match has no stretch, or the scan looked for another pattern.
            NotFound: no such scan.
        """
        if not pattern:
            raise BadInput("a label needs the name of the pattern it is about")
        checks.choice(verdict, "verdict", VERDICTS)
        score = match.get("score")
        row = _stretch(pattern, match) | {
            "verdict": verdict,
            "scan_id": scan_id,
            "score": None if pd.isna(score) else float(score),
            "rank": None if rank is None else checks.whole(rank, "rank", 1),
        }
        with transaction(self._engine) as cursor:
            if scan_id is not None:
                _check_scan(cursor, scan_id, pattern)
            cursor.execute(statement("put_label"), row)

    def of(self, pattern: str) -> pd.DataFrame:
        """The labels of a pattern by entity and start: what `PatternDetector.refit` learns from; empty without any.

        Columns: entity, channels (list of expressions), start, end (UTC, both included), verdict, score (NaN when not
        known), rank (missing when not known), scan_id (None when not known), made_at.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("labels_of"), {"pattern": pattern})
            found = pd.DataFrame(cursor.fetchall(), columns=list(COLUMNS), dtype=object)
        for column in MOMENTS:
            found[column] = pd.to_datetime(found[column], utc=True).astype("datetime64[us, UTC]")
        for column in ("entity", "verdict"):
            found[column] = found[column].astype("str")
        return found.astype({"score": "float64", "rank": "Int64"})

    def delete(self, pattern: str, match: "Match") -> None:
        """Take the verdict on one match back, as if nothing had been said. Raises NotFound.

        Parameters
            pattern : name of the pattern.
            match : the match that was labelled, or its row of `of`; entity, channels, start and end say which.
        """
        row = _stretch(pattern, match)
        with transaction(self._engine) as cursor:
            cursor.execute(statement("delete_label"), row)
            gone = cursor.rowcount
        if not gone:
            raise NotFound(
                f"{pattern!r} has no label on {row['entity']!r} from {row['start']:%Y-%m-%d} to {row['end']:%Y-%m-%d} "
                f"in {' & '.join(row['channels'])}; see Labels.of({pattern!r})"
            )


def _stretch(pattern: str, match: "Match") -> dict[str, Any]:
    """What says which label is meant. Raises BadInput."""
    absent = [name for name in STRETCH if name not in match]
    if absent:
        raise BadInput(f"a match to label lacks {', '.join(absent)}; hand in a row of a scan's matches")
    entity, channels, *moments = (match[name] for name in STRETCH)
    if any(pd.isna(moment) for moment in moments):
        raise BadInput(
            f"{entity!r} shows no stretch to judge (status {match.get('status', 'unknown')!r}, start is missing); "
            "label a company with a match"
        )
    if not is_list_like(channels) or not len(channels):
        raise BadInput(f"channels of a match must be a list of expressions, got {channels!r}")
    try:
        # a number would be read as nanoseconds since 1970
        if any(map(is_number, moments)):
            raise TypeError("a position is no time")
        start, end = (pd.to_datetime(moment, utc=True).to_pydatetime() for moment in moments)
    except (TypeError, ValueError) as error:
        raise BadInput(f"start and end of a match must be dates, got {moments[0]!r} and {moments[1]!r}") from error
    if start > end:
        raise BadInput(f"a match ends after it starts, got start {start:%Y-%m-%d} and end {end:%Y-%m-%d}")
    return {"pattern": pattern, "entity": str(entity), "channels": list(map(str, channels)), "start": start, "end": end}


def _check_scan(cursor: "Cursor", scan_id: str, pattern: str) -> None:
    """Nothing, when that scan looked for the pattern of that name."""
    cursor.execute(statement("get_scan"), {"id": scan_id})
    row = cursor.fetchone()
    if row is None:
        raise NotFound(f"no scan {scan_id!r} is stored")
    looked_for = row[1]["name"]
    if looked_for != pattern:
        raise BadInput(f"scan {scan_id!r} looked for {looked_for!r}, the label is about {pattern!r}")
