"""Real notebooks run by real kernels: one that works, one that fails, one that runs out of time."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from tsbench.errors import BadInput
from tsbench.report import Run, find, history, latest, run_many, runner
from tsbench.report.runs import command_line

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of its own, and a kernel named python3 that is no Python at all."""
    folder = tmp_path_factory.mktemp("home")
    rogue = folder / "jupyter" / "kernels" / "python3"
    rogue.mkdir(parents=True)
    (rogue / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        yield folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def three(home: Path, out: Path) -> dict[str, Run]:
    """Two runs at once with ample time, then one that sleeps for an hour and is given twice the time of the others."""
    found = run_many([("ok", {"length": "50"}), ("fails", {})], out=out, notebooks=NOTEBOOKS, workers=2)
    enough_to_start = 2.0 * round(found[1].seconds + 1)
    found += run_many([("sleeps", {"seconds": 3600.0})], out=out, deadline=enough_to_start, notebooks=NOTEBOOKS)
    return {run.notebook: run for run in found}


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_each_run_ends_in_its_own_state(three: dict[str, Run]) -> None:
    assert {name: run.status for name, run in three.items()} == {"ok": "done", "fails": "failed", "sleeps": "timeout"}


def test_a_finished_run_tells_what_the_notebook_recorded(three: dict[str, Run]) -> None:
    run = three["ok"]
    assert (run.headline, run.data_hash, run.error) == ("the sine has 50 points", "abc123", "")
    assert run.parameters == {"length": 50, "label": "sine", "noisy": False, "step": 0.25}
    assert (run.folder / "points.csv").read_text().startswith("place,height\n0,0.0\n")
    assert run.versions["plotly"] != "missing"
    assert 0 < run.seconds < 60


def test_the_record_on_disk_is_the_record_returned(three: dict[str, Run], out: Path) -> None:
    for run in three.values():
        assert Run.from_json(json.loads((run.folder / "record.json").read_text()), run.folder) == run
    assert {run.id for run in history(out)} == {run.id for run in three.values()}


def test_a_failure_names_the_cell_and_the_error(three: dict[str, Run]) -> None:
    assert three["fails"].error == "Code cell 3: ZeroDivisionError: division by zero"


def test_the_half_run_notebook_of_a_failure_is_kept(three: dict[str, Run]) -> None:
    half = nbformat.read(three["fails"].folder / "notebook.ipynb", nbformat.NO_CONVERT)
    code = [cell for cell in half.cells if cell.cell_type == "code"]
    assert "went well" in code[-3].outputs[0].text
    assert code[-2].outputs[0].ename == "ZeroDivisionError"
    assert code[-1].outputs == []


def test_the_page_of_a_failure_shows_the_cell_with_its_source(three: dict[str, Run]) -> None:
    page = three["fails"].page.read_text("utf-8")
    assert "This run failed." in page
    stopped = page[page.index('id="stopped"') :]
    assert '<pre class="source">numerator / 0</pre>' in stopped
    assert "ZeroDivisionError" in stopped
    assert "the first step went well" in page
    assert "never reached" not in page


def test_a_deadline_stops_the_cell_that_was_at_work_and_keeps_what_came_before(three: dict[str, Run]) -> None:
    run = three["sleeps"]
    assert run.error == f"Code cell 3 was at work when the deadline of {run.deadline:g} s passed."
    page = run.page.read_text("utf-8")
    assert "ran out of time" in page
    assert "before the long step" in page
    assert '<pre class="source">import time' in page[page.index('id="stopped"') :]


def test_a_page_is_one_small_file_with_one_plotly_and_no_inputs(three: dict[str, Run]) -> None:
    page = three["ok"].page.read_text("utf-8")
    assert len(page.encode()) < 6_000_000
    assert page.count("plotly.js v") == 1
    assert "np.sin" not in page
    assert "plotly.js v" not in three["fails"].page.read_text("utf-8")


def test_a_page_refers_to_nothing_outside(three: dict[str, Run], out: Path) -> None:
    for path in (*[run.page for run in three.values()], out / "index.html"):
        page = path.read_text("utf-8")
        # what stands inside plotly.js itself is looked at in a browser, by watching the network
        page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
        assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:|\d{8}-|\w+\.csv)[^"']*""", page)
        assert "@import" not in page


