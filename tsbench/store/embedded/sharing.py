"""PostgreSQL and Valkey for one project, shared by all of its processes, without an administrator.

Each process that uses them holds a shared lock on `clients.lock`; whoever can turn it into an exclusive
one when leaving was the last, and stops the servers. The kernel frees the lock of a killed process, so
the next that leaves tidies up after it. Starting and stopping take turns by `start.lock`.
"""

import atexit
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from tsbench.errors import Unavailable
from tsbench.store.embedded.place import Place, locked
from tsbench.store.embedded.servers import PostgreSQL, Valkey


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of the services in use, and the hold on them when they are embedded.

    database_url : str. `postgresql+psycopg2://...`.
    redis_url : str or None. `unix://...`; None without a Redis.
    owned : bool. True for embedded servers, whose last user stops them; False for given addresses.
    """

    database_url: str
    redis_url: str | None = None
    owned: bool = False
    _release: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    def close(self) -> None:
        """Let go of the services; the last of their users stops them. More than once does no harm."""
        if self._release is not None:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Status:
    """What runs for a project.

    running : bool. PostgreSQL answers.
    kept : bool. It stays when its last user leaves, until `stop`.
    folder, sockets : Path. Data, locks and logs; unix sockets.
    database_url : str. Its address, also while it does not run; holds no password, for there is none.
    version : str or None. Of PostgreSQL.
    pid : int or None. Of the postmaster.
    redis_url : str or None. Address of Valkey while it answers.
    clients : tuple of int or None. Pids that hold the services; None where the system does not tell.
    """

    running: bool
    kept: bool
    folder: Path
    sockets: Path
    database_url: str
    version: str | None
    pid: int | None
    redis_url: str | None
    clients: tuple[int, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-able values."""
        return asdict(self) | {"folder": str(self.folder), "sockets": str(self.sockets)}

    def __str__(self) -> str:
        if not self.running:
            return f"PostgreSQL does not run\n  folder    {self.folder}"
        until = "until `tsbench services stop`" if self.kept else "until its last user leaves"
        return "\n".join(
            [
                f"PostgreSQL {self.version} runs as process {self.pid} {until}",
                f"  database  {self.database_url}",
                f"  redis     {self.redis_url or 'none'}",
                f"  folder    {self.folder}",
                f"  users     {_named(self.clients)}",
            ]
        )


def acquire(
    project: Path,
    *,
    redis: bool = True,
    pgdata: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Services:
    """Use the services of `project`, starting what does not run; close what comes back when done.

    The first time the database is made, which is most of the wait. What a killed client or server left
    behind is mended here.

    Parameters
        project : Path. The project's folder. Data lie in its `data/.services/`; root's in
            `/var/lib/tsbench/<hash of the path>`, where the servers run as nobody.
        redis : bool. Off: Valkey is not started, and `redis_url` is None.
        pgdata : Path or None. A folder whose `.services/` is used in place of that one. It must lie on
            a local disk and, for root, where the user nobody can go.
        progress : called with a line about each step that takes time.
    Returns
        Services. Left open, they are closed when the interpreter ends.
    Raises     BadInput: no such project. Unavailable: the services cannot run; the message says why and
        what to do.
    """
    note = progress or (lambda _: None)
    place = Place.of(project, pgdata)
    place.prepare(project)
    with locked(place.turn):
        hold = _Hold(place)
        try:
            database_url = PostgreSQL(place).start(note)
            redis_url = Valkey(place).start(note) if redis else None
        except BaseException:
            hold.leave()
            raise
    atexit.register(hold.release)
    return Services(database_url, redis_url, True, hold.release)


def start(
    project: Path,
    *,
    redis: bool = True,
    pgdata: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Status:
    """Start the services and keep them until `stop`, whoever comes and goes. Parameters as of `acquire`."""
    with acquire(project, redis=redis, pgdata=pgdata, progress=progress):
        Place.of(project, pgdata).keep.touch()
    return status(project, pgdata=pgdata)


def stop(project: Path, *, force: bool = False, pgdata: Path | None = None) -> Status:
    """Stop the services, kept or not; committed rows stay.

    Parameters
        project, pgdata : as of `acquire`.
        force : bool. On: also while others use them; these lose their connections.
    Raises     Unavailable: others use them, or a server process does not end.
    """
    place = Place.of(project, pgdata)
    if place.folder.is_dir():
        with locked(place.turn):
            hold = _Hold(place)
            alone = hold.alone()
            hold.drop()
            if not alone and not force:
                raise Unavailable(
                    f"the services in {place.folder} are in use by {_named(_clients(place) or None)}; "
                    "close these or add --force, which cuts their connections"
                )
            place.keep.unlink(missing_ok=True)
            _stop_servers(place)
    return status(project, pgdata=pgdata)


def status(project: Path, *, pgdata: Path | None = None) -> Status:
    """What runs for `project`; starts and changes nothing. Parameters as of `acquire`."""
    place = Place.of(project, pgdata)
    postgres, valkey = PostgreSQL(place), Valkey(place)
    made = place.folder.is_dir()
    version = postgres.version() if made else None
    return Status(
        running=version is not None,
        kept=place.keep.exists(),
        folder=place.folder,
        sockets=place.sockets,
        database_url=postgres.url,
        version=version,
        pid=postgres.pid() if made else None,
        redis_url=valkey.url if valkey.answers() else None,
        clients=_clients(place),
    )


def exists(project: Path, *, pgdata: Path | None = None) -> bool:
    """Whether `project` has a database already, running or not. Parameters as of `acquire`."""
    return PostgreSQL(Place.of(project, pgdata)).cluster.exists()


class _Hold:
    """One process's share in the services of a place; made and left under the start lock."""

    def __init__(self, place: Place) -> None:
        import fcntl

        self._place, self._pid = place, os.getpid()
        self._lock: int | None = os.open(place.clients, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Whether nobody else holds a share; this one may be lost by asking."""
        import fcntl

        if self._lock is None:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # In a folder that was deleted and made again, others hold another file.
        current = self._place.clients
        return current.exists() and os.path.samestat(os.fstat(self._lock), current.stat())

    def drop(self) -> None:
        """Give the share back."""
        import fcntl

        if self._lock is not None:
            # A forked child shares the lock: closing alone would leave it held.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def leave(self) -> None:
        """Give the share back and, as the last, stop the servers unless they are to be kept."""
        try:
            if self.alone() and not self._place.keep.exists():
                _stop_servers(self._place)
        finally:
            self.drop()

    def release(self) -> None:
        """Take the turn and leave; in a forked child the parent's share is not the child's to give."""
        atexit.unregister(self.release)
        if self._lock is None or self._pid != os.getpid():
            return
        if not self._place.folder.is_dir():
            self.drop()
            return
        with locked(self._place.turn):
            self.leave()


def _stop_servers(place: Place) -> None:
    Valkey(place).stop()
    PostgreSQL(place).stop()


def _clients(place: Place) -> tuple[int, ...] | None:
    """Pids of the holders of the shared lock, as Linux lists them; None where there is no such list."""
    table, lock = Path("/proc/locks"), place.clients
    if not lock.exists():
        return ()
    if not table.exists():
        return None
    # Only the inode is compared: some file systems show another device number here than to stat.
    inode = f":{lock.stat().st_ino}"
    rows = (row.split() for row in table.read_text().splitlines())
    return tuple(sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].endswith(inode)}))


def _named(clients: tuple[int, ...] | None) -> str:
    if clients is None:
        return "other processes"
    return f"{len(clients)} process(es)" + (f": {', '.join(map(str, clients))}" if clients else "")
