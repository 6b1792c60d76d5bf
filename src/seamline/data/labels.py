"""Tells what of a fake is fake by its original: pairs of files in, picture and voice labels out.

Comparing frames or samples bit for bit says "fake" of everything that was ever re-encoded. Here
the voice is real if its waveform follows the original's, and the picture is real if the face did
not change more than what lies around it; both within a tolerance measured on re-encoded pairs
(``benchmarks/labels.py``, ``docs/results/labels.md``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seamline.data.labels_picture import PictureDistance, compare_pictures
from seamline.data.labels_voice import VoiceDistance, compare_voices
from seamline.data.manifest import Sample
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.probe import MediaInfo, probe

RATE_HZ = 16000
UNREAD = "Cannot read"  # how the reason begins where a file of a pair is unreadable


@dataclass(frozen=True)
class Tolerance:
    """How much re-encoding may change; see ``docs/results/labels.md`` for how it was chosen."""

    most_excess: float = 7.5
    """Grey levels by which a spot of the face may change more than coding explains."""
    heavy_outside: float = 4.5
    """Grey levels of change outside of the face from which on coding counts as heavy."""
    heavy_excess: float = 17.0
    """The same as ``most_excess`` under heavy coding; between the two nothing can be told."""
    least_correlation: float = 0.6
    """Least correlation of the most unlike half second of the voice with the original's."""


@dataclass(frozen=True)
class PairLabels:
    """The two labels of a file, what was measured, and why a label is empty."""

    video_label: str
    audio_label: str
    picture: PictureDistance | None
    voice: VoiceDistance | None
    video_reason: str | None
    audio_reason: str | None
    tolerance: Tolerance

    def columns(self) -> dict[str, str]:
        """Return the measured distances as further columns of a manifest."""
        cells: dict[str, str] = {}
        if self.picture is not None:
            for name in ("face_change", "outside_change", "face_psnr_db", "outside_psnr_db"):
                cells[name] = _cell(getattr(self.picture, name), 2)
            for name in ("face_ssim", "outside_ssim"):
                cells[name] = _cell(getattr(self.picture, name), 4)
        if self.voice is not None:
            cells["voice_lag_seconds"] = _cell(self.voice.lag_seconds, 4)
            cells["voice_correlation"] = _cell(self.voice.correlation, 3)
            cells["voice_worst_correlation"] = _cell(self.voice.worst_correlation, 3)
            cells["voice_log_mel_db"] = _cell(self.voice.log_mel_db, 2)
            cells["voice_unlike_seconds"] = json.dumps(self.unlike_seconds())
        reasons = {"picture": self.video_reason, "voice": self.audio_reason}
        cells["unlabelled"] = "; ".join(f"{k}: {v}" for k, v in reasons.items() if v)
        return cells

    def unlike_seconds(self) -> list[tuple[float, float]]:
        """Return where the voice does not follow the original's, to a tenth of a second."""
        if self.voice is None:
            return []
        spans = self.voice.unlike_spans(self.tolerance.least_correlation)
        return [(round(start, 2), round(stop, 2)) for start, stop in spans]


def label_pair(
    path: str | Path,
    original: str | Path,
    detector: FaceDetector,
    tolerance: Tolerance | None = None,
) -> PairLabels:
    """Label a file by its original. Raises `UnreadableMedia` where one of the two cannot be read.

    A label is empty where it cannot be told: one of the two lacks the stream, no face was found,
    nothing is heard.
    """
    tolerance = tolerance or Tolerance()
    ours, theirs = probe(path), probe(original)
    picture = _lacking(ours, theirs, "video") or compare_pictures(path, original, detector)
    voice = _lacking(ours, theirs, "audio") or compare_sounds(path, original)
    video_label = audio_label = ""
    video_reason = picture if isinstance(picture, str) else None
    if isinstance(picture, PictureDistance):
        video_label = picture_label(picture, tolerance)
        video_reason = None if video_label else "coded too heavily to tell a forgery from its noise"
    if isinstance(voice, VoiceDistance):
        is_far = voice.worst_correlation < tolerance.least_correlation
        audio_label = "fake" if is_far else "real"
    return PairLabels(
        video_label,
        audio_label,
        picture if isinstance(picture, PictureDistance) else None,
        voice if isinstance(voice, VoiceDistance) else None,
        video_reason,
        voice if isinstance(voice, str) else None,
        tolerance,
    )


def picture_label(picture: PictureDistance, tolerance: Tolerance) -> str:
    """Decide by the excess; empty where heavy coding could have made it."""
    is_heavy = (picture.outside_change or 0.0) > tolerance.heavy_outside
    if picture.excess <= tolerance.most_excess:
        return "real"
    return "" if is_heavy and picture.excess <= tolerance.heavy_excess else "fake"


def compare_sounds(path: str | Path, original: str | Path) -> VoiceDistance | str:
    """Measure a file's sound against its original's, or say why that cannot be done."""
    parts = []
    for file in (path, original):
        sound = next(read_audio(file, sample_rate_hz=RATE_HZ))
        start = round(sound.start_seconds * RATE_HZ)
        parts.append(np.pad(sound.samples[max(0, -start) :], (max(0, start), 0)))
    distance = compare_voices(parts[0], parts[1], RATE_HZ)
    return distance or "nothing is heard in half a second or more of both"


def label_samples(
    samples: Sequence[Sample],
    detector: FaceDetector,
    *,
    tolerance: Tolerance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Fill in the labels of all samples that name an ``original``; one bad file never ends it.

    A label that is there is kept, and what is real as a whole stays real in both; where the
    measurement contradicts it, ``unlabelled`` says so.
    """
    labelled = []
    for number, sample in enumerate(samples, 1):
        labelled.append(_label_sample(sample, detector, tolerance))
        if progress is not None:
            progress(number, len(samples))
    return labelled


def _label_sample(sample: Sample, detector: FaceDetector, tolerance: Tolerance | None) -> Sample:
    original = sample.extra.get("original")
    if not original:
        return sample
    try:
        pair = label_pair(sample.file, sample.root / original, detector, tolerance)
    except UnreadableMedia as error:
        return replace(sample, extra={**sample.extra, "unlabelled": str(error)})
    cells = pair.columns()
    notes = [cells.pop("unlabelled")]
    found = {"video_label": pair.video_label, "audio_label": pair.audio_label}
    for column, measured in found.items():
        known = getattr(sample, column) or ("real" if sample.label == "real" else "")
        if known and measured and known != measured:
            notes.append(f"{column} is {known}, measured {measured}")
            found[column] = known
    return replace(
        sample,
        video_label=sample.video_label or found["video_label"],
        audio_label=sample.audio_label or found["audio_label"],
        extra={**sample.extra, **cells, "unlabelled": "; ".join(note for note in notes if note)},
    )


def _lacking(ours: MediaInfo, theirs: MediaInfo, stream: str) -> str | None:
    if getattr(ours, stream) is None:
        return f"no {stream} stream"
    if getattr(theirs, stream) is None:
        return f"the original has no {stream} stream"
    return None


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
