"""One threshold for all sets, or one for each: rows of several sets in, two AUCs out.

A detector may order each set's files well and still score one whole set higher than another. The
mean of the sets' AUCs cannot show that; the AUC over all of them pooled falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seamline.evaluation.intervals import Interval, bootstrap_auc
from seamline.evaluation.measures import SEED, Row, enough_people, or_none, truth_and_chance
from seamline.evaluation.metrics import roc_auc


@dataclass(frozen=True)
class CrossSet:
    """Both AUCs over the same rows: those of the sets that have scored reals and fakes."""

    sets: tuple[str, ...]
    left_out: tuple[str, ...]
    """Sets with one class only, which have no AUC of their own."""
    mean_auc: float
    pooled_auc: float
    pooled_auc_interval: Interval | None


def measure_cross_set(rows: Sequence[Row], resamples: int) -> CrossSet | None:
    """Compares pooled and mean AUC over sources; None with fewer than two that have both classes.

    ``CrossSet.pooled_auc`` is over sets with both classes, so that it differs from the mean by the
    shift of scores alone; ``Measures.auc`` of all rows is over the sets left out as well.
    """
    scored = [row for row in rows if row.probability is not None]
    classes: dict[str, set[bool]] = {}
    for row in scored:
        classes.setdefault(row.source, set()).add(row.fake)
    sets = sorted(source for source, found in classes.items() if len(found) == 2)
    if len(sets) < 2:
        return None
    each = [roc_auc(*truth_and_chance([r for r in scored if r.source == s])) for s in sets]
    kept = [row for row in scored if row.source in set(sets)]
    truth, chance = truth_and_chance(kept)
    groups = [row.group for row in kept]
    interval = None
    if enough_people(truth, groups):
        generator = np.random.default_rng(SEED)
        interval = or_none(
            bootstrap_auc(truth, chance, generator, groups=groups, resamples=resamples)
        )
    return CrossSet(
        sets=tuple(sets),
        left_out=tuple(sorted(set(classes) - set(sets))),
        mean_auc=float(np.mean(each)),
        pooled_auc=roc_auc(truth, chance),
        pooled_auc_interval=interval,
    )
