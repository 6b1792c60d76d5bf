"""Judges whether lips and sound belong together: vectors of mouths and sound in, a score out.

With several faces, the one that fits best is taken for the speaker. What cannot be told is left
open with its reason: a voice may come from outside of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from seamline.scoring.branch import Branch
from seamline.scoring.findings import Findings, MouthSteps, SoundSteps
from seamline.scoring.reasons import no_sync_reason
from seamline.scoring.synchrony import STEP_SECONDS, Fit, fit_vectors, weighed
from seamline.scoring.timeline import (
    StepLogits,
    find_segments,
    step_count,
    step_probabilities,
)
from seamline.scoring.verdict import Segment, SyncScore

LEAST_STEPS = 24
"""Of a mouth seen while somebody speaks: about a second."""
LEAST_STEPS_TO_ACCUSE = 48
"""A file is not called fake over less than about two seconds."""
LEAST_FACE_PX = 60
"""The mouth of a smaller face has fewer than twenty pixels across."""
LEAST_MOTION = 0.05
"""Of a mouth that speaks: of 241 held-out genuine clips, one in a hundred has less."""
SHOWN_IN_FAKES, SHOWN_IN_OTHERS = 0.5, 0.95
"""Probability from which seconds are shown as a segment: in a file that is called fake by its sync
what is more likely apart than not, in others only what is sure, since a long one has many."""
AROUND_SECONDS = 1.0
"""A second of the timeline is judged with so much on either side."""


@dataclass
class SyncSense:
    """The synchrony judged: its score, its place on the timeline and its segments."""

    score: SyncScore
    steps: tuple[float | None, ...] = ()
    segments: list[Segment] = field(default_factory=list)
    accuses: bool = False
    """Whether the mismatch is sure enough to call the file fake."""


@dataclass(frozen=True)
class MouthFit:
    """How well one face's mouth fits the sound."""

    track: int
    vectors: np.ndarray
    fit: Fit
    motion: float
    compared: int
    """Steps that have both a mouth and sound."""

    def logit(self, branch: Branch) -> float:
        """Give the fit's logit, weighed by how much was compared."""
        return weighed_fit(self.fit, self.compared, branch)


def judge_sync(findings: Findings) -> SyncSense:
    """Make the synchrony's score, timeline and segments."""
    branch = findings.branches.get("sync")
    reason = no_sync_reason(findings, branch)
    if reason is not None or branch is None:
        return SyncSense(SyncScore(None, None, reason))
    sound = _sound(findings.mouths, findings.sounds)
    large = [m for m in findings.mouths if m.face_px >= LEAST_FACE_PX]
    mouths = fit_mouths(large, sound)
    if not mouths:
        why = "is seen for a second while somebody speaks" if large else f"has {LEAST_FACE_PX} px"
        return SyncSense(SyncScore(None, None, f"no face whose mouth {why}"))
    best = min(mouths, key=lambda mouth: mouth.logit(branch))
    chance = branch.calibration.probability(best.logit(branch))
    faces = {m.track for m in findings.mouths}
    if chance >= 0.5 and len(faces) > 1:
        return SyncSense(
            SyncScore(
                None,
                None,
                f"none of {len(faces)} faces makes this sound: the speaker may be out of sight",
            )
        )
    if chance >= branch.threshold and best.motion < LEAST_MOTION:
        still = "the visible mouth hardly moves: the voice may come from elsewhere"
        return SyncSense(SyncScore(None, None, still))
    duration_seconds = findings.media.duration_seconds
    lane = _lane(best, sound, duration_seconds, branch)
    accuses = chance >= branch.threshold and best.compared >= LEAST_STEPS_TO_ACCUSE
    least = SHOWN_IN_FAKES if accuses else max(branch.threshold, SHOWN_IN_OTHERS)
    return SyncSense(
        SyncScore(chance, best.fit.offset_seconds, None, best.track if len(faces) > 1 else None),
        step_probabilities(lane, branch.calibration),
        find_segments(
            lane,
            branch.calibration,
            least,
            modality="sync",
            track=best.track,
            duration_seconds=duration_seconds,
            sharpness=branch.pool_sharpness,
        ),
        accuses=accuses,
    )


def best_fit(findings: Findings, branch: Branch) -> MouthFit | None:
    """Give the fit of the face that fits best, as `judge_sync` judges it; None: none compared."""
    large = [m for m in findings.mouths if m.face_px >= LEAST_FACE_PX]
    if not large or not findings.sounds:
        return None
    fits = fit_mouths(large, _sound(findings.mouths, findings.sounds))
    return min(fits, key=lambda fit: fit.logit(branch), default=None)


def fit_mouths(mouths: Sequence[MouthSteps], sound: np.ndarray) -> list[MouthFit]:
    """Fit each track's mouth to the file's sound, where a second of both is known."""
    tracks = sorted({mouth.track for mouth in mouths})
    fits = (_fit(track, [m for m in mouths if m.track == track], sound) for track in tracks)
    return [fit for fit in fits if fit is not None]


def _sound(mouths: Sequence[MouthSteps], sounds: Sequence[SoundSteps]) -> np.ndarray:
    """Lay the sound's vectors out as long as anything that was seen or heard."""
    heard = [(part.first_step, part.vectors) for part in sounds]
    seen = [(part.first_step, part.vectors) for part in mouths]
    return _laid_out(heard, max(first + len(vectors) for first, vectors in [*heard, *seen]))


def _laid_out(parts: Sequence[tuple[int, np.ndarray]], length: int) -> np.ndarray:
    """Lay vectors onto the file's steps; NaN where there are none."""
    size = parts[0][1].shape[1] if parts else 1
    whole = np.full((length, size), np.nan, np.float32)
    for first, vectors in parts:
        whole[first : first + len(vectors)] = vectors
    return whole


def _fit(track: int, parts: Sequence[MouthSteps], sound: np.ndarray) -> MouthFit | None:
    vectors = _laid_out([(part.first_step, part.vectors) for part in parts], len(sound))
    if vectors.shape != sound.shape:
        return None
    compared = int((~np.isnan(vectors[:, 0]) & ~np.isnan(sound[:, 0])).sum())
    fit = fit_vectors(vectors, sound)
    if compared < LEAST_STEPS or fit is None:
        return None
    return MouthFit(track, vectors, fit, float(np.median([p.motion for p in parts])), compared)


def _lane(
    mouth: MouthFit, sound: np.ndarray, duration_seconds: float | None, branch: Branch
) -> StepLogits:
    """One logit a second, from the steps in it and around it."""
    logits: list[float | None] = []
    for second in range(step_count(duration_seconds)):
        first = max(0, round((second - AROUND_SECONDS) / STEP_SECONDS))
        last = round((second + 1 + AROUND_SECONDS) / STEP_SECONDS)
        inside = slice(round(second / STEP_SECONDS), round((second + 1) / STEP_SECONDS))
        both = ~np.isnan(mouth.vectors[:, 0]) & ~np.isnan(sound[:, 0])
        fit, compared = None, int(both[first:last].sum())
        if both[inside].sum() >= LEAST_STEPS / 2 and compared >= LEAST_STEPS:
            fit = fit_vectors(mouth.vectors[first:last], sound[first:last])
        logits.append(None if fit is None else weighed_fit(fit, compared, branch))
    return tuple(logits)


def weighed_fit(fit: Fit, steps: int, branch: Branch) -> float:
    """Give the logit of a fit over so many compared steps, as the branch counts it."""
    return weighed(fit.logit_with(branch.shortfall_weight), steps, branch.even_logit)
