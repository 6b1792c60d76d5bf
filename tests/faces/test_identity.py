from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from seamline.data.demo_clips import read_portrait
from seamline.faces.identity import (
    WEIGHTS,
    describe_faces,
    load_projection,
    measure_face,
    same_person,
)
from seamline.faces.mtcnn import FaceDetector


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    portrait = read_portrait()
    return portrait, FaceDetector(1).detect([portrait])[0][0].landmarks


def test_a_face_stays_itself_when_shrunk_darkened_and_compressed(face) -> None:
    portrait, marks = face
    small = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])
    dark = (cv2.imdecode(packed, cv2.IMREAD_COLOR) * 0.6).astype(np.uint8)
    first = describe_faces(portrait[None], marks[None])
    second = describe_faces(dark[None], marks[None] / 2)
    assert np.linalg.norm(first) == pytest.approx(1.0)
    assert float(first[0] @ second[0]) > same_person()


def test_a_mirrored_face_measures_nearly_the_same() -> None:
    generator = np.random.default_rng(0)
    crop = cv2.GaussianBlur(generator.integers(0, 255, (160, 160, 3), np.uint8), (0, 0), 4)
    marks = np.array([[50, 60], [110, 60], [80, 95], [58, 120], [102, 120]], np.float64)
    mirrored = marks[[1, 0, 2, 4, 3]] * (-1, 1) + (159, 0)
    one, other = measure_face(crop, marks), measure_face(crop[:, ::-1].copy(), mirrored)
    assert np.abs(one - other).mean() < 0.2 * np.abs(one).mean()


def test_the_weights_are_small_and_hold_no_pickles() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    projection = load_projection()
    assert projection.matrix.shape[0] == len(projection.mean)
    assert 0.0 < projection.same_person < 1.0


CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video" / "faceforensics" / "c23"


@pytest.mark.real_clips
@pytest.mark.skipif(not CLIPS.is_dir(), reason="the research clips are not beside the checkout")
def test_real_people_are_told_apart() -> None:
    from seamline.clips.contract import CropContract
    from seamline.clips.extract import extract
    from seamline.zoo.reference import describe

    halves = []
    for name in ("033", "097", "044", "055"):
        clips = list(extract(CLIPS / "original" / f"{name}.mp4", CropContract()))
        vectors = [describe(clip.faces) for clip in clips if clip.faces is not None]
        halves.append([vector / np.linalg.norm(vector) for vector in (vectors[0], vectors[-1])])
    for one, (first, second) in enumerate(halves):
        assert float(first @ second) > same_person()
        for other in range(one):
            assert float(first @ halves[other][1]) < same_person()
