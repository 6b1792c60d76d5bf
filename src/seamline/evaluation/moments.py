"""From files to moments: every second of a timeline, and every examined frame, with its own truth.

In: a sample, its verdict, and where they were kept the scores of the faces that were examined.
Out: ``Moments``, one chance of a fake and one truth each. The truth is the file's label, or, where
the manifest tells the forged stretches, whether the moment lies in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, Shaped

from seamline.data.manifest import Sample
from seamline.evaluation.segments import true_segments
from seamline.scoring.verdict import PROBABILITY_DECIMALS, Verdict

Modality = Literal["video", "audio", "sync"]


class FaceMoments(Protocol):
    """One face in the frames of one window: ``seamline.scoring.evidence.FacesSeen`` is one."""

    @property
    def track(self) -> int: ...
    @property
    def seconds(self) -> Float[np.ndarray, " time"]: ...
    @property
    def fake_probabilities(self) -> Float[np.ndarray, " time"]: ...


@dataclass(frozen=True)
class FrameScores:
    """The examined frames of one file: when, and the chance of its most suspicious face."""

    seconds: Float[np.ndarray, " frame"]
    chances: Float[np.ndarray, " frame"]


@dataclass(frozen=True)
class Moments:
    """Chances of a fake and the truth (1 fake, 0 real) at some moments of one file."""

    chances: Float[np.ndarray, " moment"]
    truth: Shaped[np.ndarray, " moment"]


def frame_scores(verdict: Verdict, faces: Sequence[FaceMoments]) -> FrameScores:
    """Takes the highest face of each frame, as the verdict goes by the highest person of a file.

    Faces that were too short in view or too poor to be judged are left out, as the verdict leaves
    them out.
    """
    judged = {p.track for p in verdict.people if p.fake_probability is not None}
    kept = [face for face in faces if face.track in judged]
    if not kept:
        return FrameScores(np.zeros(0), np.zeros(0))
    every = np.concatenate([np.asarray(face.seconds, dtype=np.float64) for face in kept])
    chances = np.concatenate([face.fake_probabilities for face in kept]).astype(np.float64)
    seconds, place = np.unique(every, return_inverse=True)
    highest = np.zeros(len(seconds))
    np.maximum.at(highest, place, chances)
    return FrameScores(seconds, highest)


def second_moments(
    sample: Sample, verdict: Verdict, modality: Modality, *, fake: bool
) -> Moments | None:
    """Gives the seconds of the verdict's timeline; None where no second was examined."""
    steps = getattr(verdict.timeline, modality)
    examined = [index for index, chance in enumerate(steps) if chance is not None]
    if not examined:
        return None
    # As published: so a run resumed from written verdicts measures the same.
    chances = np.round(np.array([steps[i] for i in examined], np.float64), PROBABILITY_DECIMALS)
    middles = (np.array(examined) + 0.5) * verdict.timeline.step_seconds
    return Moments(chances, _truth(sample, middles, modality, fake))


def frame_moments(sample: Sample, frames: FrameScores, *, fake: bool) -> Moments | None:
    """Gives the examined frames; None where there is none."""
    if len(frames.seconds) == 0:
        return None
    return Moments(frames.chances, _truth(sample, frames.seconds, "video", fake))


def _truth(
    sample: Sample, seconds: Float[np.ndarray, " moment"], modality: Modality, fake: bool
) -> Shaped[np.ndarray, " moment"]:
    spans = [(start, stop) for sense, start, stop in true_segments(sample) if sense == modality]
    if not fake or not spans:
        return np.full(len(seconds), int(fake))
    inside = [(seconds >= start) & (seconds < stop) for start, stop in spans]
    return np.any(inside, axis=0).astype(int)
