"""Which seconds of a file a model is shown: ours beside the one of the original experiments.

In: the name of a policy, then clips as ``extract`` makes them. Out: a window plan, and the clips
cut to what the policy allows. ::

    ours    |##|.........|##|.........|##|     picture and sound of up to 30 spread windows
    paper   |#|..........................     the first second of picture (30 frames),
            |▪|..........................     the first half second of sound
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seamline.clips.clip import Clip, FaceCrops
from seamline.clips.contract import CropContract
from seamline.clips.window import WindowPlan


@dataclass(frozen=True)
class WindowPolicy:
    """A window plan, and how much of each window is kept."""

    plan: WindowPlan = field(default_factory=WindowPlan)
    """Give this to ``extract`` or ``prepare``."""
    most_frames: int | None = None
    """Crops kept of each track, from its first on; None keeps all."""
    sound_seconds: float | None = None
    """Sound kept of each window, from its start on; None keeps all."""

    def trim(self, clip: Clip, contract: CropContract) -> Clip:
        """Cut a clip to what the policy allows; ``contract`` is the one that the clip was cut by.

        ``speech_seconds`` stays that of the whole window.
        """
        faces, samples, log_mel = clip.faces, clip.samples, clip.log_mel
        if faces is not None and self.most_frames is not None:
            faces = _first_frames(faces, self.most_frames)
        if self.sound_seconds is not None:
            kept = round(self.sound_seconds * contract.mel.sample_rate_hz)
            samples = None if samples is None else samples[:kept]
            if log_mel is not None:
                log_mel = log_mel[:, : contract.mel.frames(kept)]
        return replace(clip, faces=faces, samples=samples, log_mel=log_mel)


# The original experiments (Abelli, Chen, Hays) took the first 30 of 300 frames at 30 frames a
# second, for which a contract needs frame_step_seconds = 1/30, and half a second of sound.
POLICIES = {
    "ours": WindowPolicy(),
    "paper": WindowPolicy(WindowPlan(first_seconds=1.0), most_frames=30, sound_seconds=0.5),
}


def _first_frames(faces: FaceCrops, count: int) -> FaceCrops:
    return FaceCrops(
        track=faces.track,
        seconds=faces.seconds[:count],
        crops=faces.crops[:count],
        boxes=faces.boxes[:count],
        landmarks=faces.landmarks[:count],
        detection_scores=faces.detection_scores[:count],
    )
