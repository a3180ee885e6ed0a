"""The error tree, and the one place where input is checked."""

import numpy as np
import pytest

from tsbench import checks, errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.BadInput, ValueError),
        (errors.TooShort, errors.BadInput),
        (errors.NotFound, LookupError),
        (errors.NotFitted, RuntimeError),
        (errors.MissingExtra, ImportError),
        (errors.Unavailable, ConnectionError),
    ],
)
def test_every_error_is_ours_and_a_builtin_one(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, errors.TsbenchError)
    assert issubclass(error, builtin)


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert "pip install 'tsbench[bench]'" in str(errors.MissingExtra("stumpy", "bench"))


def test_a_vector_is_contiguous_float64_and_keeps_nan() -> None:
    given = np.array([[1, 2, 3], [4, 5, 6]])[:, ::2]
    got = checks.vector(given[0], "values")
    assert got.dtype == np.float64
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(checks.vector([1, None, 3], "values"), [1, np.nan, 3])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1, 2]], "one-dimensional"),
        ([1, np.inf], "infinity at position 1"),
        (["a"], "must hold numbers"),
    ],
)
def test_a_vector_refuses_what_is_none(values: object, said: str) -> None:
    with pytest.raises(errors.BadInput, match=said):
        checks.vector(values, "values")  # type: ignore[arg-type]


def test_a_short_vector_is_too_short() -> None:
    with pytest.raises(errors.TooShort, match="has 2 values, at least 3"):
        checks.vector([1, 2], "values", min_length=3)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "0.5"])
def test_between_refuses_what_lies_outside(value: float) -> None:
    with pytest.raises(errors.BadInput, match=r"share must lie in \[0, 1\]"):
        checks.between(value, "share", 0, 1)


def test_between_keeps_its_ends() -> None:
    assert checks.between(0, "share", 0, 1) == 0.0
    assert checks.between(np.float64(1), "share", 0, 1) == 1.0


@pytest.mark.parametrize("value", [0, 11, 2.0, True, "3"])
def test_whole_refuses_what_is_no_integer_in_range(value: int) -> None:
    with pytest.raises(errors.BadInput, match=r"an integer in \[1, 10\]"):
        checks.whole(value, "count", 1, 10)


def test_whole_takes_numpy_integers() -> None:
    assert checks.whole(np.int64(3), "count", 1) == 3


def test_choice_lists_what_is_allowed() -> None:
    assert checks.choice("a", "letter", ["a", "b"]) == "a"
    with pytest.raises(errors.BadInput, match="must be one of 'a', 'b'; got 'c'"):
        checks.choice("c", "letter", ["a", "b"])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert checks.known("dip", "pattern", ["dip", "step"]) == "dip"
    with pytest.raises(errors.NotFound, match="no pattern 'dpi'; did you mean 'dip'"):
        checks.known("dpi", "pattern", ["dip", "step"])
    with pytest.raises(errors.NotFound, match="known: dip, step"):
        checks.known("qqq", "pattern", ["dip", "step"])
    with pytest.raises(errors.NotFound, match=r"no watchlist 'qqq'; there is none yet$"):
        checks.known("qqq", "watchlist", [])
