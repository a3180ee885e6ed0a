"""The two looks: every colour has its twin, words can be read, lines can be told apart."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.patterns import Pattern
from tsbench.plots import theme
from tsbench.plots.theme import DARK, DEAD, INK, PALE, PAPER, QUIET, SEQUENCE, UNIVERSE
from tsbench.series import Panel

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b|rgba?\([^)]*\)")
# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
DEFICIENCIES = {
    "none": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protan": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deutan": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritan": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}


def _linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def _contrast(a: str, b: str) -> float:
    """WCAG 2: from 1 (equal) to 21 (black on white)."""
    low, high = sorted(float(_linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def _lab(linear: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = xyz @ np.clip(linear, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _closest(colours: list[str]) -> float:
    """The least distance in Lab between two of the colours, over all ways to see them."""
    seen = [[_lab(np.reshape(m, (3, 3)) @ _linear(c)) for c in colours] for m in DEFICIENCIES.values()]
    return min(float(np.linalg.norm(a - b)) for row in seen for a, b in combinations(row, 2))


@pytest.mark.parametrize("colour", [INK, QUIET, *SEQUENCE])
def test_words_can_be_read_on_dark_paper(colour: str) -> None:
    assert _contrast(DARK[colour], DARK[PAPER]) >= 4.5


@pytest.mark.parametrize("colour", [UNIVERSE, PALE, DEAD])
def test_grey_lines_and_bars_can_be_seen_on_dark_paper(colour: str) -> None:
    assert _contrast(DARK[colour], DARK[PAPER]) >= 3


def test_words_on_a_grey_bar_can_be_read_in_both_looks() -> None:
    assert min(_contrast(INK, DEAD), _contrast(DARK[INK], DARK[DEAD])) >= 4.5


def test_lines_are_as_far_apart_as_in_the_light_look_with_any_deficiency() -> None:
    assert _closest([DARK[colour] for colour in SEQUENCE]) >= _closest(list(SEQUENCE))


def test_every_colour_has_one_twin_and_none_is_in_both_looks() -> None:
    assert len(set(DARK.values())) == len(DARK)
    assert not set(DARK) & set(DARK.values())
    told = set(COLOUR.findall(Path(theme.__file__).read_text("utf-8")))
    assert told == set(DARK) | set(DARK.values())


def test_no_figure_has_a_colour_outside_the_table() -> None:
    for path in Path(theme.__file__).parent.glob("*.py"):
        if path.name != "theme.py":
            assert COLOUR.findall(path.read_text("utf-8")) == [], path.name


def test_the_dark_figure_is_the_light_one_with_every_colour_swapped(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern
) -> None:
    for light in (plots.matches(panel, matches, pattern), plots.series(panel), plots.drawing(pattern)):
        before = light.to_json()
        dark = plots.dark(light)
        assert json.loads(COLOUR.sub(lambda c: DARK[c[0]], before)) == json.loads(dark.to_json())
        assert light.to_json() == before
        assert dark.data[0].y is not None
        assert np.array_equal(dark.data[0].y, light.data[0].y, equal_nan=True)
        assert plots.dark(dark) == dark


def test_entities_that_share_a_hue_differ_in_their_dashes() -> None:
    figure = plots.series(Panel.from_arrays([[1.0, 2.0]] * 12))
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 12
