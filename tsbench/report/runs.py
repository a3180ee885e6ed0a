"""Run: the record of one notebook run, as it lies in `reports/<id>/record.json`."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from tsbench.errors import NotFound

Status = Literal["running", "done", "failed", "timeout", "interrupted"]
LIBRARIES = ("numpy", "pandas", "numba", "scikit-learn", "plotly", "papermill")
RECORD, PAGE, NOTEBOOK, LOG = "record.json", "report.html", "notebook.ipynb", "run.log"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one notebook.

    id : name of its folder; begins with the start time, so ids sort by age.
    notebook, parameters : what ran; every parameter with the value it took.
    status : "running" until the end is known, then done | failed | timeout | interrupted.
    started, seconds, deadline : ISO time (UTC); how long it took; how long it was allowed to take.
    headline : the one sentence the notebook recorded; empty when it did not get that far.
    error : what went wrong in one line, naming the cell; empty when nothing did.
    command : the shell line that runs the same again.
    scan_id, data_hash, tables : what the notebook recorded: its scan, the state of the data, CSV files beside the page.
    versions : of tsbench, Python and the libraries.
    folder : where notebook, page, tables and this record lie.
    """

    id: str
    notebook: str
    parameters: dict[str, Any]
    status: Status
    started: str
    deadline: float
    command: str
    seconds: float = 0.0
    headline: str = ""
    error: str = ""
    scan_id: str = ""
    data_hash: str = ""
    tables: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def ok(self) -> bool:
        """Whether the notebook ran to its end."""
        return self.status == "done"

    @property
    def page(self) -> Path:
        """The HTML page."""
        return self.folder / PAGE

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able values; the folder is left out, for it is where the record was found."""
        record = asdict(self)
        del record["folder"]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any], folder: Path) -> "Run":
        """The run of a `record` by `to_json`, found in `folder`; names this version does not know are left out."""
        known = {f.name for f in fields(cls)} - {"folder"}
        values = {name: value for name, value in record.items() if name in known}
        return cls(**{**values, "tables": tuple(values.get("tables", ()))}, folder=folder)

    def save(self) -> None:
        """Write the record into its folder, whole or not at all."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, default=str)
        write_whole(self.folder / RECORD, text + "\n")


def history(out: Path) -> list[Run]:
    """Every run recorded under the folder `out`, newest first. A folder without a readable record is passed over."""
    found = []
    for path in out.glob(f"*/{RECORD}"):
        try:
            found.append(Run.from_json(json.loads(path.read_text("utf-8")), path.parent))
        except (ValueError, TypeError):
            continue
    return sorted(found, key=lambda run: run.id, reverse=True)


def latest(out: Path, notebook: str | None = None) -> Run:
    """The newest run under `out`, of one notebook or of any; NotFound when there is none."""
    for run in history(out):
        if notebook is None or run.notebook == notebook:
            return run
    raise NotFound(f"no run{f' of {notebook}' if notebook else ''} in {out}; run `tsbench report NAME` first")


def command_line(notebook: str, given: Mapping[str, Any]) -> str:
    """The shell line that runs `notebook` with the parameters that were given."""
    words = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
    return shlex.join(["tsbench", "report", notebook, *words])


def versions() -> dict[str, str]:
    """Versions of tsbench, Python and the libraries a result may depend on."""
    import platform

    import tsbench

    found = {"tsbench": tsbench.__version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "missing"
    return found


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that a reader, or a crash, meets the old file or the new one, never half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def now() -> datetime:
    """The time of day a run is named by."""
    return datetime.now(UTC)
