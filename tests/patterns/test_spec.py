import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.patterns import Channel, Constraint, Pattern, library, named

VEE = ((0, 1), (0.5, 0), (1, 1))


def vee(**changes):
    return Pattern(**{"name": "vee", "channels": (Channel("revenue", VEE),), "length": (8, 24), **changes})


@pytest.mark.parametrize("pattern", library().values(), ids=library())
def test_every_shipped_pattern_survives_json(pattern):
    again = Pattern.from_json(json.loads(json.dumps(pattern.to_json())))
    assert again == pattern
    assert again.description == pattern.description
    assert pattern.description


@given(
    st.lists(st.floats(0.01, 0.99), max_size=6, unique=True),
    st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=8),
    st.integers(4, 60),
    st.integers(0, 200),
    st.floats(0, 1),
)
def test_json_round_trip_of_any_pattern(inner, heights, low, more, warp):
    points = tuple(zip([0.0, *sorted(inner), 1.0], heights, strict=False))
    if np.ptp([y for _, y in points]) == 0:
        points = ((0.0, 0.0), (1.0, 1.0))
    pattern = Pattern("p", (Channel("a / b", points), Channel("log(c)")), (low, low + more), warp=warp,
                      constraints=(Constraint("log(c)", "change", None, 0.5),))  # fmt: skip
    assert Pattern.from_json(json.loads(json.dumps(pattern.to_json()))) == pattern


def test_a_template_has_mean_zero_and_norm_one_and_the_drawn_shape():
    t = vee().template("revenue", 9)
    assert t.mean() == pytest.approx(0)
    assert t @ t == pytest.approx(1)
    assert t.argmin() == 4
    np.testing.assert_allclose(t, t[::-1])


def test_the_first_part_of_a_drawing_is_its_beginning():
    half = vee().template(0, 5, complete=0.5)
    assert (np.diff(half) < 0).all()


def test_scales_are_geometric_and_hold_both_ends():
    scales = vee().scales()
    assert scales[0] == 8
    assert scales[-1] == 24
    assert (np.diff(scales) > 0).all()
    assert (scales[1:] / scales[:-1] <= 1.26).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "two words"}, "two words"),
        ({"length": (24, 8)}, "shortest, longest"),
        ({"length": (2, 8)}, "length"),
        ({"length": 8}, "shortest, longest"),
        ({"length": (8, 9, 10)}, "shortest, longest"),
        ({"length": ("a", "b")}, "length"),
        ({"name": 5}, "must be text"),
        ({"name": ""}, "name holds"),
        ({"description": 5}, "must be text"),
        ({"channels": "revenue"}, "Channel objects"),
        ({"channels": None}, "Channel objects"),
        ({"constraints": ({"kind": "level"},)}, "Constraint objects"),
        ({"prominence": float("nan")}, "prominence"),
        ({"warp": 1.5}, "warp"),
        ({"polarity": "up"}, "polarity"),
        ({"channels": (Channel("revenue"),)}, "at least one channel with points"),
        ({"channels": (Channel("revenue", VEE), Channel("revenue", VEE))}, "twice"),
        ({"channels": (Channel("revenue", VEE), Channel("roic")), "combine": "any"}, "points of its own"),
        ({"constraints": (Constraint("roic", "change", 0),)}, "none of its channels"),
    ],
)
def test_a_bad_pattern_says_what_is_wrong(changes, said):
    with pytest.raises(BadInput, match=said):
        vee(**changes)


@pytest.mark.parametrize(
    "points",
    [
        ((0, 1), (1, 1)), ((0, 0), (0.5, 1)), ((0, 0), (0, 1), (1, 1)), ((0, 0), (1, np.nan)), ((0, 1),),
        ((0, 1), (1,)), ((0, 1, 2), (1, 0, 3)), ((0, "a"), (1, "b")), (0, 1), 5, ((0, -1.7e308), (1, 1.7e308)),
        ((0, 10**400), (1, 0)),
    ],
)  # fmt: skip
def test_points_must_draw_a_shape_from_zero_to_one(points):
    with pytest.raises(BadInput):
        Channel("revenue", points)


@pytest.mark.parametrize("expression", [None, 5, ["revenue"]])
def test_a_channel_needs_an_expression_that_is_text(expression):
    with pytest.raises(BadInput, match="must be text"):
        Channel(expression)


