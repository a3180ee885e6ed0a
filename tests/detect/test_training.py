"""Training series: where copies lie, which windows are proposed, and what these are worth."""

from dataclasses import replace

import numpy as np
import pytest

from tests import naive
from tests.detect.panels import DIP, VEE
from tsbench.detect.bank import bank_of, of_channel
from tsbench.detect.training import CANDIDATES, CANDIDATES_NOW, OVERLAP, PLANTED, SHORTEST_HOST, examples, host_room
from tsbench.errors import TooShort
from tsbench.kernels.describe import compare_rivals
from tsbench.patterns import Channel, Pattern

POLARITIES = ("as_drawn", "inverted", "either")


def hosts_of(n=6, length=80, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((channels, length)).cumsum(axis=1) for _ in range(n)]


def made(pattern=DIP, n=400, *, now=False, hosts=None, channels=(0,), seed=1):
    bank = bank_of(pattern, "now") if len(channels) == len(pattern.channels) else of_channel(
        bank_of(pattern, "now"), channels[0]
    )  # fmt: skip
    hosts = hosts_of(channels=len(channels)) if hosts is None else hosts
    return examples(pattern, bank, hosts, n, np.random.default_rng(seed), channels=list(channels), now=now)


def changed_stretch(series, host):
    """[first, last) of what was planted in a host; None where nothing was, or where all of it was drawn anew."""
    moved = np.flatnonzero(np.abs(series - host) > 1e-9)
    if not moved.size:
        return None
    last = np.flatnonzero(np.abs(np.diff(series) - np.diff(host)) > 1e-9).max() + 2
    return (int(moved[0]), int(last)) if last - moved[0] <= DIP.length[1] else None


@pytest.mark.parametrize("now", [False, True])
def test_the_overlap_is_that_with_the_copy(now):
    host = hosts_of(1)[0]
    seen = made(hosts=[host], now=now)
    carriers, checked = set(seen.run[seen.overlap > 0]), 0
    assert 0.5 < len(carriers) / 400 < 0.7
    for r in carriers:
        place = changed_stretch(seen.values[0, seen.start[r] : seen.stop[r]], host[0])
        assert place is not None
        assert DIP.length[0] <= place[1] - place[0] <= DIP.length[1]
        if now:
            assert place[1] in (79, 80)
        for w in np.flatnonzero(seen.run == r):
            first = seen.first[w] - seen.start[r]
            wanted = naive.intersection_over_union(first, seen.length[w], place[0], place[1] - place[0])
            assert seen.overlap[w] == pytest.approx(wanted)
            checked += 1
    assert checked > 200


def test_most_series_carry_something_and_others_are_as_they_were_or_chance():
    host = hosts_of(1)[0]
    seen = made(hosts=[host], n=1000)
    series = [seen.values[0, a:b] for a, b in zip(seen.start, seen.stop, strict=True)]
    planted = np.array([changed_stretch(x, host[0]) is not None for x in series])
    untouched = np.array([np.array_equal(x, host[0]) for x in series])
    carriers = np.bincount(seen.run[seen.overlap > 0], minlength=1000) > 0
    assert planted.mean() == pytest.approx(0.875, abs=0.04)
    assert carriers.mean() == pytest.approx(0.6, abs=0.05)
    assert untouched.mean() == pytest.approx(0.075, abs=0.03)
    assert not (carriers & ~planted).any()
    # natural: what shows little of anything planted
    assert (seen.natural[~planted[seen.run]]).all()
    assert (seen.natural == (seen.overlap < PLANTED))[carriers[seen.run]].all()
    misses = (planted & ~carriers)[seen.run]
    assert 0 < seen.natural[misses].mean() < 1
    for r, best in zip(np.flatnonzero(~planted & ~untouched), seen.by_chance, strict=True):
        assert best == max(seen.proposed[seen.run == r], default=0)
    for x in (series[i] for i in np.flatnonzero(~planted & ~untouched)):
        steps = np.sort(np.diff(x))
        assert np.abs(steps[:, None] - np.diff(host[0])).min(axis=1).max() < 1e-9


def test_now_proposes_windows_of_the_last_two_periods_only():
    seen = made(now=True)
    ends = (seen.first + seen.length) - seen.stop[seen.run]
    assert set(ends) == {-1, 0}
    anywhere = made(now=False)
    assert ((anywhere.first + anywhere.length) < anywhere.stop[anywhere.run] - 1).mean() > 0.7
    assert np.bincount(seen.run).max() <= CANDIDATES_NOW
    assert np.bincount(anywhere.run).max() == CANDIDATES


