"""Cuts what was found in one window into clips: tracked faces and sound in, `Clip` records out.

Files (`extract`) and live sources are cut by these same rules: what is judged is what was trained
on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from seamline.clips.clip import Clip, FaceCrops, MotionCrops, MouthCrops
from seamline.clips.contract import CropContract
from seamline.faces.align import align_crop, aligned_to_frame
from seamline.faces.track import TrackedFace
from seamline.media.audio import Sound
from seamline.media.video import Frame
from seamline.voice.activity import speech_activity
from seamline.voice.logmel import log_mel

MIN_SOUND_SECONDS = 0.2  # shorter rests at a stream's end carry nothing to judge

CutFace = tuple[TrackedFace, UInt8[np.ndarray, "size size 3"]]


def cut_face(frame: Frame, person: TrackedFace, contract: CropContract) -> CutFace:
    """Cut one face out of its frame."""
    crop = align_crop(
        frame.rgb, person.face.landmarks, margin=contract.margin, size_px=contract.size_px
    )
    return person, crop


def gather_tracks(
    found: Sequence[CutFace],
    contract: CropContract,
    mouths: Mapping[int, MouthCrops] | None = None,
    motions: Mapping[int, MotionCrops] | None = None,
) -> list[FaceCrops]:
    """Sort a window's faces, in time order, into tracks, with what was cut of them besides."""
    mouths, motions = mouths or {}, motions or {}
    tracks: dict[int, list[CutFace]] = {}
    for face in found:
        tracks.setdefault(face[0].track, []).append(face)
    return [
        _gather(tracks[track], contract, mouths.get(track), motions.get(track))
        for track in sorted(tracks)
    ]


def _gather(
    found: Sequence[CutFace],
    contract: CropContract,
    mouths: MouthCrops | None,
    motion: MotionCrops | None,
) -> FaceCrops:
    people = [person for person, _ in found]
    marks = []
    for person in people:
        to_frame = aligned_to_frame(
            person.face.landmarks, margin=contract.margin, size_px=contract.size_px
        )
        to_crop = cv2.invertAffineTransform(to_frame)
        marks.append(person.face.landmarks @ to_crop[:, :2].T + to_crop[:, 2])
    return FaceCrops(
        track=people[0].track,
        seconds=np.array([person.seconds for person in people]),
        crops=np.stack([crop for _, crop in found]),
        boxes=np.stack([person.face.box for person in people]).astype(np.float64),
        landmarks=np.stack(marks).astype(np.float64),
        detection_scores=np.array([person.face.score for person in people]),
        mouths=mouths,
        motion=motion,
    )


def window_clips(
    index: int,
    window: tuple[float, float],
    tracks: Sequence[FaceCrops],
    sound: Sound | None,
    contract: CropContract,
) -> Iterator[Clip]:
    """Yield one clip a person (one without a face where there is none), all with the sound.

    ``sound`` may begin before the window and end after it: what lies around is kept apart.
    """
    samples, mel, speech = None, None, 0.0
    before = after = None
    if sound is not None:
        before, sound, after = _within(sound, window)
    if sound is not None and len(sound.samples) >= MIN_SOUND_SECONDS * sound.sample_rate_hz:
        samples = sound.samples
        mel = log_mel(samples, contract.mel)
        spans = speech_activity(samples, sound.sample_rate_hz)
        speech = float(sum(stop - start for start, stop in spans))
    people: Sequence[FaceCrops | None] = tracks or [None]
    for faces in people:
        yield Clip(index, window[0], window[1], faces, samples, mel, speech, before, after)


def _within(
    sound: Sound, window: tuple[float, float]
) -> tuple[np.ndarray | None, Sound, np.ndarray | None]:
    """Split a sound into what lies before, within and after a window."""
    rate = sound.sample_rate_hz
    first = round(sound.start_seconds * rate)
    start, stop = (round(seconds * rate) - first for seconds in window)
    start, stop = max(0, start), max(0, stop)
    before, after = sound.samples[:start], sound.samples[stop:]
    kept = Sound((first + start) / rate, sound.samples[start:stop], rate)
    return before if len(before) else None, kept, after if len(after) else None
