"""Scores one clip by whatever branches a bundle has: crops and sound in, logits a sense out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from seamline.clips.clip import Clip, FaceCrops
from seamline.faces.flow import change_maps, pick_centres
from seamline.faces.quality import measure_quality
from seamline.scoring.branch import judge_of
from seamline.scoring.findings import FaceScores, MouthSteps, SoundSteps
from seamline.voice.logmel import log_mel
from seamline.zoo.bundle import Bundle

MOST_MOMENTS, LEAST_MOMENTS = 9, 3  # of a window that the motion branch judges
LEAST_RUN_STEPS = 12  # a mouth seen for less is not embedded: every step leans on its neighbours


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
    strangeness: Float[np.ndarray, " time"] | None = None
    """How far each crop lies from the faces of training."""


def score_clip(bundle: Bundle, clip: Clip, *, spoken: bool, listen: bool) -> ClipLogits:
    """Score a clip; its sound counts if ``spoken``, and is scored by itself if ``listen``."""
    mel, samples = (clip.log_mel, clip.samples) if spoken else (None, None)
    crops = None if clip.faces is None else clip.faces.crops
    if "both" in bundle.branches:
        if crops is None and mel is None:
            return ClipLogits()
        pair = bundle.score_pair(crops, mel, samples)
        picture = None if crops is None else np.full(len(crops), pair.picture)
        voice = None if pair.voice is None else np.array([pair.voice])
        return ClipLogits(picture, None, voice, pair.together)
    picture = masks = strange = voice = None
    if crops is not None and judge_of("video", bundle.branches):
        picture, masks, strange = bundle.score_faces(crops)
    if mel is not None and listen and "voice" in bundle.branches:
        voice = voice_logits(bundle, clip)
    return ClipLogits(picture, masks, voice, strangeness=strange)


def voice_logits(bundle: Bundle, clip: Clip) -> Float[np.ndarray, " step"]:
    """Score a clip's sound, heard with as much of what lies around it as the branch asks for."""
    branch = bundle.branches["voice"]
    assert clip.samples is not None
    if not (branch.context_seconds and branch.step_seconds):
        return bundle.score_voice(clip.log_mel, clip.samples)
    mel = bundle.contract.mel
    step = round(branch.step_seconds * mel.sample_rate_hz)
    most = round(branch.context_seconds * mel.sample_rate_hz)
    none = np.zeros(0, np.float32)
    before = none if clip.before is None else clip.before
    after = none if clip.after is None else clip.after
    lead = min(most, len(before)) // step  # whole steps, so that the window's own stay in place
    around = (before[len(before) - lead * step :], clip.samples, after[:most])
    sound = np.concatenate(around)
    bands = log_mel(sound, mel) if bundle.reads("voice", "log_mel") else None
    logits = bundle.score_voice(bands, sound)
    steps = math.ceil(mel.frames(len(clip.samples)) * mel.hop_samples / step)
    return logits[lead : lead + steps]


def face_scores(
    bundle: Bundle,
    faces: FaceCrops,
    logits: Float[np.ndarray, " time"],
    strangeness: Float[np.ndarray, " time"] | None = None,
) -> FaceScores:
    """Put together what is known of a window's faces: logits, quality, and what motion adds."""
    quality = measure_quality(
        faces.crops,
        faces.landmarks,
        faces.detection_scores,
        crop_px=faces.face_px * bundle.contract.margin,
    )
    return FaceScores(
        track=faces.track,
        seconds=faces.seconds,
        logits=logits,
        face_px=faces.face_px,
        quality=quality,
        motion=motion_evidence(bundle, faces),
        strangeness=None if strangeness is None else float(np.mean(strangeness)),
    )


def motion_evidence(bundle: Bundle, faces: FaceCrops) -> float | None:
    """Give what the motion branch adds to the logits of a window's faces, if it saw enough."""
    if "motion" not in bundle.branches or faces.motion is None:
        return None
    centres = pick_centres(faces.motion.seconds, MOST_MOMENTS)
    if len(centres) < LEAST_MOMENTS:
        return None
    logits = bundle.score_motion(change_maps(faces.motion.crops, centres))
    return bundle.branches["motion"].evidence(float(logits.mean()))


def sync_steps(
    bundle: Bundle, clip: Clip, *, spoken: bool, listen: bool
) -> tuple[MouthSteps | None, SoundSteps | None]:
    """Embed a clip's mouth and, if ``listen``, its sound, both on the file's even steps.

    Where nobody is ``spoken``, there is nothing to compare.
    """
    cut = bundle.contract
    if "sync" not in bundle.branches or cut.mouth is None or clip.log_mel is None or not spoken:
        return None, None
    step, column = cut.mouth.step_seconds, cut.mel.hop_samples / cut.mel.sample_rate_hz
    first = math.ceil(clip.start_seconds / step - 1e-6)
    mel = clip.log_mel[:, round((first * step - clip.start_seconds) / column) :]
    mouths = clip.faces.mouths if clip.faces is not None else None
    seen = (
        [] if mouths is None else [r for r in runs(mouths.seen) if r[1] - r[0] >= LEAST_RUN_STEPS]
    )
    heard = None
    vectors: np.ndarray | None = None
    for start, stop in seen:
        assert mouths is not None
        found, heard = bundle.embed_sync(mouths.crops[start:stop], mel)
        if vectors is None:
            vectors = np.full((len(mouths.seen), found.shape[1]), np.nan, np.float32)
        vectors[start:stop] = found
    sound = None
    if listen:
        if heard is None:
            _, heard = bundle.embed_sync(None, mel)
        sound = SoundSteps(first, heard[: round((mel.shape[1] - 1) * column / step)])
    if vectors is None or clip.faces is None or mouths is None:
        return None, sound
    motion = float(np.median([mouth_motion(mouths.crops[a:b]) for a, b in seen]))
    return MouthSteps(clip.faces.track, first, vectors, motion, clip.faces.face_px), sound


def mouth_motion(crops: UInt8[np.ndarray, "step size size"]) -> float:
    """Tell how much a mouth changes from step to step, over its contrast."""
    pixels = crops.astype(np.float32)
    return float(np.abs(np.diff(pixels, axis=0)).mean()) / (float(pixels.std()) + 1.0)


def runs(flags: Bool[np.ndarray, " step"]) -> list[tuple[int, int]]:
    """List the stretches [start, stop) of true flags."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
