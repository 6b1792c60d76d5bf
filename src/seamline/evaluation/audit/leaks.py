"""What lies on both sides: people and files that two splits or two labels share.

In: the samples of a manifest. Out: who crosses a split, which files are the same byte for byte, and
which sources hold one class alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.errors import UnreadableMedia
from seamline.media.hashing import file_sha256


@dataclass(frozen=True)
class Crossing:
    """Connected people, or files and their originals, of whom several splits hold some."""

    people: tuple[str, ...]
    files: dict[str, int]
    """Files by split."""
    examples: dict[str, str]
    """One path by split."""


@dataclass(frozen=True)
class Twins:
    """Rows whose files are the same, byte for byte."""

    paths: tuple[str, ...]
    splits: tuple[str, ...]
    """Distinct ones; more than one leak."""
    labels: tuple[str, ...]
    """Distinct ones; more than one contradict each other."""


@dataclass(frozen=True)
class OneClass:
    """A source that has files of one class alone in a split, where others have the other class."""

    sense: str
    source: str
    split: str
    label: str
    files: int


def crossings(samples: Sequence[Sample]) -> list[Crossing]:
    """List the groups of connected people that several splits hold, the largest first."""
    groups: dict[int, list[Sample]] = defaultdict(list)
    for sample, number in zip(samples, identity_groups(samples), strict=True):
        if sample.split:
            groups[number].append(sample)
    found = []
    for members in groups.values():
        files = Counter(sample.split for sample in members)
        if len(files) > 1:
            people = sorted({name for sample in members for name in sample.people})
            examples = {sample.split: sample.path for sample in reversed(members)}  # the first
            found.append(Crossing(tuple(people), dict(files), examples))
    return sorted(found, key=lambda c: -sum(c.files.values()))


def twins(samples: Iterable[Sample]) -> list[Twins]:
    """List files that are there more than once; what cannot be read is passed over."""
    by_size: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        try:
            by_size[sample.file.stat().st_size].append(sample)
        except OSError:
            continue
    by_hash: dict[str, list[Sample]] = defaultdict(list)
    for members in by_size.values():
        if len(members) > 1:
            for sample in members:
                try:
                    by_hash[file_sha256(sample.file)].append(sample)
                except UnreadableMedia:
                    continue
    found = []
    for members in by_hash.values():
        if len(members) > 1:
            splits = sorted({sample.split for sample in members})
            labels = sorted({sample.label for sample in members})
            paths = tuple(sample.path for sample in members)
            found.append(Twins(paths, tuple(splits), tuple(labels)))
    return sorted(found, key=lambda t: (-len(t.labels), -len(t.splits), t.paths))


def one_class(samples: Iterable[Sample]) -> list[OneClass]:
    """List the sources of one class in splits that hold both: there the source is the label."""
    found = []
    for sense in ("picture", "voice"):
        counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for sample in samples:
            truth = sample.picture_truth if sense == "picture" else sample.voice_truth
            if truth:
                counts[sample.split][sample.source][truth] += 1
        for split, sources in counts.items():
            whole: Counter[str] = sum(sources.values(), Counter())
            for source, labels in sources.items():
                if len(whole) > 1 and len(labels) == 1:
                    ((label, files),) = labels.items()
                    found.append(OneClass(sense, source, split, label, files))
    return found
