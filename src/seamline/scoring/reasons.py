"""Why a sense was not examined, and what makes its score less certain, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from seamline.scoring.branch import Branch
from seamline.scoring.findings import Findings

LEAST_SOUND_SECONDS = 0.2  # of a window; shorter ones are not listened to


def no_picture_reason(
    findings: Findings, faces_px: Sequence[int], branch: Branch | None
) -> str | None:
    if findings.media.video is None:
        return "no video stream"
    if branch is None:
        return "this model has no picture branch"
    if findings.media.kind == "image" and "picture" not in findings.branches:
        return "this model judges moving pictures only"
    if findings.frames_examined == 0:
        return "no frame could be decoded"
    if faces_px:
        return None
    least = f"no face of at least {findings.min_face_px:g} px"
    if findings.media.kind == "image":
        return least
    return f"{least} for at least {findings.least_seconds:.2g} s"


def no_voice_reason(findings: Findings, spoken: bool, branch: Branch | None) -> str | None:
    if findings.media.kind == "image":
        return "a photo has no sound"
    if findings.media.audio is None:
        return "no audio stream"
    if branch is None:
        return "this model has no voice branch"
    if not findings.voices:
        seconds = findings.media.duration_seconds
        if seconds is not None and seconds < LEAST_SOUND_SECONDS:
            return f"{seconds:.2f} s of sound: too short to judge"
        return "no sound could be decoded"
    return None if spoken else "no speech found"


def no_sync_reason(findings: Findings, branch: Branch | None) -> str | None:
    media = findings.media
    if media.video is None or media.kind == "image":
        return "no moving picture to compare with"
    if media.audio is None:
        return "no audio stream"
    if branch is None:
        return "this model does not judge synchrony"
    if not findings.sounds:
        return "no speech found"
    return None if findings.mouths else "no face was seen long enough to follow its mouth"


def doubts(findings: Findings, faces_px: Sequence[int], out_of_range: Sequence[str]) -> list[str]:
    """What makes the scores less certain, in plain words."""
    media, found = findings.media, []
    total = media.duration_seconds
    if total is not None and findings.examined_seconds < total - 1:
        found.append(
            f"examined {findings.examined_seconds:.0f} s spread over {total:.0f} s; "
            "--thorough examines all"
        )
    small_px = findings.limits.face_px[0]
    if faces_px and max(faces_px) < small_px:
        found.append(f"no face is larger than {small_px:g} px: scores are less certain")
    picture = media.video
    if faces_px and total and picture is not None and picture.frames_per_second:
        pixels = picture.width * picture.height * picture.frames_per_second * total
        if findings.size_bytes * 8 / pixels < findings.limits.heavy_bits_per_px:
            found.append("heavy compression: scores are less certain")
    for name in out_of_range:
        found.append(f"the {name} is unlike anything that the model was validated on")
    return found
