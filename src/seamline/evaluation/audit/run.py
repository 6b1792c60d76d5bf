"""Runs an audit: samples in, some of them measured and all of them compared, an `Audit` out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from seamline.data.manifest import Sample
from seamline.evaluation.audit.cues import Measured, measure
from seamline.evaluation.audit.leaks import Crossing, OneClass, Twins, crossings, one_class, twins
from seamline.evaluation.audit.tells import Tells, tells_of
from seamline.faces.mtcnn import FaceDetector

PER_CLASS = 200


@dataclass(frozen=True)
class Audit:
    """What was found of a manifest."""

    rows: int
    reals: int
    fakes: int
    measured: int
    unreadable: list[tuple[str, str]]
    """Path and reason."""
    tells: list[Tells]
    crossings: list[Crossing]
    twins: list[Twins]
    one_class: list[OneClass]


def audit(
    samples: Sequence[Sample],
    *,
    per_class: int = PER_CLASS,
    seed: int = 0,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> Audit:
    """Measure cues on at most ``per_class`` files (0: all) of each class of each set.

    People, duplicates and one-class sources are looked for among all rows. ``done`` is called after
    each measured file.
    """
    chosen = choose(samples, per_class, seed=seed)
    detector = FaceDetector(1)

    def one(sample: Sample) -> Measured:
        found = measure(sample, detector)
        done()
        return found

    with ThreadPoolExecutor(jobs) as pool:
        measured = list(pool.map(one, chosen))
    return Audit(
        rows=len(samples),
        reals=sum(sample.label == "real" for sample in samples),
        fakes=sum(sample.label == "fake" for sample in samples),
        measured=sum(one.reason is None for one in measured),
        unreadable=[(m.sample.path, m.reason) for m in measured if m.reason is not None],
        tells=tells_of(measured),
        crossings=crossings(samples),
        twins=twins(samples),
        one_class=one_class(samples),
    )


def choose(samples: Sequence[Sample], per_class: int, *, seed: int) -> list[Sample]:
    """Draw the files to measure, in the manifest's order: those with a label, some of each set."""
    generator = np.random.default_rng(seed)
    sets: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        truths = (sample.picture_truth, sample.voice_truth)
        if any(truths):
            sets[sample.kind, sample.source, sample.split, *truths].append(place)
    places: list[int] = []
    for members in sets.values():
        if per_class and len(members) > per_class:
            members = generator.choice(members, per_class, replace=False).tolist()
        places += members
    return [samples[place] for place in sorted(places)]
