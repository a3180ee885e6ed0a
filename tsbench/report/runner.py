"""Run notebooks: papermill in child processes, each under a deadline, each leaving a record and a page."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tsbench import checks
from tsbench.report import worker
from tsbench.report.notebooks import find, resolve
from tsbench.report.page import failure, render, write_index
from tsbench.report.results import recorded
from tsbench.report.runs import LOG, NOTEBOOK, PAGE, Run, Status, command_line, now, versions, write_whole

# After its deadline a run has this long to save what it has; then its processes are killed.
GRACE_SECONDS = 15.0
STATUS: dict[int, Status] = {
    worker.DONE: "done",
    worker.FAILED: "failed",
    worker.TIMEOUT: "timeout",
    worker.INTERRUPTED: "interrupted",
}


def run(
    name: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    out: Path = Path("reports"),
    deadline: float = 300.0,
    notebooks: Path = Path("notebooks"),
) -> Run:
    """Execute one notebook and write its page.

    Parameters
        name : a notebook in `notebooks` by name or number, or a path; see `find`.
        parameters : values for the notebook's parameters; text is converted to the type of the default.
        out : folder of the reports. The run gets a folder of its own in it, and `index.html` lists them all.
        deadline : seconds the run may take, the start of the kernel included.
        notebooks : folder of the notebooks.
    Returns    the record. A notebook that fails or runs out of time does not raise: `Run.status` says so, and the page
        shows how far it came.
    Raises     NotFound: no such notebook. BadInput: an unknown parameter, or a value of the wrong type.
        KeyboardInterrupt: passed on after the run was stopped and recorded.
    """
    return run_many([(name, parameters or {})], out=out, deadline=deadline, notebooks=notebooks, workers=1)[0]


def run_many(
    wanted: Iterable[tuple[str | Path, Mapping[str, Any]]],
    *,
    out: Path = Path("reports"),
    deadline: float = 300.0,
    notebooks: Path = Path("notebooks"),
    workers: int = 2,
) -> list[Run]:
    """Execute several notebooks, `workers` at a time; all names and parameters are checked before the first starts.

    Parameters
        wanted : (name, parameters) each.
        out, deadline, notebooks : as in `run`; the deadline is each one's own.
    Returns    one record each, in the order asked.
    """
    checks.between(deadline, "deadline", 1e-3, 7 * 86_400)
    checks.whole(workers, "workers", 1)
    jobs = []
    for name, given in wanted:
        notebook = find(name, notebooks)
        jobs.append((notebook, given, resolve(notebook, given)))
    waiting, going, finished = list(enumerate(jobs)), dict[int, _Attempt](), dict[int, Run]()
    try:
        while waiting or going:
            while waiting and len(going) < workers:
                place, (notebook, given, values) = waiting.pop(0)
                going[place] = _Attempt(notebook, given, values, out.resolve(), deadline)
            for place in [p for p, attempt in going.items() if attempt.over()]:
                finished[place] = going.pop(place).finish()
            time.sleep(0.02)
    except KeyboardInterrupt:
        for attempt in going.values():
            attempt.interrupt()
        for attempt in going.values():
            attempt.finish(interrupted=True)
        raise
    return [finished[place] for place in sorted(finished)]


class _Attempt:
    """A notebook being executed by a child process."""

    def __init__(
        self, notebook: Path, given: Mapping[str, Any], values: dict[str, Any], out: Path, deadline: float
    ) -> None:
        started = now()
        self.clock = time.monotonic()
        folder = _new_folder(out, f"{started:%Y%m%d-%H%M%S}-{notebook.stem}")
        self.run = Run(
            id=folder.name,
            notebook=notebook.stem,
            parameters=values,
            status="running",
            started=started.isoformat(timespec="seconds"),
            deadline=deadline,
            command=command_line(notebook.stem, {name: values[name] for name in given}),
            versions=versions(),
            folder=folder,
        )
        self.run.save()
        # IPython and Jupyter write profiles, histories and connection files; here they go with the run.
        self.jupyter = tempfile.TemporaryDirectory(prefix="tsbench-run-", ignore_cleanup_errors=True)
        folders = {f"JUPYTER_{kind}_DIR": self.jupyter.name for kind in ("CONFIG", "DATA", "RUNTIME")}
        environment = {
            **os.environ,
            **folders,
            "IPYTHONDIR": self.jupyter.name,
            # figures as data, not as a copy of plotly.js each
            "PLOTLY_RENDERER": "plotly_mimetype",
        }
        with (folder / LOG).open("wb") as log:
            self.process = subprocess.Popen(
                # -P: the folder of the script is not searched for modules
                [sys.executable, "-P", worker.__file__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # a process group of its own: Ctrl-C reaches this process only, which then stops the children in order
                start_new_session=True,
            )
        job = {
            "notebook": str(notebook),
            "output": str(folder / NOTEBOOK),
            "parameters": values,
            "folder": str(notebook.parent),
            "deadline": deadline,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job).encode())
        self.process.stdin.close()

    def over(self) -> bool:
        """Whether the child has ended; past deadline and grace it is killed first."""
        if self.process.poll() is None and time.monotonic() > self.clock + self.run.deadline + GRACE_SECONDS:
            self._kill()
        return self.process.poll() is not None

    def interrupt(self) -> None:
        """Ask the child to stop."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def _kill(self) -> None:
        if hasattr(os, "killpg"):
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def finish(self, *, interrupted: bool = False) -> Run:
        """Wait for the child, then write tables, page, record and index."""
        try:
            code = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            code = -signal.SIGKILL
        seconds = time.monotonic() - self.clock
        self.jupyter.cleanup()
        killed_late = code == -signal.SIGKILL and seconds > self.run.deadline
        status = "interrupted" if interrupted else "timeout" if killed_late else STATUS.get(code, "failed")
        run = replace(self.run, status=status, seconds=round(seconds, 2))
        self.run = _write_up(run, code)
        return self.run


def _new_folder(out: Path, name: str) -> Path:
    """A folder that did not exist before, so that two runs of one second do not share one."""
    for count in range(1, 1000):
        folder = out / (name if count == 1 else f"{name}-{count}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{out} already holds 999 runs named {name}")


def _write_up(run: Run, code: int) -> Run:
    """Everything that is derived from the executed notebook."""
    import nbformat

    path, log = run.folder / NOTEBOOK, run.folder / LOG
    executed = nbformat.read(path, nbformat.NO_CONVERT) if path.is_file() else nbformat.v4.new_notebook()
    said = recorded(executed)
    if said is not None:
        for name, text in said.tables.items():
            write_whole(run.folder / f"{name}.csv", text)
        run = replace(
            run, headline=said.headline, scan_id=said.scan_id, data_hash=said.data_hash, tables=tuple(said.tables)
        )
    if not run.ok:
        last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] if log.is_file() else []
        run = replace(run, error=failure(executed, run.status, run.deadline) or f"exit status {code}: {''.join(last)}")
    elif log.is_file():
        log.unlink()
    write_whole(run.folder / PAGE, render(executed, run, said.tables if said else {}))
    run.save()
    write_index(run.folder.parent)
    return run
