"""Small drawings on one sheet: which lines lie where, read back from the figure."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.patterns import Channel, Pattern, groups, library, synthesize
from tsbench.plots.theme import DRAWN, LINE, TEMPLATE
from tsbench.series import Panel

DIP, RISE = ((0.0, 1.0), (0.5, 0.0), (1.0, 1.0)), ((0.0, 0.0), (1.0, 1.0))


@pytest.fixture
def dip() -> Pattern:
    return Pattern("dip", (Channel("roic", DIP),), length=(8, 12))


@pytest.fixture
def joint() -> Pattern:
    return Pattern("both", (Channel("roic", DIP), Channel("revenue"), Channel("log(market_cap)", RISE)), length=(6, 8))


def _texts(figure: object) -> list[str]:
    return [str(note.text) for note in figure.layout.annotations]  # type: ignore[attr-defined]


def _of(figure: object, colour: str) -> list:  # type: ignore[type-arg]
    return [trace for trace in figure.data if trace.line.color == colour]  # type: ignore[attr-defined]


def _inside(figure: object) -> bool:
    """Whether every line lies on the sheet."""
    layout = figure.layout  # type: ignore[attr-defined]
    right, bottom = layout.xaxis.range[1], layout.yaxis.range[0]
    return all(
        np.nanmin(t.x) >= 0 and np.nanmax(t.x) <= right and np.nanmin(t.y) >= 0 and np.nanmax(t.y) <= bottom
        for t in figure.data  # type: ignore[attr-defined]
    )


# ---- the library ----------------------------------------------------------------------------------------


def test_every_pattern_of_the_library_stands_under_its_group() -> None:
    named = library()
    figure = plots.gallery({group: [named[name] for name in names] for group, names in groups().items()})
    texts = _texts(figure)
    assert {f"<b>{group}</b>" for group in groups()} <= set(texts)
    assert set(named) <= set(texts)
    assert _inside(figure)
    assert len(figure.to_json()) < 150_000


def test_joint_channels_stand_side_by_side_and_alternatives_once(joint: Pattern) -> None:
    either = Pattern("either", (Channel("roic", DIP), Channel("revenue", DIP)), length=(6, 8), combine="any")
    figure = plots.gallery({"mine": [joint, either]})
    first, second, alone = figure.data
    assert max(first.x) < min(second.x)
    assert max(second.x) < min(alone.x)
    assert first.text[0] == "return on capital"
    assert second.text[0] == "market cap"
    # a dip: down on the sheet is a larger y
    assert alone.y[1] > alone.y[0] == alone.y[2]


def test_an_inverted_pattern_stands_upside_down() -> None:
    (line,) = plots.gallery({"mine": [Pattern("hill", (Channel("roic", DIP),), (6, 8), polarity="inverted")]}).data
    assert line.y[1] < line.y[0]


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(BadInput, match="no pattern"):
        plots.gallery({"mine": []})
    with pytest.raises(BadInput, match="columns"):
        plots.gallery({"mine": list(library().values())}, columns=0)


# ---- near misses ----------------------------------------------------------------------------------------


def test_a_near_miss_stands_over_the_pattern(dip: Pattern) -> None:
    figure = plots.near_misses(dip, most=10)
    assert len(figure.data) == 20
    behind, upside_down = figure.data[:2]
    np.testing.assert_allclose(behind.x, upside_down.x)
    assert behind.y[1] == max(behind.y)
    assert upside_down.y[1] == min(upside_down.y)
    assert _inside(figure)


def test_near_misses_of_an_alternative_never_are_its_own_drawing() -> None:
    pattern = library()["dip_recovery"]
    own = np.interp(np.linspace(0, 1, 50), *pattern.channels[0].drawing)
    lines = plots.near_misses(pattern, most=200, columns=1, height=100).data[1::2]
    assert len(lines) > 30
    for line in lines:
        x, y = np.array(line.x) / 0.8, -np.array(line.y)
        assert np.corrcoef(own, np.interp(np.linspace(0, 1, 50), x, y))[0, 1] < 0.9


def test_a_channel_that_shows_nothing_is_dotted(joint: Pattern) -> None:
    figure = plots.near_misses(joint, most=200)
    assert any(trace.line.dash == "dot" for trace in figure.data)


# ---- copies ---------------------------------------------------------------------------------------------


def test_copies_are_shaded_where_they_were_planted(dip: Pattern) -> None:
    made = synthesize(dip, 4, snr=50, length=60, seed=1)
    figure = plots.copies({"SNR 50": made}, columns=3)
    assert "<b>SNR 50</b>" in _texts(figure)
    assert len(figure.layout.shapes) == len(_of(figure, LINE)) == len(_of(figure, DRAWN)) == 3
    for shade, line, drawn in zip(figure.layout.shapes, _of(figure, LINE), _of(figure, DRAWN), strict=True):
        known = np.isfinite(np.array(drawn.y, float))
        assert (min(np.array(drawn.x)[known]), max(np.array(drawn.x)[known])) == pytest.approx((shade.x0, shade.x1))
        # so tall a copy is the lowest point (the largest y) of what is shown
        assert shade.x0 < line.x[int(np.argmax(line.y))] < shade.x1
    assert _inside(figure)


def test_the_drawing_over_a_mirrored_copy_is_mirrored() -> None:
    either = Pattern("either", (Channel("roic", DIP),), length=(9, 9), polarity="either")
    made = synthesize(either, 6, snr=50, length=30, seed=2)
    assert set(made.truth["sign"]) == {1, -1}
    for sign, drawn in zip(made.truth["sign"], _of(plots.copies({"SNR 50": made}), DRAWN), strict=True):
        y = np.array(drawn.y, float)
        begin, middle, _ = y[np.isfinite(y)][[0, 4, 8]]
        assert (middle > begin) == (sign > 0)  # down on the sheet is a larger y


def test_joint_copies_have_a_picture_per_shaped_channel(joint: Pattern) -> None:
    made = synthesize(joint, 2, snr=6, length=40, seed=1)
    assert len(plots.copies({"SNR 6": made}).layout.shapes) == 4


def test_without_a_copy_there_is_nothing_to_show(dip: Pattern) -> None:
    with pytest.raises(BadInput, match="share above 0"):
        plots.copies({"SNR 6": synthesize(dip, 3, share=0.0)})


# ---- side by side ---------------------------------------------------------------------------------------


def test_each_pattern_has_a_column_of_matches(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> None:
    alone = Pattern("alone", (Channel("roic", RISE),), length=(6, 8))
    single = matches.assign(channels=[["roic"]] * 2).head(1)
    figure = plots.side_by_side(panel, [(pattern, matches), (alone, single)])
    texts = _texts(figure)
    assert {"<b>growth</b>", "<b>alone</b>", "<b>1  Company 2</b> (C2)", "<b>2  C4</b>"} <= set(texts)
    assert "Sep 2017 – Jun 2019, return on capital and market cap" in texts  # revenue has no shape
    assert len(figure.layout.shapes) == 2 * 2 + 1
    lines = _of(figure, LINE)
    assert [min(line.x) >= 1 for line in lines] == [False] * 4 + [True]
    assert lines[1].text[-1] == "Jun 2019: $14.8B"
    assert _inside(figure)


def test_a_logarithm_is_drawn_as_one(panel: Panel, matches: pd.DataFrame) -> None:
    # market cap doubles every ten quarters: a straight line on a logarithmic scale
    cap = Pattern("cap", (Channel("log(market_cap)", RISE),), length=(6, 8))
    figure = plots.side_by_side(panel, [(cap, matches.assign(channels=[["log(market_cap)"]] * 2))])
    np.testing.assert_allclose(np.diff(_of(figure, LINE)[0].y, n=2), 0, atol=1e-9)
    drawn = np.array(_of(figure, DRAWN)[0].y, float)
    np.testing.assert_allclose(drawn[np.isfinite(drawn)], np.array(_of(figure, LINE)[0].y)[np.isfinite(drawn)])


def test_a_pattern_without_matches_leaves_its_column_empty(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern
) -> None:
    figure = plots.side_by_side(panel, [(pattern, matches.assign(start=pd.NaT))])
    assert len(figure.data) == 0
    with pytest.raises(BadInput, match="at least one"):
        plots.side_by_side(panel, [])


# ---- all ------------------------------------------------------------------------------------------------


def test_every_sheet_has_the_house_look_and_is_plain_json(
    panel: Panel, matches: pd.DataFrame, pattern: Pattern, dip: Pattern
) -> None:
    for figure in (
        plots.gallery({"mine": [dip]}),
        plots.near_misses(dip),
        plots.copies({"SNR 6": synthesize(dip, 3)}),
        plots.side_by_side(panel, [(pattern, matches)]),
    ):
        assert figure.layout.template == TEMPLATE
        assert figure.layout.width is None
        assert figure.layout.height == figure.layout.yaxis.range[0]
        json.loads(figure.to_json())
