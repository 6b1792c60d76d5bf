"""`Clip`: the crops of one face track and the sound of the same seconds, as models take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8


@dataclass(frozen=True)
class MouthCrops:
    """The mouth of one face track inside one window, on the even grid of the contract."""

    start_seconds: float
    """Time of the first step."""
    step_seconds: float
    crops: UInt8[np.ndarray, "step size size"]
    """Grey crops; black where the mouth was not seen."""
    seen: Bool[np.ndarray, " step"]
    """Which steps show a picture taken near enough to their time."""


@dataclass(frozen=True)
class MotionCrops:
    """One face in successive frames inside one window."""

    seconds: Float[np.ndarray, " time"]
    """Timestamp of each frame."""
    crops: UInt8[np.ndarray, "time size size"]
    """Grey crops."""


@dataclass(frozen=True)
class FaceCrops:
    """Aligned crops of one face track inside one window, in time order."""

    track: int
    """Number of the track, unique in its file."""
    seconds: Float[np.ndarray, " time"]
    """Timestamp of each crop's frame."""
    crops: UInt8[np.ndarray, "time size size 3"]
    """RGB crops, cut by the contract."""
    boxes: Float[np.ndarray, "time 4"]
    """Face boxes x0 y0 x1 y1 in pixels of the full-size frame."""
    landmarks: Float[np.ndarray, "time 5 2"]
    """Five landmarks in pixels of the crop."""
    detection_scores: Float[np.ndarray, " time"]
    """The face detector's confidence."""
    mouths: MouthCrops | None = None
    """None where the contract or the plan asks for none, or the file has no sound to compare."""
    motion: MotionCrops | None = None
    """None where the contract or the plan asks for none, or too few frames show the face."""

    @property
    def face_px(self) -> int:
        """The median of the longer side of the face boxes, in full-size pixels."""
        sides = np.maximum(self.boxes[:, 2] - self.boxes[:, 0], self.boxes[:, 3] - self.boxes[:, 1])
        return round(float(np.median(sides)))


@dataclass(frozen=True)
class Clip:
    """One person's face (or none) and the sound of the window [start, stop)."""

    window: int
    """Number of the window in its file; clips of several people share it and its sound."""
    start_seconds: float
    stop_seconds: float
    faces: FaceCrops | None
    """None where no face was found; the sound may still be there."""
    samples: Float[np.ndarray, " sample"] | None
    """Mono sound of the window in [-1, 1] at the contract's rate, or None without sound."""
    log_mel: Float[np.ndarray, "mel frame"] | None
    """Log-mel of `samples`, or None without sound."""
    speech_seconds: float
    """Seconds of the window in which somebody speaks."""
    before: Float[np.ndarray, " sample"] | None = None
    """Sound that directly precedes `samples`, at the same rate; None where none was asked for."""
    after: Float[np.ndarray, " sample"] | None = None
    """Sound that directly follows `samples`; None where none was asked for."""
