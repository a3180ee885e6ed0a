"""The sequence diagrams name what is there."""

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

SEQUENCES = sorted((Path(__file__).resolve().parents[2] / "docs" / "sequences").glob("*.mmd"))
NAME = re.compile(r"\b((?:serve|store|detect|plots|jobs)(?:\.[a-z_]+)*):([A-Za-z_.]+[A-Za-z_])")


def test_each_documented_flow_has_its_diagram() -> None:
    assert {path.stem for path in SEQUENCES} >= {"fit", "predict", "healthcheck", "plot"}


@pytest.mark.parametrize("path", SEQUENCES, ids=lambda path: path.stem)
def test_what_a_diagram_names_exists(path: Path) -> None:
    names = NAME.findall(path.read_text("utf-8"))
    assert len(names) >= 5
    for module, dotted in names:
        reduce(getattr, dotted.split("."), importlib.import_module(f"tsbench.{module}"))


@pytest.mark.parametrize("path", SEQUENCES, ids=lambda path: path.stem)
def test_who_speaks_has_been_introduced(path: Path) -> None:
    text = path.read_text("utf-8")
    known = set(re.findall(r"participant (\w+) as", text))
    for one, other in re.findall(r"^\s*(\w+)-?->>(\w+):", text, flags=re.M):
        assert {one, other} <= known
