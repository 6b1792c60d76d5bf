"""One sense judged, and the steps from logits to it that picture and voice share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from seamline.media.probe import MediaInfo
from seamline.scoring.branch import Branch, judge_of
from seamline.scoring.findings import Findings
from seamline.scoring.pool import pool_logits
from seamline.scoring.timeline import FineLogits, StepLogits, find_segments
from seamline.scoring.verdict import Modality, Segment, SenseScore


@dataclass
class Sense:
    """One sense judged: its score, its place on the timeline and its segments."""

    score: SenseScore
    steps: tuple[float | None, ...] = ()
    segments: list[Segment] = field(default_factory=list)
    out_of_range: bool = False
    threshold: float = 0.5
    """Probability from which the score calls a fake."""

    @property
    def calls(self) -> bool:
        """Tell whether the score reaches the threshold."""
        chance = self.score.fake_probability
        return chance is not None and chance >= self.threshold


def sense_branch(findings: Findings, sense: Literal["video", "audio"]) -> Branch | None:
    """The branch that judges a sense; the usual range of one for both is that of both together."""
    name = judge_of(sense, findings.branches)
    if name is None:
        return None
    branch = findings.branches[name]
    return replace(branch, usual_logits=None) if name == "both" else branch


def pooled(logits: Float[np.ndarray, " time"], branch: Branch) -> float:
    """Pool at least one logit as the branch does."""
    found = pool_logits(logits.astype(np.float64), branch.pool_sharpness)
    assert found is not None
    return found


def sense_segments(
    lane: StepLogits,
    fine: FineLogits,
    branch: Branch,
    media: MediaInfo,
    modality: Modality,
    track: int | None,
) -> list[Segment]:
    """Find the stretches that reach the branch's threshold."""
    return find_segments(
        lane,
        branch.calibration,
        branch.threshold,
        modality=modality,
        track=track,
        duration_seconds=media.duration_seconds,
        sharpness=branch.pool_sharpness,
        fine=fine,
    )


def until_end(seconds: float, media: MediaInfo) -> float:
    """Cut a moment at the file's end."""
    return seconds if media.duration_seconds is None else min(seconds, media.duration_seconds)


def within(seconds: float, media: MediaInfo) -> float:
    """Cut a length at the file's; a photo has none."""
    return 0.0 if media.kind == "image" else until_end(seconds, media)
