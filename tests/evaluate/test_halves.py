"""Companies to explore and companies to confirm: always the same, about half of each."""

import doctest
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tsbench.evaluate.halves as halves
from tsbench.errors import BadInput
from tsbench.evaluate import HALVES, half_of

names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=30)


@given(names, st.randoms())
def test_a_name_is_in_the_same_half_in_any_order_and_company(entities, rng: random.Random):
    half = dict(zip(entities, half_of(entities), strict=True))
    shuffled = [*entities, "another"]
    rng.shuffle(shuffled)
    for entity, confirm in zip(shuffled, half_of(shuffled), strict=True):
        assert half.get(entity, confirm) == confirm


def test_the_halves_never_change_from_version_to_version():
    # written down once: a change would put companies that were explored among those that confirm
    known = {"AAPL": "explore", "MSFT": "confirm", "XOM": "confirm", "Ü & Søn": "explore", "株": "confirm"}
    assert [HALVES[half] for half in half_of(known).astype(int)] == list(known.values())


@pytest.mark.parametrize("form", ["C{:03d}", "{}", "company {}", "{:x}"])
def test_about_half_of_a_thousand_names_are_in_each(form):
    half = half_of([form.format(i) for i in range(1000)])
    assert half.dtype == bool
    # six standard deviations of a fair coin
    assert 405 <= half.sum() <= 595


def test_no_name_is_in_no_half():
    assert half_of([]).shape == (0,)
    assert half_of([]).dtype == bool
    assert half_of(np.array(["AAPL"])).tolist() == [False]


def test_one_text_is_not_several_names():
    with pytest.raises(BadInput, match=r"write \['AAPL'\]"):
        half_of("AAPL")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(halves).failed == 0
