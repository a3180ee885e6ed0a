"""HTML of a run: the executed notebook with its inputs hidden, all it needs inside the one file; and the list of runs.

Stock HTML exporters draw no plotly figure and load scripts from elsewhere, so the page is a template of our own.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tsbench.plots.theme import DARK
from tsbench.report.html import asset, fill
from tsbench.report.results import MIME
from tsbench.report.runs import PAGE, Run, Status, history, now, write_whole

PLOTLY = "application/vnd.plotly.v1+json"
# Needs a live kernel: a progress bar is not shown at all, a board as the HTML that it gives beside.
WIDGET = "application/vnd.jupyter.widget-view+json"
# What of an output is shown, best first, and what it is called in the template.
SHOWN = {
    PLOTLY: "figure",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "text/plain": "text",
}
# plotly.js takes 4.8 MB of the 6 MB a page may have; a larger table stays a file beside the page.
LARGEST_EMBEDDED_TABLE = 400_000
# A run that still says "running" this long after its deadline has lost its process.
LOST_AFTER_SECONDS = 60
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Part(NamedTuple):
    """A cell as the page shows it: the classes of its section, and (kind, content) one after the other."""

    tags: str
    stopped: bool
    blocks: list[tuple[str, Any]]


def render(notebook: Any, run: Run, tables: Mapping[str, str] | None = None) -> str:
    """The page of an executed notebook.

    Parameters
        notebook : nbformat notebook, executed wholly or partly. Inputs are left out, except that of the cell that
            failed or was at work when the run was stopped.
        run : its record, told at the end of the page.
        tables : CSV text by name, offered as downloads.
    Returns    HTML that asks nothing of the network. plotly.js is in it once if there is a figure, else not at all. It
        is light or dark as its reader prefers, the figures too; in print it is light.
    """
    from plotly.offline import get_plotlyjs

    parts = _parts(notebook, run)
    figures = any(kind == "figure" for part in parts for kind, _ in part.blocks)
    return fill(
        "page",
        parts=parts,
        run=run,
        title=_title(notebook, run),
        downloads=[_download(run, name, text) for name, text in (tables or {}).items()],
        css=asset("page.css"),
        js=asset("page.js"),
        dark=DARK,
        plotly_js=get_plotlyjs() if figures else "",
    )


def write_index(out: Path) -> Path:
    """Write `index.html` into the folder of the reports: every run, newest first; its path."""
    rows = [
        {
            "run": run,
            "status": _status_now(run),
            "page": f"{run.id}/{PAGE}" if run.page.is_file() else "",
            "given": run.command.partition(f"report {run.notebook}")[2].replace(" -p ", "  ").strip(),
        }
        for run in history(out)
    ]
    path = out / "index.html"
    write_whole(path, fill("index", rows=rows, css=asset("page.css")))
    return path


def failure(notebook: Any, status: Status, deadline: float) -> str:
    """One line on what stopped an executed notebook, naming the code cell; empty when no cell shows it."""
    code = _code(notebook)
    stop = {"timeout": f"the deadline of {deadline:g} s passed", "interrupted": "the run was stopped"}.get(status, "")
    number = next((n for n, cell in enumerate(code, 1) if _stopped(cell)), 0)
    if not number:
        return f"No cell had begun when {stop}." if stop else ""
    for output in code[number - 1].outputs:
        # a kernel that is shut down at work reports it as an interruption
        if output.output_type == "error" and output.ename != "KeyboardInterrupt":
            return f"Code cell {number}: {output.ename}: {ANSI.sub('', output.evalue).strip().partition(chr(10))[0]}"
    return f"Code cell {number} was at work when {stop or 'its process ended'}."


def _parts(notebook: Any, run: Run) -> list[Part]:
    culprit = None if run.ok else next((cell for cell in _code(notebook) if _stopped(cell)), None)
    parts = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        # papermill announces errors in cells of its own; the page has its own words for it
        if "papermill-error-cell-tag" in tags:
            continue
        if cell.cell_type == "markdown":
            blocks: list[tuple[str, Any]] = [("markdown", cell.source)]
        elif culprit is not None and cell is culprit:
            blocks = [("source", cell.source), *_blocks(cell, everything=True)]
        else:
            blocks = _blocks(cell, everything=False) if cell.cell_type == "code" else []
        if blocks:
            parts.append(Part(" ".join(tags), cell is culprit, blocks))
    return parts


def _blocks(cell: Any, *, everything: bool) -> list[tuple[str, Any]]:
    """(kind, content) of each output worth showing; what went to stderr only with `everything`."""
    blocks: list[tuple[str, Any]] = []
    for output in cell.outputs:
        if output.output_type == "error":
            blocks.append(("traceback", ANSI.sub("", "\n".join(output.traceback))))
        elif output.output_type == "stream":
            if everything or output.name == "stdout":
                blocks.append(("stream", ANSI.sub("", output.text)))
        elif MIME not in output.data:  # a record is told at the end of the page
            best = next((mime for mime in SHOWN if mime in output.data), None)
            if best is not None and not (WIDGET in output.data and best == "text/plain"):
                blocks.append((SHOWN[best], output.data[best]))
    return blocks


def _code(notebook: Any) -> list[Any]:
    """The code cells as the author counts them: without the one papermill injects."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]


def _stopped(cell: Any) -> bool:
    """Whether the run ended in this code cell: it failed, or papermill started it and the kernel never finished it."""
    started = bool(cell.metadata.get("papermill", {}).get("start_time"))
    return any(o.output_type == "error" for o in cell.outputs) or (started and cell.execution_count is None)


def _status_now(run: Run) -> Status:
    if run.status != "running":
        return run.status
    lost = datetime.fromisoformat(run.started) + timedelta(seconds=run.deadline + LOST_AFTER_SECONDS)
    return "interrupted" if now() > lost else "running"


def _title(notebook: Any, run: Run) -> str:
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source).partition("\n")[0].removeprefix("# ").strip()
    return run.notebook


def _download(run: Run, name: str, text: str) -> dict[str, Any]:
    raw = text.encode()
    fits = len(raw) <= LARGEST_EMBEDDED_TABLE
    link = f"data:text/csv;base64,{base64.b64encode(raw).decode()}" if fits else f"{name}.csv"
    return {"name": f"{run.notebook}-{name}.csv", "link": link, "rows": max(text.count("\n") - 1, 0)}
