"""Measures a detector on a manifest: every row is scanned, each sense is held to its own truth.

In: labelled samples and a detector, or the verdicts that it gave. Out: an ``EvaluationResult``
with measures overall, per source and per method, which of picture and voice was called fake, how
well forged stretches were found, and every row that could not be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from seamline.data.manifest import Sample, read_manifest
from seamline.errors import UnreadableMedia
from seamline.evaluation.false_stretches import FalseStretches, measure_false_stretches
from seamline.evaluation.four_way import FourWay, measure_four_way
from seamline.evaluation.moments import FrameScores
from seamline.evaluation.segments import SegmentMeasures, measure_segments
from seamline.evaluation.senses import (
    SENSES,
    Sense,
    SenseResult,
    measures_synchrony,
    rows_of,
    sense_result,
)
from seamline.evaluation.sweep import Sweep
from seamline.scoring.verdict import ModelId, Verdict, unreadable_verdict


class Identified(Protocol):
    """A bundle, as far as it matters here."""

    @property
    def model_id(self) -> ModelId: ...


class Scanner(Protocol):
    """What is measured: ``seamline.detector.Detector``, or anything that scans like it."""

    @property
    def bundle(self) -> Identified: ...

    def scan(self, path: str | Path, *, proposals: bool) -> Verdict: ...


@dataclass(frozen=True)
class EvaluationResult:
    """Everything measured on one manifest."""

    manifest: str
    split: str | None
    model: ModelId | None
    rows: int
    unreadable: tuple[tuple[str, str], ...]
    senses: dict[Sense, SenseResult]
    media_seconds: float
    scan_seconds: float
    four_way: FourWay | None = None
    """None where no row has both a picture's and a voice's label."""
    segments: dict[str, SegmentMeasures] = field(default_factory=dict)
    """By sense, and ``any``; empty where no row has true stretches."""
    false_stretches: dict[Sense, FalseStretches] = field(default_factory=dict)
    """What was pointed at in genuine files, by sense; empty where none was examined."""
    sweep: Sweep | None = None
    """None where no corruption was asked for."""


def evaluate(
    manifest: str | Path,
    detector: Scanner,
    *,
    root: str | Path | None = None,
    split: str | None = None,
    kind: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EvaluationResult:
    """Scans the rows of a manifest one after another and measures the verdicts."""
    samples = choose_samples(manifest, root=root, split=split, kind=kind)
    verdicts = []
    for verdict in scan_samples(samples, detector):
        verdicts.append(verdict)
        if progress is not None:
            progress(len(verdicts), len(samples))
    return measure(samples, verdicts, manifest=str(manifest), split=split)


def choose_samples(
    manifest: str | Path,
    *,
    root: str | Path | None = None,
    split: str | None = None,
    kind: str | None = None,
) -> list[Sample]:
    """Reads the rows to measure on; ``kind`` keeps only videos, sounds or faces."""
    samples = read_manifest(manifest, root, split)
    return [sample for sample in samples if kind is None or sample.kind == kind]


def scan_samples(samples: Sequence[Sample], detector: Scanner) -> Iterator[Verdict]:
    """Scans samples in order; a file that cannot be read becomes a verdict with its reason."""
    for sample in samples:
        start = time.monotonic()
        try:
            yield detector.scan(sample.file, proposals=True)
        except UnreadableMedia as error:
            spent = time.monotonic() - start
            yield unreadable_verdict(
                str(sample.file), error.reason, detector.bundle.model_id, total_seconds=spent
            )


def measure(
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    *,
    frames: Sequence[FrameScores | None] | None = None,
    manifest: str = "",
    split: str | None = None,
    resamples: int = 1000,
) -> EvaluationResult:
    """Holds verdicts against the samples that they were given for, in the same order.

    ``frames`` are the scores of each file's examined frames, None where they were not kept; with
    any of them missing, nothing is said of frames, since the files that have them may be special.
    """
    if len(samples) != len(verdicts):
        raise ValueError(f"{len(verdicts)} verdicts for {len(samples)} samples")
    kept = frames if frames is not None and None not in frames else None
    senses: dict[Sense, SenseResult] = {}
    for sense in SENSES:
        if sense == "synchrony" and not measures_synchrony(samples, verdicts):
            continue
        rows = [row for row in rows_of(samples, verdicts, sense, kept) if row is not None]
        if rows:
            senses[sense] = sense_result(rows, resamples)
    pairs = list(zip(samples, verdicts, strict=True))
    return EvaluationResult(
        manifest=manifest,
        split=split,
        model=verdicts[0].model if verdicts else None,
        rows=len(samples),
        unreadable=tuple((s.path, v.error) for s, v in pairs if v.error is not None),
        senses=senses,
        media_seconds=sum(v.media.get("duration_seconds") or 0.0 for v in verdicts),
        scan_seconds=sum(v.seconds.get("total", 0.0) for v in verdicts),
        four_way=measure_four_way(samples, verdicts),
        segments=measure_segments(samples, verdicts),
        false_stretches=measure_false_stretches(samples, verdicts),
    )
