"""Near misses: every kind of what almost is the pattern, and never the pattern itself."""

from dataclasses import replace

import numpy as np
import pytest

from tsbench.patterns import Channel, Pattern, library
from tsbench.patterns.near_misses import ALIKE, PARTS, SHUFFLES, near_misses

HOOK = ((0, 0), (0.2, 1), (0.5, 0.8), (0.6, 0.1), (1, 0.4))
VEE = ((0, 1), (0.5, 0), (1, 1))
ONE = Pattern("hook", (Channel("a", HOOK),), length=(8, 16))
GRID = np.linspace(0, 1, 201)
EVERY = pytest.mark.parametrize("pattern", library().values(), ids=library())


def own(pattern):
    return [c.drawing if c.points else None for c in pattern.channels]


def likeness(drawing, other):
    """Correlation of two drawings; 0 where a channel shows nothing."""
    if other is None:
        return 0.0
    a, b = (np.interp(GRID, *d) for d in (drawing, other))
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def alike(pattern, misses):
    """Per near miss, the correlation of every shaped channel."""
    return [[likeness(d, o) for d, o in zip(own(pattern), miss, strict=True) if d is not None] for miss in misses]


def holds(misses, wanted):
    """Whether a drawing (per channel) is among the near misses."""
    shape = [None if d is None else np.interp(GRID, *d) for d in wanted]
    for miss in misses:
        seen = [None if d is None else np.interp(GRID, *d) for d in miss]
        if all(
            (a is None) == (b is None) and (a is None or np.allclose(a, b, atol=1e-9))
            for a, b in zip(seen, shape, strict=True)
        ):
            return True
    return False


def part(drawing, low, high):
    """The stretch from low to high as if it were all, of height 1."""
    y = np.interp(np.linspace(low, high, 20_001), *drawing)
    return np.linspace(0, 1, 20_001), (y - y.min()) / np.ptp(y)


@EVERY
def test_no_near_miss_of_a_shipped_pattern_is_the_pattern(pattern):
    misses = near_misses(pattern, np.random.default_rng(1))
    assert len(misses) >= 20
    for r in alike(pattern, misses):
        assert min(r) < ALIKE + 0.005  # 65 or 201 points
        if pattern.polarity == "either":
            assert max(r) > -ALIKE - 0.005


@EVERY
def test_every_near_miss_is_drawn_like_a_drawing(pattern):
    for miss in near_misses(pattern, np.random.default_rng(2)):
        assert len(miss) == len(pattern.channels)
        for drawing, channel in zip(miss, pattern.channels, strict=True):
            if not channel.points:
                assert drawing is None
            if drawing is None:
                continue
            x, y = drawing
            assert (x[0], x[-1]) == (0.0, pytest.approx(1.0))
            assert (np.diff(x) > 0).all()
            assert (y.min(), y.max()) == (pytest.approx(0.0), pytest.approx(1.0))


def test_the_drawing_backwards_upside_down_and_in_part_is_no_pattern():
    misses = near_misses(ONE, np.random.default_rng(3))
    x, y = own(ONE)[0]
    assert holds(misses, [(1 - x[::-1], y[::-1])])
    assert holds(misses, [(x, 1 - y)])
    shares = [(0, share) for share in PARTS] + [(1 - share, 1) for share in PARTS]
    kept = [part((x, y), *share) for share in shares]
    assert sum(likeness((x, y), other) < ALIKE for other in kept) >= 4
    for other in kept:
        assert any(likeness(other, miss[0]) > 0.9999 for miss in misses) == (likeness((x, y), other) < ALIKE)


def sections(drawing):
    """(width, share of all that it moves) of every section of a drawing, in order."""
    dx, dy = (np.diff(side) for side in drawing)
    return list(zip(dx.round(9), (dy / np.abs(dy).sum()).round(9), strict=True))


def test_its_sections_in_another_order_are_no_pattern():
    misses = near_misses(ONE, np.random.default_rng(4))
    mine = sections(own(ONE)[0])
    shuffled = [miss[0] for miss in misses if sorted(sections(miss[0])) == sorted(mine)]
    assert 3 <= len(shuffled) <= SHUFFLES
    assert all(sections(drawing) != mine for drawing in shuffled)
    assert len({tuple(sections(drawing)) for drawing in shuffled}) >= 3


def test_other_shipped_drawings_are_no_pattern():
    misses = near_misses(ONE, np.random.default_rng(5))
    shapes = [c.drawing for p in library().values() for c in p.channels if c.points]
    for shape in shapes:
        assert holds(misses, [shape]) == (likeness(own(ONE)[0], shape) < ALIKE)
    assert sum(likeness(own(ONE)[0], shape) < ALIKE for shape in shapes) > 20


def test_where_both_ways_count_the_mirrored_drawing_is_no_near_miss():
    x, y = own(ONE)[0]
    for polarity, wanted in (("as_drawn", True), ("inverted", True), ("either", False)):
        misses = near_misses(replace(ONE, polarity=polarity), np.random.default_rng(6))
        assert holds(misses, [(x, 1 - y)]) == wanted
        assert (min(likeness((x, y), miss[0]) for miss in misses) <= -ALIKE) == wanted


def test_of_a_joint_pattern_one_channel_alone_is_no_pattern():
    joint = Pattern("both", (Channel("a", HOOK), Channel("b", VEE), Channel("c")), length=(8, 16))
    misses = near_misses(joint, np.random.default_rng(7))
    a, b, _ = own(joint)
    assert holds(misses, (a, None, None))
    assert holds(misses, (None, b, None))
    assert not holds(misses, (a, b, None))
    assert all(miss[2] is None for miss in misses)
    both = [r for r in alike(joint, misses) if min(r) > 0 and max(r) < ALIKE]
    assert both, "others in both channels"


def test_a_line_has_near_misses_too():
    line = Pattern("line", (Channel("a", ((0, 0), (1, 1))),), length=(8, 16))
    misses = near_misses(line, np.random.default_rng(8))
    assert len(misses) >= 20
    assert max(likeness(own(line)[0], miss[0]) for miss in misses) < ALIKE + 0.005


def test_equal_seeds_give_equal_near_misses():
    a, b, c = (near_misses(ONE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(p[0], q[0]) for p, q in zip(a, b, strict=True))
    assert len(a) != len(c) or not all(np.array_equal(p[0], q[0]) for p, q in zip(a, c, strict=True))
