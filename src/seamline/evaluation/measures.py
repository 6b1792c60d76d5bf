"""The numbers of one group of rows: how well a sense tells its fakes from its reals.

In: rows with their truth, their probability if they have one, and whose they are. Out:
``Measures``, None wherever the rows do not allow a number.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from seamline.evaluation.intervals import Interval, bootstrap_auc, delong_interval
from seamline.evaluation.metrics import (
    balanced_accuracy,
    brier_score,
    calibration_error,
    equal_error_rate,
    log_loss,
    roc_auc,
    selective_risk,
)
from seamline.evaluation.moments import Moments

SEED = 20240607
"""The bootstrap's draws are part of a published number, so they repeat."""
_LEAST_PEOPLE = 3
"""Groups of connected people that each class needs: resampling one or two says nothing."""


@dataclass(frozen=True)
class MomentMeasures:
    """The AUC over moments (seconds or frames) of many files; its interval draws people."""

    files: int
    reals: int
    fakes: int
    auc: float | None
    auc_interval: Interval | None


@dataclass(frozen=True)
class Measures:
    """The numbers of one group of rows; None where its rows do not allow the number.

    ``coverage`` is the share of labelled rows with a score, and the other numbers are about
    those. Balanced accuracy, fakes found and reals accused follow the verdicts' labels, and so
    the thresholds that the model ships with.
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
    auc_delong: Interval | None
    """DeLong's interval, as if every row were a person of its own."""
    judged: float | None
    """Share of labelled rows with a score and a verdict that is not inconclusive."""
    risk: float | None
    """Share of wrong calls among the judged."""
    aurc: float | None
    """Mean of that share over the surest 1, 2, ... judged rows: lower is better."""
    seconds: MomentMeasures | None
    frames: MomentMeasures | None
    """None where the frames' scores were not kept."""


@dataclass(frozen=True)
class Row:
    """One labelled row as a sense sees it; ``group`` numbers its connected people."""

    source: str
    method: str
    group: int
    fake: bool
    probability: float | None
    called_fake: bool
    inconclusive: bool = False
    seconds: Moments | None = None
    frames: Moments | None = None


def measures_of(rows: Iterable[Row], resamples: int) -> Measures:
    """Measures a group of rows; the interval resamples people ``resamples`` times."""
    everything = list(rows)
    scored = [row for row in everything if row.probability is not None]
    truth, chance = truth_and_chance(scored)
    called = np.array([row.called_fake for row in scored], dtype=np.float64)
    risks = risks_of(everything)
    groups = [row.group for row in scored]
    some = len(scored) > 0
    both = some and 0 < truth.sum() < len(truth)
    return Measures(
        reals=sum(not row.fake for row in everything),
        fakes=sum(row.fake for row in everything),
        coverage=len(scored) / len(everything) if everything else None,
        auc=_number(roc_auc(truth, chance)) if both else None,
        auc_interval=_auc_interval(truth, chance, groups, resamples) if both else None,
        log_loss=_number(log_loss(truth, chance)) if some else None,
        brier=_number(brier_score(truth, chance)) if some else None,
        equal_error_rate=_number(equal_error_rate(truth, chance)) if both else None,
        balanced_accuracy=_number(balanced_accuracy(truth, called)) if both else None,
        calibration_error=_number(calibration_error(truth, chance)) if some else None,
        fakes_found=_share(called[truth == 1]),
        reals_accused=_share(called[truth == 0]),
        auc_delong=or_none(delong_interval(truth, chance)) if both else None,
        judged=len(risks) / len(everything) if everything else None,
        risk=float(risks[-1]) if len(risks) else None,
        aurc=_share(risks),
        seconds=_of_moments(everything, "seconds", resamples),
        frames=_of_moments(everything, "frames", resamples),
    )


def truth_and_chance(
    scored: Sequence[Row],
) -> tuple[Shaped[np.ndarray, " row"], Float[np.ndarray, " row"]]:
    """Gives the truth (1 fake, 0 real) and the probability of rows that have one."""
    truth = np.array([row.fake for row in scored], dtype=int)
    return truth, np.array([row.probability for row in scored], dtype=np.float64)


def risks_of(rows: Iterable[Row]) -> Float[np.ndarray, " row"]:
    """Gives the share of wrong calls among the surest 1, 2, ... rows that were judged.

    How sure a call is: the probability of what was called, the fake's or one minus it.
    """
    judged = [r for r in rows if r.probability is not None and not r.inconclusive]
    if not judged:
        return np.zeros(0)
    truth, chance = truth_and_chance(judged)
    called = np.array([row.called_fake for row in judged])
    return selective_risk(called != truth, np.where(called, chance, 1 - chance))


def _of_moments(
    rows: Iterable[Row], kind: Literal["seconds", "frames"], resamples: int
) -> MomentMeasures | None:
    pairs = [(row.group, getattr(row, kind)) for row in rows if getattr(row, kind) is not None]
    if not pairs:
        return None
    truth = np.concatenate([moments.truth for _, moments in pairs])
    chance = np.concatenate([moments.chances for _, moments in pairs])
    both = 0 < truth.sum() < len(truth)
    groups = np.repeat([group for group, _ in pairs], [len(m.truth) for _, m in pairs]).tolist()
    return MomentMeasures(
        files=len(pairs),
        reals=int((truth == 0).sum()),
        fakes=int(truth.sum()),
        auc=_number(roc_auc(truth, chance)) if both else None,
        auc_interval=_auc_interval(truth, chance, groups, resamples) if both else None,
    )


def _auc_interval(
    truth: np.ndarray, chance: np.ndarray, groups: Sequence[Hashable], resamples: int
) -> Interval | None:
    """Draws people; too few of a class, or an AUC that no draw changes, tells of no spread."""
    if not enough_people(truth, groups):
        return None
    generator = np.random.default_rng(SEED)
    return or_none(bootstrap_auc(truth, chance, generator, groups=groups, resamples=resamples))


def enough_people(truth: np.ndarray, groups: Sequence[Hashable]) -> bool:
    """Tells whether each class has people enough to draw from."""
    sides = [{g for g, t in zip(groups, truth, strict=True) if t == side} for side in (0, 1)]
    return all(len(side) >= _LEAST_PEOPLE for side in sides)


def or_none(found: Interval) -> Interval | None:
    """Gives an interval that has a width, or None."""
    return found if found.low < found.high else None  # NaN compares false too


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _share(chosen: np.ndarray) -> float | None:
    return float(chosen.mean()) if len(chosen) else None
