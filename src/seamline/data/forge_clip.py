"""Forges one clip in one kind: an opened clip in, a media file with segments and masks out.

What the kinds share (the tracked faces, the sound) is read once and kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from seamline.data.forge_masks import FaceMask, write_masks
from seamline.data.forge_picture import (
    LEAST_TRACK_SECONDS,
    FacePath,
    TrackBlend,
    at_steady_rate,
    draw_blend,
    follow_faces,
    forged_frames,
    frame_at,
)
from seamline.data.forge_voice import (
    LEAST_SPLICED_SECONDS,
    copy_voice,
    is_silent,
    splice_voice,
)
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.probe import MediaInfo, probe
from seamline.media.write import write_audio, write_video

KINDS = ("video", "audio", "both", "none", "splice")
RATE_HZ = 16000
DEFAULT_FRAMES_PER_SECOND = 25.0

_FORGES_PICTURE = frozenset({"video", "both"})
_FORGES_VOICE = frozenset({"audio", "both", "splice"})


@dataclass(frozen=True)
class ForgedClip:
    """A fake on the disk and what is known of it."""

    path: Path
    method: str
    segments_json: str
    """The forged spans in the words of a verdict's segments, as JSON."""
    masks: Path | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class OpenClip:
    """A clip that can be read; its faces and sound are found when first asked for."""

    path: Path
    media: MediaInfo
    detector: FaceDetector
    min_face_px: float
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Whether it becomes a video or a sound file."""
        return "audio" if self.media.kind == "audio" else "video"

    @cached_property
    def faces(self) -> list[FacePath]:
        """The tracked faces."""
        return follow_faces(
            self.path, self.detector, min_face_px=self.min_face_px, warnings=self.notes
        )

    @cached_property
    def samples(self) -> Float32[np.ndarray, " sample"] | None:
        """The sound at 16 kHz from 0 s on, or None."""
        if self.media.audio is None:
            return None
        sound = next(read_audio(self.path, sample_rate_hz=RATE_HZ, warnings=self.notes))
        start = round(sound.start_seconds * RATE_HZ)
        placed = np.pad(sound.samples[max(0, -start) :], (max(0, start), 0))
        return placed.astype(np.float32, copy=False)

    def lacks(self, kind: str) -> str | None:
        """Say why this kind cannot be made of the clip; None if it can."""
        if self.media.kind == "image":
            return "a photo, not a clip"
        if kind in _FORGES_VOICE:
            if self.samples is None:
                return "no audio stream"
            if is_silent(self.samples):
                return "its sound is silent"
            seconds = len(self.samples) / RATE_HZ
            if kind == "splice" and seconds < LEAST_SPLICED_SECONDS:
                return f"{seconds:.1f} s of sound; a splice needs {LEAST_SPLICED_SECONDS:g} s"
        if kind in _FORGES_PICTURE:
            if self.media.video is None:
                return "no video stream"
            if not self.faces:
                return (
                    f"no face of at least {self.min_face_px:g} px "
                    f"for at least {LEAST_TRACK_SECONDS:g} s"
                )
        return None

    def labels(self, kind: str) -> tuple[str, str]:
        """Return video_label and audio_label; empty where there is no such stream."""
        video = "fake" if kind in _FORGES_PICTURE else "real"
        audio = "fake" if kind in _FORGES_VOICE else "real"
        return ("" if self.media.video is None else video), ("" if self.samples is None else audio)

    def forge(
        self, kind: str, folder: Path, name: str, generator: np.random.Generator, crf: float
    ) -> ForgedClip:
        """Write the fake into ``folder``; the file appears whole or not at all."""
        blends = self._draw_blends(generator) if kind in _FORGES_PICTURE else []
        samples, heard = self._voice(kind, generator)
        methods = [f"self-blend ({', '.join(sorted({b.region for b in blends}))})"] * bool(blends)
        methods += ["griffin-lim splice" if kind == "splice" else "griffin-lim"] * bool(heard)
        if self.media.video is None:
            assert samples is not None  # a file with neither stream is unreadable
            path = folder / f"{name}.wav"
            unfinished = folder / f".{path.name}.part"
            write_audio(unfinished, samples, RATE_HZ)
        else:
            path = folder / f"{name}.mp4"
            unfinished = folder / f".{name}.part.mp4"
            rate = self._frames_per_second()
            frames = at_steady_rate(forged_frames(self.path, blends, self.notes), rate)
            write_video(
                unfinished,
                frames,
                rate,
                samples=samples,
                sample_rate_hz=RATE_HZ,
                crf=crf,
                options={"preset": "veryfast"},
            )
        masks = self._write_masks(folder / f"{name}.masks.npz", blends)
        unfinished.replace(path)
        segments = [*self._seen_segments([blend.mask for blend in blends]), *heard]
        notes = tuple(dict.fromkeys(self.notes))
        return ForgedClip(path, " + ".join(methods), json.dumps(segments), masks, notes)

    def _draw_blends(self, generator: np.random.Generator) -> list[TrackBlend]:
        return [
            draw_blend(face, frame_at(self.path, face.seconds[len(face.seconds) // 2]), generator)
            for face in self.faces
        ]

    def _voice(
        self, kind: str, generator: np.random.Generator
    ) -> tuple[Float32[np.ndarray, " sample"] | None, list[dict[str, object]]]:
        """Return the sound to write and its forged spans."""
        if self.samples is None or kind not in _FORGES_VOICE:
            return self.samples, []
        if kind == "splice":
            samples, spans = splice_voice(self.samples, generator, RATE_HZ)
        else:
            samples = copy_voice(self.samples, generator, RATE_HZ)
            spans = [(0.0, len(samples) / RATE_HZ)]
        return samples, [
            {"modality": "audio", "track": None, "start_seconds": a, "stop_seconds": b}
            for a, b in spans
        ]

    def _seen_segments(self, masks: list[FaceMask]) -> Iterator[dict[str, object]]:
        for mask in masks:
            for start, stop in mask.spans(1 / self._frames_per_second()):
                yield {
                    "modality": "video",
                    "track": mask.track,
                    "start_seconds": start,
                    "stop_seconds": stop,
                }

    def _frames_per_second(self) -> float:
        assert self.media.video is not None
        return self.media.video.frames_per_second or DEFAULT_FRAMES_PER_SECOND

    def _write_masks(self, path: Path, blends: list[TrackBlend]) -> Path | None:
        if not blends:
            return None
        write_masks(path, [blend.mask for blend in blends])
        return path


def open_clip(path: Path, detector: FaceDetector, min_face_px: float) -> OpenClip:
    """Open a clip; raises `UnreadableMedia`."""
    if not path.exists():
        raise UnreadableMedia(path, "no such file")
    media = probe(path)
    return OpenClip(path, media, detector, min_face_px, list(media.warnings))
