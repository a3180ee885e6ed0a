"""The judge of candidate windows: who taught it, what its probabilities are worth, and what it reads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from tests.detect.panels import DIP, VEE
from tsbench.detect.bank import bank_of
from tsbench.detect.head import BEATS, BOTH, BOUNDS, CLEAR, CORRELATION, SHARE, fit_head
from tsbench.detect.training import examples
from tsbench.errors import TooShort
from tsbench.evaluate import half_of
from tsbench.kernels.describe import WIDTH
from tsbench.patterns import Channel, Pattern

NAMES = [f"C{i:02d}" for i in range(24)]
HALF = half_of(NAMES)
MORE = [f"D{i:02d}" for i in range(80)]
BANK = bank_of(DIP, "now")


def hosts_of(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((1, 80)).cumsum(axis=1) for _ in NAMES]


def fitted(hosts, *, now=True, names=NAMES):
    with ThreadPoolExecutor(2) as pool:
        return fit_head(DIP, [0], BANK, hosts, names, now=now, seed=0, executor=pool)


def scores(head, seen, fold):
    folds = np.full(seen.run.size, fold)
    return head.score(seen.values, seen.runs, seen.windows, seen.rivals, seen.proposed, folds)


def fresh(seed=9, *, now=True, n=400):
    return examples(DIP, BANK, hosts_of(seed), n, np.random.default_rng(seed), channels=[0], now=now)


@pytest.fixture(scope="module")
def judge():
    return fitted(hosts_of(0))


@pytest.fixture(scope="module")
def judge_of_history():
    return fitted(hosts_of(0), now=False)


def test_a_company_s_score_owes_nothing_to_its_own_half(judge):
    """The companies of the second half are changed: those judged by the first fold, taught by the second, move."""
    assert 8 < HALF.sum() < 16
    changed = [b if second else a for a, b, second in zip(hosts_of(0), hosts_of(1), HALF, strict=True)]
    other, seen = fitted(changed), fresh()
    # A company of the second half is judged by fold 1.
    np.testing.assert_array_equal(scores(other, seen, 1), scores(judge, seen, 1))
    assert not np.array_equal(scores(other, seen, 0), scores(judge, seen, 0))
    assert (other.slope, other.intercept) != (judge.slope, judge.intercept)


def test_with_too_few_companies_on_a_side_all_teach():
    few, many = ([name for name in MORE if half_of([name])[0] == side] for side in (True, False))
    seen = fresh()
    heads = [fitted(hosts_of(0), names=[*a[:3], *b[:21]]) for a, b in ((few, many), (many, few))]
    for fold in (0, 1):
        np.testing.assert_array_equal(*(scores(head, seen, fold) for head in heads))
    assert not np.array_equal(scores(heads[0], seen, 0), scores(heads[0], seen, 1))  # the draws differ


def test_a_company_of_the_background_has_its_own_judge_and_any_other_both(judge):
    asked = pd.Series([*NAMES[::-1], "nobody", "C99"])
    np.testing.assert_array_equal(judge.judge_of(asked), [*HALF[::-1], BOTH, BOTH])
    seen = fresh(n=50)
    first, second, both = (scores(judge, seen, fold) for fold in (0, 1, BOTH))
    np.testing.assert_allclose(both, (first + second) / 2)


@pytest.mark.parametrize("now", [True, False])
def test_probabilities_are_calibrated_and_rise_with_the_score(request, now):
    head = request.getfixturevalue("judge" if now else "judge_of_history")
    seen = fresh(now=now, n=4000 if now else 1500)
    score = np.where(seen.run % 2 == 0, scores(head, seen, 0), scores(head, seen, 1))
    p, hit = head.probability(score), seen.overlap >= 0.5
    assert (np.diff(p[np.argsort(score)]) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()
    checked = 0
    for low in np.arange(0, 1, 0.2):
        inside = (p >= low) & (p < low + 0.2)
        if inside.sum() >= 60:
            assert hit[inside].mean() == pytest.approx(p[inside].mean(), abs=0.12)
            checked += 1
    assert checked >= 4


@pytest.mark.parametrize("now", [True, False])
def test_it_judges_better_than_correlation(request, now):
    from sklearn.metrics import roc_auc_score

    head, seen = request.getfixturevalue("judge" if now else "judge_of_history"), fresh(now=now)
    hit = seen.overlap >= 0.5
    learnt, known = (roc_auc_score(hit, answer) for answer in (scores(head, seen, 0), seen.proposed))
    assert learnt > 0.8
    assert 1 - learnt < 0.75 * (1 - known)


def test_a_score_is_the_answer_of_its_fold_and_what_correlation_adds(judge_of_history):
    judge, seen = judge_of_history, fresh(now=False)
    features = judge.describe(seen.values, seen.runs, seen.windows, seen.rivals)
    assert features.shape == (seen.run.size, WIDTH)
    fold = np.arange(seen.run.size) % 2
    got = judge.score(seen.values, seen.runs, seen.windows, seen.rivals, seen.proposed, fold)
    answers = np.array([trees.predict(features) for trees in judge.folds])
    beyond = np.log((1 - judge.clear) / (1 - seen.proposed))
    wanted = np.take_along_axis(answers, fold[None], 0)[0] + SHARE * seen.proposed + CLEAR * np.maximum(beyond, 0)
    assert 0 < (beyond > 0).sum() < beyond.size
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_a_clear_window_is_what_few_series_of_chance_hold(judge_of_history):
    """Of a dip of two straight lines chance holds less than the lower bound, so that bound counts."""
    best = np.concatenate([fresh(seed, now=False).by_chance for seed in range(20, 26)])
    reached = np.quantile(best, BEATS)
    assert judge_of_history.clear == pytest.approx(np.clip(reached, *BOUNDS), abs=0.02)
    assert (best > judge_of_history.clear).mean() <= 1 - BEATS + 0.03


@pytest.mark.parametrize("now", [True, False])
def test_a_labelled_window_has_the_score_of_stage_one_that_a_scan_gives_it(request, now):
    head, seen = request.getfixturevalue("judge" if now else "judge_of_history"), fresh(now=now, n=60)
    got = head.proposed(seen.values, seen.runs, seen.windows)
    np.testing.assert_allclose(got, seen.proposed, rtol=1e-9)
    assert (
        got < np.tanh(head.describe(seen.values, seen.runs, seen.windows, seen.rivals)[:, CORRELATION]) - 0.01
    ).any()


def test_no_window_has_no_probability(judge):
    assert np.isnan(judge.probability(np.array([-np.inf]))).all()


def test_what_it_reads_besides_the_drawing_is_how_copies_differ(judge):
    (basis,) = judge.basis
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-9)
    t = np.interp(np.linspace(0, 1, basis.shape[1]), *DIP.channels[0].drawing)
    assert basis[0] @ (t - t.mean()) == pytest.approx(np.sqrt(((t - t.mean()) ** 2).sum()))


def test_a_channel_without_a_shape_is_not_read():
    joint = Pattern("both", (Channel("c"), Channel("a", VEE), Channel("b", VEE)), (8, 16))
    rng = np.random.default_rng(0)
    hosts = [rng.standard_normal((3, 60)).cumsum(axis=1) for _ in range(12)]
    head = fit_head(joint, [0, 1, 2], bank_of(joint, "now"), hosts, NAMES[:12], now=True, seed=0)
    assert head.channels.tolist() == [1, 2]
    seen = examples(joint, bank_of(joint, "now"), hosts, 40, rng, channels=[0, 1, 2], now=True)
    before = scores(head, seen, 0)
    seen.values[0] = rng.standard_normal(seen.values.shape[1])
    np.testing.assert_array_equal(scores(head, seen, 0), before)


def test_hosts_without_room_are_refused():
    with pytest.raises(TooShort, match="nothing to learn in"):
        fit_head(DIP, [0], BANK, [np.zeros((1, 80))], ["C00"], now=True, seed=0)
