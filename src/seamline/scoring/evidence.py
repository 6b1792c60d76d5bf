"""What a report shows beside the verdict: faces as they were judged, sound as it was heard.

Logits of faces wait as `SeenWindow` until the whole file was seen: only then is it known whether
they are read alone or against genuine footage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.scoring.judge_picture import Scale
from seamline.scoring.motion import WindowKey, window_key

LOOKS_A_WINDOW = 2  # face crops kept as evidence, per person and window
HEAT_SPREAD_CELLS = 0.8  # chosen on training files: docs/results/generalisation.md, heatmaps


@dataclass(frozen=True)
class FaceLook:
    """One examined face, kept for a report."""

    track: int
    seconds: float
    crop: UInt8[np.ndarray, "size size 3"]
    heat: Float[np.ndarray, "rows columns"] | None
    """Forgery probability of each cell of the crop; None where the model cannot tell."""
    box: Float[np.ndarray, " 4"]
    fake_probability: float


@dataclass(frozen=True)
class Listened:
    """One examined stretch of sound, kept for a report."""

    start_seconds: float
    stop_seconds: float
    log_mel: Float[np.ndarray, "mel frame"]
    step_probabilities: Float[np.ndarray, " step"] | None
    step_seconds: float


@dataclass(frozen=True)
class FacesSeen:
    """Where one face was in every examined frame of a window, kept for a player's overlay."""

    track: int
    seconds: Float[np.ndarray, " time"]
    boxes: Float[np.ndarray, "time 4"]
    """x0 y0 x1 y1 in pixels of the full-size frame."""
    fake_probabilities: Float[np.ndarray, " time"]


@dataclass
class Evidence:
    """What a report shows beside the verdict."""

    looks: list[FaceLook] = field(default_factory=list)
    faces: list[FacesSeen] = field(default_factory=list)
    sound: list[Listened] = field(default_factory=list)


@dataclass(frozen=True)
class SeenWindow:
    """One face in one window before judgement: its logits, and the crops that are kept."""

    track: int
    seconds: Float[np.ndarray, " time"]
    boxes: Float[np.ndarray, "time 4"]
    logits: Float[np.ndarray, " time"]
    kept: dict[int, UInt8[np.ndarray, "size size 3"]]
    """Crops by their place in time."""
    heats: dict[int, Float[np.ndarray, "rows columns"]]


def keep_window(
    track: int,
    seconds: Float[np.ndarray, " time"],
    boxes: Float[np.ndarray, "time 4"],
    logits: Float[np.ndarray, " time"],
    crops: UInt8[np.ndarray, "time size size 3"],
    masks: Float[np.ndarray, "time rows columns"] | None,
) -> SeenWindow:
    """Keep of a window what evidence needs: the most suspicious crops, and all places."""
    best = sorted(int(i) for i in np.argsort(-logits, kind="stable")[:LOOKS_A_WINDOW])
    heats = {} if masks is None else {place: heat_of(masks[place]) for place in best}
    return SeenWindow(track, seconds, boxes, logits, {place: crops[place] for place in best}, heats)


def settle(
    windows: Iterable[SeenWindow],
    scale_of: Callable[[int], Scale | None],
    evidence: Evidence,
    added: Mapping[WindowKey, float],
) -> None:
    """Turn the logits of all windows into probabilities, on the scale of each track.

    ``added`` is what motion adds to them.
    """
    for window in windows:
        scale = scale_of(window.track)
        if scale is None:
            continue
        level = scale.level - added.get(window_key(window.track, window.seconds), 0.0)
        chances = scale.branch.calibration.probabilities(window.logits - level)
        evidence.faces.append(FacesSeen(window.track, window.seconds, window.boxes, chances))
        for place, crop in window.kept.items():
            evidence.looks.append(
                FaceLook(
                    track=window.track,
                    seconds=float(window.seconds[place]),
                    crop=crop,
                    heat=window.heats.get(place),
                    box=window.boxes[place],
                    fake_probability=float(chances[place]),
                )
            )


def heat_of(mask_logits: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """Give the heat of one crop: by cell, the probability that it was forged.

    A cell's logit is told with its neighbours': alone, the highest one is often a stray beside
    the forgery.
    """
    smooth = cv2.GaussianBlur(
        np.ascontiguousarray(mask_logits, dtype=np.float64),
        ksize=(0, 0),
        sigmaX=HEAT_SPREAD_CELLS,
        borderType=cv2.BORDER_REPLICATE,
    )
    return 1 / (1 + np.exp(-smooth))
