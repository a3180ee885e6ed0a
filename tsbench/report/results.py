"""What a notebook says about itself in its last cell: one sentence, and tables to take along."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from tsbench.errors import BadInput

MIME = "application/vnd.tsbench.record+json"


@dataclass(frozen=True, slots=True)
class Record:
    """The result of a notebook. Shown by Jupyter as the headline; the runner finds it in the executed notebook.

    headline : one plain sentence with the answer.
    scan_id, data_hash : which scan and which state of the data it rests on; empty when none.
    tables : CSV text by name.
    """

    headline: str
    scan_id: str = ""
    data_hash: str = ""
    tables: dict[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        said = {"headline": self.headline, "scan_id": self.scan_id, "data_hash": self.data_hash, "tables": self.tables}
        sizes = "".join(
            f"<li>{escape(name)}.csv: {text.count(chr(10)) - 1} rows</li>" for name, text in self.tables.items()
        )
        return {
            MIME: said,
            "text/plain": self.headline,
            "text/html": f"<p><strong>{escape(self.headline)}</strong></p><ul>{sizes}</ul>",
        }


def record(
    headline: str,
    *,
    scan_id: str = "",
    data_hash: str = "",
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Record:
    """The result record of a notebook; the last line of its last cell.

    Parameters
        headline : the answer in one sentence; shown in the list of all runs.
        scan_id, data_hash : from the scan, when there is one.
        tables : frames by name; each becomes `<name>.csv` beside the page and a download inside it. Cells that hold
            lists or dicts are written as JSON.
    Raises     BadInput: the headline is empty, or a table's name is no plain file name.
    """
    if not headline.strip():
        raise BadInput("a record needs a headline: the answer in one sentence")
    texts = {}
    for name, frame in (tables or {}).items():
        if not name.replace("_", "").replace("-", "").isalnum():
            raise BadInput(f"a table becomes the file <name>.csv; {name!r} is no plain name (letters, digits, - and _)")
        texts[name] = frame.map(_flat).to_csv(index=False)
    return Record(headline.strip(), scan_id, data_hash, texts)


def _flat(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, list | dict | tuple) else value


def recorded(notebook: Any) -> Record | None:
    """The last record among the outputs of an executed notebook, or None."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            said = output.get("data", {}).get(MIME)
            if said is not None:
                return Record(**said)
    return None
