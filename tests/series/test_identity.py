"""What makes two series the same."""

import pytest

from tsbench.errors import BadInput
from tsbench.series import SeriesKey


def test_a_key_is_written_and_read_back():
    key = SeriesKey("BRK.A", "roic", "quarterly", "net income", "sec")
    assert key.within_entity == "roic|quarterly|net income|sec"
    assert SeriesKey.parse("BRK.A", key.within_entity) == key


def test_every_part_tells_series_apart():
    keys = {
        SeriesKey("A", "roic"),
        SeriesKey("A_0", "roic"),
        SeriesKey("A", "revenue"),
        SeriesKey("A", "roic", "annual"),
        SeriesKey("A", "roic", basis="nopat"),
        SeriesKey("A", "roic", source="sec"),
    }
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("", "roic"), "needs an entity and a metric"),
        (("A", ""), "needs an entity and a metric"),
        (("A", "roic", "Q"), "frequency must be one of annual, quarterly"),
        (("A|B", "roic"), "holds a separator"),
        (("A", "ro\nic"), "holds a separator"),
        (("A", "roic", "annual", "", "x\ty"), "holds a separator"),
    ],
)
def test_a_key_that_could_be_misread_is_refused(parts, message):
    with pytest.raises(BadInput, match=message):
        SeriesKey(*parts)


@pytest.mark.parametrize("text", ["roic", "roic|annual", "roic|annual||x|y"])
def test_text_of_another_shape_is_no_key(text):
    with pytest.raises(BadInput, match=r"wanted metric\|frequency\|basis\|source"):
        SeriesKey.parse("A", text)