def test_the_index_lists_all_runs_newest_first(three: dict[str, Run], out: Path) -> None:
    index = (out / "index.html").read_text("utf-8")
    ids = [run.id for run in history(out)]
    assert ids == sorted(ids, reverse=True)
    places = [index.index(f"{run}/report.html") for run in ids]
    assert places == sorted(places)
    for told in ("the sine has 50 points", "division by zero", "timeout", "length=50"):
        assert told in index


def test_nothing_is_left_in_the_home(three: dict[str, Run], home: Path) -> None:
    left = {path.name for path in home.iterdir()} - {"jupyter", ".cache"}
    assert left == set()


def test_an_unknown_parameter_stops_everything_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no parameter 'wrong'"):
        run_many([("ok", {}), ("fails", {"wrong": 1})], out=tmp_path, notebooks=NOTEBOOKS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("deadline", "workers"), [(0, 1), (float("nan"), 1), (10, 0)])
def test_a_senseless_deadline_or_number_of_workers_is_refused(deadline: float, workers: int, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"deadline|workers"):
        run_many([("ok", {})], out=tmp_path, deadline=deadline, notebooks=NOTEBOOKS, workers=workers)


def test_runs_of_the_same_second_do_not_share_a_folder(tmp_path: Path) -> None:
    names = {runner._new_folder(tmp_path, "20260101-000000-x").name for _ in range(3)}
    assert names == {"20260101-000000-x", "20260101-000000-x-2", "20260101-000000-x-3"}


def test_the_command_to_run_again_survives_the_shell() -> None:
    line = command_line("05_scan", {"pattern": "my shape", "q_limit": 0.1})
    assert line == "tsbench report 05_scan -p 'pattern=my shape' -p q_limit=0.1"


def test_the_latest_run_of_a_notebook_is_found(three: dict[str, Run], out: Path) -> None:
    assert latest(out, "ok").id == three["ok"].id
    with pytest.raises(LookupError, match="no run of other"):
        latest(out, "other")


def test_a_record_that_cannot_be_read_is_passed_over(tmp_path: Path, finished_run: Run) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "record.json").write_text("{")
    (tmp_path / "good").mkdir()
    replace(finished_run, folder=tmp_path / "good").save()
    assert [run.folder.name for run in history(tmp_path)] == ["good"]


@pytest.mark.fault
def test_a_child_that_hangs_is_killed_after_deadline_and_grace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.2)
    attempt = runner._Attempt(find("sleeps", NOTEBOOKS), {}, {"seconds": 60.0}, tmp_path, 0.5)
    os.kill(attempt.process.pid, signal.SIGSTOP)
    _until(attempt.over)
    run = attempt.finish()
    assert run.status == "timeout"
    assert run.error == "No cell had begun when the deadline of 0.5 s passed."
    assert run.page.is_file()


@pytest.mark.fault
def test_a_killed_child_leaves_a_failed_run(tmp_path: Path) -> None:
    attempt = runner._Attempt(find("sleeps", NOTEBOOKS), {}, {"seconds": 60.0}, tmp_path, 60)
    os.kill(attempt.process.pid, signal.SIGKILL)
    _until(attempt.over)
    run = attempt.finish()
    assert (run.status, run.error) == ("failed", "exit status -9: ")


@pytest.mark.fault
def test_ctrl_c_stops_the_run_and_leaves_its_record(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tsbench.report import run\n"
        "run('sleeps', out=Path(sys.argv[1]), notebooks=Path(sys.argv[2]))"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(NOTEBOOKS)], stderr=subprocess.PIPE)

    def asleep() -> bool:
        return any('before the long step\\n"' in path.read_text() for path in tmp_path.glob("*/notebook.ipynb"))

    _until(asleep)
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=60)
    assert b"KeyboardInterrupt" in error
    run = latest(tmp_path)
    assert (run.status, run.error) == ("interrupted", "Code cell 3 was at work when the run was stopped.")
    assert "was interrupted" in run.page.read_text("utf-8")
