"""What lies in the repository: the two lists of packages agree, nothing names a machine, notebooks are clean."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
# conda-forge's name where it is not PyPI's
CONDA = {"psycopg2-binary": "psycopg2", "redis": "redis-py", "uvicorn": "uvicorn-standard"}


def _project() -> dict[str, list[str]]:
    """Requirements of pyproject.toml: `base`, and one list per extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {"base": project["dependencies"], **project["optional-dependencies"]}


def _plain(name: str) -> str:
    """A package's name as package indexes compare it."""
    return name.lower().replace("_", "-")


def _bare(requirement: str) -> tuple[str, str]:
    """(name, lower bound) of a requirement: "numpy>=2.2; ..." -> ("numpy", "2.2")."""
    found = re.match(r"([A-Za-z0-9._-]+)(?:\[[a-z]+\])?\s*(?:>=\s*([0-9.]+))?", requirement)
    assert found is not None, requirement
    return _plain(found[1]), found[2] or ""


def test_the_conda_environment_asks_for_what_pyproject_asks_for() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    conda = [_bare(line) for line in environment["dependencies"] if isinstance(line, str)]
    pip = [_bare(line) for part in environment["dependencies"] if isinstance(part, dict) for line in part["pip"]]
    listed = {name: bound for name, bound in [*conda, *pip] if name not in ("python", "pip", "make")}
    extras = _project()
    wanted = dict(_bare(line) for line in [*extras["base"], *extras["test"]])
    assert listed == {CONDA.get(name, name): bound for name, bound in wanted.items()}
    assert set(environment["channels"]) == {"conda-forge"}
    assert ("python", "3.11") in conda


def _imported(node: ast.AST, inside: bool = False) -> set[tuple[str, bool]]:
    """(package, whether inside a function) of every import in `node`."""
    if isinstance(node, ast.Import):
        return {(alias.name.partition(".")[0], inside) for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module.partition(".")[0], inside)} if node.module and not node.level else set()
    inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return set().union(*(_imported(child, inside) for child in ast.iter_child_nodes(node)))


def _not_asked_for(imported: set[tuple[str, bool]]) -> set[str]:
    """Foreign packages that no requirement brings; those of the extras for users count inside functions only."""
    homes, project = packages_distributions(), _project()
    base = {_bare(line)[0] for line in project["base"]}
    extra = {
        _bare(line)[0] for name, lines in project.items() if name not in ("base", "test", "bench") for line in lines
    }
    return {
        name
        for name, inside in imported
        if name not in sys.stdlib_module_names | {"tsbench"}
        and not (base | extra if inside else base) & {_plain(home) for home in homes.get(name, [name])}
    }


def test_every_imported_package_is_asked_for() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "tsbench").rglob("*.py")]
    assert _not_asked_for(set().union(*(_imported(ast.parse(text)) for text in texts))) == set()


def test_the_check_of_imports_would_notice_one() -> None:
    lazy = "import numpy\ndef draw():\n    import playwright.sync_api\n    import hypothesis\n"
    assert _not_asked_for(_imported(ast.parse(lazy))) == {"hypothesis"}
    assert _not_asked_for(_imported(ast.parse("try:\n    from playwright import x\nexcept ImportError: ..."))) == {
        "playwright"
    }


@pytest.mark.parametrize("kind", ["base", "test", "bench"])
def test_every_requirement_is_pinned(kind: str) -> None:
    lines = (ROOT / "requirements" / f"{kind}.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert all("==" in line for line in pins)
    pinned = {_plain(line.split("==")[0]) for line in pins}
    extras = _project()
    wanted = {_bare(line)[0] for line in [*extras["base"], *(extras[kind] if kind != "base" else [])]}
    assert wanted <= pinned


def _texts() -> dict[str, str]:
    """Every text file git would take, by name."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".parquet", ".png", ".gz"}:
            texts[name] = path.read_text("utf-8", errors="replace")
    return texts


FORBIDDEN = [
    r"--(extra-)?" + "index-url",
    r"https?://[^ \"]*" + "/simple",
    r"(pypi|pythonhosted|npmjs)\." + "(org|com)",
    r"(?<![\w.~/-])/(w" + "ork|r" + "oot|f" + "arm)/",
    r"/home/\w+/",
]


def test_no_file_names_a_registry_or_a_machine() -> None:
    texts = _texts()
    assert len(texts) > 30
    found = [
        f"{name}: {match[0]}"
        for name, text in texts.items()
        for pattern in FORBIDDEN
        if (match := re.search(pattern, text))
    ]
    assert found == []


def test_the_check_of_names_would_notice_one() -> None:
    bad = ["pip install --index" + "-url x", "see /wo" + "rk/main", "files.python" + "hosted.org/x"]
    assert all(any(re.search(pattern, text) for pattern in FORBIDDEN) for text in bad)


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK|not implemen" + r"ted)\b")
    code = {name: text for name, text in _texts().items() if name.startswith(("tsbench/", "notebooks/", "Makefile"))}
    assert [name for name, text in code.items() if words.search(text)] == []


def test_every_sql_and_template_file_is_packaged() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    suffixes = {Path(pattern).suffix or pattern for pattern in patterns["tsbench"]}
    loose = [
        path.relative_to(ROOT)
        for path in (ROOT / "tsbench").rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and path.suffix not in suffixes
    ]
    assert [path for path in loose if path.name not in suffixes] == []


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_notebooks_are_clean_and_plain(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code), "clear the outputs"
    assert cells[0]["cell_type"] == "markdown"
    assert "?" in "".join(cells[0]["source"]), "the first cell asks the question"
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in code) == 1
    for cell in code:
        source = "".join(cell["source"])
        assert not re.search(r"^\s*(def|class) ", source, flags=re.M), "a function belongs into the package"
        assert source.count("\n") < 14, source


def test_there_are_notebooks() -> None:
    assert {"01_explore_companies", "03_train_detector", "05_scan_companies"} <= {path.stem for path in NOTEBOOKS}


def test_continuous_integration_runs_the_one_command() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert runs == ["make test"]
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make test")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_make_lists_what_it_can_do() -> None:
    command = ["make", "--no-print-directory", "help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.M)
    assert phony is not None
    assert listed == set(phony[1].split())
