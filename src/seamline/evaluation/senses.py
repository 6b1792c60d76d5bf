"""Holds each sense of a verdict to its own truth: samples and verdicts in, ``SenseResult`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.cross_set import CrossSet, measure_cross_set
from seamline.evaluation.curves import Curves, curves_of
from seamline.evaluation.measures import Measures, Row, measures_of
from seamline.evaluation.moments import FrameScores, Modality, frame_moments, second_moments
from seamline.scoring.verdict import PROBABILITY_DECIMALS, Verdict

Sense = Literal["picture", "voice"]
SENSES: tuple[Sense, ...] = ("picture", "voice")
_CALLED = {"picture": ("fake_video", "fake_both"), "voice": ("fake_audio", "fake_both")}
MODALITIES: dict[Sense, Modality] = {"picture": "video", "voice": "audio"}


@dataclass(frozen=True)
class SenseResult:
    """One sense's measures; a method's fakes stand against the reals of its own source."""

    overall: Measures
    by_source: dict[str, Measures]
    by_method: dict[tuple[str, str], Measures]
    cross_set: CrossSet | None = None
    """None with fewer than two sources that have both classes."""
    curves: Curves | None = None


def truth_of(sample: Sample, sense: Sense) -> str:
    """Gives ``real``, ``fake`` or, where nothing is known of the sense, an empty text."""
    return sample.picture_truth if sense == "picture" else sample.voice_truth


def rows_of(
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    sense: Sense,
    frames: Sequence[FrameScores | None] | None = None,
) -> list[Row | None]:
    """Gives a sense's view of each sample, None where it has nothing to be measured against."""
    groups = identity_groups(samples)
    looked = frames if frames is not None else [None] * len(samples)
    return [
        _row(sample, verdict, group, sense, seen)
        for sample, verdict, group, seen in zip(samples, verdicts, groups, looked, strict=True)
    ]


def _row(
    sample: Sample, verdict: Verdict, group: int, sense: Sense, frames: FrameScores | None
) -> Row | None:
    """Gives a sense's view of one row, or None where it has nothing to be measured against.

    A row without a label for the sense is left out, and so is a silent video for the voice: its
    label speaks of a voice that is not there. What is there and got no score lowers the coverage.
    """
    truth = truth_of(sample, sense)
    if not truth:
        return None
    silent = verdict.error is None and verdict.media.get("audio") is None
    if sense == "voice" and sample.kind != "audio" and silent:
        return None
    fake = truth == "fake"
    modality = MODALITIES[sense]
    score = (verdict.video if sense == "picture" else verdict.audio).fake_probability
    seen = frames if sense == "picture" else None
    return Row(
        source=sample.source or "(no source)",
        method=sample.method if fake else "",
        group=group,
        fake=fake,
        # As published: so a run resumed from written verdicts measures the same.
        probability=None if score is None else round(score, PROBABILITY_DECIMALS),
        called_fake=verdict.label in _CALLED[sense],
        inconclusive=verdict.label == "inconclusive",
        seconds=second_moments(sample, verdict, modality, fake=fake),
        frames=None if seen is None else frame_moments(sample, seen, fake=fake),
    )


def sense_result(rows: Sequence[Row], resamples: int) -> SenseResult:
    """Measures the rows of one sense, all together, by source and by method."""
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
    return SenseResult(
        measures_of(rows, resamples),
        by_source,
        by_method,
        measure_cross_set(rows, resamples),
        curves_of(rows),
    )
