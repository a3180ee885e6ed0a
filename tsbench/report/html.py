"""The HTML templates of the room, and how values are written in them."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> Any:
    """The Jinja environment; what is not marked as HTML is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters |= {"markdown": _markdown, "embedded_json": _embedded_json, "odds": odds}
    return environment


def fill(template: str, **values: Any) -> str:
    """The template `<template>.html.j2` with its values."""
    text: str = environment().get_template(f"{template}.html.j2").render(**values)
    return text


def asset(name: str) -> Any:
    """A style sheet or script of the room, to stand in a page as it is."""
    from markupsafe import Markup

    return Markup((TEMPLATES / name).read_text("utf-8"))


def odds(p: float, floor: float = 0.0) -> str:
    """A probability for readers: two significant digits, "< 0.0001" below, a dash when missing.

    At the `floor`, the smallest that the surrogates support, it is only known to be below.
    """
    if math.isnan(p):
        return "–"
    if p <= floor * (1 + 1e-9):
        return f"< {floor:#.2g}"
    return "< 0.0001" if p < 1e-4 else f"{p:#.2g}"


def _markdown(source: str) -> Any:
    from markupsafe import Markup
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return Markup(MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source))


def _embedded_json(value: Any) -> Any:
    """JSON that may stand inside a script element."""
    from markupsafe import Markup

    return Markup(json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"))
