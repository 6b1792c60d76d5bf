"""Measures how well probabilities of a fake match the truth, in NumPy alone.

In: labels (1 fake, 0 real) and scores or probabilities, one each. Out: plain numbers. A metric
that needs both classes gives NaN when one is missing; tables show that as nothing.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

PROBABILITY_FLOOR = 5e-5
"""Half of the last decimal that a verdict carries: a written 0.0000 claims no more than that."""

Labels = Shaped[np.ndarray, " sample"]
Scores = Shaped[np.ndarray, " sample"]


def _pair(labels: Labels, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if truth.shape != values.shape or truth.ndim != 1 or len(truth) == 0:
        raise ValueError(
            "labels and scores must be 1-D, of one length and not empty, found "
            f"{truth.shape} and {values.shape}"
        )
    if not np.isin(truth, (0, 1)).all():
        raise ValueError(f"labels must be 0 (real) or 1 (fake), found {np.unique(truth)[:5]}")
    if np.isnan(values).any():
        raise ValueError(
            f"{np.isnan(values).sum()} of {len(values)} scores are NaN: leave them out"
        )
    return truth.astype(bool), values


def midranks(values: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Ranks values from 1, giving ties the mean of the ranks that they share."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def roc_auc(labels: Labels, scores: Scores) -> float:
    """Gives the chance that a fake scores above a real one, ties counting half."""
    truth, values = _pair(labels, scores)
    fakes, reals = int(truth.sum()), int((~truth).sum())
    if fakes == 0 or reals == 0:
        return float("nan")
    rank_sum = midranks(values)[truth].sum()
    return float((rank_sum - fakes * (fakes + 1) / 2) / (fakes * reals))


def roc_curve(
    labels: Labels, scores: Scores
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Gives false and true positive rates from (0, 0) to (1, 1), one point a distinct score."""
    truth, values = _pair(labels, scores)
    order = np.argsort(-values, kind="stable")
    truth, values = truth[order], values[order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)  # of each run of ties
    true_positives = np.append(0, np.cumsum(truth)[last])
    false_positives = np.append(0, np.cumsum(~truth)[last])
    with np.errstate(invalid="ignore"):  # a missing class gives NaN rates
        return false_positives / false_positives[-1], true_positives / true_positives[-1]


def equal_error_rate(labels: Labels, scores: Scores) -> float:
    """Gives the error rate where as many reals are accused as fakes pass.

    Between the points of the ROC curve it goes straight, as mixing two thresholds would.
    """
    false_rate, true_rate = roc_curve(labels, scores)
    if np.isnan(false_rate).any() or np.isnan(true_rate).any():
        return float("nan")
    excess = false_rate - (1 - true_rate)  # rises from -1 to 1
    above = int(np.argmax(excess >= 0))
    low, high = excess[above - 1], excess[above]
    share = -low / (high - low)
    return float(false_rate[above - 1] + share * (false_rate[above] - false_rate[above - 1]))


def log_loss(labels: Labels, probabilities: Scores, floor: float = PROBABILITY_FLOOR) -> float:
    """Gives the mean negative log-likelihood in nats, probabilities kept ``floor`` off 0 and 1."""
    truth, chance = _pair(labels, probabilities)
    chance = np.clip(chance, floor, 1 - floor)
    return float(-np.mean(np.where(truth, np.log(chance), np.log1p(-chance))))


def brier_score(labels: Labels, probabilities: Scores) -> float:
    """Gives the mean squared distance of the probability from the truth."""
    truth, chance = _pair(labels, probabilities)
    return float(np.mean((chance - truth) ** 2))


def accuracy(labels: Labels, probabilities: Scores, threshold: float = 0.5) -> float:
    """Gives the share called rightly, a fake being called from the threshold on."""
    truth, chance = _pair(labels, probabilities)
    return float(np.mean((chance >= threshold) == truth))


def balanced_accuracy(labels: Labels, probabilities: Scores, threshold: float = 0.5) -> float:
    """Gives the mean of the shares of fakes and of reals called rightly."""
    truth, chance = _pair(labels, probabilities)
    if truth.all() or not truth.any():
        return float("nan")
    called = chance >= threshold
    return float((called[truth].mean() + (~called[~truth]).mean()) / 2)


def false_accusation_rate(labels: Labels, probabilities: Scores, threshold: float = 0.5) -> float:
    """Gives the share of genuine samples that are called fake."""
    truth, chance = _pair(labels, probabilities)
    return float(np.mean(chance[~truth] >= threshold)) if not truth.all() else float("nan")


def calibration_error(labels: Labels, probabilities: Scores, bins: int = 15) -> float:
    """Gives the expected calibration error over bins of equal mass.

    The error is the mean gap between a bin's mean probability and its share of fakes.
    """
    predicted, observed, counts = reliability(labels, probabilities, bins)
    return float(np.sum(counts * np.abs(predicted - observed)) / counts.sum())


def reliability(
    labels: Labels, probabilities: Scores, bins: int = 15
) -> tuple[Float[np.ndarray, " bin"], Float[np.ndarray, " bin"], Shaped[np.ndarray, " bin"]]:
    """Gives each bin's mean probability, its share of fakes, and its number of samples.

    Samples are sorted by probability and cut into ``bins`` parts of (nearly) equal size. Equal
    mass (Nguyen & O'Connor, EMNLP 2015) keeps every bin filled where probabilities crowd the ends.
    """
    truth, chance = _pair(labels, probabilities)
    order = np.argsort(chance, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    predicted = np.array([chance[part].mean() for part in parts])
    observed = np.array([truth[part].mean() for part in parts])
    return predicted, observed, np.array([len(part) for part in parts])


def risk_coverage(
    labels: Labels, probabilities: Scores, threshold: float = 0.5
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """Gives coverage and error rate when only the surest ``n`` samples are judged, for each n.

    The surest are the farthest from the threshold; equally sure ones share their error evenly.
    """
    truth, chance = _pair(labels, probabilities)
    wrong = (chance >= threshold) != truth
    risk = selective_risk(wrong, np.abs(chance - threshold))
    return np.arange(1, len(risk) + 1) / len(risk), risk


def selective_risk(
    wrong: Shaped[np.ndarray, " sample"], confidence: Scores
) -> Float[np.ndarray, " sample"]:
    """Gives the share of wrong calls among the surest ``n``, for each n from 1 on.

    Equally sure samples share their errors evenly, since nothing says which to keep first. The
    mean over all n is the area under the risk-coverage curve (AURC; Geifman et al., ICLR 2019).
    """
    errors, sureness = _pair(wrong, confidence)
    order = np.argsort(-sureness, kind="stable")
    _, first, counts = np.unique(-sureness[order], return_index=True, return_counts=True)
    even = np.repeat(np.add.reduceat(errors[order].astype(np.float64), first) / counts, counts)
    return np.cumsum(even) / np.arange(1, len(order) + 1)
