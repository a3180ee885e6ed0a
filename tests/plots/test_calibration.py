"""Calibration, drawn: shares against scores, with intervals and the mean error."""

import json

import numpy as np
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.evaluate import calibration, expected_calibration_error
from tsbench.plots.theme import TEMPLATE

SCORE, HIT = [0.05, 0.15, 0.17, 0.95], [False, True, False, True]
TABLE = calibration(SCORE, HIT)


def test_the_shares_stand_over_the_scores_within_their_intervals() -> None:
    diagonal, line = plots.calibration({"SNR 6": TABLE}).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    np.testing.assert_allclose(line.x, [0.05, 0.16, 0.95])
    np.testing.assert_allclose(line.y, [0, 0.5, 1])
    np.testing.assert_allclose(np.add(line.y, line.error_y.array), TABLE["high"])
    np.testing.assert_allclose(np.subtract(line.y, line.error_y.arrayminus), TABLE["low"])
    assert list(line.customdata) == [1, 2, 1]


def test_the_legend_tells_the_expected_calibration_error() -> None:
    _, line, empty = plots.calibration({"SNR 6": TABLE, "nothing": TABLE.head(0)}).data
    assert line.name == f"SNR 6: error {expected_calibration_error(SCORE, HIT):.2f}"
    assert empty.name == "nothing: error nan"


def test_no_set_and_more_than_colours_can_tell_are_refused() -> None:
    with pytest.raises(BadInput, match="0 sets"):
        plots.calibration({})
    with pytest.raises(BadInput, match="7 sets"):
        plots.calibration({str(i): TABLE for i in range(7)})


def test_it_has_the_house_look_and_is_plain_json() -> None:
    figure = plots.calibration({"SNR 6": TABLE})
    assert figure.layout.template == TEMPLATE
    json.loads(figure.to_json())
