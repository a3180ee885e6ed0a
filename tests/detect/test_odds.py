import numpy as np
import pytest

from tsbench.detect.odds import Odds, features_of
from tsbench.errors import BadInput

BOTH = pytest.mark.parametrize("bounded", [True, False], ids=["correlations", "scores of a head"])


def sample(n, seed, bounded=True):
    """Features and the Gumbel maxima they govern, so that the truth is known; squeezed below 1 if `bounded`."""
    rng = np.random.default_rng(seed)
    features = np.column_stack(
        [rng.uniform(3, 6, n), rng.uniform(-0.5, 0.5, n), rng.uniform(-1, -0.2, n), rng.uniform(-1, 1, n)]
    )
    y = 0.5 + 0.2 * features[:, 0] + features[:, 1] + np.exp(-1 + 0.5 * features[:, 2]) * rng.gumbel(size=n)
    return features, np.tanh(y) if bounded else y


@BOTH
def test_p_values_are_uniform_when_the_model_holds(bounded):
    odds = Odds.fit(*sample(20_000, 0, bounded), bounded=bounded)
    p = odds.p_value(*sample(20_000, 1, bounded))
    for level in (0.5, 0.1, 0.05, 0.01, 0.001):
        assert (p < level).mean() == pytest.approx(level, rel=0.15, abs=0.0007)


def test_p_values_are_uniform_for_long_and_for_short_series():
    odds = Odds.fit(*sample(20_000, 0))
    features, score = sample(20_000, 2)
    p = odds.p_value(features, score)
    for part in (features[:, 0] < 3.6, features[:, 0] > 5.4):
        assert (p[part] < 0.05).mean() == pytest.approx(0.05, abs=0.015)


@BOTH
def test_a_higher_score_never_has_a_higher_p_value(bounded):
    odds = Odds.fit(*sample(5_000, 0, bounded), bounded=bounded)
    features = np.tile(sample(1, 3)[0], (500, 1))
    p = odds.p_value(features, np.linspace(*((-0.99, 0.99999) if bounded else (-3, 9)), 500))
    assert (np.diff(p) <= 1e-12).all()
    assert p[0] == pytest.approx(1.0, abs=1e-3)
    assert p.min() >= odds.floor


@BOTH
def test_the_needed_score_is_the_inverse_of_the_p_value(bounded):
    odds = Odds.fit(*sample(20_000, 0, bounded), bounded=bounded)
    features, _ = sample(50, 4)
    for wanted in (0.2, 0.05, 0.003):
        score = odds.needed_score(features, wanted)
        np.testing.assert_allclose(odds.p_value(features, score), wanted, rtol=0.02)
    assert (odds.needed_score(features, odds.floor / 2) == np.inf).all()


def test_scores_of_a_head_may_be_any_number():
    """The odds of scores and of their tanh as correlations are the same."""
    features, score = sample(5_000, 0, bounded=False)
    free, squeezed = Odds.fit(features, score, bounded=False), Odds.fit(features, np.tanh(score), bounded=True)
    fresh, score = sample(500, 1, bounded=False)
    near = np.abs(score) < 4  # correlations are cut close to 1
    a, b = free.p_value(fresh, score), squeezed.p_value(fresh, np.tanh(score))
    np.testing.assert_allclose(a[near], b[near], atol=0.005)


def test_where_windows_are_rarely_allowed_the_chance_of_having_one_counts():
    features, score = sample(20_000, 0)
    rng = np.random.default_rng(5)
    allowed = rng.random(20_000) < 1 / (1 + np.exp(-(features[:, 0] - 4.5)))
    odds = Odds.fit(features, np.where(allowed, score, -np.inf))
    features, score = sample(20_000, 6)
    allowed = rng.random(20_000) < 1 / (1 + np.exp(-(features[:, 0] - 4.5)))
    p = odds.p_value(features, np.where(allowed, score, -np.inf))
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.01)
    assert (p[~allowed] == 1.0).all()


def test_too_few_scores_are_refused():
    features, score = sample(1000, 0)
    score[150:] = -np.inf
    with pytest.raises(BadInput, match="150 of 1000"):
        Odds.fit(features, score)


def test_features_are_the_same_with_and_without_the_match_for_a_bent_series():
    x = np.random.default_rng(0).standard_normal((1, 80)).cumsum(axis=1)
    bent = x.copy()
    bent[0, 30:46] += np.hanning(16) * 25
    place = (np.array([0]), np.array([80]), np.array([29]), np.array([18]))
    np.testing.assert_allclose(features_of(bent, *place), features_of(x, *place), rtol=1e-9)