@pytest.mark.parametrize("unit", [5e-324, 1e-200, 1e-10, 1e10, 1e200, -1e-12, -1e300])
@pytest.mark.parametrize("base", [0.0, 1.0])
def test_the_unit_of_a_drawing_does_not_count(unit, base):
    drawn = tuple((x, unit * (y + base)) for x, y in ((0, 4.0), (0.25, 0.0), (0.5, 2.0), (1, 4.0)))
    plain = Pattern("p", (Channel("a", ((0, 4), (0.25, 0), (0.5, 2), (1, 4))),), (8, 9))
    other = Pattern("p", (Channel("a", drawn),), (8, 9))
    wanted = np.sign(unit) * plain.template(0, 17)
    np.testing.assert_allclose(other.template(0, 17), wanted, atol=1e-12)
    assert "nan" not in other._repr_html_()


def test_a_first_part_that_is_flat_is_refused_in_any_unit():
    for unit in (1e-12, 1.0, 1e200):
        late = Pattern("late", (Channel("a", ((0, 0), (0.6, 0), (1, unit))),), (8, 9))
        with pytest.raises(BadInput, match="flat line"):
            late.template(0, 9, complete=0.5)


def test_numbers_of_numpy_become_plain_ones():
    pattern = vee(
        length=(np.int64(8), np.int32(24)), prominence=np.float64(2), warp=np.float32(0.5), jitter=np.float64(0.25),
        constraints=(Constraint("revenue", "change", np.float32(1), np.int64(2)),),
    )  # fmt: skip
    plain = vee(prominence=2.0, warp=0.5, jitter=0.25, constraints=(Constraint("revenue", "change", 1.0, 2.0),))
    assert json.dumps(pattern.to_json()) == json.dumps(plain.to_json())
    assert all(type(v) is float for v in (pattern.prominence, pattern.warp, pattern.constraints[0].low))


def test_json_that_is_no_pattern_is_refused():
    spec = vee().to_json()
    for wrong in (None, 5, "vee", ["name", "length", "channels"]):
        with pytest.raises(BadInput):
            Pattern.from_json(wrong)
    for field, value in {
        "name": 5, "length": 8, "channels": None, "constraints": 3, "warp": "a", "polarity": [1], "description": 1,
    }.items():  # fmt: skip
        with pytest.raises(BadInput):
            Pattern.from_json({**spec, field: value})
    with pytest.raises(BadInput):
        Pattern.from_json({**spec, "channels": [{"expression": "revenue", "points": [[0, 1], [1]]}]})


def test_json_with_unknown_or_missing_fields_is_refused():
    spec = vee().to_json()
    with pytest.raises(BadInput, match="colour"):
        Pattern.from_json({**spec, "colour": "red"})
    with pytest.raises(BadInput, match="length"):
        Pattern.from_json({"name": "x", "channels": spec["channels"]})
    with pytest.raises(BadInput):
        Pattern.from_json({**spec, "channels": [{"points": []}]})


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(NotFound, match="dip_recovery"):
        named("dip_recovry")


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("change", None, None), ("change", 2, 1), ("jump", 1, None), ("change", float("nan"), None),
        ("change", "a", None), ("change", None, "b"), ("change", float("-inf"), float("inf")), ("change", True, None),
        ("change", float("inf"), None), ("change", None, float("-inf")), ("change", 10**400, None), ("level", [1], 2),
    ],
)  # fmt: skip
def test_a_constraint_must_bound_something(kind, low, high):
    with pytest.raises(BadInput):
        Constraint("x", kind, low, high)


def test_an_infinite_bound_is_none_and_strict_json():
    for rule in (Constraint("x", "level", float("-inf"), 2), Constraint("x", "level", np.float32("-inf"), 2)):
        assert rule == Constraint("x", "level", None, 2)
        json.dumps(vee(channels=(Channel("x", VEE),), constraints=(rule,)).to_json(), allow_nan=False)
    assert Constraint("x", "level", 1, float("inf")) == Constraint("x", "level", 1)


def test_a_flat_constraint_is_a_band_in_percent():
    assert Constraint.flat("market_cap", 10).bounds == (-10.0, 10.0)
    assert "from -10 to 10 %" in str(Constraint.flat("market_cap", 10))


def test_the_notebook_view_shows_shape_and_escapes():
    html = named("overlooked")._repr_html_()
    assert html.count("<svg") == 2
    assert "constraints only" in html
