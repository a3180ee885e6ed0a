"""The house stands as designed: layers, sizes, start-up."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "pandas", "numba", "scipy", "sklearn", "psycopg2", "sqlalchemy", "plotly", "papermill", "pydantic")


def _loaded_after(statement: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys; print('\\n' + ' '.join(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_every_import_points_downward() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("statement", ["import tsbench", "import tsbench.cli", "from tsbench import errors"])
def test_starting_imports_nothing_heavy(statement: str) -> None:
    assert not _loaded_after(statement) & set(HEAVY)


def test_the_check_of_heavy_imports_would_notice_one() -> None:
    assert "numpy" in _loaded_after("import tsbench.series")


def test_numbers_and_methods_open_neither_database_nor_plots() -> None:
    rooms = ["series", "kernels", "patterns", "evaluate", "detect"]
    loaded = _loaded_after("\n".join(f"import tsbench.{room}" for room in rooms))
    assert not loaded & {"psycopg2", "sqlalchemy", "alembic", "plotly", "papermill", "pydantic_settings", "dotenv"}


def test_every_lazy_name_of_the_package_exists() -> None:
    import tsbench

    for name in dir(tsbench):
        getattr(tsbench, name)


def test_modules_stay_readable() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in (ROOT / "tsbench").rglob("*.py")
    }
    assert lengths
    assert {name: count for name, count in lengths.items() if count > 300} == {}


def test_no_module_is_named_after_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "service", "core", "common", "misc"}
    assert [path for path in (ROOT / "tsbench").rglob("*.py") if {path.stem, path.parent.name} & empty] == []
