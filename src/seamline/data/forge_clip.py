"""Forges one clip in one kind: an opened clip in, a media file with segments and masks out.

What the kinds share (the tracked faces, the sound) is read once and kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from seamline.data.forge_kinds import ForgeSettings, Kind
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
from seamline.data.forge_sound import (
    RATE_HZ,
    Donor,
    NothingToForge,
    Samples,
    forge_sound,
    read_sound,
    segment,
)
from seamline.data.forge_spans import LEAST_SPLICED_SECONDS, Span, draw_spans, within
from seamline.data.forge_voice import is_silent
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.probe import MediaInfo, probe
from seamline.media.write import write_audio, write_video
from seamline.voice.activity import speech_activity

DEFAULT_FRAMES_PER_SECOND = 25.0
# Macroblock trees and threads make x264 write other bytes each time; a seed shall give the same.
X264 = {"preset": "veryfast", "threads": "1", "mbtree": "0"}
FADE_SECONDS = 0.12  # of a spliced picture: three frames at 25 a second


@dataclass(frozen=True)
class ForgedClip:
    """A fake on the disk and what is known of it."""

    path: Path
    method: str
    segments_json: str
    """The forged spans in the words of a verdict's segments, as JSON."""
    masks: Path | None
    regions: str
    """What parts of the faces were blended."""
    shift_seconds: float | None
    donor: str
    """Where a swapped sound came from."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class OpenClip:
    """A clip that can be read; its faces and sound are found when first asked for."""

    path: Path
    media: MediaInfo
    detector: FaceDetector
    settings: ForgeSettings
    donor: Donor
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Whether it becomes a video or a sound file."""
        return "audio" if self.media.kind == "audio" else "video"

    @cached_property
    def faces(self) -> list[FacePath]:
        """The tracked faces."""
        return follow_faces(
            self.path, self.detector, min_face_px=self.settings.min_face_px, warnings=self.notes
        )

    @cached_property
    def samples(self) -> Samples | None:
        """The sound at 16 kHz from 0 s on, or None."""
        return None if self.media.audio is None else read_sound(self.path, self.notes)

    def lacks(self, kind: Kind) -> str | None:
        """Say why this kind cannot be made of the clip; None if it can."""
        if self.media.kind == "image":
            return "a photo, not a clip"
        if kind.changes_sound:
            if self.samples is None:
                return "no audio stream"
            if is_silent(self.samples):
                return "its sound is silent"
        if (kind.picture or kind.sync) and self.media.video is None:
            return "no video stream"
        if kind.picture and not self.faces:
            return (
                f"no face of at least {self.settings.min_face_px:g} px "
                f"for at least {LEAST_TRACK_SECONDS:g} s"
            )
        seconds = self._seconds(kind)
        if kind.spliced and seconds < LEAST_SPLICED_SECONDS:
            part = "sound" if kind.changes_sound else "faces"
            return f"{seconds:.1f} s of {part}; a splice needs {LEAST_SPLICED_SECONDS:g} s"
        if kind.spliced and self.settings.spans and not within(self.settings.spans, seconds):
            return f"no span that was asked for lies in its {seconds:.1f} s"
        if kind.sync == "sync" and abs(self.settings.shift_seconds or 0.0) * 2 > seconds:
            return f"{seconds:.1f} s of sound; a shift needs twice its own length"
        return None

    def forge(
        self, kind: Kind, folder: Path, name: str, generator: np.random.Generator
    ) -> ForgedClip:
        """Write the fake into ``folder``; the file appears whole or not at all.

        Raises `NothingToForge` where a draw met nothing, and `UnreadableMedia`.
        """
        spans = self._spans(kind, generator) if kind.spliced else None
        blends = self._draw_blends(kind, spans, generator) if kind.picture else []
        sound = forge_sound(kind, self.samples, spans, generator, self.settings, self.donor)
        part = "mouth self-blend" if kind.picture == "lips" else "self-blend"
        methods = [part] * bool(blends) + sound.methods
        path = folder / (f"{name}.wav" if self.media.video is None else f"{name}.mp4")
        unfinished = folder / f".{path.stem}.part{path.suffix}"
        try:
            self._write(unfinished, blends, sound.samples)
            masks = self._write_masks(folder / f"{name}.masks.npz", blends)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        segments = [*self._seen_segments([b.mask for b in blends]), *sound.segments]
        return ForgedClip(
            path,
            " + ".join(methods) + (" splice" if kind.spliced else ""),
            json.dumps(segments),
            masks,
            ", ".join(sorted({blend.region for blend in blends})),
            sound.shift_seconds,
            sound.donor,
            tuple(dict.fromkeys(self.notes)),
        )

    def _seconds(self, kind: Kind) -> float:
        """How long everything that the kind forges lasts."""
        lasts = (
            [len(self.samples) / RATE_HZ] if kind.changes_sound and self.samples is not None else []
        )
        if kind.picture and self.faces:
            lasts.append(max(float(face.seconds[-1]) for face in self.faces))
        return min(lasts, default=0.0)

    def _spans(self, kind: Kind, generator: np.random.Generator) -> list[Span]:
        seconds = self._seconds(kind)
        if self.settings.spans:
            return within(self.settings.spans, seconds)
        present = []
        if kind.changes_sound:
            assert self.samples is not None  # `lacks` was asked
            present.append(speech_activity(self.samples, RATE_HZ))
        if kind.picture:
            longest = max(self.faces, key=lambda face: len(face.seconds))
            present.append([(float(longest.seconds[0]), float(longest.seconds[-1]))])
        return draw_spans(seconds, generator, present)

    def _draw_blends(
        self, kind: Kind, spans: Sequence[Span] | None, generator: np.random.Generator
    ) -> list[TrackBlend]:
        blends = []
        region = "mouth" if kind.picture == "lips" else None
        for face in self.faces:
            seconds = face.seconds
            if spans is not None:
                inside = [(seconds >= start) & (seconds < stop) for start, stop in spans]
                seconds = seconds[np.any(inside, axis=0)]
            if len(seconds) == 0:
                continue
            blend = draw_blend(
                face, frame_at(self.path, seconds[len(seconds) // 2]), generator, region
            )
            if spans is not None:
                frame_seconds = 1 / self._frames_per_second()
                blend = replace(blend, mask=blend.mask.only(spans, FADE_SECONDS, frame_seconds))
            blends.append(blend)
        if not blends:
            raise NothingToForge("no face is seen in the seconds to forge")
        return blends

    def _write(self, path: Path, blends: list[TrackBlend], samples: Samples | None) -> None:
        if self.media.video is None:
            assert samples is not None  # a file with neither stream is unreadable
            write_audio(path, samples, RATE_HZ)
            return
        rate = self._frames_per_second()
        write_video(
            path,
            at_steady_rate(forged_frames(self.path, blends, self.notes), rate),
            rate,
            samples=samples,
            sample_rate_hz=RATE_HZ,
            crf=self.settings.crf,
            options=X264,
        )

    def _seen_segments(self, masks: list[FaceMask]) -> list[dict[str, object]]:
        frame_seconds = 1 / self._frames_per_second() if masks else 0.0
        return [
            segment("video", mask.track, span)
            for mask in masks
            for span in mask.spans(frame_seconds)
        ]

    def _frames_per_second(self) -> float:
        assert self.media.video is not None
        return self.media.video.frames_per_second or DEFAULT_FRAMES_PER_SECOND

    def _write_masks(self, path: Path, blends: list[TrackBlend]) -> Path | None:
        if not blends:
            return None
        write_masks(path, [blend.mask for blend in blends])
        return path


def open_clip(
    path: Path, detector: FaceDetector, settings: ForgeSettings, donor: Donor
) -> OpenClip:
    """Open a clip; raises `UnreadableMedia`. ``donor`` gives another clip's name and sound."""
    if not path.exists():
        raise UnreadableMedia(path, "no such file")
    media = probe(path)
    return OpenClip(path, media, detector, settings, donor, list(media.warnings))
