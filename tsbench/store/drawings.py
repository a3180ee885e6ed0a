"""Drawings tried: how many shapes were looked at under one pattern's name before one was kept.

Who tries twenty drawings and keeps the best has made twenty tests; no p-value of the last one knows that. The count
says it, it corrects nothing.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pandas as pd
import sqlalchemy as sa

from tsbench.store.engine import transaction
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata

if TYPE_CHECKING:
    from tsbench.patterns import Pattern

NOW = sa.text("clock_timestamp()")

drawing = sa.Table(
    "drawing",
    metadata,
    sa.Column("pattern", TEXT, primary_key=True),
    sa.Column("spec_hash", TEXT, primary_key=True),
    sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    sa.Column("times", sa.Integer, nullable=False),
)


class Drawings:
    """The drawings of a store. Nothing takes one back, deleting the pattern neither: a test that was made is made."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def tried(self, pattern: "Pattern") -> int:
        """Note that this drawing was scanned or previewed; the number of distinct ones under its name so far.

        Two are distinct when anything but name and description differs. The unit of the points is no difference: only
        their shape counts.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("put_drawing"), {"pattern": pattern.name, "spec_hash": spec_hash(pattern)})
            cursor.execute(statement("count_drawings"), {"pattern": pattern.name})
            ((number,),) = cursor.fetchall()
        return int(number)

    def count(self, name: str) -> int:
        """How many distinct drawings were tried under a pattern's name; 0 for a name never tried."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("count_drawings"), {"pattern": name})
            ((number,),) = cursor.fetchall()
        return int(number)

    def list(self) -> pd.DataFrame:
        """One row per drawing, by name, first tried first: pattern, spec_hash, first_at, last_at, times."""
        columns = ["pattern", "spec_hash", "first_at", "last_at", "times"]
        with transaction(self._engine) as cursor:
            cursor.execute(statement("list_drawings"))
            return pd.DataFrame(cursor.fetchall(), columns=columns)


def spec_hash(pattern: "Pattern") -> str:
    """A fingerprint of a drawing: of the whole pattern but its name, its description and the unit of its points."""
    spec = pattern.to_json()
    del spec["name"], spec["description"]
    # rounded, for the same shape in another unit differs in the last digits; + 0.0 makes -0.0 the 0.0 it equals
    spec["channels"] = [(c.expression, (np.round(c.drawing, 9) + 0.0).tolist()) for c in pattern.channels]
    return hashlib.blake2b(orjson.dumps(spec, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
