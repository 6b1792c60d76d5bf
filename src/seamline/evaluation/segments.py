"""Measures how well forged stretches are found in time, as LAV-DF and AV-Deepfake1M do.

In: for each file the true spans and the spans that were found with their scores. Out: average
precision at an overlap (IoU) of 0.5, 0.75 and 0.95, and average recall. None: nothing to measure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seamline.data.manifest import Sample
from seamline.errors import BadManifest
from seamline.scoring.verdict import Verdict

OVERLAPS = (0.5, 0.75, 0.95)
RECALL_OVERLAPS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""Average recall is the mean over these, as in THUMOS and LAV-DF."""
ANY = "any"
"""All senses together: when was anything forged?"""
SAME_OVERLAP = 0.5
"""Found spans that overlap more are one finding of several tracks or senses."""
MODALITIES = ("video", "audio", "sync")

Span = tuple[float, float]


@dataclass(frozen=True)
class FileSpans:
    """The forged stretches of one file, true and found, half-open in seconds."""

    truth: tuple[Span, ...]
    found: tuple[tuple[float, float, float], ...]
    """Start, stop and score."""


@dataclass(frozen=True)
class SegmentMeasures:
    """How well the stretches of one sense were found over many files."""

    files: int
    genuine_files: int
    """Files without a true stretch, in which whatever is found is wrong."""
    segments: int
    found: int
    average_precision: dict[str, float | None]
    """By the overlap that counts as found."""
    average_recall: float | None


def measure_segments(
    samples: Sequence[Sample], verdicts: Sequence[Verdict]
) -> dict[str, SegmentMeasures]:
    """Measure each sense that has true stretches, and all together as ``any``.

    Where verdicts have proposals, all of them are ranked, as the scripts of LAV-DF and of
    AV-Deepfake1M do; those that are called, and so shown, have a row of their own
    (``video, called``).

    Rows without a column ``segments`` are left out; an empty one says nothing is known, ``[]`` that
    nothing is forged. A file that could not be read found nothing.
    """
    rows = [
        (true_segments(sample), verdict)
        for sample, verdict in zip(samples, verdicts, strict=True)
        if sample.extra.get("segments", "").strip()
    ]
    measured = {}
    for name in (ANY, *MODALITIES):
        wanted = MODALITIES if name == ANY else (name,)
        files = [_file(truth, verdict, wanted) for truth, verdict in rows]
        if any(file.truth for file in files):
            measured[name] = segment_measures(files)
            if any(verdict.proposals is not None for _, verdict in rows):
                called = [_file(truth, replace(v, proposals=None), wanted) for truth, v in rows]
                measured[f"{name}, called"] = segment_measures(called)
    return measured


def segment_measures(files: Sequence[FileSpans]) -> SegmentMeasures:
    """Measure the stretches of many files."""
    return SegmentMeasures(
        files=len(files),
        genuine_files=sum(not file.truth for file in files),
        segments=sum(len(file.truth) for file in files),
        found=sum(len(file.found) for file in files),
        average_precision={str(least): average_precision(files, least) for least in OVERLAPS},
        average_recall=average_recall(files),
    )


def true_segments(sample: Sample) -> list[tuple[str, float, float]]:
    """Read a row's ``segments``: modality, start and stop; raises `BadManifest`."""
    text = sample.extra.get("segments", "").strip()
    try:
        found = [
            (str(one["modality"]), float(one["start_seconds"]), float(one["stop_seconds"]))
            for one in (json.loads(text) if text else [])
        ]
        if any(m not in MODALITIES or not 0 <= a < b < math.inf for m, a, b in found):
            raise ValueError(text)
    except (KeyError, TypeError, ValueError) as error:
        raise BadManifest(
            f"{sample.path}: column segments must hold a JSON list of objects with modality "
            f"({', '.join(MODALITIES)}), start_seconds and a later stop_seconds; found {text:.200}."
        ) from error
    return found


def average_precision(files: Sequence[FileSpans], least_overlap: float) -> float | None:
    """Compute the area under precision over recall, precision made monotone; None without truth.

    The surest finding comes first; each takes the best free true stretch of its file, if that
    overlaps enough, and is wrong otherwise.
    """
    total = sum(len(file.truth) for file in files)
    if total == 0:
        return None
    hits = _hits(files, least_overlap)
    if len(hits) == 0:
        return 0.0
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(precision[hits]) / total)


def average_recall(files: Sequence[FileSpans]) -> float | None:
    """Average over overlaps of 0.5 to 0.95 the share of true stretches found by anything."""
    total = sum(len(file.truth) for file in files)
    if total == 0:
        return None
    return float(np.mean([_hits(files, least).sum() / total for least in RECALL_OVERLAPS]))


def overlap(one: Span, other: Span) -> float:
    """Give intersection over union of two spans."""
    inside = min(one[1], other[1]) - max(one[0], other[0])
    if inside <= 0:
        return 0.0
    return inside / (max(one[1], other[1]) - min(one[0], other[0]))


def _hits(files: Sequence[FileSpans], least_overlap: float) -> np.ndarray:
    """Tell of each finding, the surest first, whether it met a true stretch of its own."""
    findings = sorted(
        (
            (score, index, (start, stop))
            for index, f in enumerate(files)
            for start, stop, score in f.found
        ),
        key=lambda finding: -finding[0],
    )
    free = [list(file.truth) for file in files]
    hits = np.zeros(len(findings), dtype=bool)
    for place, (_, index, span) in enumerate(findings):
        overlaps = [overlap(span, truth) for truth in free[index]]
        if overlaps and max(overlaps) >= least_overlap - 1e-9:
            del free[index][int(np.argmax(overlaps))]
            hits[place] = True
    return hits


def _file(
    truth: list[tuple[str, float, float]], verdict: Verdict, modalities: Sequence[str]
) -> FileSpans:
    """Join what overlaps: several faces or senses may be forged, or found, at one time."""
    found = [
        (s.start_seconds, s.stop_seconds, s.fake_probability)
        for s in (verdict.segments if verdict.proposals is None else verdict.proposals)
        if s.modality in modalities
    ]
    return FileSpans(
        tuple(_joined([(a, b) for modality, a, b in truth if modality in modalities])),
        tuple(_surest(found)),
    )


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def _surest(found: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Drop what a surer finding overlaps (non-maximum suppression)."""
    kept: list[tuple[float, float, float]] = []
    for one in sorted(found, key=lambda span: -span[2]):
        if all(overlap(one[:2], other[:2]) <= SAME_OVERLAP for other in kept):
            kept.append(one)
    return kept
