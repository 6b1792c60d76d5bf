"""Splits a clip cache: train without a held-out fold of identities, that fold, and val."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from seamline.clips.cache import CachedClip, read_cache
from seamline.data.manifest import Sample
from seamline.data.splits import folds_by_identity, identity_groups
from seamline.training.config import TrainConfig

FOLD_SEED = 20240607  # fixed: folds must agree between runs of different training seeds


@dataclass(frozen=True)
class CacheSplit:
    """Clips by use."""

    train: list[CachedClip]
    holdout: list[CachedClip]
    val: list[CachedClip]


def read_split(config: TrainConfig) -> CacheSplit:
    """Read a config's cache, split as it says, with the further cache's clips in train."""
    return split_read(config, *read_caches(config))


def read_caches(config: TrainConfig) -> tuple[list[CachedClip], list[CachedClip]]:
    """Read the clips of a config's cache and of its further cache."""
    extra = read_cache(Path(config.extra_cache)) if config.extra_cache else ()
    return list(read_cache(Path(config.cache))), list(extra)


def split_read(config: TrainConfig, clips: list[CachedClip], extra: list[CachedClip]) -> CacheSplit:
    """Split what `read_caches` read as a config says."""
    key, _, name = config.leave_out.partition("=")
    if key == "listed":
        return leave_out_listed(clips, extra, Path(name))
    if config.leave_out:
        parts = leave_out(clips, config.leave_out)
    else:
        parts = split_cache(
            clips, config.folds, config.holdout_fold, by=config.fold_by, join_val=config.join_val
        )
    return join_extra(parts, extra, without_method=name if key == "method" else "")


def split_cache(
    clips: Iterable[CachedClip],
    folds: int,
    holdout_fold: int,
    *,
    by: str = "identity",
    join_val: bool = False,
) -> CacheSplit:
    """Split by the manifest's `split` column and, within train, by identity-disjoint folds.

    Without folds, rows whose split is `holdout` are the held-out fold. ``join_val`` deals the val
    split out with train, so that over all folds every file is held out once.
    """
    rows = [clip for clip in clips if clip.error is None]
    trained = ("train", "val") if join_val else ("train",)
    train = [clip for clip in rows if clip.sample["split"] in trained]
    val = [clip for clip in rows if clip.sample["split"] == "val" and not join_val]
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


def leave_out(clips: Iterable[CachedClip], rule: str) -> CacheSplit:
    """Hold out what ``rule`` names, of all splits; for leave-one-source-out validation.

    ``source=NAME`` holds out every source whose name begins so. ``method=NAME`` holds out that
    method's fakes and, so that nobody is both trained and tested on, half of all named people:
    those of whom the method has the largest share. Held out are these people's genuine files and
    their fakes by the method; their other fakes, and the method's of other people, are not used.
    """
    rows = [clip for clip in clips if clip.error is None]
    key, _, name = rule.partition("=")
    if key == "source":
        held = [clip for clip in rows if clip.sample["source"].startswith(name)]
        train = [clip for clip in rows if not clip.sample["source"].startswith(name)]
        return _checked(rule, CacheSplit(train, held, []))
    people = _most_concerned(rows, name)
    train, held = [], []
    for clip in rows:
        sample = sample_of(clip)
        by_method = sample.method == name
        if people & set(sample.people):
            if by_method or sample.label == "real":
                held.append(clip)
        elif not by_method:
            train.append(clip)
    return _checked(rule, CacheSplit(train, held, []))


def leave_out_listed(
    clips: Iterable[CachedClip], extra: Iterable[CachedClip], path: Path
) -> CacheSplit:
    """Hold out, or drop, what a list names, of the train split and of further clips alike."""
    uses = read_uses(path)

    def part(rows: Iterable[CachedClip], use: str) -> list[CachedClip]:
        return [clip for clip in rows if uses.get(clip.sample["path"], "") == use]

    base, more = split_cache(clips, 0, 0), list(extra)
    held = [clip for clip in part([*base.train, *more], "holdout") if clip.error is None]
    split = _checked(f"listed={path}", CacheSplit(part(base.train, ""), held, base.val))
    return join_extra(split, part(more, ""))


def left_out(config: TrainConfig, paths: set[str]) -> frozenset[str]:
    """Add, to the paths that a config leaves out, the copies (`made:VOCODER`) its list drops."""
    key, _, name = config.leave_out.partition("=")
    listed = read_uses(Path(name)) if key == "listed" else {}
    return frozenset(paths | {line for line in listed if line.startswith("made:")})


def read_uses(path: Path) -> dict[str, str]:
    """Read a list of what to leave out: each path's use, `holdout` or `drop`."""
    if not path.is_file():
        raise FileNotFoundError(
            f"leave_out names the list {path}, and there is no such file. Write a CSV file of "
            "`path` and `use`, or have benchmarks/voice_families.py write one."
        )
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or {"path", "use"} - set(rows[0]):
        found = ", ".join(rows[0]) if rows else "no rows"
        raise ValueError(f"{path} should have the columns path and use; found {found}.")
    unknown = sorted({row["use"] for row in rows} - {"holdout", "drop"})
    if unknown:
        raise ValueError(f"{path} has the use {unknown[0]!r}; known: holdout, drop.")
    return {row["path"]: row["use"] for row in rows}


def _most_concerned(rows: Iterable[CachedClip], method: str) -> set[str]:
    """Choose whole connected groups of people, the method's share first, up to half of all."""
    samples = list({clip.sample["path"]: sample_of(clip) for clip in rows}.values())
    named = [sample for sample in samples if sample.people and sample.method + sample.label]
    tied = {name for s in named if len(s.people) > 1 for name in s.people}  # swaps tie two people
    named = [sample for sample in named if tied & set(sample.people)]
    groups: dict[int, list[Sample]] = {}
    for number, sample in zip(identity_groups(named), named, strict=True):
        groups.setdefault(number, []).append(sample)

    def share(group: list[Sample]) -> float:
        return sum(sample.method == method for sample in group) / len(group)

    chosen: set[str] = set()
    for group in sorted(groups.values(), key=share, reverse=True):
        people = {name for sample in group for name in sample.people}
        if chosen and len(chosen | people) > len(tied) / 2:
            continue
        chosen |= people
    return chosen


def _checked(rule: str, split: CacheSplit) -> CacheSplit:
    """Refuse a rule that leaves a side without a class."""
    labels = {clip.sample["label"] for clip in split.holdout}
    if labels != {"real", "fake"}:
        found = ", ".join(sorted(labels)) or "nothing"
        raise ValueError(f"leave_out {rule!r} must hold out real and fake files, found {found}.")
    return split


def join_extra(
    split: CacheSplit, extra: Iterable[CachedClip], *, without_method: str = ""
) -> CacheSplit:
    """Add further training clips, but for what is left out: people, whole sources, a method."""
    held = {name for clip in [*split.holdout, *split.val] for name in sample_of(clip).people}
    sources = {clip.sample["source"] for clip in split.holdout}
    sources -= {clip.sample["source"] for clip in split.train}  # those that are left out whole
    joined = [
        clip
        for clip in extra
        if clip.error is None
        and not held & set(sample_of(clip).people)
        and clip.sample["source"] not in sources
        and not (without_method and clip.sample["method"] == without_method)
    ]
    return replace(split, train=[*split.train, *joined])


def sample_of(clip: CachedClip) -> Sample:
    """Return the manifest row that a cached clip was cut from."""
    names = {f.name for f in fields(Sample)} - {"extra", "root"}
    return Sample(**{key: value for key, value in clip.sample.items() if key in names})
