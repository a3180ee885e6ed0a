"""Pages that are printed from the code, so that they cannot go stale; `make docs` writes them, a test compares.

python docs/generate.py [FOLDER]
"""

import json
import sys
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from tsbench import settings
from tsbench.cli import app
from tsbench.patterns import NULLS, Channel, Pattern, groups, named
from tsbench.plots.theme import BLUE, GREEN, ORANGE
from tsbench.serve import reference

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[str, str]:
    """The text of every generated page by its path in the repository."""
    commands = app.generate_docs(usage_name="tsbench").strip()
    rates = ROOT / "benchmark" / "results" / "base_rates.json"
    return {
        "docs/configuration.md": settings.as_markdown(),
        ".env.example": settings.as_env_example(),
        "docs/cli.md": f"{commands}\n",
        "docs/api.md": reference.as_markdown(),
        "docs/library.md": library_page(json.loads(rates.read_text("utf-8")) if rates.exists() else None),
        **{f"docs/images/patterns/{name}.svg": drawing(named(name)) for group in groups().values() for name in group},
    }


# ---- the library of patterns --------------------------------------------------------------------------

LIBRARY = """\
# Library of patterns
{count} shapes that ship with the package, printed from their definitions by `make docs`. `tsbench patterns NAME` prints
one as JSON, `tsbench scan --pattern NAME` looks for it, `tsbench.patterns.named(NAME)` is it. What the fields mean, and
how to make one of your own: [patterns.md](patterns.md).

Two functions of `tsbench.patterns` see a pattern elsewhere: `on(named("double_top"), "log(market_cap)")` looks for the
drawing of a single channel in another expression, and `relative(named("dip_recovery"))` looks in what sets a company
apart from the median one, so that a crisis which makes every company a V cancels out.
"""
RATES = """
Base rates stand under each pattern that the shipped companies can answer: how many companies were tested, and how many
of them pass q <= 0.1 under each picture of chance alone and under the verdict, the largest p over the three. Chart
patterns are looked for in `log(market_cap)` and sensor patterns in `roic`. Relative: against the median company.
Written by `benchmark/base_rates.py`, {made_at}, seed {seed}.
"""
POLARITY = {"as_drawn": "as drawn", "inverted": "upside down", "either": "either way up"}
# In pixels; the three colours and the grey of the words are legible on white and on black.
WIDTH, LINE, WORDS, MARGIN, GREY = 240, 48, 18, 6, "#7D8590"


def library_page(rates: dict[str, Any] | None) -> str:
    """docs/library.md; `rates` is what benchmark/base_rates.py wrote, None where it has not."""
    text = LIBRARY.format(count=sum(map(len, groups().values())))
    if rates:
        text += RATES.format(made_at=rates["made_at"][:10], seed=rates["seed"])
    for group, names in groups().items():
        about = (import_module(f"tsbench.patterns.library.{group}").__doc__ or "").strip()
        text += f"\n## {group.capitalize()}\n{about}\n"
        for name in names:
            text += _section(named(name))
            if rates:
                text += _rates([row for row in rates["results"]["rows"] if row["pattern"] == name])
    return text


def _section(pattern: Pattern) -> str:
    shaped = [f"`{c.expression}`" for c in pattern.channels if c.points]
    bare = [f"`{c.expression}` without a shape" for c in pattern.channels if not c.points]
    several = {"all": "all of ", "any": "any of "}[pattern.combine] if len(shaped) > 1 else ""
    cells = (
        ", ".join([several + ", ".join(shaped), *bare]),
        f"{pattern.length[0]} to {pattern.length[1]} periods",
        POLARITY[pattern.polarity],
        f"{pattern.prominence:g}",
        "<br>".join(f"`{constraint}`" for constraint in pattern.constraints) or "none",
    )
    return (
        f"\n### {pattern.name}\n![{pattern.name}](images/patterns/{pattern.name}.svg)\n\n{pattern.description}\n\n"
        "| channels | length | looked for | prominence | constraints |\n|---|---|---|---|---|\n"
        f"| {' | '.join(cells)} |\n"
    )


def _rates(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    head = ["where", "tested", *(null.replace("_", " ") for null in NULLS), "verdict"]
    text = f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        where = row["where"] + (", relative" if row["relative"] else "")
        counts = [row["tested"], *(row[null] for null in NULLS), row["verdict"]]
        text += f"| {where} | {row['refused'] or ' | '.join(map(str, counts))} |\n"
    return text


def drawing(pattern: Pattern) -> str:
    """The pattern as a small SVG: one line per channel with a shape, under its name where there are several.

    Alternatives that share their drawing share the line.
    """
    shaped = [channel for channel in pattern.channels if channel.points]
    if pattern.combine == "any" and len({channel.points for channel in shaped}) == 1:
        shaped = shaped[:1]
    words = WORDS if len(shaped) > 1 else 0
    height = len(shaped) * (LINE + words) + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img"><title>{escape(pattern.name)}</title>'
    ]
    for i, (channel, colour) in enumerate(zip(shaped, (BLUE, ORANGE, GREEN), strict=False)):
        top = MARGIN + i * (LINE + words)
        if words:
            lines.append(
                f'<text x="{MARGIN}" y="{top + 12}" font-family="monospace" font-size="10" fill="{GREY}">'
                f"{escape(channel.expression)}</text>"
            )
        lines.append(
            f'<polyline points="{_corners(channel, top + words)}" fill="none" stroke="{colour}" stroke-width="2.5" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )
    return "\n".join([*lines, "</svg>\n"])


def _corners(channel: Channel, top: float) -> str:
    x, y = channel.drawing
    across, up = MARGIN + (WIDTH - 2 * MARGIN) * x, top + MARGIN / 2 + (LINE - MARGIN) * (1 - y)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    for name, text in pages().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
