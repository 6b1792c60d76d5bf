"""Holds each sense of a verdict to its own truth: samples and verdicts in, ``SenseResult`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.cross_set import CrossSet, measure_cross_set
from seamline.evaluation.curves import Curves, curves_of
from seamline.evaluation.measures import Measures, Row, measures_of
from seamline.evaluation.moments import FrameScores, Modality, frame_moments, second_moments
from seamline.scoring.verdict import PROBABILITY_DECIMALS, SenseScore, SyncScore, Verdict

Sense = Literal["picture", "voice", "synchrony"]
SENSES: tuple[Sense, ...] = ("picture", "voice", "synchrony")
_FAKES = ("fake_video", "fake_audio", "fake_both")
_CALLED = {"picture": ("fake_video", "fake_both"), "voice": ("fake_audio", "fake_both")}
MODALITIES: dict[Sense, Modality] = {"picture": "video", "voice": "audio", "synchrony": "sync"}


@dataclass(frozen=True)
class SenseResult:
    """One sense's measures; a method's fakes stand against the reals of its own source."""

    overall: Measures
    by_source: dict[str, Measures]
    by_method: dict[tuple[str, str], Measures]
    by_generator: dict[str, Measures] = field(default_factory=dict)
    """Each method's fakes, of whatever source, against all reals, the hardest first: a method whose
    source shows no reals has a figure here. Of files, not of their seconds and frames; empty with
    one source, of which `by_method` says the same."""
    cross_set: CrossSet | None = None
    """None with fewer than two sources that have both classes."""
    curves: Curves | None = None


def truth_of(sample: Sample, sense: Sense) -> str:
    """Gives ``real``, ``fake`` or, where nothing is known of the sense, an empty text."""
    truths = {
        "picture": sample.picture_truth,
        "voice": sample.voice_truth,
        "synchrony": sample.sync_truth,
    }
    return truths[sense]


def chance_of(verdict: Verdict, sense: Sense) -> float | None:
    """Gives a sense's probability of a fake, None where it examined nothing."""
    told: SenseScore | SyncScore = getattr(verdict, MODALITIES[sense])
    return told.fake_probability


def called_fake(verdict: Verdict, sense: Sense) -> bool:
    """Tells whether a sense is called fake.

    A label names picture and voice; what lips and sound alone make a `fake_video` says nothing
    against the picture. Synchrony is called fake where the file is and lips and sound more probably
    do not belong together than they do.
    """
    if sense == "picture" and verdict.fake_by_sync:
        return False
    if sense != "synchrony":
        return verdict.label in _CALLED[sense]
    chance = verdict.sync.fake_probability
    return verdict.label in _FAKES and chance is not None and chance > 0.5


def measures_synchrony(samples: Sequence[Sample], verdicts: Sequence[Verdict]) -> bool:
    """Tells whether there is anything to say: not where nobody listened and nobody asked."""
    listened = any(verdict.sync.fake_probability is not None for verdict in verdicts)
    return listened or any(sample.sync_truth == "fake" for sample in samples)


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

    A row without a label for the sense is left out, and so is a silent video for voice and
    synchrony: its label speaks of a voice that is not there. What is there and got no score lowers
    the coverage.
    """
    truth = truth_of(sample, sense)
    if not truth:
        return None
    silent = verdict.error is None and verdict.media.get("audio") is None
    if sense != "picture" and sample.kind != "audio" and silent:
        return None
    fake = truth == "fake"
    modality = MODALITIES[sense]
    score = chance_of(verdict, sense)
    seen = frames if sense == "picture" else None
    return Row(
        source=sample.source or "(no source)",
        method=sample.method if fake else "",
        group=group,
        fake=fake,
        # As published: so a run resumed from written verdicts measures the same.
        probability=None if score is None else round(score, PROBABILITY_DECIMALS),
        called_fake=called_fake(verdict, sense),
        inconclusive=verdict.label == "inconclusive",
        seconds=second_moments(sample, verdict, modality, fake=fake),
        frames=None if seen is None else frame_moments(sample, seen, fake=fake),
    )


def sense_result(rows: Sequence[Row], resamples: int) -> SenseResult:
    """Measures the rows of one sense, all together, by source and by method."""
    sources = sorted({row.source for row in rows})
    methods = sorted({(row.source, method_of(row)) for row in rows if row.fake})
    by_source, by_method = {}, {}
    for source in sources:
        by_source[source] = measures_of([r for r in rows if r.source == source], resamples)
    for source, method in methods:
        chosen = [
            row
            for row in rows
            if row.source == source and (not row.fake or method_of(row) == method)
        ]
        by_method[source, method] = measures_of(chosen, resamples)
    return SenseResult(
        measures_of(rows, resamples),
        by_source,
        by_method,
        by_generator(rows, resamples) if len(sources) > 1 else {},
        measure_cross_set(rows, resamples),
        curves_of(rows),
    )


def by_generator(rows: Sequence[Row], resamples: int) -> dict[str, Measures]:
    """Measures each method's fakes against the reals of all sources; the hardest method first."""
    files = [replace(row, seconds=None, frames=None) for row in rows]
    reals = [row for row in files if not row.fake]
    fakes: dict[str, list[Row]] = {}
    for row in files:
        if row.fake:
            fakes.setdefault(method_of(row), []).append(row)
    found = {name: measures_of([*reals, *some], resamples) for name, some in fakes.items()}
    return dict(sorted(found.items(), key=lambda one: (_hardness(one[1]), one[0])))


def _hardness(measures: Measures) -> float:
    return 2.0 if measures.auc is None else measures.auc


def method_of(row: Row) -> str:
    """Names a fake row's method."""
    return row.method or "(no method)"
