"""The demo: two short clips from one public-domain portrait, a genuine and a self-blended one.

A camera drifts over the portrait of the astronaut Eileen Collins (NASA, public domain); in the
second clip her face was first replaced by a changed view of itself. Folder in, two paths out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seamline.data.augment import Image
from seamline.data.self_blend import change_view, mix, region_mask
from seamline.faces.mtcnn import FaceDetector
from seamline.media.write import write_video

PORTRAIT = Path(__file__).parents[1] / "demo" / "astronaut.jpg"
SECONDS, FRAMES_PER_SECOND = 4.0, 25
SIDE_PX = 480
SEED = 6  # of the blend: one that an attentive eye can see
SAME_BYTES = {"threads": "1", "mbtree": "0"}  # else x264 differs from run to run, and so do scores


def make_demo(folder: Path) -> tuple[Path, Path]:
    """Write ``genuine.mp4`` and ``self-blended.mp4`` into ``folder``; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    portrait = read_portrait()
    clips = {"genuine.mp4": portrait, "self-blended.mp4": blend_portrait(portrait)}
    for name, picture in clips.items():
        write_video(folder / name, _drift(picture), FRAMES_PER_SECOND, options=SAME_BYTES)
    genuine, blended = (folder / name for name in clips)
    return genuine, blended


def read_portrait() -> Image:
    """Read the portrait that the package carries."""
    picture = cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"The demo portrait {PORTRAIT} is missing; install Seamline again.")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def blend_portrait(portrait: Image, seed: int = SEED) -> Image:
    """Paste a changed view of the face over itself, as face swaps leave it."""
    generator = np.random.default_rng(seed)
    landmarks = FaceDetector().detect([portrait])[0][0].landmarks.astype(np.float64)
    mask = region_mask(portrait.shape[:2], landmarks, "face", generator)
    return mix(change_view(portrait, generator), portrait, mask / mask.max())


def _drift(picture: Image) -> Iterator[UInt8[np.ndarray, "side side 3"]]:
    """Pan and zoom slowly, as a hand-held camera would."""
    count = int(SECONDS * FRAMES_PER_SECOND)
    noise = np.random.default_rng(0)
    for index in range(count):
        phase = 2 * np.pi * index / count
        scale = SIDE_PX / picture.shape[0] * (1.15 + 0.1 * np.sin(phase))
        matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float64)
        centre = np.array([picture.shape[1] * 0.45, picture.shape[0] * 0.38])
        target = np.array([SIDE_PX / 2 + 12 * np.cos(phase), SIDE_PX / 2 + 6 * np.sin(2 * phase)])
        matrix[:, 2] = target - scale * centre
        frame = cv2.warpAffine(
            picture, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        grain = noise.normal(0.0, 2.0, (SIDE_PX, SIDE_PX, 3)).astype(np.float32)
        yield cv2.add(frame, grain, dtype=cv2.CV_8U)
