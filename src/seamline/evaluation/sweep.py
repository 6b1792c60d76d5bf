"""Measures what corruptions cost: clean and corrupted verdicts of the same files in, changes out.

The picture alone is corrupted, and so it alone is measured; the sound is copied as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seamline.data.manifest import Sample
from seamline.evaluation.corruptions import Corruption, corrupt_files
from seamline.evaluation.intervals import Interval, bootstrap_auc_change
from seamline.evaluation.measures import (
    SEED,
    Measures,
    Row,
    enough_people,
    measures_of,
    or_none,
    truth_and_chance,
)
from seamline.evaluation.metrics import roc_auc
from seamline.evaluation.senses import rows_of
from seamline.scoring.verdict import Verdict

Scan = Callable[[Sequence[str]], list[Verdict]]


@dataclass(frozen=True)
class Change:
    """One corruption against the clean files; the change is over files scored in both."""

    name: str
    title: str
    measures: Measures
    """Of the corrupted files."""
    unwritten: int
    """Files that could not be rewritten; they have no score."""
    paired: int
    clean_auc: float | None
    """Of the clean files among the paired."""
    auc: float | None
    """Of the corrupted files among the paired."""
    change: float | None
    change_interval: Interval | None


@dataclass(frozen=True)
class Sweep:
    """The picture under each corruption, beside its measures without."""

    clean: Measures
    changes: tuple[Change, ...]
    seed: int


def run_sweep(
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    corruptions: Sequence[Corruption],
    scan: Scan,
    *,
    scratch: Path,
    seed: int = 0,
    jobs: int = 1,
    resamples: int = 1000,
    started: Callable[[Corruption], None] = lambda corruption: None,
) -> Sweep:
    """Rewrites the files under each corruption in turn, scans them, and measures the change.

    ``verdicts`` are of the clean files. Rows of sound alone are left out. A corruption's files
    are removed from ``scratch`` before the next one's are made.
    """
    pairs = [(s, v) for s, v in zip(samples, verdicts, strict=True) if s.kind != "audio"]
    chosen = [sample for sample, _ in pairs]
    clean = rows_of(chosen, [verdict for _, verdict in pairs], "picture")
    changes = []
    for corruption in corruptions:
        started(corruption)
        made = corrupt_files(
            [sample.file for sample in chosen], scratch, corruption, seed=seed, jobs=jobs
        )
        unwritten = sum(not path.exists() for path in made)
        corrupted = rows_of(chosen, scan([str(path) for path in made]), "picture")
        for path in made:
            path.unlink(missing_ok=True)
        changes.append(measure_change(corruption, clean, corrupted, resamples, unwritten=unwritten))
    whole = measures_of([row for row in clean if row is not None], resamples)
    return Sweep(whole, tuple(changes), seed)


def measure_change(
    corruption: Corruption,
    clean: Sequence[Row | None],
    corrupted: Sequence[Row | None],
    resamples: int,
    *,
    unwritten: int = 0,
) -> Change:
    """Compares the rows of the same files before and after; both AUCs are over the same rows."""
    pairs = [
        (before, after)
        for before, after in zip(clean, corrupted, strict=True)
        if before is not None and before.probability is not None
        and after is not None and after.probability is not None
    ]  # fmt: skip
    truth, old = truth_and_chance([before for before, _ in pairs])
    _, new = truth_and_chance([after for _, after in pairs])
    groups = [before.group for before, _ in pairs]
    both = len(pairs) > 0 and 0 < truth.sum() < len(truth)
    interval = None
    if both and enough_people(truth, groups):
        generator = np.random.default_rng(SEED)
        interval = or_none(
            bootstrap_auc_change(truth, old, new, generator, groups=groups, resamples=resamples)
        )
    clean_auc, auc = (roc_auc(truth, chance) if both else None for chance in (old, new))
    return Change(
        name=corruption.name,
        title=corruption.title,
        measures=measures_of([row for row in corrupted if row is not None], resamples),
        unwritten=unwritten,
        paired=len(pairs),
        clean_auc=clean_auc,
        auc=auc,
        change=None if auc is None or clean_auc is None else auc - clean_auc,
        change_interval=interval,
    )
