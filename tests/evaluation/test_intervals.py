from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from seamline.evaluation.intervals import (
    auc_variance,
    bootstrap_auc,
    bootstrap_auc_change,
    bootstrap_interval,
    delong_interval,
)
from seamline.evaluation.metrics import brier_score, roc_auc


def scored(seed: int, count: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    scores = generator.normal(labels, 1.0)
    return labels, scores.round(1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
def test_delong_variance_agrees_with_its_definition_pair_by_pair(ties):
    labels, scores = scored(0, 61, ties)
    fakes, reals = scores[labels == 1], scores[labels == 0]
    wins = (fakes[:, None] > reals) + 0.5 * (fakes[:, None] == reals)
    expected = wins.mean(1).var(ddof=1) / len(fakes) + wins.mean(0).var(ddof=1) / len(reals)
    assert auc_variance(labels, scores) == pytest.approx(expected)


def test_delong_interval_is_the_normal_one_on_the_logit_scale():
    labels, scores = scored(1, 80)
    auc = roc_auc(labels, scores)
    deviation = math.sqrt(auc_variance(labels, scores)) / (auc * (1 - auc))
    ends = np.log(auc / (1 - auc)) + stats.norm.ppf([0.05, 0.95]) * deviation
    found = delong_interval(labels, scores, level=0.9)
    np.testing.assert_allclose([found.low, found.high], 1 / (1 + np.exp(-ends)))
    assert 0 < found.low < auc < found.high < 1


def test_delong_interval_covers_the_truth_as_often_as_it_says():
    truth = stats.norm.cdf(1 / math.sqrt(2))
    hits = 0
    for seed in range(400):
        found = delong_interval(*scored(seed, 60))
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_bootstrap_agrees_with_delong_on_independent_samples():
    labels, scores = scored(3, 400)
    ours = bootstrap_interval(roc_auc, labels, scores, np.random.default_rng(0))
    theirs = delong_interval(labels, scores)
    assert ours.low == pytest.approx(theirs.low, abs=0.012)
    assert ours.high == pytest.approx(theirs.high, abs=0.012)


def test_bootstrap_agrees_with_scipy_on_a_mean():
    labels, scores = scored(4, 120)
    chance = stats.norm.cdf(scores)
    ours = bootstrap_interval(brier_score, labels, chance, np.random.default_rng(0))
    theirs = stats.bootstrap(
        ((chance - labels) ** 2,), np.mean, n_resamples=2000, method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert ours.low == pytest.approx(theirs.low, rel=0.05)
    assert ours.high == pytest.approx(theirs.high, rel=0.05)


@pytest.mark.parametrize("ties", [False, True])
def test_the_quick_bootstrap_of_the_auc_equals_the_plain_one_draw_by_draw(ties):
    labels, scores = scored(6, 90, ties)
    for groups in (None, [f"p{i // 4}" for i in range(90)]):
        plain, quick = (
            bootstrap(*arguments, np.random.default_rng(0), groups=groups, resamples=200)
            for bootstrap, arguments in (
                (bootstrap_interval, (roc_auc, labels, scores)),
                (bootstrap_auc, (labels, scores)),
            )
        )
        assert (quick.low, quick.high) == pytest.approx((plain.low, plain.high))


def paired(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, before = scored(seed, count)
    after = before + np.random.default_rng(seed + 1).normal(-0.3 * labels, 0.4)
    return labels, before, after.round(1)


def test_the_change_of_the_auc_is_the_plain_difference_draw_by_draw():
    labels, before, after = paired(7, 80)
    people = [f"p{i // 3}" for i in range(80)]
    members = [[i for i in range(80) if people[i] == name] for name in dict.fromkeys(people)]
    generator, changes = np.random.default_rng(0), []
    for _ in range(200):
        drawn = generator.integers(0, len(members), len(members))
        chosen = np.concatenate([members[i] for i in drawn])
        changes.append(
            roc_auc(labels[chosen], after[chosen]) - roc_auc(labels[chosen], before[chosen])
        )
    found = bootstrap_auc_change(
        labels, before, after, np.random.default_rng(0), groups=people, resamples=200
    )
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(changes, [0.025, 0.975])))


def naive_change_variance(labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """DeLong's for two scores of the same samples, from all pairs."""
    parts = []
    for scores in (before, after):
        fakes, reals = scores[labels == 1], scores[labels == 0]
        wins = (fakes[:, None] > reals) + 0.5 * (fakes[:, None] == reals)
        parts.append((wins.mean(1), wins.mean(0)))
    by_fake, by_real = (parts[1][i] - parts[0][i] for i in (0, 1))
    return by_fake.var(ddof=1) / len(by_fake) + by_real.var(ddof=1) / len(by_real)


def test_the_change_s_interval_is_as_wide_as_delongs_for_paired_scores():
    labels, before, after = paired(8, 500)
    found = bootstrap_auc_change(labels, before, after, np.random.default_rng(0))
    change = roc_auc(labels, after) - roc_auc(labels, before)
    reach = 1.96 * math.sqrt(naive_change_variance(labels, before, after))
    assert found.low == pytest.approx(change - reach, abs=0.006)
    assert found.high == pytest.approx(change + reach, abs=0.006)
    alone = [bootstrap_auc(labels, s, np.random.default_rng(0)) for s in (before, after)]
    assert found.high - found.low < min(one.high - one.low for one in alone)  # what pairing is for


def test_clips_of_one_person_widen_the_interval_as_fewer_samples_would():
    labels, scores = scored(5, 60)
    ten_fold = np.tile(labels, 10), np.tile(scores, 10)
    people = np.tile(np.arange(60), 10).tolist()
    alone = bootstrap_interval(roc_auc, labels, scores, np.random.default_rng(0))
    blind = bootstrap_interval(roc_auc, *ten_fold, np.random.default_rng(0))
    grouped = bootstrap_interval(roc_auc, *ten_fold, np.random.default_rng(0), groups=people)
    assert (grouped.low, grouped.high) == (alone.low, alone.high)
    assert blind.high - blind.low < 0.5 * (grouped.high - grouped.low)


def test_no_interval_where_the_data_allow_none():
    one_class = bootstrap_interval(roc_auc, [1, 1], [0.1, 0.2], np.random.default_rng(0))
    assert math.isnan(one_class.low)
    assert math.isnan(delong_interval([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]).low)
    with pytest.raises(ValueError, match="1 groups for 2 samples"):
        bootstrap_interval(roc_auc, [0, 1], [0.1, 0.2], np.random.default_rng(0), groups=["a"])
