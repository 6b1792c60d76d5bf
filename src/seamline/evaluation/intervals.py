"""Says how far a measured number may be off: bootstrap intervals and DeLong's for the AUC.

In: labels, scores, and who is in each sample, since clips of one person are not independent.
Out: an ``Interval``. NaN ends mean that the data allow no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Shaped

from seamline.evaluation.metrics import Labels, Scores, midranks, roc_auc

Metric = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Interval:
    """The lower and upper end of a confidence interval."""

    low: float
    high: float


def bootstrap_interval(
    metric: Metric,
    labels: Labels,
    scores: Scores,
    generator: np.random.Generator,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Resamples whole groups (default: single samples) and takes percentiles of the metric.

    With ``groups`` the clips of one person are drawn together, which widens the interval as it
    should. Draws on which the metric is NaN (one class is missing) are left out; when those are
    more than half, there is no interval.
    """
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    members = _members(groups if groups is not None else range(len(truth)))
    if groups is not None and len(groups) != len(truth):
        raise ValueError(f"{len(groups)} groups for {len(truth)} samples")
    found = []
    for _ in range(resamples):
        drawn = generator.integers(0, len(members), len(members))
        chosen = np.concatenate([members[i] for i in drawn])
        value = metric(truth[chosen], values[chosen])
        if not math.isnan(value):
            found.append(value)
    return _percentiles(found, resamples, level)


def bootstrap_auc(
    labels: Labels,
    scores: Scores,
    generator: np.random.Generator,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Gives what ``bootstrap_interval`` gives for the AUC, without sorting every draw anew.

    A draw only changes how often each sample counts, so the samples are sorted once.
    """
    truth = np.asarray(labels)
    members = _members(groups if groups is not None else range(len(truth)))
    auc_of = _auc_by_draw(truth, np.asarray(scores, dtype=np.float64), members)
    found = []
    for _ in range(resamples):
        auc = auc_of(_draw(generator, len(members)))
        if auc is not None:
            found.append(auc)
    return _percentiles(found, resamples, level)


def bootstrap_auc_change(
    labels: Labels,
    before: Scores,
    after: Scores,
    generator: np.random.Generator,
    *,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Gives the interval of how much the AUC changes from one score to another of each sample.

    Both are taken on the same draws, so what makes a draw easy or hard cancels out (paired).
    """
    truth = np.asarray(labels)
    members = _members(groups if groups is not None else range(len(truth)))
    sides = [_auc_by_draw(truth, np.asarray(s, dtype=np.float64), members) for s in (before, after)]
    found = []
    for _ in range(resamples):
        counts = _draw(generator, len(members))
        old, new = (auc_of(counts) for auc_of in sides)
        if old is not None and new is not None:
            found.append(new - old)
    return _percentiles(found, resamples, level)


def _draw(generator: np.random.Generator, groups: int) -> Shaped[np.ndarray, " group"]:
    """Draws as many groups as there are, with repetition; tells how often each was drawn."""
    return np.bincount(generator.integers(0, groups, groups), minlength=groups)


def _auc_by_draw(
    labels: np.ndarray, scores: np.ndarray, members: Sequence[np.ndarray]
) -> Callable[[np.ndarray], float | None]:
    """Sorts once; what comes back gives the AUC for how often each group counts."""
    order = np.argsort(scores, kind="stable")
    group_of = np.empty(len(labels), dtype=int)
    for number, indices in enumerate(members):
        group_of[indices] = number
    group_of, truth, values = group_of[order], labels.astype(bool)[order], scores[order]
    ties = np.append(0, np.flatnonzero(np.diff(values)) + 1)  # where each run of ties begins

    def auc(drawn: np.ndarray) -> float | None:
        counts = drawn[group_of]
        fakes = np.add.reduceat(counts * truth, ties)
        reals = np.add.reduceat(counts * ~truth, ties)
        pairs = int(fakes.sum()) * int(reals.sum())
        return float(fakes @ (np.cumsum(reals) - reals / 2)) / pairs if pairs else None

    return auc


def _percentiles(found: list[float], resamples: int, level: float) -> Interval:
    if len(found) < max(2, resamples / 2):
        return Interval(math.nan, math.nan)
    tail = (1 - level) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _members(groups: Sequence[Hashable]) -> list[np.ndarray]:
    places: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        places.setdefault(group, []).append(index)
    return [np.array(indices) for indices in places.values()]


def auc_variance(labels: Labels, scores: Scores) -> float:
    """Computes DeLong's variance of the AUC (DeLong et al., Biometrics 1988).

    Uses the midrank form of Sun & Xu (IEEE SPL 2014), so ties and 100,000 samples are no matter.
    """
    truth, values = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    fakes, reals = int(truth.sum()), int((~truth).sum())
    if fakes < 2 or reals < 2:
        return math.nan
    ranks = midranks(values)
    beaten_by_fake = (ranks[truth] - midranks(values[truth])) / reals
    beating_real = 1 - (ranks[~truth] - midranks(values[~truth])) / fakes
    return float(beaten_by_fake.var(ddof=1) / fakes + beating_real.var(ddof=1) / reals)


def delong_interval(labels: Labels, scores: Scores, level: float = 0.95) -> Interval:
    """Gives the AUC's interval on the logit scale, where it cannot leave 0..1.

    For independent samples; with several clips of one person use ``bootstrap_interval``. An AUC of
    exactly 0 or 1 has no variance to tell of, and so no interval.
    """
    auc, variance = roc_auc(labels, scores), auc_variance(labels, scores)
    if not (0 < auc < 1) or math.isnan(variance):
        return Interval(math.nan, math.nan)
    reach = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(variance) / (auc * (1 - auc))
    centre = math.log(auc / (1 - auc))
    return Interval(1 / (1 + math.exp(reach - centre)), 1 / (1 + math.exp(-reach - centre)))
