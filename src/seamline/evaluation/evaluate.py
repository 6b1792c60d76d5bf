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
from typing import Literal, Protocol

from seamline.data.manifest import Sample, read_manifest
from seamline.data.splits import identity_groups
from seamline.errors import UnreadableMedia
from seamline.evaluation.four_way import FourWay, measure_four_way
from seamline.evaluation.measures import Measures, Row, measures_of
from seamline.evaluation.segments import SegmentMeasures, measure_segments
from seamline.scoring.verdict import (
    PROBABILITY_DECIMALS,
    ModelId,
    Verdict,
    unreadable_verdict,
)

Sense = Literal["picture", "voice"]
SENSES: tuple[Sense, ...] = ("picture", "voice")
_CALLED = {"picture": ("fake_video", "fake_both"), "voice": ("fake_audio", "fake_both")}


class Identified(Protocol):
    """A bundle, as far as it matters here."""

    @property
    def model_id(self) -> ModelId: ...


class Scanner(Protocol):
    """What is measured: ``seamline.detector.Detector``, or anything that scans like it."""

    @property
    def bundle(self) -> Identified: ...

    def scan(self, path: str | Path) -> Verdict: ...


@dataclass(frozen=True)
class SenseResult:
    """One sense's measures; a method's fakes stand against the reals of its own source."""

    overall: Measures
    by_source: dict[str, Measures]
    by_method: dict[tuple[str, str], Measures]


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
            yield detector.scan(sample.file)
        except UnreadableMedia as error:
            spent = time.monotonic() - start
            yield unreadable_verdict(
                str(sample.file), error.reason, detector.bundle.model_id, total_seconds=spent
            )


def measure(
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    *,
    manifest: str = "",
    split: str | None = None,
    resamples: int = 1000,
) -> EvaluationResult:
    """Holds verdicts against the samples that they were given for, in the same order."""
    if len(samples) != len(verdicts):
        raise ValueError(f"{len(verdicts)} verdicts for {len(samples)} samples")
    groups = identity_groups(samples)
    senses: dict[Sense, SenseResult] = {}
    for sense in SENSES:
        rows = [
            row
            for row in map(_row, samples, verdicts, groups, [sense] * len(samples))
            if row is not None
        ]
        if rows:
            senses[sense] = _sense_result(rows, resamples)
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
    )


def _row(sample: Sample, verdict: Verdict, group: int, sense: Sense) -> Row | None:
    """Gives a sense's view of one row, or None where it has nothing to be measured against.

    A row without a label for the sense is left out, and so is a silent video for the voice: its
    label speaks of a voice that is not there. What is there and got no score lowers the coverage.
    """
    truth = sample.picture_truth if sense == "picture" else sample.voice_truth
    if not truth:
        return None
    silent = verdict.error is None and verdict.media.get("audio") is None
    if sense == "voice" and sample.kind != "audio" and silent:
        return None
    score = (verdict.video if sense == "picture" else verdict.audio).fake_probability
    return Row(
        source=sample.source or "(no source)",
        method=sample.method if truth == "fake" else "",
        group=group,
        fake=truth == "fake",
        # As published: so a run resumed from written verdicts measures the same.
        probability=None if score is None else round(score, PROBABILITY_DECIMALS),
        called_fake=verdict.label in _CALLED[sense],
    )


def _sense_result(rows: list[Row], resamples: int) -> SenseResult:
    sources = sorted({row.source for row in rows})
    methods = sorted({(row.source, row.method or "(no method)") for row in rows if row.fake})
    by_source, by_method = {}, {}
    for source in sources:
        by_source[source] = measures_of([r for r in rows if r.source == source], resamples)
    for source, method in methods:
        chosen = [
            row
            for row in rows
            if row.source == source and (not row.fake or (row.method or "(no method)") == method)
        ]
        by_method[source, method] = measures_of(chosen, resamples)
    return SenseResult(measures_of(rows, resamples), by_source, by_method)
