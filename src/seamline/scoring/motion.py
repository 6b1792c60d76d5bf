"""What a motion branch adds to the picture's logits, for the windows that it saw and the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from seamline.scoring.findings import FaceScores

WindowKey = tuple[int, float]
"""A track, and the second at which its first face of a window was seen."""


def window_key(track: int, seconds: Float[np.ndarray, " time"]) -> WindowKey:
    """Name a track's window."""
    return track, float(seconds[0])


def motion_added(faces: Sequence[FaceScores]) -> dict[WindowKey, float]:
    """Give what to add to each track's logits in each window.

    Only some windows are looked at frame by frame: the others get the mean of their track. Where a
    track has none, nothing is added, and the crops alone tell.
    """
    known: dict[int, list[float]] = defaultdict(list)
    for one in faces:
        if one.motion is not None:
            known[one.track].append(one.motion)
    means = {track: float(np.mean(values)) for track, values in known.items()}
    return {
        window_key(one.track, one.seconds): (
            means.get(one.track, 0.0) if one.motion is None else one.motion
        )
        for one in faces
    }


def joined_logits(parts: Sequence[FaceScores]) -> Float[np.ndarray, " time"]:
    """Join the windows of one track, with what motion adds."""
    added = motion_added(parts)
    return np.concatenate([one.logits + added[window_key(one.track, one.seconds)] for one in parts])
