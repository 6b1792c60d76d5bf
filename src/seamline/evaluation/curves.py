"""The three curves of one sense: rows in; ROC, reliability and risk over coverage out, as points.

Long curves are thinned to what a page can show; the figures beside them come from all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from seamline.evaluation.measures import Row, risks_of, truth_and_chance
from seamline.evaluation.metrics import reliability, roc_curve

MOST_POINTS = 200
BINS = 10
"""Bins of the reliability diagram; the calibration error beside it has 15."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Bin:
    """One bin of the reliability diagram, of nearly as many rows as every other."""

    predicted: float
    observed: float
    rows: int


@dataclass(frozen=True)
class Curves:
    """Points of each curve, from left to right; empty where the rows do not allow one."""

    roc: Points
    """(false positive rate, true positive rate)."""
    reliability: tuple[Bin, ...]
    risk_coverage: Points
    """(share of all labelled rows that is judged, share of wrong calls among those)."""


def curves_of(rows: Sequence[Row]) -> Curves:
    """Gives the curves of a group of rows."""
    truth, chance = truth_and_chance([row for row in rows if row.probability is not None])
    both = len(truth) > 0 and 0 < truth.sum() < len(truth)
    bins = zip(*reliability(truth, chance, BINS), strict=True) if len(truth) else ()
    risks = risks_of(rows)
    coverage = np.arange(1, len(risks) + 1) / max(1, len(rows))
    return Curves(
        roc=_roc(truth, chance) if both else (),
        reliability=tuple(Bin(float(p), float(o), int(n)) for p, o, n in bins),
        risk_coverage=_points(coverage, risks),
    )


def _roc(truth: np.ndarray, chance: np.ndarray) -> Points:
    """Leaves out points on a straight line between their neighbours: the curve stays the same."""
    false_rate, true_rate = roc_curve(truth, chance)
    fakes = int(truth.sum())
    steps = np.stack([np.diff(false_rate) * (len(truth) - fakes), np.diff(true_rate) * fakes])
    x, y = np.rint(steps).astype(np.int64)  # exact counts, so that a corner is told from rounding
    bends = x[:-1] * y[1:] != x[1:] * y[:-1]
    kept = np.concatenate([[True], bends, [True]])
    return _points(false_rate[kept], true_rate[kept])


def _points(x: Shaped[np.ndarray, " point"], y: Shaped[np.ndarray, " point"]) -> Points:
    if len(x) > MOST_POINTS:
        chosen = np.unique(np.rint(np.linspace(0, len(x) - 1, MOST_POINTS)).astype(int))
        x, y = x[chosen], y[chosen]
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))
