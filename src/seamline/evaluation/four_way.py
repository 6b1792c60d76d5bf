"""Measures which of picture and voice was called fake: rows and their verdicts in, counts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seamline.data.manifest import Sample
from seamline.scoring.verdict import Verdict

TRUTHS = ("real", "fake_video", "fake_audio", "fake_both")
TOLD = (*TRUTHS, "inconclusive")


@dataclass(frozen=True)
class FourWay:
    """How often each truth was told as what; a file that could not be read is inconclusive."""

    counts: dict[str, dict[str, int]]
    """By truth, then by what was told."""
    f1: dict[str, float]
    """Of every truth that has rows."""
    macro_f1: float
    accuracy: float
    reals_called_fake: float | None

    @property
    def rows(self) -> int:
        """How many rows were measured."""
        return sum(sum(told.values()) for told in self.counts.values())


def measure_four_way(samples: Sequence[Sample], verdicts: Sequence[Verdict]) -> FourWay | None:
    """Hold labels against verdicts on every row whose picture and voice are known; None: no row."""
    counts = {truth: dict.fromkeys(TOLD, 0) for truth in TRUTHS}
    for sample, verdict in zip(samples, verdicts, strict=True):
        truth = true_label(sample)
        if truth is not None:
            counts[truth][verdict.label or "inconclusive"] += 1
    rows = {truth: sum(counts[truth].values()) for truth in TRUTHS}
    total = sum(rows.values())
    if total == 0:
        return None
    told = {label: sum(counts[truth][label] for truth in TRUTHS) for label in TRUTHS}
    f1 = {t: 2 * counts[t][t] / (rows[t] + told[t]) for t in TRUTHS if rows[t]}
    accused = sum(counts["real"][label] for label in TRUTHS[1:])
    return FourWay(
        counts=counts,
        f1=f1,
        macro_f1=sum(f1.values()) / len(f1),
        accuracy=sum(counts[truth][truth] for truth in TRUTHS) / total,
        reals_called_fake=accused / rows["real"] if rows["real"] else None,
    )


def true_label(sample: Sample) -> str | None:
    """Give a row's four-way label; None where picture or voice is missing, or not known.

    A file that is fake by its sync alone has none of the four.
    """
    if sample.video_label not in ("real", "fake") or sample.audio_label not in ("real", "fake"):
        return None
    fakes = (sample.video_label == "fake", sample.audio_label == "fake")
    if not any(fakes) and (sample.label == "fake" or sample.sync_truth == "fake"):
        return None
    return {
        (False, False): "real",
        (True, False): "fake_video",
        (False, True): "fake_audio",
        (True, True): "fake_both",
    }[fakes]
