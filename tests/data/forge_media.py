"""Makes clips to forge: the demo portrait in motion, with a babble that stands for a voice."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from seamline.data.demo_clips import read_portrait
from seamline.media.write import write_video

SIDE_PX, RATE = 192, 15


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """A buzz through moving resonances, in syllables, with some breath: 16 kHz."""
    generator = np.random.default_rng(seed)
    count = round(seconds * 16000)
    time = np.arange(count) / 16000
    knots = np.linspace(0, seconds, max(4, int(seconds * 5)))
    pitch = np.interp(time, knots, generator.uniform(90, 180, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    sound = np.zeros(count)
    for low, high in ((300, 900), (900, 2200), (2200, 3400)):
        centre = np.interp(time, knots, generator.uniform(low, high, len(knots)))
        for harmonic in range(1, 30):
            gain = np.exp(-0.5 * ((harmonic * pitch - centre) / 120) ** 2)
            sound += gain * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time + 0.5) + 0.6, 0, 1)
    sound = sound * syllables + generator.normal(0, 0.01, count)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def portrait_frames(seconds: float) -> list[np.ndarray]:
    """The portrait, panned slowly as a hand would."""
    picture = read_portrait()
    frames = []
    for index in range(round(seconds * RATE)):
        scale = SIDE_PX / 300
        shift = (-110 * scale + 4 * np.sin(index / 6), -15 * scale + 3 * np.cos(index / 6))
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        frames.append(cv2.warpAffine(picture, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA))
    return frames


def talking(path: Path, seconds: float = 2.4, sound: bool = True, seed: int = 0) -> Path:
    samples = babble(seconds, seed) if sound else None
    write_video(path, portrait_frames(seconds), RATE, samples=samples)
    return path
