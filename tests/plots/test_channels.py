"""What lies behind a small figure: the stretch, the fitted drawing, the median company."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tsbench.patterns import Channel, Pattern
from tsbench.plots.channels import Window, fitted, views
from tsbench.plots.units import Unit
from tsbench.series import Panel


def _window(pattern: Pattern, panel: Panel, matches: pd.DataFrame, expression: str, **context: int) -> Window:
    row = matches.iloc[0]
    found = views(pattern, panel)[expression].window(
        row["entity"], row["start"], row["end"], **({"before": 4, "after": 4} | context)
    )
    assert found is not None
    return found


def test_a_window_holds_the_stretch_and_its_context_in_units(
    pattern: Pattern, panel: Panel, matches: pd.DataFrame
) -> None:
    window = _window(pattern, panel, matches, "roic")
    assert window.inside.sum() == 8
    assert window.times.size == 12  # four before; nothing follows the last quarter
    np.testing.assert_allclose(window.values[window.inside], 0.01 * (np.arange(16, 24) + 2))


def test_a_logarithm_is_undone(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    window = _window(pattern, panel, matches, "log(market_cap)")
    np.testing.assert_allclose(window.values[-1], 3e9 * 2**2.3)


def test_the_drawing_is_fitted_by_least_squares(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    window = _window(pattern, panel, matches, "roic")
    line = fitted(pattern, "roic", window, Unit("share"))
    assert np.isnan(line[~window.inside]).all()
    np.testing.assert_allclose(line[window.inside], window.values[window.inside])  # a rise fits a rise exactly


def test_of_a_logarithmic_channel_the_logarithm_is_fitted(
    pattern: Pattern, panel: Panel, matches: pd.DataFrame
) -> None:
    window = _window(pattern, panel, matches, "log(market_cap)")
    line = fitted(pattern, "log(market_cap)", window, Unit("money", log=True))
    np.testing.assert_allclose(line[window.inside], window.values[window.inside])


def test_least_squares_is_least(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    window = _window(pattern, panel, matches, "roic")
    bumpy = replace(window, values=window.values + np.sin(np.arange(window.values.size)))
    line = fitted(pattern, "roic", bumpy, Unit("share"))[bumpy.inside]
    rest = bumpy.values[bumpy.inside] - line
    shape = pattern.template("roic", 8)
    assert abs(rest.sum()) < 1e-9
    assert abs(rest @ shape) < 1e-9


def test_a_channel_without_points_has_nothing_to_fit(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    window = _window(pattern, panel, matches, "revenue")
    assert np.isnan(fitted(pattern, "revenue", window, Unit("money"))).all()


def test_part_of_a_drawing_is_fitted_when_it_is_still_forming(panel: Panel, matches: pd.DataFrame) -> None:
    hill = Pattern("hill", (Channel("roic", ((0, 0), (0.6, 1), (1, 0))),), length=(6, 8))
    window = _window(hill, panel, matches, "roic")
    np.testing.assert_allclose(
        fitted(hill, "roic", window, Unit("share"), complete=0.6)[window.inside], window.values[window.inside]
    )


def test_shares_are_compared_with_the_plain_median(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    window = _window(pattern, panel, matches, "roic")
    median = views(pattern, panel)["roic"].median(window)
    np.testing.assert_allclose(median, 0.01 * (np.arange(12, 24) + 2.5))


def test_money_is_compared_from_the_companys_own_start(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    """All market caps double in step, so the median company drawn from this one's start is this one."""
    window = _window(pattern, panel, matches, "log(market_cap)")
    median = views(pattern, panel)["log(market_cap)"].median(window)
    np.testing.assert_allclose(median, window.values)


def test_fewer_than_five_companies_have_no_median(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    few = panel.select(entity=["C1", "C2", "C3", "C4"])
    window = _window(pattern, few, matches, "roic")
    assert np.isnan(views(pattern, few)["roic"].median(window)).all()


def test_doubtful_values_are_left_out_and_kept_apart(
    pattern: Pattern, frame: pd.DataFrame, matches: pd.DataFrame
) -> None:
    at = (frame["entity"] == "C2") & (frame["metric"] == "roic") & (frame["time"] == "2018-12-31")
    frame.loc[at, ["value", "flags"]] = [9.0, 1]
    window = _window(pattern, Panel.from_frame(frame), matches, "roic")
    assert np.isnan(window.values[-3])
    assert window.left_out[-3] == 9.0
    assert np.isfinite(window.left_out).sum() == 1


def test_an_entity_without_the_channel_has_no_window(pattern: Pattern, panel: Panel, matches: pd.DataFrame) -> None:
    row = matches.iloc[0]
    assert views(pattern, panel)["roic"].window("absent", row["start"], row["end"], before=1, after=1) is None


@pytest.mark.parametrize("zone", ["UTC", None])
def test_dates_with_and_without_zone_mean_the_same(
    pattern: Pattern, panel: Panel, matches: pd.DataFrame, zone: str | None
) -> None:
    row = matches.iloc[0]
    start, end = row["start"].tz_convert(zone), row["end"].tz_convert(zone)
    window = views(pattern, panel)["roic"].window("C2", start, end, before=0, after=0)
    assert window is not None
    assert window.times.size == 8
