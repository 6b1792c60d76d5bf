"""Counts the stretches shown in genuine media: samples and verdicts in, files and a rate out.

A verdict may call a file real and still point at some of its seconds. Who reads it sees a false
alarm all the same, and long files have more seconds in which one can stand out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seamline.data.manifest import Sample
from seamline.evaluation.senses import MODALITIES, SENSES, Sense, chance_of, truth_of
from seamline.scoring.verdict import Verdict


@dataclass(frozen=True)
class FalseStretches:
    """What was pointed at in one sense's genuine files."""

    files: int
    """Genuine in this sense, and examined."""
    files_with_some: int
    stretches: int
    examined_seconds: float

    @property
    def per_hour(self) -> float | None:
        """Stretches an hour of what was examined; None where nothing was."""
        return 3600 * self.stretches / self.examined_seconds if self.examined_seconds else None


def measure_false_stretches(
    samples: Sequence[Sample], verdicts: Sequence[Verdict]
) -> dict[Sense, FalseStretches]:
    """Count each sense's; one without a genuine file that was examined is left out."""
    measured: dict[Sense, FalseStretches] = {}
    for sense in SENSES:
        modality = MODALITIES[sense]
        counts, seconds = [], 0.0
        for sample, verdict in zip(samples, verdicts, strict=True):
            if truth_of(sample, sense) == "real" and chance_of(verdict, sense) is not None:
                counts.append(sum(one.modality == modality for one in verdict.segments))
                seconds += examined_seconds(verdict, sense)
        if counts:
            measured[sense] = FalseStretches(
                len(counts), sum(count > 0 for count in counts), sum(counts), seconds
            )
    return measured


def examined_seconds(verdict: Verdict, sense: Sense) -> float:
    """Tells how long a sense looked or listened; of synchrony the timeline knows."""
    if sense == "synchrony":
        return verdict.timeline.step_seconds * sum(x is not None for x in verdict.timeline.sync)
    return (verdict.video if sense == "picture" else verdict.audio).examined_seconds
