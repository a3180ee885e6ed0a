import numpy as np
import pytest

from tests.detect.panels import QUARTERS, walks
from tsbench.detect import PatternDetector
from tsbench.errors import BadInput, NotFound, TooShort
from tsbench.patterns import Pattern

START, END = QUARTERS[60], QUARTERS[75]


def test_the_stretch_itself_is_the_drawing():
    panel = walks(seed=1)
    pattern = Pattern.from_example(panel, "E07", START, END)
    t = pattern.template("value", 16)
    x = panel.series(7)[1][60:76]
    assert np.corrcoef(t, x)[0, 1] == pytest.approx(1.0)
    assert pattern.length == (12, 21)
    assert pattern.example == "E07"
    assert "hindsight" in pattern.description
    assert Pattern.from_json(pattern.to_json()) == pattern


def test_the_example_is_left_out_of_the_ranking_and_its_like_is_found():
    panel = walks(seed=2, dips=[3, 9], depth=40.0, end=70)
    pattern = Pattern.from_example(panel, "E03", QUARTERS[58], QUARTERS[69], name="like_E03")
    table = PatternDetector(pattern, surrogates=4000).fit(walks(seed=3)).scan(panel, where="history", confirm=1)
    row = table.set_index("entity").loc["E03"]
    assert row["status"] == "the example"
    assert np.isnan(row["p_value"])
    assert "E09" in list(table["entity"][:3])
    assert (table["status"] == "tested").sum() == 59


def test_expressions_may_be_asked_for():
    panel = walks(seed=1)
    pattern = Pattern.from_example(panel, "E07", START, END, ["change(value, 4)"])
    assert pattern.expressions == ("change(value, 4)",)


def test_a_long_stretch_keeps_its_shape_with_fewer_points():
    panel = walks(seed=1)
    pattern = Pattern.from_example(panel, "E07", QUARTERS[0], QUARTERS[79])
    assert len(pattern.channels[0].points) == 32
    assert np.corrcoef(pattern.template(0, 80), panel.series(7)[1])[0, 1] > 0.95


def test_what_cannot_be_an_example_is_refused():
    panel = walks(seed=1)
    with pytest.raises(TooShort, match="at least 4"):
        Pattern.from_example(panel, "E07", QUARTERS[0], QUARTERS[2])
    with pytest.raises(NotFound, match="E99"):
        Pattern.from_example(panel, "E99", START, END)
    frame = panel.to_frame()
    frame.loc[(frame["entity"] == "E07") & (frame["time"] == frame["time"].iloc[70]), "flags"] = 1
    with pytest.raises(BadInput, match="misses 1 of 16"):
        Pattern.from_example(type(panel).from_frame(frame), "E07", START, END)
