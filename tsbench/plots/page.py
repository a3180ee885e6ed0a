"""A figure as a page of its own, which opens without a network."""

import json
from functools import cache
from html import escape
from pathlib import Path

import plotly.graph_objects as go

from tsbench.plots.packed import packed
from tsbench.plots.theme import DARK, FONT, INK, PAPER

HERE = Path(__file__).parent


def standalone(figure: go.Figure, title: str) -> str:
    """The HTML page of one figure. It is light or dark as its reader prefers, in print light.

    Parameters
        figure : in the house look and its light colours; as wide as the window, as high as its layout says.
        title : plain text, of the window and above the figure.
    Returns    HTML that asks nothing of the network: plotly.js stands in it, packed, in 1.84 MB.
    """
    height = figure.layout.height or 450
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"{_head()}</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n"
        f'<div id="plot" style="min-height:{height:g}px"></div>\n</main>\n'
        f'<script type="application/json" id="figure">{_inside_script(figure.to_json())}</script>\n{_scripts()}'
        "</body>\n</html>\n"
    )


@cache
def _head() -> str:
    light, dark = (f":root{{--ink:{ink};--paper:{paper}}}" for ink, paper in ((INK, PAPER), (DARK[INK], DARK[PAPER])))
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<style>\n:root{{color-scheme:light dark}}body{{font-family:{FONT}}}{light}\n"
        f"@media screen and (prefers-color-scheme:dark){{{dark}}}\n{(HERE / 'page.css').read_text('utf-8')}</style>\n"
    )


@cache
def _scripts() -> str:
    from plotly.offline import get_plotlyjs

    script = f"{get_plotlyjs()}\n{(HERE / 'page.js').read_text('utf-8')}"
    return f'<script type="application/json" id="dark">{_inside_script(json.dumps(DARK))}</script>\n{packed(script)}'


def _inside_script(text: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c")
