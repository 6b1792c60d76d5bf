"""Splits a clip cache: train without a held-out fold of identities, that fold, and val."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np

from seamline.clips.cache import CachedClip
from seamline.data.manifest import Sample
from seamline.data.splits import folds_by_identity

FOLD_SEED = 20240607  # fixed: folds must agree between runs of different training seeds


@dataclass(frozen=True)
class CacheSplit:
    """Clips by use."""

    train: list[CachedClip]
    holdout: list[CachedClip]
    val: list[CachedClip]


def split_cache(
    clips: Iterable[CachedClip], folds: int, holdout_fold: int, *, by: str = "identity"
) -> CacheSplit:
    """Split by the manifest's `split` column and, within train, by identity-disjoint folds.

    Without folds, rows whose split is `holdout` are the held-out fold.
    """
    rows = [clip for clip in clips if clip.error is None]
    train = [clip for clip in rows if clip.sample["split"] == "train"]
    val = [clip for clip in rows if clip.sample["split"] == "val"]
    if not folds:
        return CacheSplit(train, [clip for clip in rows if clip.sample["split"] == "holdout"], val)
    samples = {clip.sample["path"]: sample_of(clip) for clip in train}
    if by == "source":  # one "person" a collection keeps it together
        samples = {path: replace(s, person=s.source) for path, s in samples.items()}
    numbers = folds_by_identity(list(samples.values()), folds, np.random.default_rng(FOLD_SEED))
    held = {path for path, number in zip(samples, numbers, strict=True) if number == holdout_fold}
    return CacheSplit(
        [clip for clip in train if clip.sample["path"] not in held],
        [clip for clip in train if clip.sample["path"] in held],
        val,
    )


def join_extra(split: CacheSplit, extra: Iterable[CachedClip]) -> CacheSplit:
    """Add further training clips, leaving out everybody who is held out."""
    held = {name for clip in [*split.holdout, *split.val] for name in sample_of(clip).people}
    joined = [c for c in extra if c.error is None and not held & set(sample_of(c).people)]
    return replace(split, train=[*split.train, *joined])


def sample_of(clip: CachedClip) -> Sample:
    """Return the manifest row that a cached clip was cut from."""
    names = {f.name for f in fields(Sample)} - {"extra", "root"}
    return Sample(**{key: value for key, value in clip.sample.items() if key in names})
