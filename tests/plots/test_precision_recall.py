"""Precision and recall, drawn: lines, panes and the average precision beside them."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.evaluate import average_precision, precision_recall
from tsbench.plots.theme import TEMPLATE

TRUTH = pd.DataFrame({"entity": ["A", "A", "B"], "start": [0, 50, 10], "end": [10, 60, 30]})
FOUND = pd.DataFrame({"entity": ["A", "B", "B"], "start": [0, 40, 12], "end": [10, 60, 30], "score": [0.9, 0.8, 0.7]})
CURVE = precision_recall(TRUTH, FOUND)
NOTHING = precision_recall(TRUTH, FOUND.head(0))


def _texts(figure: object) -> list[str]:
    return [str(note.text) for note in figure.layout.annotations]  # type: ignore[attr-defined]


def test_a_line_runs_over_the_matches_that_are_right() -> None:
    (line,) = plots.precision_recall({"SNR 6": {"ours": CURVE}}).data
    np.testing.assert_allclose(line.x, [1 / 3, 2 / 3])
    np.testing.assert_allclose(line.y, [1, 2 / 3])


def test_the_average_precision_stands_beside_its_name() -> None:
    texts = _texts(plots.precision_recall({"SNR 6": {"ours": CURVE, "none": NOTHING}}))
    assert f"<b>{average_precision(TRUTH, FOUND):.2f}</b>  ours" in texts
    assert "<b>0.00</b>  none" in texts


def test_every_set_has_a_pane_two_in_a_row_and_a_name_keeps_its_colour() -> None:
    curves = {"SNR 6": {"ours": CURVE, "other": CURVE}, "SNR 3": {"other": CURVE}, "SNR 2": {"ours": CURVE}}
    figure = plots.precision_recall(curves)
    assert sum("<b>SNR" in text for text in _texts(figure)) == 3
    colours: dict[str, set[str]] = {}
    for trace in figure.data:
        colours.setdefault(trace.name, set()).add(trace.line.color)
    assert {name: len(own) for name, own in colours.items()} == {"ours": 1, "other": 1}
    assert colours["ours"] != colours["other"]
    assert figure.layout.yaxis.domain == figure.layout.yaxis2.domain
    assert figure.layout.yaxis3.domain[1] < figure.layout.yaxis.domain[0]
    assert figure.layout.xaxis3.domain == figure.layout.xaxis.domain
    assert figure.layout.height > plots.precision_recall({"SNR 6": {"ours": CURVE}}).layout.height + 250


def test_one_point_is_a_dot() -> None:
    (dot,) = plots.precision_recall({"SNR 6": {"ours": CURVE.head(1)}}).data
    assert dot.mode == "lines+markers"


def test_no_curve_and_more_than_colours_can_tell_are_refused() -> None:
    with pytest.raises(BadInput, match="0 curves"):
        plots.precision_recall({})
    with pytest.raises(BadInput, match="7 curves"):
        plots.precision_recall({"SNR 6": {str(i): CURVE for i in range(7)}})


def test_it_has_the_house_look_and_is_plain_json() -> None:
    figure = plots.precision_recall({"SNR 6": {"ours": CURVE}})
    assert figure.layout.template == TEMPLATE
    json.loads(figure.to_json())
