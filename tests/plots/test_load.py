"""Load, drawn: rates, a stall, kinds of requests, sizes."""

import json

import numpy as np
import pandas as pd
import pytest

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.plots.theme import TEMPLATE

SWEEP = pd.DataFrame(
    {
        "asked": [1_000, 2_000, 4_000],
        "p50": [0.2, 0.3, 40.0],
        "p99": [1.0, 2.0, 300.0],
        "sent_p99": [0.9, 1.5, 9.0],
        "kept": [True, True, False],
    }
)
LOOPS = pd.DataFrame({"loop": ["open", "closed"], "p50": [0.1, 0.2], "p95": 2.0, "p99": [266.0, 4.0], "max": 300.0})
MIX = pd.DataFrame(
    {
        "name": ["predict", "plot"],
        "requests": [9_000, 40],
        "failures": [0, 2],
        "p50": [0.0, 30.0],
        "p95": [8.0, 65.0],
        "p99": [16.0, 75.0],
        "max": [29.0, 75.0],
    }
)
SIZES = pd.DataFrame(
    {
        "values": [100, 1, 1, 100],
        "timestamps": [False, False, True, True],
        "values_per_second": [1e6, 1e4, 9e3, 8e5],
        "p99": [5.0, 1.0, 1.1, 6.0],
    }
)


def _traces(figure: object) -> dict[str, object]:
    return {trace.name: trace for trace in figure.data if trace.showlegend is not False}  # type: ignore[attr-defined]


def test_waiting_stands_over_the_rates_that_were_asked() -> None:
    figure = plots.throughput(SWEEP)
    traces = _traces(figure)
    assert list(traces) == ["99 %, counted from when sent", "99 % of the requests", "half of them"]
    for name, column in zip(traces, ("sent_p99", "p99", "p50"), strict=True):
        assert list(traces[name].x) == [1_000, 2_000, 4_000]
        assert list(traces[name].y) == list(SWEEP[column])


def test_the_highest_rate_that_is_kept_up_is_marked() -> None:
    figure = plots.throughput(SWEEP)
    assert figure.layout.shapes[0].x0 == 2_000
    assert "kept up: 2,000" in [note.text for note in figure.layout.annotations]
    assert not plots.throughput(SWEEP.assign(kept=False)).layout.shapes


def test_the_axis_holds_every_time_and_is_logarithmic() -> None:
    axis = plots.throughput(SWEEP).layout.yaxis
    assert axis.type == "log"
    assert axis.range[0] < np.log10(0.2)
    assert axis.range[1] > np.log10(300)
    assert {"1 ms", "10 ms", "100 ms"} <= set(axis.ticktext)


def test_a_stored_record_stands_behind() -> None:
    assert "99 %, stored record" in _traces(plots.throughput(SWEEP, SWEEP))
    assert "99 %, stored record" not in _traces(plots.throughput(SWEEP, SWEEP.head(0)))
    stored = _traces(plots.request_mix(MIX, MIX.assign(p95=[10.0, 60.0])))["95 %, stored record"]
    assert list(stored.x) == [10.0, 60.0]


def test_a_stored_kind_that_is_not_asked_any_more_is_left_out() -> None:
    stored = MIX.assign(name=["predict", "gone"])
    assert list(_traces(plots.request_mix(MIX, stored))["95 %, stored record"].y) == [0]


def test_each_loop_has_a_line_over_the_percentiles() -> None:
    first, second = plots.stall(LOOPS).data
    assert list(first.x) == ["half", "95 %", "99 %", "the slowest"]
    assert list(first.y) == [0.1, 2.0, 266.0, 300.0]
    assert list(second.y) == [0.2, 2.0, 4.0, 300.0]
    assert first.line.color != second.line.color


def test_every_kind_of_request_has_its_row_with_what_failed() -> None:
    figure = plots.request_mix(MIX)
    assert list(_traces(figure)) == ["half", "95 %", "99 %", "the slowest"]
    assert list(_traces(figure)["99 %"].x) == [16.0, 75.0]
    predict, plot = figure.layout.yaxis.ticktext
    assert predict.startswith("predict<br>")
    assert "9,000 requests<" in predict
    assert "40 requests, 2 failed" in plot


def test_a_time_that_was_rounded_to_nothing_keeps_its_place_on_the_logarithmic_axis() -> None:
    figure = plots.request_mix(MIX)
    assert min(_traces(figure)["half"].x) > 0
    assert np.isfinite(figure.layout.xaxis.range).all()


def test_batches_are_ordered_by_size_with_and_without_timestamps() -> None:
    alone, dated = plots.batch_sizes(SIZES).data
    assert (list(alone.x), list(alone.y)) == ([1, 100], [1e4, 1e6])
    assert (list(dated.x), list(dated.y)) == ([1, 100], [9e3, 8e5])


@pytest.mark.parametrize(
    ("draw", "frame", "column"),
    [
        (plots.throughput, SWEEP, "kept"),
        (plots.stall, LOOPS, "p99"),
        (plots.request_mix, MIX, "failures"),
        (plots.batch_sizes, SIZES, "timestamps"),
    ],
)
def test_a_column_that_is_missing_is_named(draw: object, frame: pd.DataFrame, column: str) -> None:
    with pytest.raises(BadInput, match=f"lacks {column}; it has "):
        draw(frame.drop(columns=column))  # type: ignore[operator]


@pytest.mark.parametrize("count", [0, 3])
def test_no_loop_and_more_than_two_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match=f"{count} loops to compare"):
        plots.stall(pd.concat([LOOPS, LOOPS]).head(count))


@pytest.mark.parametrize(
    "figure", [plots.throughput(SWEEP), plots.stall(LOOPS), plots.request_mix(MIX), plots.batch_sizes(SIZES)]
)
def test_it_has_the_house_look_and_is_plain_json(figure: object) -> None:
    assert figure.layout.template == TEMPLATE  # type: ignore[attr-defined]
    json.loads(figure.to_json())  # type: ignore[attr-defined]