@pytest.mark.parametrize("now", [False, True])
def test_the_windows_of_a_series_differ_and_know_their_rivals(now):
    seen = made(now=now, n=60)
    assert (seen.first >= seen.start[seen.run]).all()
    assert (seen.first + seen.length <= seen.stop[seen.run]).all()
    for r in range(60):
        mine = np.flatnonzero(seen.run == r)
        assert (np.diff(seen.proposed[mine]) <= 0).all()
        for k, i in enumerate(mine):
            for j in mine[:k]:
                both = seen.first[i], seen.length[i], seen.first[j], seen.length[j]
                assert naive.intersection_over_union(*map(int, both)) <= OVERLAP
    rivals = np.empty((seen.run.size, 2))
    compare_rivals(seen.run, seen.first, seen.length, seen.proposed, rivals)
    np.testing.assert_array_equal(seen.rivals, rivals)


@pytest.mark.parametrize(
    "polarity",
    [
        "as_drawn",
        "inverted",
        "either",
    ],
)
def test_copies_are_proposed_whichever_way_up_the_pattern_is(polarity):
    seen = made(replace(DIP, polarity=polarity), n=600)
    best = np.zeros(600)
    np.maximum.at(best, seen.run, seen.overlap)
    assert (best[best > 0] >= 0.5).mean() > 0.95


@pytest.mark.parametrize("polarity", POLARITIES)
def test_mirrored_polarities_are_learnt_on_mirrored_hosts(polarity):
    host = hosts_of(1)[0]
    seen = made(replace(DIP, polarity=polarity), hosts=[host])
    untouched = [s for a, b in zip(seen.start, seen.stop, strict=True) for s in (1.0, -1.0)
                 if np.array_equal(s * seen.values[0, a:b], host[0])]  # fmt: skip
    assert set(untouched) == {"as_drawn": {1.0}, "inverted": {-1.0}, "either": {1.0, -1.0}}[polarity]


def likenesses(pattern, channel):
    """Of the series without a copy, the share that hold the drawing all the same; the hosts leave nothing to chance."""
    hosts = [np.sin(np.arange(60)[None] / 9 + k) for k in range(5)]
    seen = made(replace(pattern, warp=0.0, jitter=0.0), n=1500, hosts=hosts, channels=(channel,), now=True)
    best = np.full(1500, -1.0)
    for run, a, m in zip(seen.run, seen.first, seen.length, strict=True):
        r = np.corrcoef(pattern.template(channel, int(m)), seen.values[0, a : a + m])[0, 1]
        best[run] = max(best[run], r)
    carriers = np.bincount(seen.run[seen.overlap > 0], minlength=1500) > 0
    return (best[~carriers] > 0.97).mean()


def test_of_alternatives_no_near_miss_is_the_drawing():
    rise = ((0, 0), (1, 1))
    both = Pattern("two", (Channel("a", rise), Channel("b", VEE)), (8, 16), combine="any")
    for channel in (0, 1):
        alone = Pattern("one", (Channel("a", both.channels[channel].points),), (8, 16))
        assert likenesses(both, channel) < likenesses(alone, 0) + 0.02


def test_joint_channels_carry_together_or_one_alone_is_a_near_miss():
    joint = Pattern("both", (Channel("a", VEE), Channel("b", ((0, 0), (1, 1))), Channel("c")), (8, 16))
    host = hosts_of(1, channels=3)[0]
    seen = made(joint, hosts=[host], channels=(0, 1, 2))
    carriers = set(seen.run[seen.overlap > 0])
    alone = 0
    for r in range(400):
        part = slice(seen.start[r], seen.stop[r])
        places = [changed_stretch(seen.values[k, part], host[k]) for k in range(3)]
        if r in carriers:
            assert places[0] == places[1] is not None
        if places[2] is None and places[:2] != [None, None]:
            alone += (places[0] is None) != (places[1] is None)
            assert r not in carriers or None not in places[:2]
    assert alone > 2
    np.testing.assert_array_equal(seen.values[2, seen.start], np.full(400, host[2, 0]))


def test_hosts_shorter_than_the_longest_copy_carry_shorter_ones():
    long = Pattern("long", (Channel("value", VEE),), length=(10, 60))
    seen = made(long, hosts=hosts_of(5, 30))
    assert seen.overlap.max() > 0.7
    assert seen.length.max() <= 30


def test_equal_seeds_give_equal_examples():
    a, b, c = (made(n=50, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(a.overlap, b.overlap)
    assert a.values.shape != c.values.shape or not np.array_equal(a.values, c.values)


def test_the_hosts_stay_as_they_are():
    hosts = hosts_of()
    before = [host.copy() for host in hosts]
    made(hosts=hosts)
    for host, old in zip(hosts, before, strict=True):
        np.testing.assert_array_equal(host, old)


def test_room_is_a_length_and_a_movement():
    calm, short, good = np.zeros((1, 40)), np.arange(19.0)[None], np.arange(20.0)[None]
    room = host_room([calm, short, good], 16)
    assert [room(host) for host in (calm, short, good)] == [False, False, True]
    assert host_room([np.arange(float(SHORTEST_HOST))[None]], 500)(np.arange(float(SHORTEST_HOST))[None])
    half = np.stack([np.arange(40.0), np.zeros(40)])
    with pytest.raises(TooShort, match="20 periods and moves"):
        host_room([calm, short, half], 16)
