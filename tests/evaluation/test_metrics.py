from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn import metrics as sk

from seamline.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    brier_score,
    calibration_error,
    equal_error_rate,
    false_accusation_rate,
    log_loss,
    risk_coverage,
    roc_auc,
    roc_curve,
)


def draws(seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(5, 300))
    labels = generator.integers(0, 2, count)
    labels[:2] = 0, 1
    chance = np.clip(generator.normal(0.4 + 0.2 * labels, 0.25), 0, 1)
    return labels, chance.round(1) if ties else chance


CASES = [draws(seed, ties) for seed, ties in product(range(15), (False, True))]


@pytest.mark.parametrize(("labels", "chance"), CASES)
def test_every_metric_agrees_with_sklearn(labels, chance):
    called = (chance >= 0.45).astype(int)
    assert roc_auc(labels, chance) == pytest.approx(sk.roc_auc_score(labels, chance))
    clipped = np.clip(chance, 5e-5, 1 - 5e-5)
    assert log_loss(labels, chance) == pytest.approx(sk.log_loss(labels, clipped))
    assert brier_score(labels, chance) == pytest.approx(sk.brier_score_loss(labels, chance))
    assert accuracy(labels, chance, 0.45) == pytest.approx(sk.accuracy_score(labels, called))
    expected = sk.balanced_accuracy_score(labels, called)
    assert balanced_accuracy(labels, chance, 0.45) == pytest.approx(expected)
    accused = sk.confusion_matrix(labels, called, normalize="true")[0, 1]
    assert false_accusation_rate(labels, chance, 0.45) == pytest.approx(accused)
    false_rate, true_rate, _ = sk.roc_curve(labels, chance, drop_intermediate=False)
    found = roc_curve(labels, chance)
    np.testing.assert_allclose(found[0], false_rate)
    np.testing.assert_allclose(found[1], true_rate)


@pytest.mark.parametrize(("labels", "chance"), CASES)
def test_equal_error_rate_agrees_with_root_finding_on_sklearns_curve(labels, chance):
    false_rate, true_rate, _ = sk.roc_curve(labels, chance)
    curve = interp1d(false_rate, true_rate)
    if np.any((np.diff(false_rate) == 0) & (np.diff(true_rate) > 0)):
        # interp1d cannot see a vertical stretch: walk the curve itself, finely
        path = np.linspace(0, len(false_rate) - 1, 200_001)
        x = np.interp(path, np.arange(len(false_rate)), false_rate)
        y = np.interp(path, np.arange(len(true_rate)), true_rate)
        expected = float(x[np.argmin(np.abs(1 - x - y))])
        assert equal_error_rate(labels, chance) == pytest.approx(expected, abs=1e-3)
    else:
        expected = brentq(lambda x: 1 - x - float(curve(x)), 0, 1)
        assert equal_error_rate(labels, chance) == pytest.approx(expected)


def test_equal_error_rate_of_known_orders():
    assert equal_error_rate([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]) == 0.0
    assert equal_error_rate([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]) == 1.0
    assert equal_error_rate([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]) == 0.5


def naive_calibration_error(labels: np.ndarray, chance: np.ndarray, bins: int) -> float:
    order = sorted(range(len(labels)), key=lambda i: chance[i])
    sizes = [len(order) // bins + (i < len(order) % bins) for i in range(bins)]
    error = 0.0
    for size in sizes:
        part, order = order[:size], order[size:]
        if part:
            mean = sum(chance[i] for i in part) / size
            share = sum(labels[i] for i in part) / size
            error += size / len(labels) * abs(mean - share)
    return error


@pytest.mark.parametrize(("labels", "chance"), CASES[:10:2])
def test_calibration_error_agrees_with_a_naive_loop(labels, chance):
    assert calibration_error(labels, chance) == pytest.approx(
        naive_calibration_error(labels, chance, 15)
    )


def test_calibration_error_of_honest_and_boastful_odds():
    generator = np.random.default_rng(0)
    chance = generator.random(20_000)
    labels = (generator.random(20_000) < chance).astype(int)
    assert calibration_error(labels, chance) < 0.015
    assert calibration_error(labels, np.full(20_000, 0.9)) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize(("labels", "chance"), CASES[::3])
def test_risk_coverage_agrees_with_a_naive_loop(labels, chance):
    coverage, risk = risk_coverage(labels, chance)
    wrong = (chance >= 0.5) != (labels == 1)
    distance = np.abs(chance - 0.5)
    for n in (1, len(labels) // 2, len(labels)):
        assert coverage[n - 1] == pytest.approx(n / len(labels))
        edge = np.sort(distance)[::-1][n - 1]
        surer, tied = distance > edge, distance == edge
        expected = wrong[surer].sum() + wrong[tied].mean() * (n - surer.sum())
        assert risk[n - 1] == pytest.approx(expected / n)


def test_one_class_gives_nan_where_two_are_needed():
    for metric in (roc_auc, equal_error_rate, balanced_accuracy):
        assert math.isnan(metric([1, 1], [0.2, 0.3]))
        assert math.isnan(metric([0, 0], [0.2, 0.3]))
    assert math.isnan(false_accusation_rate([1], [0.9]))
    assert log_loss([1, 1], [0.5, 0.5]) == pytest.approx(math.log(2))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        roc_auc([0, 1], [0.1, math.nan])
    with pytest.raises(ValueError, match="labels must be 0"):
        roc_auc([0, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="not empty"):
        log_loss([], [])
