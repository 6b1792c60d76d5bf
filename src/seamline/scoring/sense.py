"""One sense judged, and the steps from logits to it that picture and voice share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from seamline.media.probe import MediaInfo
from seamline.scoring.branch import Branch, judge_of
from seamline.scoring.findings import Findings
from seamline.scoring.pool import pool_logits
from seamline.scoring.splices import Splice, SpliceRule, find_splices
from seamline.scoring.timeline import FineLogits, StepLogits, find_segments
from seamline.scoring.verdict import Modality, Segment, SenseScore


@dataclass
class Sense:
    """One sense judged: its score, its place on the timeline and its segments."""

    score: SenseScore
    steps: tuple[float | None, ...] = ()
    segments: list[Segment] = field(default_factory=list)
    proposals: list[Segment] = field(default_factory=list)
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
    splices: Sequence[Splice] = (),
    *,
    called: bool = True,
) -> list[Segment]:
    """Find the stretches that reach the branch's threshold, and put the splices among them.

    Where the whole is not ``called`` fake, a stretch has to be as sure as a splice.
    """
    levels = find_segments(
        lane,
        branch.calibration,
        stretch_threshold(branch, called),
        modality=modality,
        track=track,
        duration_seconds=media.duration_seconds,
        sharpness=branch.pool_sharpness,
        fine=fine,
    )
    stop = media.duration_seconds or math.inf
    spliced = [
        Segment(modality, track, s.start_seconds, min(s.stop_seconds, stop), s.fake_probability)
        for s in splices
    ]
    return join_segments(levels, spliced)


def stretch_threshold(branch: Branch, called: bool) -> float:
    """Give the probability from which a stretch is shown that was found by its level.

    A long recording has many moments, and one of them reaches by chance what its whole does not: in
    what is not called fake as much is asked of a stretch as of one that stands out.
    """
    if called or branch.splices is None:
        return branch.threshold
    return max(branch.threshold, branch.splices.threshold)


def join_segments(levels: Sequence[Segment], splices: Sequence[Segment]) -> list[Segment]:
    """Join segments found by level and by contrast; of two of one forgery the finer one stays.

    Contrast places edges better, but sees only a part of what is forged for longer.
    """
    parts = [s for s in splices if not any(_covers(level, s) for level in levels)]
    whole = [level for level in levels if not any(_overlap(level, s) for s in parts)]
    return sorted([*whole, *parts], key=lambda segment: segment.start_seconds)


def _covers(level: Segment, splice: Segment) -> bool:
    """Tell whether a segment holds a splice and at least as much again."""
    length = level.stop_seconds - level.start_seconds
    return _overlap(level, splice) > 0 and length >= 2 * (
        splice.stop_seconds - splice.start_seconds
    )


def _overlap(one: Segment, other: Segment) -> float:
    """Give the seconds that two segments share."""
    start = max(one.start_seconds, other.start_seconds)
    return max(0.0, min(one.stop_seconds, other.stop_seconds) - start)


def _same(one: Segment, other: Segment) -> bool:
    """Tell whether two segments share more than half of what they cover together."""
    start = min(one.start_seconds, other.start_seconds)
    stop = max(one.stop_seconds, other.stop_seconds)
    return _overlap(one, other) > (stop - start) / 2


def sense_splices(fine: FineLogits, branch: Branch) -> list[Splice]:
    """Find the stretches that stand out from their track, where the branch can judge them."""
    if branch.splices is None:
        return []
    return find_splices(fine, branch.splices, branch.calibration.even_logit)


def sense_proposals(
    fine: FineLogits,
    rule: SpliceRule | None,
    modality: Modality,
    track: int | None,
    segments: Sequence[Segment],
    stop_seconds: float | None = None,
) -> list[Segment]:
    """Give a lane's segments and all that stands out besides, however little, until a file's stop.

    What is the same stretch as a segment (an overlap of more than half of both) is not told twice.
    """
    if rule is None:
        return list(segments)
    stop = stop_seconds or math.inf
    stretches = (
        Segment(modality, track, s.start_seconds, min(s.stop_seconds, stop), s.fake_probability)
        for s in find_splices(fine, replace(rule, threshold=0.0))
    )
    beside = [one for one in stretches if not any(_same(one, shown) for shown in segments)]
    return sorted([*segments, *beside], key=lambda segment: segment.start_seconds)


def called_from(chance: float, branch: Branch, splices: Sequence[Splice]) -> tuple[float, float]:
    """Give a sense's probability and its threshold: those of a splice where only that is called."""
    if chance >= branch.threshold or branch.splices is None or not splices:
        return chance, branch.threshold
    return max(chance, *(s.fake_probability for s in splices)), branch.splices.threshold


def until_end(seconds: float, media: MediaInfo) -> float:
    """Cut a moment at the file's end."""
    return seconds if media.duration_seconds is None else min(seconds, media.duration_seconds)


def within(seconds: float, media: MediaInfo) -> float:
    """Cut a length at the file's; a photo has none."""
    return 0.0 if media.kind == "image" else until_end(seconds, media)
