"""The boards as plain HTML: what a saved notebook or a page shows where nothing runs."""

from html import escape
from typing import Any

from tsbench.plots.theme import DRAWN, FONT, FOUND, INK, LINE, QUIET, SEQUENCE
from tsbench.plots.units import words

WIDTH, LANE, DRAWING = 210, 74, 120
CHART, WIDE = 150, 640
# As many as companies are drawn, in the order of the page's.
COLOURS = (*SEQUENCE, INK, "#8A6D3B")


def designer_page(spec: dict[str, Any], found: dict[str, Any]) -> str:
    """The drawing of a pattern's `spec` and the matches `found` beside it; see `PatternDesigner.to_static`."""
    alike: dict[str, list[str]] = {}
    for channel in spec["channels"]:
        alike.setdefault(_drawing(channel["points"]), []).append(words(channel["expression"]))
    joiner = " or " if spec["combine"] == "any" else " and "
    drawings = "".join(
        f"<div><div style='color:{QUIET}'>{escape(joiner.join(names))}</div>{shape}</div>"
        for shape, names in alike.items()
    )
    low, high = spec["length"]
    how = "by the odds of a trained detector" if found.get("by") == "odds" else "by correlation alone: exploration"
    matches = "".join(_card(card) for card in found.get("cards", ()))
    heading = f"The nearest of {found.get('tested', 0)} companies ({escape(str(found.get('where', '')))}), {how}."
    return (
        f"<div style='font:13px {escape(FONT, quote=True)};color:{INK}'><p><b>{escape(spec['name'])}</b>, {low} to "
        f"{high} periods. {heading}</p><div style='display:flex;flex-wrap:wrap;gap:14px'>{drawings}</div>"
        f"<div style='display:flex;flex-wrap:wrap;gap:14px;margin-top:10px'>{matches}</div></div>"
    )


def _drawing(corners: list[list[float]]) -> str:
    if not corners:
        return "no shape, conditions only"
    heights = [y for _, y in corners]
    low, reach = min(heights), max(heights) - min(heights)
    points = " ".join(
        f"{6 + x * (WIDTH - 12):.1f},{6 + (1 - (y - low) / reach) * (DRAWING - 12):.1f}" for x, y in corners
    )
    line = f"<polyline points='{points}' fill='none' stroke='{DRAWN}' stroke-width='2.4'/>"
    return f"<svg width='{WIDTH}' height='{DRAWING}'>{line}</svg>"


def _card(card: dict[str, Any]) -> str:
    sure = f"score {card['score']:.2f}" if card["q"] is None else f"p {card['p']:.2g}, q {card['q']:.2g}"
    verdict = f", {card['verdict']}" if card["verdict"] else ""
    lanes = "".join(_lane(lane) for lane in card["lanes"])
    return (
        f"<div style='width:{WIDTH}px'><b>{escape(card['name'])}</b> {escape(card['entity'])}"
        f"<div style='color:{QUIET}'>{card['start']} to {card['end']}, {sure}{verdict}</div>{lanes}</div>"
    )


def _lane(lane: dict[str, Any]) -> str:
    n = max(len(lane["line"]) - 1, 1)
    x = [i / n * WIDTH for i in range(len(lane["line"]))]
    first, last = x[lane["first"]], x[lane["first"] + lane["count"] - 1]
    shade = f"<rect x='{first:.1f}' width='{last - first:.1f}' height='{LANE}' fill='{FOUND}'/>"
    values = _line(x, lane["line"], f"stroke='{LINE}' stroke-width='1.6'")
    drawn = _line(x[lane["first"] :], lane["drawn"], f"stroke='{DRAWN}' stroke-width='2' stroke-dasharray='5 3'")
    label = f"<div style='color:{QUIET};font-size:11px'>{escape(lane['title'])}, {lane['low']} to {lane['high']}"
    ends = f"<div style='color:{QUIET};font-size:11px'>{lane['from']} to {lane['to']}</div>"
    return f"{label}</div><svg width='{WIDTH}' height='{LANE}'>{shade}{values}{drawn}</svg>{ends}"


