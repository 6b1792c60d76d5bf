"""Turns a model's raw logit into a probability, and fits that turn on held-out data.

In: logits and true labels of samples neither trained nor tested on. Out: a ``Calibration``, two
numbers that a bundle carries. The fit minimises log-loss, so it is what honest odds ask for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

LOWEST_TEMPERATURE = 0.02
"""Separable data would drive the temperature to zero, and every probability to 0 or 1."""
HIGHEST_TEMPERATURE = 50.0
"""Logits that say nothing (or the opposite) end here: all probabilities near the base rate."""


@dataclass(frozen=True)
class Calibration:
    """A sigmoid of ``logit / temperature + bias``."""

    temperature: float = 1.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be above 0, found {self.temperature}")
        if not math.isfinite(self.bias):
            raise ValueError(f"bias must be a finite number, found {self.bias}")

    @property
    def even_logit(self) -> float:
        """The logit at which a fake is as probable as not."""
        return -self.bias * self.temperature

    def log_odds(self, logit: float) -> float:
        """Gives the logarithm of the odds of a fake for one logit."""
        return logit / self.temperature + self.bias

    def probability(self, logit: float) -> float:
        """Gives the probability of a fake for one logit."""
        return float(sigmoid(np.asarray([self.log_odds(logit)]))[0])

    def probabilities(self, logits: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        """Gives the probability of a fake for each logit."""
        return sigmoid(np.asarray(logits, dtype=np.float64) / self.temperature + self.bias)


def sigmoid(values: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Computes 1 / (1 + exp(-x)) without overflow for any finite x."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def fit_calibration(
    logits: Shaped[np.ndarray, " sample"],
    labels: Shaped[np.ndarray, " sample"],
    weights: Shaped[np.ndarray, " sample"] | None = None,
    *,
    balanced: bool = False,
    with_bias: bool = True,
) -> Calibration:
    """Finds the temperature and bias of the least log-loss.

    ``labels`` are 1 for fake and 0 for real. ``balanced`` weighs both classes alike, whatever
    their numbers, so that the result does not carry the fit set's share of fakes.
    """
    scores, truth, weight = _checked(logits, labels, weights)
    if balanced:
        fakes = truth > 0
        weight = np.where(fakes, weight / weight[fakes].sum(), weight / weight[~fakes].sum())
    weight = weight / weight.sum()
    spread = float(np.sqrt(np.average(scores**2, weights=weight))) or 1.0  # conditions the solve
    free = np.array([True, with_bias])
    slope, bias = _newton(scores / spread, truth, weight, np.array([1.0, 0.0]), free) / (spread, 1)
    bounded = float(np.clip(slope, 1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE))
    if bounded != slope and with_bias:
        start = np.array([bounded * spread, 0.0])
        _, bias = _newton(scores / spread, truth, weight, start, np.array([False, True]))
    return Calibration(temperature=1.0 / bounded, bias=float(bias))


def _checked(
    logits: Shaped[np.ndarray, " sample"],
    labels: Shaped[np.ndarray, " sample"],
    weights: Shaped[np.ndarray, " sample"] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(labels, dtype=np.float64)
    weight = np.ones_like(scores) if weights is None else np.asarray(weights, dtype=np.float64)
    if not scores.shape == truth.shape == weight.shape or scores.ndim != 1:
        raise ValueError(
            "logits, labels and weights must be 1-D and of one length, found "
            f"{scores.shape}, {truth.shape} and {weight.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"{np.sum(~np.isfinite(scores))} of {len(scores)} logits are not finite")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError(f"labels must be 0 (real) or 1 (fake), found {np.unique(truth)[:5]}")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("weights must be finite and not negative")
    for name, value in (("real", 0.0), ("fake", 1.0)):
        if weight[truth == value].sum() <= 0:
            raise ValueError(f"calibration needs both classes, but no {name} sample has weight")
    return scores, truth, weight


def _log_loss(z: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sum(weight * (np.logaddexp(0.0, z) - truth * z)))


def _newton(
    scores: np.ndarray, truth: np.ndarray, weight: np.ndarray, start: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Minimises the convex log-loss of ``slope * score + bias`` over the parameters in ``free``."""
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    theta = start.astype(np.float64)
    loss = _log_loss(design @ theta, truth, weight)
    for _ in range(100):
        chance = sigmoid(design @ theta)
        gradient = (design.T @ (weight * (chance - truth)))[free]
        curvature = weight * chance * (1.0 - chance)
        hessian = ((design * curvature[:, None]).T @ design)[np.ix_(free, free)]
        hessian = hessian + np.eye(len(hessian)) * (1e-12 + 1e-12 * np.trace(hessian))
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while scale > 1e-10:  # halve until the loss does not grow: Newton alone may overshoot
            trial = _log_loss(design @ (theta - scale * step), truth, weight)
            if trial <= loss:
                break
            scale /= 2
        else:
            break
        theta, improvement, loss = theta - scale * step, loss - trial, trial
        if np.abs(scale * step).max() < 1e-9 or improvement < 1e-16:
            break
    return theta
