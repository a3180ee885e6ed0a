"""The stress bench against a service in a process of its own: locust's users, the loops, and what is left behind."""

import ast
import importlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tsbench.store import embedded

BENCH = Path(__file__).resolve().parents[2] / "benchmark"
KINDS = {"predict", "batch of 500", "fit of 100", "plot", "ready", "healthcheck"}


@pytest.fixture(scope="module")
def bench():
    """A module of the folder by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCH)
        yield importlib.import_module


@pytest.fixture(scope="module")
def running(bench):
    """A service as `make stress` starts it."""
    with bench("own_service").own_service() as service:
        yield service


@pytest.fixture(scope="module")
def room(bench, running):
    """Series of the service and requests about them."""
    made = bench("load_runs").Room(running.url, None, "room")
    yield made
    made.leave()


def _series(bench, running):
    return json.loads(bench("asking").ask(running.url, "/series?limit=1000"))["series"]


@pytest.mark.fault
def test_every_kind_of_user_gets_right_answers_and_leaves_no_series(bench, running, tmp_path):
    before = _series(bench, running)
    found = bench("mix").run(running.url, users=20, seconds=3, out=tmp_path)
    assert found["failures"] == []
    assert {row["name"] for row in found["requests"]} == KINDS
    assert found["together"]["requests"] == sum(row["requests"] for row in found["requests"]) > 50
    assert found["together"]["failures"] == 0
    assert "<html" in (tmp_path / "locust.html").read_text("utf-8")
    assert _series(bench, running) == before


@pytest.mark.fault
def test_a_wrong_answer_is_a_failure_of_the_mix(bench, running, tmp_path, monkeypatch):
    # the users' arithmetic is put wrong, so every verdict is
    text = (BENCH / "locustfile.py").read_text("utf-8")
    assert text.count("weight = 60") == text.count("math.fsum(values) / len(values)") == 1
    wrong = text.replace("math.fsum(values) / len(values)", "1 + math.fsum(values) / len(values)")
    (tmp_path / "locustfile.py").write_text(wrong.replace("weight = 60", "weight = 6000"))
    mix = bench("mix")
    monkeypatch.setattr(mix, "HERE", tmp_path)
    found = mix.run(running.url, users=4, seconds=2, out=tmp_path / "out")
    assert found["together"]["failures"] > 0
    assert found["failures"][0]["name"] == "predict"
    assert "wanted" in found["failures"][0]["error"]


@pytest.mark.fault
def test_every_part_of_the_bench_measures_right_answers(bench, room):
    runs = bench("load_runs")
    peak = runs.peak(room, 0.3)
    (slow, *_) = rows = runs.sweep(room, min(peak["rate"], 1_000), 0.2)
    assert slow["asked"] == pytest.approx(0.05 * min(peak["rate"], 1_000), rel=0.05)
    sizes = runs.payload(room, 0.1)
    assert [(row["values"], row["timestamps"]) for row in sizes] == [(n, t) for n in runs.SIZES for t in (False, True)]
    assert all(row["wrong"] == 0 for row in [peak, *rows, *sizes, runs.cold_and_warm(room)])


@pytest.mark.fault
def test_a_stall_costs_the_closed_loop_requests_and_the_open_loop_none(bench, room, running):
    found = bench("load_runs").stall(room, running.pid)
    planned = found["rate"] * found["of"]
    assert found["open"]["requests"] == planned
    # of both connections those that were due while nothing was answered
    assert found["closed"]["requests"] <= planned - 0.9 * found["rate"] * found["seconds"]
    assert found["open"]["max"] >= 1000 * 0.9 * found["seconds"]
    assert found["open"]["wrong"] == found["closed"]["wrong"] == 0


@pytest.mark.fault
def test_a_service_of_its_own_leaves_nothing_when_the_bench_fails(bench):
    began = []

    def fails():
        with bench("own_service").own_service() as service:
            began.append((service, embedded.status(service.home).folder))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    ((service, folder),) = began
    assert not folder.exists()
    assert not service.home.exists()
    assert not Path(f"/proc/{service.pid}").exists()


HOLDS = """
import sys
sys.path.insert(0, sys.argv[1])
from own_service import own_service
with own_service(database_url=sys.argv[2], redis_url=sys.argv[3]) as service:
    print(service.pid, service.home, flush=True)
    sys.stdin.read()
"""


@pytest.mark.fault
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no signal at the death of the parent")
def test_the_service_ends_with_a_bench_that_is_killed(database_url, redis_url):
    command = [sys.executable, "-c", HOLDS, str(BENCH), database_url, redis_url]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid, home = holder.stdout.readline().split()
    service = os.pidfd_open(int(pid))
    try:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
        assert select.select([service], [], [], 30)[0], "the service goes on without its bench"
    finally:
        os.close(service)
        shutil.rmtree(home)


def test_nothing_imports_locust_which_changes_the_sockets_of_whoever_does():
    root = BENCH.parent
    files = [path for room in ("tsbench", "benchmark", "tests") for path in (root / room).rglob("*.py")]
    importing = []
    for path in files:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        if any(name.partition(".")[0] in ("locust", "gevent", "locustfile") for name in names):
            importing.append(path.relative_to(root).as_posix())
    assert importing == ["benchmark/locustfile.py"]