def _line(x: list[float], heights: list[int | None], look: str, room: int = LANE) -> str:
    """A path that leaves a gap where a value is missing, in a `room` so many pixels high."""
    path, pen = "", "M"
    for at, height in zip(x, heights, strict=False):
        if height is None:
            pen = "M"
            continue
        path += f"{pen}{at:.1f},{4 + (1 - height / 1000) * (room - 8):.1f}"
        pen = "L"
    return f"<path d='{path}' fill='none' {look}/>"


def explorer_page(shown: dict[str, Any]) -> str:
    """What an explorer has `shown`: a chart per channel, and what is known of each company drawn."""
    drawn = shown.get("chart", {})
    lanes = "".join(_chart(lane, drawn["years"]) for lane in drawn.get("lanes", ()))
    facts = "".join(_fact(fact, _colour(i)) for i, fact in enumerate(shown.get("facts", ())))
    span = f"{drawn.get('from', '')} to {drawn.get('to', '')}"
    return (
        f"<div style='font:13px {escape(FONT, quote=True)};color:{INK}'>"
        f"<div style='display:flex;flex-wrap:wrap;gap:4px 24px;margin-bottom:6px'>{facts}</div>{lanes}"
        f"<div style='color:{QUIET}'>{span}</div>"
        f"<code style='color:{QUIET}'>{escape(shown.get('line', ''))}</code></div>"
    )


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _fact(fact: dict[str, Any], colour: str) -> str:
    until = f", until {fact['until']}" if fact["until"] else ""
    told = "".join(
        f"<div>{escape(': '.join((c['title'], ', '.join(filter(None, (c['latest'], c['category'].lower()))))))}</div>"
        for c in fact["channels"]
    )
    return (
        f"<div><b style='color:{colour}'>{escape(fact['name'])}</b> {escape(fact['symbol'])}"
        f"<div style='color:{QUIET};font-size:11px'>{escape(fact['sector'])}{until}{told}</div></div>"
    )


def _chart(lane: dict[str, Any], years: list[tuple[int, str]]) -> str:
    paths = []
    for place, line in enumerate(lane["lines"]):
        x = [at / 2000 * WIDE for at in line["x"]]
        paths.append(_line(x, line["y"], f"stroke='{_colour(place)}' stroke-width='1.6'", CHART))
        for at in line["doubted"]:
            if line["y"][at] is not None:
                y = 4 + (1 - line["y"][at] / 1000) * (CHART - 8)
                paths.append(f"<circle cx='{x[at]:.1f}' cy='{y:.1f}' r='3' fill='none' stroke='{_colour(place)}'/>")
    quiet = f"fill='{QUIET}' font-size='10'"
    for height, text in lane["ticks"]:
        y = 4 + (1 - height / 1000) * (CHART - 8)
        paths.append(f"<text x='{WIDE + 6}' y='{y + 3:.1f}' {quiet}>{escape(text)}</text>")
    for at, text in years:
        paths.append(f"<text x='{at / 2000 * WIDE:.1f}' y='{CHART + 12}' {quiet}>{escape(text)}</text>")
    notes = [lane["title"]]
    notes += [f"{lane['omitted']:,} values cannot be shown on this scale"] if lane["omitted"] else []
    notes += [f"drawn from {lane['shown']:,} of {lane['values']:,} values"] if lane["shown"] < lane["values"] else []
    title = f"<div style='color:{QUIET}'>{escape(' · '.join(notes))}</div>"
    size = f"viewBox='0 0 {WIDE + 60} {CHART + 18}' style='width:100%;max-width:{WIDE + 60}px'"
    return f"{title}<svg {size}>{''.join(paths)}</svg>"
