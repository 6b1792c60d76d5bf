"""What was seen and heard in one file, before any judgement; plain records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from seamline.faces.quality import FaceQuality
from seamline.media.probe import MediaInfo
from seamline.scoring.branch import Branch
from seamline.scoring.quality import QualityLimits
from seamline.scoring.reference import Reference
from seamline.scoring.verdict import ModelId

LEAST_TRACK_SECONDS = 1.0  # a face seen for less is a glimpse


@dataclass(frozen=True)
class FaceScores:
    """One track's frame logits inside one window."""

    track: int
    seconds: Float[np.ndarray, " time"]
    logits: Float[np.ndarray, " time"]
    face_px: int
    likeness: Float[np.ndarray, " dim"] | None = None
    """Sum of the vectors that describe the face; only where there are references to match."""
    quality: FaceQuality | None = None
    """None where it was not measured."""
    motion: float | None = None
    """What a motion branch adds to the logits; None where it saw too few frames of the window."""
    strangeness: float | None = None
    """How far the crops lie from the faces of training, about 1 is usual; None where unknown."""


@dataclass(frozen=True)
class VoiceScores:
    """One window's voice logits, ``step_seconds`` apart; None where nobody speaks."""

    start_seconds: float
    stop_seconds: float
    logits: Float[np.ndarray, " step"] | None
    step_seconds: float


@dataclass(frozen=True)
class PairScore:
    """What a branch for both senses says of one track (None: no face) and sound of one window."""

    track: int | None
    logit: float


@dataclass(frozen=True)
class MouthSteps:
    """One mouth inside one window, a vector every 40 ms, counted from the file's start."""

    track: int
    first_step: int
    vectors: Float[np.ndarray, "step size"]
    """Rows of NaN where the mouth was not seen."""
    motion: float
    """How much it moves from step to step, over its contrast."""
    face_px: int


@dataclass(frozen=True)
class SoundSteps:
    """The sound of one window in which somebody speaks, in the same steps."""

    first_step: int
    vectors: Float[np.ndarray, "step size"]


@dataclass
class Findings:
    """What was seen and heard in one file, before any judgement."""

    media: MediaInfo
    branches: Mapping[str, Branch]
    model: ModelId
    frame_step_seconds: float
    min_face_px: float
    faces: list[FaceScores] = field(default_factory=list)
    voices: list[VoiceScores] = field(default_factory=list)
    pairs: list[PairScore] = field(default_factory=list)
    """Filled by a branch for both senses, whose `faces` and `voices` are each judged alone."""
    mouths: list[MouthSteps] = field(default_factory=list)
    sounds: list[SoundSteps] = field(default_factory=list)
    references: Sequence[Reference] = ()
    """Genuine footage that the faces are compared with."""
    limits: QualityLimits = field(default_factory=QualityLimits)
    """What a face must be like to be judged."""
    warnings: list[str] = field(default_factory=list)
    proposes: bool = False
    """Whether stretches are told that stand out too little to be called."""
    examined_seconds: float = 0.0
    """Length of the windows that were looked at."""
    frames_examined: int = 0
    size_bytes: int = 0

    def leave_out_itself(self, sha256: str) -> None:
        """Leave out a reference that is this very file: against itself nothing is a fake."""
        for reference in self.references:
            if reference.sha256 == sha256:
                self.warnings.append(f"{reference.path} is this file itself: judged without it")
        self.references = tuple(one for one in self.references if one.sha256 != sha256)

    @property
    def least_seconds(self) -> float:
        """How long a face must be seen: a second, or most of what there is of a shorter file."""
        if self.media.kind == "image":
            return 0.0
        return min(LEAST_TRACK_SECONDS, 0.75 * self.frames_examined * self.frame_step_seconds)
