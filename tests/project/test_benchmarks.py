"""The figures the project quotes are those its scripts wrote, about the sets that were frozen before."""

import hashlib
import importlib
import json
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_figures_is_made_from_the_committed_results():
    done = subprocess.run(
        [sys.executable, "benchmark/tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("where", "name", "length", "frozen"),
    [
        ("planted", "joint_turn", (16, 60), "eeb66edd55c1c3a9"),
        ("planted_in_companies", "step", (10, 30), "c17bfc6187761f2a"),
    ],
)
def test_the_planted_sets_are_those_that_were_frozen(where, name, length, frozen, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmark")
    sets = importlib.import_module("shape_sets")
    cell = getattr(sets, where)(sets.shapes(length)[name], 20, 6, 0)
    digest = hashlib.sha256()
    for values in cell.series:
        digest.update((values.round(6) + 0.0).astype("<f8").tobytes())
    for stretches in (cell.truth, cell.ignored):
        digest.update(repr(stretches.to_numpy().tolist()).encode())
    assert digest.hexdigest()[:16] == frozen


@pytest.fixture
def bench(monkeypatch):
    """A module of the folder by its name."""
    monkeypatch.syspath_prepend(ROOT / "benchmark")
    return importlib.import_module


class Echo(socketserver.StreamRequestHandler):
    """Answers a POST with its own body, `bad` with a 500, `half` in two pieces; `end` closes the connection."""

    def handle(self):
        while self.rfile.readline():
            headers = dict(line.split(b": ", 1) for line in iter(lambda: self.rfile.readline().strip(), b""))
            body = self.rfile.read(int(headers[b"content-length"]))
            if body == b'"end"':
                return
            status = b"500 Broken" if body == b'"bad"' else b"200 OK"
            answer = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
            cut = len(answer) - 3 if body == b'"half"' else len(answer)
            self.wfile.write(answer[:cut])
            self.wfile.flush()
            self.wfile.write(answer[cut:])


@pytest.fixture
def echo():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _asked(bench, url, *bodies, right=None):
    asking = bench("asking")
    return [asking.Asked(asking.as_bytes(url, "/x", b), (right or json.dumps(b)).encode()) for b in bodies]


def test_an_open_loop_sends_what_its_timetable_says_and_counts_from_when_it_was_due(bench, echo):
    given = {"rate": 400, "seconds": 0.25, "connections": 2, "seed": 3}
    loop = bench("open_loop")
    first = loop.open_loop(echo, _asked(bench, echo, "a", "half"), **given)
    assert (first.due.size, first.wrong, first.lost, first.unanswered) == (100, 0, 0, 0)
    assert (first.sent >= first.due).all()
    assert (first.done > first.sent).all()
    assert all(first.from_due()[key] >= first.from_send()[key] for key in ("p50", "p95", "p99", "max"))
    again = loop.open_loop(echo, _asked(bench, echo, "a"), **given)
    assert (first.due == again.due).all()


def test_a_closed_loop_counts_only_from_when_it_sent(bench, echo):
    found = bench("open_loop").closed_loop(echo, _asked(bench, echo, "a"), seconds=0.1, connections=3)
    assert found.due.size > 0
    assert (found.due == found.sent).all()
    assert (found.wrong, found.unanswered) == (0, 0)


@pytest.mark.parametrize(("body", "right"), [("a", '"b"'), ("bad", '"bad"')])
def test_an_answer_that_is_another_or_no_200_is_counted_as_wrong(bench, echo, body, right):
    asked = _asked(bench, echo, body, right=right)
    found = bench("open_loop").open_loop(echo, asked, rate=200, seconds=0.1, connections=1, seed=0)
    assert found.wrong == found.due.size == 20
    assert body in found.first_wrong


def test_what_is_never_answered_has_waited_until_the_end(bench, echo):
    asked = _asked(bench, echo, "a", "end")
    found = bench("open_loop").open_loop(echo, asked, rate=200, seconds=0.1, connections=1, seed=0)
    # the second request ends the only connection: the other eighteen never went out
    assert (found.lost, found.unanswered, found.due.size) == (1, 19, 20)
    assert found.seconds >= 0.1
    end = max(found.seconds, found.due.max())
    assert found.from_due()["max"] == pytest.approx(1000 * (end - found.due[1]), abs=0.01)
    assert (end - found.due >= 0).all()
    assert found.from_send()["max"] < found.from_due()["max"]


def test_what_wrk_prints_is_read_in_milliseconds(bench):
    wrk = bench("wrk")
    told = "  Latency Distribution\n     50%  985.00us\n     75%    1.10ms\n     90%    1.20ms\n     99%    1.50s\n"
    assert wrk._percentile(told, 50) == pytest.approx(0.985)
    assert wrk._percentile(told, 99) == 1_500


def test_pgbench_runs_the_very_statement_that_keeps_a_fit(bench, store):
    from tsbench.detect import anomaly
    from tsbench.store.series_versions import Fit

    pgbench = bench("pgbench")
    if pgbench.program() is None:
        pytest.skip("no pgbench: neither the wheel nor PATH has one")
    values = [10.0, 11.2, 10.4, 10.8, 9.9, 10.7]
    fit = Fit.of("x", anomaly.ZScore().fit(values), range(6), values)
    text = pgbench.script(store, fit, 3)
    assert text.count("\n") == 2
    pgbench.run(text, store.url, prepared=True, clients=2, seconds=1)
    names = [version.series_id for version in store.series_versions.latest()]
    assert set(names) <= {"pgbench_1", "pgbench_2", "pgbench_3"}
    kept, times, same = store.series_versions.training(names[0])
    assert (kept.model, times.tolist(), same.tolist()) == ("zscore", list(range(6)), values)


def test_every_limit_is_one_that_is_measured(bench, capsys):
    stress = bench("stress")
    limits = json.loads(stress.LIMITS.read_text("utf-8"))
    stored = json.loads((ROOT / "benchmark" / "results" / "stress.json").read_text("utf-8"))["results"]
    bars = stress.verdict(stored, limits)
    assert len(bars) == len(limits) == len(stress.FIGURES)
    lowered = stress.verdict(stored, {"mix_requests_per_second": {"at_least": 1e9}})
    assert [bar["met"] for bar in lowered] == [False]
    with pytest.raises(SystemExit, match="names speed; known: wrong_answers"):
        stress.verdict(stored, {"speed": {"at_most": 1}})
