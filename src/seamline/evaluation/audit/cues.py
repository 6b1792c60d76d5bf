"""Measures what a file gives away without being looked at as a forgery: a sample in, cues out.

Of a picture its length, size, coding, light and how high the face stands; of a sound its level,
bandwidth, silences and noise. Numbers, words (a codec's name), or None where there is nothing to
measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from seamline.data.manifest import Sample
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.probe import MediaInfo, probe
from seamline.media.video import stream_frames

Cue = float | str | None
Cues = dict[str, Cue]

RATE_HZ = 16000
SOUND_SECONDS = 60.0
"""How much of a file's sound is measured, from its start on."""
LEVEL_SAMPLES = 320
SILENCE_DB = 40.0
"""So far below its loudest 20 ms a stretch counts as silent."""
STEP_SECONDS = 0.25
_NOTHING = 1e-10

REMEDIES = {
    "duration": "cut files of both classes to one length",
    "bytes": "code both classes alike; nothing that is trained should see sizes",
    "bit rate": "pass both classes through one codec at random rates",
    "frame rate": "take frames by time, never by number",
    "codec": "decode and code both classes alike",
    "pixels": "cut faces by landmarks to one size, as `prepare` does",
    "aspect": "cut faces by landmarks to one size, as `prepare` does",
    "has sound": "never let the presence of sound reach a picture model",
    "brightness": "vary light and contrast of both classes alike",
    "sharpness": "resize, blur and code both classes alike, after the forgery",
    "face height": "cut faces by landmarks to one size, and vary the scale in training",
    "sample rate": "resample both classes to one rate, then low-pass at random",
    "channels": "mix to mono before anything else",
    "loudness": "vary the level of both classes alike",
    "peak": "vary the level of both classes alike",
    "99 % roll-off": "low-pass and resample both classes at random",
    "share above 4 kHz": "low-pass and resample both classes at random",
    "leading silence": "trim or pad silence at random",
    "trailing silence": "trim or pad silence at random",
    "noise floor": "add noise to both classes at random",
    "zeros": "add noise or dither to both classes",
    "person": "take genuine files of the people whose fakes there are, and fakes of the others",
    "source": "measure within sources, and train on sources that hold both classes",
}
"""What to do about a cue that tells."""


@dataclass(frozen=True)
class Measured:
    """What one file gives away, by sense; ``reason`` says why it could not be read."""

    sample: Sample
    picture: Cues | None
    voice: Cues | None
    reason: str | None = None


def measure(sample: Sample, detector: FaceDetector) -> Measured:
    """Measure the senses of a file whose labels are known."""
    picture = voice = None
    try:
        media = probe(sample.file)
        if sample.picture_truth and media.video is not None:
            picture = picture_cues(sample, media, detector)
        if sample.voice_truth and media.audio is not None:
            voice = sound_cues(sample, media)
    except UnreadableMedia as error:
        return Measured(sample, None, None, error.reason)
    return Measured(sample, picture, voice)


def picture_cues(sample: Sample, media: MediaInfo, detector: FaceDetector) -> Cues:
    """Measure a video or a photo; light, sharpness and face on its middle frame."""
    assert media.video is not None
    seconds = media.duration_seconds or 0.0
    size = sample.file.stat().st_size
    rgb = middle_frame(sample, media)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    (faces,) = detector.detect([rgb])
    tallest = max((float(face.box[3] - face.box[1]) for face in faces), default=None)
    return {
        "duration": seconds or None,
        "bytes": float(size),
        "bit rate": size / seconds if seconds else size / grey.size,
        "frame rate": media.video.frames_per_second,
        "codec": f"{sample.file.suffix.lower()} {media.video.codec}",
        "pixels": float(grey.size),
        "aspect": grey.shape[1] / grey.shape[0],
        "has sound": float(media.audio is not None),
        "brightness": float(grey.mean()),
        "sharpness": float(np.log(cv2.Laplacian(grey, cv2.CV_64F).var() + 1e-3)),
        "face height": None if tallest is None else tallest / grey.shape[0],
    }


def middle_frame(sample: Sample, media: MediaInfo) -> UInt8[np.ndarray, "height width 3"]:
    """Read one frame from the middle of a file, or its first where nothing lies there."""
    half = (media.duration_seconds or 0.0) / 2
    if half:
        spans = [(half, half + 2 * STEP_SECONDS)]
        for frame in stream_frames(sample.file, step_seconds=STEP_SECONDS, spans=spans, threads=1):
            return frame.rgb
    return next(iter(stream_frames(sample.file, step_seconds=STEP_SECONDS, threads=1))).rgb


def sound_cues(sample: Sample, media: MediaInfo) -> Cues:
    """Measure a recording, or the sound of a video."""
    assert media.audio is not None
    spans = [(0.0, SOUND_SECONDS)]
    sound = next(read_audio(sample.file, sample_rate_hz=RATE_HZ, spans=spans)).samples
    alone = media.video is None
    size = float(sample.file.stat().st_size) if alone else None
    seconds = media.audio.duration_seconds or media.duration_seconds or len(sound) / RATE_HZ
    return {
        "duration": seconds,
        "bytes": size,
        "bit rate": None if size is None else size / max(seconds, 1e-3),
        "codec": f"{sample.file.suffix.lower()} {media.audio.codec}",
        "sample rate": float(media.audio.sample_rate_hz),
        "channels": float(media.audio.channels),
        **level_cues(sound.astype(np.float64)),
    }


def level_cues(sound: Float[np.ndarray, " sample"]) -> Cues:
    """Measure level, bandwidth, silences and noise of samples at 16 kHz."""
    if not len(sound):
        return {}
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.arange(len(power)) * RATE_HZ / len(sound)
    share = np.cumsum(power) / max(float(power.sum()), 1e-20)
    count = max(1, len(sound) // LEVEL_SAMPLES)
    parts = np.resize(sound, count * LEVEL_SAMPLES).reshape(count, LEVEL_SAMPLES)
    levels = 10 * np.log10(np.mean(parts**2, axis=1) + _NOTHING)
    loud = np.flatnonzero(levels > levels.max() - SILENCE_DB)
    high = share[min(int(np.searchsorted(hertz, 4000.0)), len(share) - 1)]
    rolled = min(int(np.searchsorted(share, 0.99)), len(hertz) - 1)
    return {
        "loudness": float(10 * np.log10(np.mean(sound**2) + _NOTHING)),
        "peak": float(np.abs(sound).max()),
        "99 % roll-off": float(hertz[rolled]),
        "share above 4 kHz": float(10 * np.log10(max(1 - high, 0.0) + _NOTHING)),
        "leading silence": float(loud[0]) * LEVEL_SAMPLES / RATE_HZ,
        "trailing silence": float(count - 1 - loud[-1]) * LEVEL_SAMPLES / RATE_HZ,
        "noise floor": float(np.percentile(levels, 10)),
        "zeros": float(np.mean(sound == 0)),
    }
