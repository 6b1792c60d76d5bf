"""The pool of cached faces that picture training draws from, indexed by source and class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from seamline.clips.cache import CachedClip
from seamline.training.folds import sample_of


@dataclass(frozen=True)
class FaceEntry:
    """All cached crops of one track of one file."""

    path: str
    source: str
    method: str
    person: str
    fake: bool
    jpegs: tuple[bytes, ...]
    landmarks: Float[np.ndarray, "time 5 2"]


class FacePool:
    """Draws faces: source by weight; then a genuine face's person or a fake's method; then the
    file, each uniformly, so that neither a busy person nor a common method dominates."""

    def __init__(self, entries: Iterable[FaceEntry]) -> None:
        self.entries = list(entries)
        self.genuine = _by_source(entry for entry in self.entries if not entry.fake)
        self.fake = _by_source(entry for entry in self.entries if entry.fake)
        if not self.genuine:
            raise ValueError("The cache holds no genuine faces; check the manifest's labels.")

    def draw(
        self,
        generator: np.random.Generator,
        side: dict[str, dict[str, list[FaceEntry]]],
        weights: dict[str, float],
    ) -> FaceEntry:
        """Draw one entry of a side (`genuine` or `fake`)."""
        names = [name for name in (weights or side) if name in side]
        if not names:
            raise ValueError(
                f"None of the sources {', '.join(weights)} has faces of this class. "
                f"Sources with some: {', '.join(side) or 'none'}."
            )
        chance = np.array([weights.get(name, 1.0) for name in names])
        groups = side[str(generator.choice(names, p=chance / chance.sum()))]
        key = list(groups)[int(generator.integers(len(groups)))]
        return groups[key][int(generator.integers(len(groups[key])))]

    def genuine_for(self, generator: np.random.Generator, fake: FaceEntry) -> FaceEntry:
        """Draw a genuine face of the fake's source and scene, else of a person in it, else any."""
        groups = self.genuine.get(fake.source)
        if groups is None:
            raise ValueError(f"Source {fake.source} has fakes but no genuine faces to pair with.")
        people = set(fake.person.split("+")) - {""}
        same = [key for key in groups if people & set(key.split("+"))]
        keys = [key for key in same if key == scene_of(fake.person)] or same or list(groups)
        key = keys[int(generator.integers(len(keys)))]
        return groups[key][int(generator.integers(len(groups[key])))]


def scene_of(person: str) -> str:
    """Give whose recording a file is: the first person named, whose face another's covers."""
    return person.partition("+")[0]


def face_entries(clips: Iterable[CachedClip]) -> list[FaceEntry]:
    """Join the cached clips of each file's track into entries; clips without faces are left out."""
    joined: dict[tuple[str, int], list[CachedClip]] = defaultdict(list)
    for clip in clips:
        if clip.error is None and clip.track is not None and clip.jpegs:
            joined[clip.sample["path"], clip.track].append(clip)
    entries = []
    for (path, _), parts in joined.items():
        sample = sample_of(parts[0])
        if not sample.picture_truth:
            continue
        entries.append(
            FaceEntry(
                path=path,
                source=sample.source,
                method=sample.method,
                person=sample.person,
                fake=sample.picture_truth == "fake",
                jpegs=tuple(jpeg for part in parts for jpeg in part.jpegs),
                landmarks=np.concatenate([part.landmarks for part in parts]),
            )
        )
    return entries


def _by_source(entries: Iterable[FaceEntry]) -> dict[str, dict[str, list[FaceEntry]]]:
    """Group by source, then fakes by method and genuine faces by person; unknown ones by file."""
    grouped: dict[str, dict[str, list[FaceEntry]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        group = (entry.method if entry.fake else entry.person) or entry.path
        grouped[entry.source][group].append(entry)
    return {source: dict(groups) for source, groups in grouped.items()}
