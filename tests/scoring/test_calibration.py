from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from seamline.scoring.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    Calibration,
    fit_calibration,
)


def noisy_logits(count: int, temperature: float, bias: float, seed: int = 0):
    """Draws labels from the very odds that a true calibration of the logits would give."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(1.0, 4.0, count)
    labels = generator.random(count) < expit(logits / temperature + bias)
    return logits, labels.astype(int)


def test_probability_agrees_with_scipy_and_never_overflows():
    calibration = Calibration(temperature=2.5, bias=-0.75)
    logits = np.array([-1e4, -30.0, -1.0, 0.0, 0.3, 30.0, 1e4])
    expected = expit(logits / 2.5 - 0.75)
    np.testing.assert_allclose(calibration.probabilities(logits), expected, rtol=1e-12)
    singles = [calibration.probability(x) for x in logits]
    np.testing.assert_allclose(singles, expected, rtol=1e-12)


@pytest.mark.parametrize("balanced", [False, True])
def test_fit_agrees_with_sklearn_logistic_regression(balanced):
    logits, labels = noisy_logits(800, temperature=3.0, bias=-2.0)
    weights = np.random.default_rng(1).uniform(0.2, 2.0, len(logits))
    used = weights.copy()
    if balanced:
        for label in (0, 1):
            used[labels == label] /= weights[labels == label].sum()
    truth = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        logits[:, None], labels, sample_weight=used / used.mean()
    )
    found = fit_calibration(logits, labels, weights, balanced=balanced)
    assert 1 / found.temperature == pytest.approx(truth.coef_[0, 0], rel=1e-4)
    assert found.bias == pytest.approx(truth.intercept_[0], rel=1e-3)


def test_temperature_alone_agrees_with_scipy_search():
    logits, labels = noisy_logits(500, temperature=0.4, bias=0.0, seed=2)

    def loss(slope: np.ndarray) -> float:
        return float(np.mean(np.logaddexp(0, slope[0] * logits) - labels * slope[0] * logits))

    truth = minimize(loss, [1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    found = fit_calibration(logits, labels, with_bias=False)
    assert found.bias == 0.0
    assert 1 / found.temperature == pytest.approx(truth.x[0], rel=1e-5)


def test_fit_recovers_the_odds_that_made_the_labels():
    logits, labels = noisy_logits(60_000, temperature=2.0, bias=0.5, seed=3)
    found = fit_calibration(logits, labels)
    assert found.temperature == pytest.approx(2.0, rel=0.05)
    assert found.bias == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_separable_logits_keep_a_finite_temperature(scale):
    logits = np.array([-2.0, -1.0, 1.0, 2.0]) * scale
    found = fit_calibration(logits, [0, 0, 1, 1])
    assert found.temperature >= LOWEST_TEMPERATURE
    assert np.isfinite(found.bias)
    if scale == 1.0:
        assert found.temperature < 2 * LOWEST_TEMPERATURE
        assert found.probability(2.0) > 0.99 > 0.01 > found.probability(-2.0)


def test_logits_of_the_wrong_sign_end_near_the_base_rate_not_inverted():
    logits, labels = noisy_logits(2000, temperature=1.0, bias=0.0, seed=4)
    found = fit_calibration(-logits, labels)
    assert found.temperature == pytest.approx(HIGHEST_TEMPERATURE)
    assert found.probability(0.0) == pytest.approx(labels.mean(), abs=0.05)


def test_one_constant_logit_gives_the_base_rate():
    found = fit_calibration(np.full(10, 3.0), [1] * 7 + [0] * 3)
    assert found.probability(3.0) == pytest.approx(0.7, abs=1e-4)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        ([1.0, 2.0], [1, 1], "no real sample"),
        ([1.0, 2.0], [0, 2], "labels must be 0"),
        ([1.0, np.nan], [0, 1], "1 of 2 logits are not finite"),
        ([1.0, 2.0, 3.0], [0, 1], "one length"),
    ],
)
def test_fit_refuses_what_cannot_be_fitted(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        fit_calibration(logits, labels)


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        Calibration(temperature=0.0)
