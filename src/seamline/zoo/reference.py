"""Measures genuine footage with a bundle: a path in, a `Reference` to judge other files against.

The footage goes the same road as a scanned file. It must show a face for at least a second.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from seamline.clips.clip import FaceCrops
from seamline.clips.extract import Clips, extract
from seamline.clips.window import WindowPlan
from seamline.errors import BadReference, UnreadableMedia
from seamline.faces.identity import describe_faces, same_person
from seamline.faces.mtcnn import FaceDetector
from seamline.media.hashing import file_sha256
from seamline.media.upright import Turn
from seamline.scoring.branch import judge_of
from seamline.scoring.findings import LEAST_TRACK_SECONDS, FaceScores
from seamline.scoring.motion import joined_logits
from seamline.scoring.pool import pool_logits
from seamline.scoring.reference import Reference, ReferenceTrack
from seamline.zoo.bundle import Bundle
from seamline.zoo.clip_scores import motion_evidence

DESCRIBED_A_WINDOW = 3
"""Faces described per person and window: the surest, which are the most frontal."""


def require_reference_branch(bundle: Bundle) -> None:
    """Refuse a bundle that has no calibration for scores relative to a reference."""
    name = judge_of("video", bundle.branches)
    if name == "both":
        raise BadReference(
            f"A reference was given, but {bundle.name} judges picture and voice together and takes "
            "none. Leave --reference out, or use a model with a picture branch of its own."
        )
    if name is None or not bundle.branches[name].takes_references:
        found = "no picture branch" if name is None else "no calibration for it"
        raise BadReference(
            f"A reference was given, but {bundle.name} {bundle.version} has {found}. "
            "Leave --reference out, or use a model that was exported with one."
        )


def describe(faces: FaceCrops) -> Float[np.ndarray, " dim"]:
    """Sum the vectors of the faces of one window that the detector is surest of."""
    best = np.argsort(-faces.detection_scores, kind="stable")[:DESCRIBED_A_WINDOW]
    return describe_faces(faces.crops[best], faces.landmarks[best]).sum(axis=0)


@dataclass
class _Seen:
    """Each track's scores and descriptions, a window each."""

    scores: dict[int, list[FaceScores]]
    likeness: dict[int, list[np.ndarray]]


def _look_at(clips: Clips, bundle: Bundle) -> _Seen:
    seen = _Seen(defaultdict(list), defaultdict(list))
    for clip in clips:
        if clip.faces is not None:
            faces = clip.faces
            logits = bundle.score_faces(faces.crops).logits
            motion = motion_evidence(bundle, faces)
            seen.scores[faces.track].append(
                FaceScores(faces.track, faces.seconds, logits, faces.face_px, motion=motion)
            )
            seen.likeness[faces.track].append(describe(faces))
    return seen


def read_reference(
    path: str | Path,
    bundle: Bundle,
    detector: FaceDetector,
    *,
    thorough: bool = False,
    min_face_px: float = 48.0,
    threads: int = 0,
) -> Reference:
    """Measure genuine footage; raises `BadReference` where it cannot serve as such."""
    require_reference_branch(bundle)
    plan = WindowPlan(max_windows=None) if thorough else WindowPlan()

    def look(turn: Turn) -> tuple[Clips, _Seen]:
        clips = extract(
            path,
            bundle.contract,
            plan=plan,
            detector=detector,
            min_face_px=min_face_px,
            threads=threads,
            dense="all" if thorough else "some",
            turn=turn,
        )
        return clips, _look_at(clips, bundle)

    try:
        clips, found = look(0)
        if not clips.looks.found_somebody:
            turn = clips.looks.find_turn(detector, min_face_px)
            if turn:
                found = look(turn)[1]
        sha256 = file_sha256(path)
    except UnreadableMedia as error:
        raise BadReference(
            f"The reference {path} cannot be read: {error.reason}. Name footage that plays."
        ) from error
    branch = bundle.branches[judge_of("video", bundle.branches) or ""]
    step = bundle.contract.frame_step_seconds
    tracks = []
    for track, parts in sorted(found.scores.items()):
        joined, total = joined_logits(parts), np.sum(found.likeness[track], axis=0)
        pooled = pool_logits(joined, branch.pool_sharpness)
        seconds = len(joined) * step
        if pooled is not None and seconds >= LEAST_TRACK_SECONDS - 1e-6:
            tracks.append(ReferenceTrack(total / np.linalg.norm(total), pooled, seconds))
    if not tracks:
        raise BadReference(
            f"The reference {path} was asked for a face of at least {min_face_px:g} px for at "
            f"least {LEAST_TRACK_SECONDS:g} s, and {_seen(found.scores, step)}. "
            "Name footage that shows the person, or try a smaller --min-face-px."
        )
    return Reference(str(path), sha256, tuple(tracks), same_person())


def _seen(found: dict[int, list[FaceScores]], step_seconds: float) -> str:
    longest = max((sum(len(one.logits) for one in parts) for parts in found.values()), default=0)
    if longest == 0:
        return "no face was found"
    return f"the longest was seen for {longest * step_seconds:.2g} s"
