"""Scores one clip by whatever branches a bundle has: crops and sound in, logits a sense out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from seamline.clips.clip import Clip
from seamline.scoring.branch import judge_of
from seamline.zoo.bundle import Bundle


@dataclass(frozen=True)
class ClipLogits:
    """What a bundle says of one clip; None where it has no branch, or nothing to judge."""

    picture: Float[np.ndarray, " time"] | None = None
    """One logit a crop."""
    masks: Float[np.ndarray, "time rows columns"] | None = None
    """Mask logits of the heatmaps, from a branch that tells where."""
    voice: Float[np.ndarray, " step"] | None = None
    together: float | None = None
    """From a branch for both senses, whose `picture` and `voice` are judged each alone."""


def score_clip(bundle: Bundle, clip: Clip, *, spoken: bool, listen: bool) -> ClipLogits:
    """Score a clip; its sound counts if ``spoken``, and is scored by itself if ``listen``."""
    log_mel, samples = (clip.log_mel, clip.samples) if spoken else (None, None)
    crops = None if clip.faces is None else clip.faces.crops
    if "both" in bundle.branches:
        if crops is None and log_mel is None:
            return ClipLogits()
        pair = bundle.score_pair(crops, log_mel, samples)
        picture = None if crops is None else np.full(len(crops), pair.picture)
        voice = None if pair.voice is None else np.array([pair.voice])
        return ClipLogits(picture, None, voice, pair.together)
    picture = masks = voice = None
    if crops is not None and judge_of("video", bundle.branches):
        picture, masks = bundle.score_faces(crops)
    if log_mel is not None and listen and "voice" in bundle.branches:
        voice = bundle.score_voice(log_mel, samples)
    return ClipLogits(picture, masks, voice)
