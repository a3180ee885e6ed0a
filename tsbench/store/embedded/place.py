"""Where the servers of a project live, as whom they run, and the locks by which processes take turns."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tsbench.errors import BadInput, Unavailable

ROOT_DATA = Path("/var/lib/tsbench")
# Linux takes 107 bytes, macOS 103.
_SOCKET_BYTES = 100
_LONGEST_SOCKET = "/.s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that servers run as.

    uid, gid : int. Owner of every file the servers write.
    switched : bool. True when it is not the user of this process (root hands over to nobody).
    """

    uid: int
    gid: int
    switched: bool

    @classmethod
    def for_servers(cls) -> "Account":
        """The current user; for root, whom PostgreSQL refuses, the user nobody."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), False)
        import pwd

        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            raise Unavailable(
                "PostgreSQL refuses to run as root and there is no user `nobody` to run it as; "
                "work as an ordinary user or set DATABASE_URL"
            ) from error
        return cls(nobody.pw_uid, nobody.pw_gid, True)

    def own(self, folder: Path) -> None:
        """Make `folder` private to this account, and make it at all where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        found = folder.lstat()
        # In a folder open to all, somebody else may have put a link or a folder of theirs at this name.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), self.uid):
            raise PermissionError(f"{folder} is a link or belongs to another user ({found.st_uid})")
        if self.switched:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def options(self) -> dict[str, Any]:
        """Arguments of subprocess.run that make the child this account, cut off from our session."""
        user = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}
        # No PG* variable, locale or preloaded library of the caller may change what a server does.
        return {**user, "cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "start_new_session": True}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers of one project live.

    folder : Path. Locks, logs and data.
    sockets : Path. Unix sockets; elsewhere when `folder` is too long for a socket address.
    account : Account. Who runs the servers.
    """

    folder: Path
    sockets: Path
    account: Account

    @classmethod
    def of(cls, project: Path, pgdata: Path | None = None) -> "Place":
        """The place of a project, as `acquire` describes it; nothing is made on disk."""
        if os.name != "posix":
            raise Unavailable("embedded services need Linux or macOS; set DATABASE_URL to a PostgreSQL server")
        project, account = Path(project).resolve(), Account.for_servers()
        if account.switched and pgdata is None:
            folder = ROOT_DATA / _digest(project)
        else:
            folder = (Path(pgdata or project / "data") / ".services").resolve()
        sockets = folder / "sockets"
        # libpq reads a comma as the next host; a URL is text, and not every file name is.
        fits = len(os.fsencode(sockets)) + len(_LONGEST_SOCKET) <= _SOCKET_BYTES
        if not fits or "," in str(sockets) or not str(sockets).isprintable():
            base = ROOT_DATA if account.switched else Path("/tmp")
            sockets = base / f"sockets-{account.uid}-{_digest(folder)}"
        return cls(folder, sockets, account)

    @property
    def turn(self) -> Path:
        """Lock file of whoever starts or stops servers."""
        return self.folder / "start.lock"

    @property
    def clients(self) -> Path:
        """Lock file shared by all who use the servers."""
        return self.folder / "clients.lock"

    @property
    def keep(self) -> Path:
        """There while the servers are to outlive their last user."""
        return self.folder / "keep"

    def mark(self, server: str) -> str:
        """What our `server` bears on its command line: the folder's identity, which a move keeps."""
        identity = self.folder.stat()
        return f"tsbench-{server}-{identity.st_dev}-{identity.st_ino}"

    def prepare(self, project: Path) -> None:
        """Make the folders, closed to all but the user and the servers' account.

        Raises     BadInput: no such project. Unavailable: the folders cannot be made.
        """
        if not Path(project).is_dir():
            raise BadInput(f"project must be a folder that exists, got {str(project)!r}")
        try:
            if self.account.switched:
                if ROOT_DATA in (self.folder.parent, self.sockets.parent):
                    ROOT_DATA.mkdir(parents=True, exist_ok=True)
                    ROOT_DATA.chmod(0o755)
                # Root writes locks and logs here: the servers' account passes through and does not write.
                self.folder.mkdir(parents=True, exist_ok=True)
                os.chown(self.folder, 0, self.account.gid)
                self.folder.chmod(0o710)
            else:
                self.account.own(self.folder)
            self.account.own(self.sockets)
            (self.folder / "project").write_bytes(os.fsencode(Path(project).resolve()) + b"\n")
        except OSError as error:
            raise Unavailable(
                f"the services cannot use their folder: {error}; give another by pgdata, or set DATABASE_URL"
            ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of the file `path`, waiting for it; the kernel frees it when we die."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # A child forked meanwhile shares the lock: closing alone would leave it held.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _digest(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:16]
