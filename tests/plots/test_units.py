"""Expressions in words, numbers in units."""

import math

import pytest

from tsbench.errors import BadInput
from tsbench.patterns import Constraint, Pattern, library
from tsbench.plots.units import Unit, amount, change, rule, ticks, unit_of, words

MONEY, SHARE, NUMBER = Unit("money"), Unit("share"), Unit("number")


@pytest.mark.parametrize(
    ("expression", "unit", "said"),
    [
        ("revenue", MONEY, "revenue"),
        ("ttm(revenue)", MONEY, "12-month revenue"),
        ("yoy(ttm(revenue))", SHARE, "12-month revenue growth"),
        ("accel(revenue)", SHARE, "change in revenue growth"),
        ("roic", SHARE, "return on capital"),
        ("log(market_cap)", Unit("money", log=True), "market cap"),
        ("net_income / revenue", SHARE, "net income / revenue"),
        ("revenue / 2", MONEY, "revenue / 2"),
        ("roic * revenue", MONEY, "return on capital * revenue"),
        ("lag(revenue, 4)", MONEY, "revenue 4 periods before"),
        ("change(roic, 2)", SHARE, "change in return on capital over 2 periods"),
        ("volatility(roic, 6)", SHARE, "volatility of return on capital over 6 periods"),
        ("log(volatility(log(market_cap), 6))", Unit("number", log=True), "volatility of market cap over 6 periods"),
        ("minus_median(roic, sector)", SHARE, "return on capital above the sector median"),
        ("rank_in(revenue, universe)", SHARE, "revenue rank in its universe"),
        ("-revenue", MONEY, "-revenue"),
        ("some_count", NUMBER, "some count"),
        ("cash, net", NUMBER, "cash, net"),
    ],
)
def test_expressions_are_read_in_a_unit_and_said_in_words(expression: str, unit: Unit, said: str) -> None:
    assert unit_of(expression) == unit
    assert words(expression) == said


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234e10, MONEY, "$12.3B"),
        (-8.4e8, MONEY, "−$840M"),
        (1.5e12, MONEY, "$1.5T"),
        (950.0, MONEY, "$950"),
        (0.0814, SHARE, "8.1%"),
        (-12.5, SHARE, "−1,250.0%"),
        (3.14159, NUMBER, "3.14"),
        (math.nan, MONEY, "–"),
        (math.inf, SHARE, "–"),
    ],
)
def test_amounts_are_written_short(value: float, unit: Unit, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("first", "last", "unit", "told"),
    [
        (0.041, 0.098, SHARE, ("4.1% → 9.8%", "+5.7 points")),
        (12.1e9, 12.9e9, MONEY, ("$12.1B → $12.9B", "+7%")),
        (-1e9, 1e9, MONEY, ("−$1.0B → $1.0B", "")),
        (math.nan, 1.0, SHARE, ("– → 100.0%", "")),
    ],
)
def test_changes_are_points_for_shares_and_percent_for_money(
    first: float, last: float, unit: Unit, told: tuple[str, str]
) -> None:
    assert change(first, last, unit) == told


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (Constraint("yoy(revenue)", "change", 0.02), "gains at least 2 points"),
        (Constraint("roic", "change", None, -0.01), "loses at least 1 point"),
        (Constraint("roic", "change", 0.01, 0.05), "gains at least 1 point and at most 5 points"),
        (Constraint("log(revenue)", "change", 0.2), "gains at least 22.1%"),
        (Constraint("log(revenue)", "change", None, -0.2), "loses at least 18.1%"),
        (Constraint("log(revenue)", "change", -0.7, -0.2), "loses at least 18.1% and at most 50.3%"),
        (Constraint("revenue", "percent_change", None, -5), "loses at least 5%"),
        (Constraint("log(market_cap)", "change", -0.1, 0.1), "changes −9.52% to +10.5%"),
        (Constraint.flat("revenue", 5), "changes −5% to +5%"),
        (Constraint("roic", "level", 0.1), "averages at least 10.0%"),
        (Constraint("log(revenue)", "level", None, math.log(1e9)), "averages at most $1.0B"),
        (Constraint("roic", "slope", -0.01, 0.01), "moves per period −1 point to +1 point"),
    ],
)
def test_constraints_are_said_in_words(constraint: Constraint, said: str) -> None:
    assert rule(constraint) == said


@pytest.mark.parametrize("pattern", library().values(), ids=list(library()))
def test_every_channel_and_condition_of_the_library_can_be_said(pattern: Pattern) -> None:
    assert all(words(expression) for expression in pattern.expressions)
    assert all(rule(constraint) for constraint in pattern.constraints)


def test_ticks_are_round_and_lie_inside() -> None:
    places, texts = ticks(9.3e9, 2.05e10, MONEY)
    assert texts == ["$10B", "$12.5B", "$15B", "$17.5B", "$20B"]
    assert all(9.3e9 <= place <= 2.05e10 for place in places)
    assert ticks(-0.07, 0.22, SHARE)[1] == ["−5%", "0%", "5%", "10%", "15%", "20%"]


def test_ticks_of_no_range_are_none() -> None:
    assert ticks(1.0, 1.0, NUMBER) == ([], [])
    assert ticks(math.nan, 1.0, NUMBER) == ([], [])


def test_a_call_with_wrong_arguments_is_a_name_and_no_error() -> None:
    assert words("ttm(revenue, 3)") == "ttm(revenue, 3)"
    with pytest.raises(BadInput):
        Constraint("ttm(revenue)", "change")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(revenue - net_income) / market_cap", "(revenue - net income) / market cap"),
        ("revenue - (net_income - market_cap)", "revenue - (net income - market cap)"),
        ("revenue - net_income * 2", "revenue - net income * 2"),
        ("revenue / (net_income * 2)", "revenue / (net income * 2)"),
        ("revenue - net_income - 2", "revenue - net income - 2"),
    ],
)
def test_words_keep_the_brackets_that_matter(expression, said):
    assert words(expression) == said


@pytest.mark.parametrize(("low", "high"), [(0, 5e-324), (1e20, 1e20 + 16384), (-1.7e308, 1.7e308)])
def test_ticks_of_a_span_that_numbers_cannot_divide_are_few_or_none(low, high):
    places, _ = ticks(low, high, Unit("number"))
    assert len(places) <= 6
