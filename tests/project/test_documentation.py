"""What is public is documented, and the documents say what the code does."""

import doctest
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

import tsbench
from tsbench.patterns import NULLS, library
from tsbench.settings import table

ROOT = Path(__file__).resolve().parents[2]
# not checks: its functions share the arguments value and name, explained once at the top
ROOMS = ("errors", "records", "kernels", "series", "patterns", "evaluate", "detect")
ROOMS += ("settings", "store", "plots", "report", "jobs", "lab", "serve", "doctor")


def _public(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of a room, and every public method its classes define themselves, with a dotted name."""
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    for name in names:
        thing = getattr(module, name)
        where = f"{module.__name__}.{name}"
        if not getattr(thing, "__module__", "").startswith("tsbench"):
            continue
        if inspect.isclass(thing) and not getattr(thing, "_is_protocol", False):
            for method, member in vars(thing).items():
                plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
                if not method.startswith("_") and inspect.isfunction(plain):
                    yield f"{where}.{method}", plain
        elif inspect.isfunction(thing):
            yield where, thing


PUBLIC = sorted({name: f for room in ROOMS for name, f in _public(importlib.import_module(f"tsbench.{room}"))}.items())


def undocumented(function: Callable[..., Any]) -> list[str]:
    """What the docstring of `function` leaves out: the docstring itself, or parameters when there are two or more."""
    text = inspect.getdoc(function) or ""
    if not text:
        return ["docstring"]
    taken = [p for p in inspect.signature(function).parameters if p not in ("self", "cls") and not p.startswith("_")]
    return [p for p in taken if not re.search(rf"\b{p}\b", text)] if len(taken) >= 2 else []


@pytest.mark.parametrize(("name", "function"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_argument_is_documented(name: str, function: Callable[..., Any]) -> None:
    assert undocumented(function) == []


def test_the_check_of_arguments_would_notice_one() -> None:
    def tell(what: str, whom: str) -> None:
        """Say `what`."""

    assert undocumented(tell) == ["whom"]
    assert len(PUBLIC) > 50


def test_every_class_and_room_says_what_it_is() -> None:
    for room in ROOMS:
        module = importlib.import_module(f"tsbench.{room}")
        assert module.__doc__, room
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) and thing.__module__.startswith("tsbench"):
                # a dataclass without a docstring gets its signature as one
                assert not (thing.__doc__ or "").startswith(("", f"{name}(")[bool(thing.__doc__)]), name


def test_generated_pages_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True, capture_output=True)
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 5 + len(library())
    for name in written:
        assert (ROOT / name).read_text("utf-8") == (tmp_path / name).read_text("utf-8"), f"{name}: run make docs"
    images = {path.name for path in (ROOT / "docs" / "images" / "patterns").iterdir()}
    assert images == {f"{name}.svg" for name in library()}


def _generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_base_rates_stand_under_their_pattern_when_there_are_any() -> None:
    generate = _generator()
    counts = dict.fromkeys(NULLS, 3) | {"tested": 207, "verdict": 2, "refused": ""}
    rows = [
        {"pattern": "fade", "where": "now", "relative": False, **counts},
        {"pattern": "fade", "where": "history", "relative": True, **counts, "refused": "no odds"},
    ]
    page = generate.library_page({"made_at": "2026-01-02T03:04", "seed": 0, "results": {"rows": rows}})
    fade = page.partition("### fade\n")[2].partition("### ")[0]
    assert "| now | 207 | 3 | 3 | 3 | 2 |\n| history, relative | no odds |\n" in fade
    assert "2026-01-02" in page
    assert page.count("| now | 207") == 1
    assert "verdict" not in generate.library_page(None)


def test_drawings_hold_a_line_per_channel_and_are_legible_on_white_and_on_black() -> None:
    generate = _generator()
    for pattern in library().values():
        image = ElementTree.fromstring(generate.drawing(pattern))
        lines = image.findall("{*}polyline")
        shaped = {c.expression if pattern.combine == "all" else "" for c in pattern.channels if c.points}
        assert len(lines) == len(shaped)
        words = [text.text for text in image.findall("{*}text")]
        assert set(words) == (shaped if len(shaped) > 1 else set())
        for colour in {mark.get("stroke") or mark.get("fill") for mark in [*lines, *image.findall("{*}text")]}:
            assert min(_contrast(colour, paper) for paper in ("#FFFFFF", "#0D1117")) >= 3, pattern.name


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours: Web Content Accessibility Guidelines 2.2, which ask 3 for graphics."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_setting_stands_in_the_table() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for setting in table():
        assert f"| `{setting.name}` |" in page
        assert len(setting.purpose) > 10, setting.name


@pytest.mark.parametrize("page", ["README.md", "docs/patterns.md"])
def test_the_code_of_a_page_runs(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    assert blocks
    code = "\n".join(blocks)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def _modules() -> list[str]:
    paths = sorted((ROOT / "tsbench").rglob("*.py"))
    return [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths]


def test_examples_in_docstrings_are_right() -> None:
    for name in _modules():
        if not name.endswith("__main__") and ".migrations" not in name:
            assert doctest.testmod(importlib.import_module(name)).failed == 0, name


def test_every_link_in_the_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_the_front_pages_exist(name: str) -> None:
    assert (ROOT / name).stat().st_size > 300


@pytest.mark.parametrize("name", ["architecture.md", "status.md", "ROADMAP.md", "data.md", "patterns.md"])
def test_the_documents_exist(name: str) -> None:
    assert (ROOT / "docs" / name).stat().st_size > 300


def test_the_changelog_names_this_version() -> None:
    assert f"## {tsbench.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
