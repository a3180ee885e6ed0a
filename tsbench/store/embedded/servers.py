"""PostgreSQL and Valkey as daemons of one place: created, started, mended, stopped.

Methods that change something are called under the place's start lock (see `embedded`).
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tsbench.errors import Unavailable
from tsbench.store.embedded import binaries, daemon
from tsbench.store.embedded.binaries import Note
from tsbench.store.embedded.place import Place

USER = DATABASE = "tsbench"
# There is no TCP: the port is a part of the socket's file name, stated so that a PGPORT does not matter.
PORT = 5432
# "log" keeps what the server says of itself and drops clients' errors: the file stays small, and no
# statement or value of a user gets into it. fsync and synchronous_commit stay on, as they are by default.
_SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
# After a crash up to max_wal_size (1 GB) is replayed before the server answers.
_START_SECONDS = 120.0
_GIVE_WAY = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """The PostgreSQL server of a place: one cluster, user and database `tsbench`, one unix socket."""

    place: Place

    @property
    def cluster(self) -> Path:
        return self.place.folder / "postgres"

    @property
    def log(self) -> Path:
        return self.place.folder / "postgres.log"

    @property
    def url(self) -> str:
        host = quote(str(self.place.sockets), safe="/")
        return f"postgresql+psycopg2://{USER}@/{DATABASE}?host={host}&port={PORT}"

    def version(self) -> str | None:
        """Version of our server; None when it does not answer."""
        import psycopg2

        try:
            row = self._ask("SELECT current_setting('cluster_name'), current_setting('server_version')")
        except psycopg2.OperationalError:
            return None
        # When the folder was deleted, the old server may still answer in a socket folder elsewhere.
        return str(row[1]).split()[0] if row and row[0] == self._mark else None

    def pid(self) -> int | None:
        """Pid of the live postmaster; what a crash left in its pid file does not count."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.cluster / "postmaster.pid").read_text(errors="replace").split()[0])
            if pid in daemon.marked(self._mark):
                return pid
        return None

    def start(self, note: Note) -> str:
        """Make sure that the server runs and answers; the URL of its database.

        Raises     Unavailable: no programs, or the server does not start; its last log lines say why.
        """
        import psycopg2

        if self.version() is None:
            pid = self.pid()
            # One that is alive may still be replaying its log; one that was told to stop ends soon.
            if pid is None or not self._answers_while_alive(pid):
                self._launch(note)
        try:
            if self._ask("SELECT 1 FROM pg_database WHERE datname = %s", DATABASE) is None:
                self._ask(f"CREATE DATABASE {DATABASE}")
        except psycopg2.Error as error:
            raise Unavailable(self._complaint(f"PostgreSQL refused to make its database: {error}")) from error
        return self.url

    def _launch(self, note: Note) -> None:
        programs = binaries.postgres(self.cluster, self.place.account, note)
        if not self.cluster.exists():
            self._create(programs, note)
        self._clear_crash()
        note("starting PostgreSQL")
        # The setting is a comma-separated list; in double quotes a name may hold commas and spaces.
        folder = str(self.place.sockets).replace('"', '""')
        settings = {**_SETTINGS, "unix_socket_directories": f'"{folder}"', "cluster_name": self._mark}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        pid = daemon.spawn([programs / "postgres", "-D", self.cluster, *options], self.place.account, self.log)
        if not self._answers_while_alive(pid):
            raise Unavailable(self._complaint("PostgreSQL did not start"))

    def stop(self) -> None:
        """Stop the server in order, by force when that takes over a minute; nothing when none runs."""
        pid = self.pid()
        if pid is not None:
            daemon.end([pid], ((signal.SIGINT, 60.0), *_GIVE_WAY))
        daemon.end(daemon.marked(self._mark), _GIVE_WAY)

    @property
    def _mark(self) -> str:
        return self.place.mark("postgres")

    def _ask(self, statement: str, *values: str) -> tuple[Any, ...] | None:
        """First row of the answer to a statement, None without one."""
        import psycopg2

        with closing(
            psycopg2.connect(host=str(self.place.sockets), port=PORT, user=USER, dbname="postgres", connect_timeout=5)
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchone() if cursor.description is not None else None

    def _answers_while_alive(self, pid: int) -> bool:
        """True once the server answers, False when process `pid` ended first."""
        answer: list[bool] = []

        def settled() -> bool:
            answer[:] = [self.version() is not None]
            return answer[0] or not daemon.alive(pid)

        if not daemon.wait_until(settled, _START_SECONDS):
            raise Unavailable(self._complaint(f"PostgreSQL (process {pid}) does not answer"))
        return answer[0]

    def _complaint(self, what: str) -> str:
        told = daemon.last_lines(self.log.read_bytes()) if self.log.exists() else "  (no log)"
        return (
            f"{what}; the end of {self.log}:\n{told}\nmend that and try again (`tsbench services stop --force` "
            "ends a server that hangs), or set DATABASE_URL to another server"
        )

    def _clear_crash(self) -> None:
        """Remove what a killed postmaster left, once it is sure that none of its kind is alive.

        Its backends may still be at work, and until they are gone PostgreSQL refuses to start; so it does
        when the number in its pid file belongs to another program of the same user by now.
        """
        daemon.end(daemon.marked(self._mark), _GIVE_WAY)
        name = f".s.PGSQL.{PORT}"
        for stale in (self.cluster / "postmaster.pid", self.place.sockets / name, self.place.sockets / f"{name}.lock"):
            stale.unlink(missing_ok=True)

    def _create(self, programs: Path, note: Note) -> None:
        """Make the cluster beside its place, then rename it: a killed initdb leaves nothing half-made.

        Each try has a folder of its own, for the initdb of a killed starter may still be writing into its one.
        """
        note(f"creating the database in {self.cluster}")
        for left_over in self.place.folder.glob("postgres.new-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.place.folder))
        try:
            self.place.account.own(partial)
            names = ["-U", USER, "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"]
            initdb = subprocess.run(
                [programs / "initdb", "-D", partial, "--data-checksums", *names],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **self.place.account.options(),
            )
            if initdb.returncode:
                raise Unavailable(
                    f"initdb could not make a database in {self.place.folder}:\n{daemon.last_lines(initdb.stdout)}\n"
                    "mend that and try again, or set DATABASE_URL to another server"
                )
            partial.rename(self.cluster)
            # Until its folder is on disk, a power cut could undo the renaming and the next try delete the data.
            folder = os.open(self.place.folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Valkey:
    """The Valkey (or Redis) server of a place: a unix socket, nothing kept on disk."""

    place: Place

    @property
    def socket(self) -> Path:
        return self.place.sockets / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.place.folder / "valkey.log"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}"

    def answers(self) -> bool:
        """Whether a server answers PING on the socket."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False

    def start(self, note: Note) -> str | None:
        """Make sure that the server runs; its URL, or None on a machine without such a program.

        Raises     Unavailable: the program is there and does not start; its last log lines say why.
        """
        if self.answers():
            return self.url
        program = binaries.valkey(self.place.account, note)
        if program is None:
            return None
        self.stop()
        note("starting Valkey")
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.place.sockets),
            "save": "",
            "appendonly": "no",
            "maxmemory": "64mb",
            "maxmemory-policy": "allkeys-lru",
            "proc-title-template": f"valkey-server {self.place.mark('valkey')}",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        pid = daemon.spawn([program, *words], self.place.account, self.log)
        daemon.wait_until(lambda: self.answers() or not daemon.alive(pid), 20.0)
        if not self.answers():
            raise Unavailable(
                f"{program.name} did not start; the end of {self.log}:\n{daemon.last_lines(self.log.read_bytes())}\n"
                "mend that and try again, or set REDIS_URL to another server"
            )
        return self.url

    def stop(self) -> None:
        """Stop the server; nothing when none runs."""
        daemon.end(daemon.marked(self.place.mark("valkey")), ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)))


@contextmanager
def fresh_database(url: str, *, template: str = "template0") -> Iterator[str]:
    """The URL of a new database on the server of `url`, dropped on leaving with whoever is connected.

    Parameters
        url : str. Any database of that server, by a user who may create databases.
        template : str. Database to copy, for example one that is migrated already; nobody may be
            connected to it.
    """
    from sqlalchemy import NullPool, create_engine, make_url, text

    name = f"tsbench_{os.urandom(6).hex()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
