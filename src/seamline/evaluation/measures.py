"""The numbers of one group of rows: how well a sense tells its fakes from its reals.

In: rows with their truth, their probability if they have one, and whose they are. Out:
``Measures``, None wherever the rows do not allow a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seamline.evaluation.intervals import Interval, bootstrap_auc
from seamline.evaluation.metrics import (
    balanced_accuracy,
    brier_score,
    calibration_error,
    equal_error_rate,
    log_loss,
    roc_auc,
)

_SEED = 20240607
"""The bootstrap's draws are part of a published number, so they repeat."""
_LEAST_PEOPLE = 3
"""Groups of connected people that each class needs: resampling one or two says nothing."""


@dataclass(frozen=True)
class Measures:
    """The numbers of one group of rows; None where its rows do not allow the number.

    ``coverage`` is the share of labelled rows with a score, and the other numbers are about
    those. Balanced accuracy, fakes found and reals accused follow the verdicts' labels.
    """

    reals: int
    fakes: int
    coverage: float | None
    auc: float | None
    auc_interval: Interval | None
    log_loss: float | None
    brier: float | None
    equal_error_rate: float | None
    balanced_accuracy: float | None
    calibration_error: float | None
    fakes_found: float | None
    reals_accused: float | None


@dataclass(frozen=True)
class Row:
    """One labelled row as a sense sees it; ``group`` numbers its connected people."""

    source: str
    method: str
    group: int
    fake: bool
    probability: float | None
    called_fake: bool


def measures_of(rows: Iterable[Row], resamples: int) -> Measures:
    """Measures a group of rows; the interval resamples people ``resamples`` times."""
    everything = list(rows)
    scored = [row for row in everything if row.probability is not None]
    truth = np.array([row.fake for row in scored], dtype=int)
    chance = np.array([row.probability for row in scored], dtype=np.float64)
    called = np.array([row.called_fake for row in scored], dtype=np.float64)

    def number(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    def share(chosen: np.ndarray) -> float | None:
        return float(chosen.mean()) if len(chosen) else None

    some = len(scored) > 0
    both = some and 0 < truth.sum() < len(truth)
    return Measures(
        reals=sum(not row.fake for row in everything),
        fakes=sum(row.fake for row in everything),
        coverage=len(scored) / len(everything) if everything else None,
        auc=number(roc_auc(truth, chance)) if both else None,
        auc_interval=_auc_interval(scored, truth, chance, resamples) if both else None,
        log_loss=number(log_loss(truth, chance)) if some else None,
        brier=number(brier_score(truth, chance)) if some else None,
        equal_error_rate=number(equal_error_rate(truth, chance)) if both else None,
        balanced_accuracy=number(balanced_accuracy(truth, called)) if both else None,
        calibration_error=number(calibration_error(truth, chance)) if some else None,
        fakes_found=share(called[truth == 1]),
        reals_accused=share(called[truth == 0]),
    )


def _auc_interval(
    scored: list[Row], truth: np.ndarray, chance: np.ndarray, resamples: int
) -> Interval | None:
    """Draws people; too few of a class, or an AUC that no draw changes, tells of no spread."""
    for fake in (True, False):
        if len({row.group for row in scored if row.fake == fake}) < _LEAST_PEOPLE:
            return None
    found = bootstrap_auc(
        truth,
        chance,
        np.random.default_rng(_SEED),
        groups=[row.group for row in scored],
        resamples=resamples,
    )
    return found if found.low < found.high else None  # NaN compares false too
