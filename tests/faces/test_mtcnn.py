"""Detection on NASA's portrait, where the places were read off by eye, and on odd frames."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from seamline.faces.boxes import iou
from seamline.faces.halves import Halves
from seamline.faces.mtcnn import Cascade, FaceDetector
from seamline.media.video import stream_frames

# Pupils, tip of the nose, corners of the mouth, read off the enlarged picture.
BY_EYE = np.array([[203, 101], [246, 103.5], [223.5, 126], [203, 140], [246, 141]])
HEAD = np.array([[180.0, 70, 270, 178]])  # hairline to chin, cheek to cheek
NEAR_PX = 4.0

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(threads=1)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """512×512 px RGB."""
    path = files("seamline") / "demo" / "astronaut.jpg"
    return cv2.imread(str(path))[..., ::-1].copy()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def test_the_face_is_found_where_the_eye_sees_it(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    [[face]] = detector.detect([portrait])
    assert face.score > 0.9
    assert iou(face.box[None], HEAD)[0, 0] > 0.7
    assert np.abs(face.landmarks - BY_EYE).max() < NEAR_PX


def test_refining_a_displaced_box_finds_the_same_places(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    displaced = HEAD[0] + [15, -12, 15, -12]
    [face] = detector.refine([portrait], [displaced])
    assert face is not None
    assert np.abs(face.landmarks - BY_EYE).max() < NEAR_PX
    assert iou(face.box[None], HEAD)[0, 0] > 0.7


def test_refining_where_no_face_is_finds_none(detector: FaceDetector, portrait: np.ndarray) -> None:
    boxes = [np.array([20.0, 380, 120, 480]), HEAD[0], np.array([900.0, 900, 990, 990])]
    gone, there, outside = detector.refine([portrait] * 3, boxes)
    assert gone is None
    assert there is not None
    assert outside is None


def test_a_mirrored_picture_mirrors_the_landmarks_and_keeps_left_first(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    [[face]] = detector.detect([np.ascontiguousarray(portrait[:, ::-1])])
    mirrored = BY_EYE[[1, 0, 2, 4, 3]] * [-1, 1] + [512, 0]
    assert np.abs(face.landmarks - mirrored).max() < NEAR_PX


def test_places_are_those_of_the_full_frame(detector: FaceDetector, portrait: np.ndarray) -> None:
    large = cv2.resize(portrait, (1536, 1536), interpolation=cv2.INTER_CUBIC)
    [[face]] = detector.detect([large])
    assert np.abs(face.landmarks / 3 - BY_EYE).max() < NEAR_PX


def test_faces_below_the_least_size_are_left_out(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    [[face]] = detector.detect([portrait], 48.0)
    side = float((face.box[2:] - face.box[:2]).max())
    assert len(detector.detect([portrait], side * 0.85)[0]) == 1
    assert detector.detect([portrait], side * 1.15) == [[]]


def test_a_face_of_50_px_is_found_at_48(detector: FaceDetector, portrait: np.ndarray) -> None:
    small = cv2.resize(portrait, None, fx=0.47, fy=0.47, interpolation=cv2.INTER_AREA)
    [[face]] = detector.detect([small], 48.0)
    assert 48 <= (face.box[2:] - face.box[:2]).max() < 56
    assert np.abs(face.landmarks / 0.47 - BY_EYE).max() < 2 * NEAR_PX


def test_several_faces_are_found_in_one_frame(detector: FaceDetector, portrait: np.ndarray) -> None:
    head = portrait[20:240, 120:340]
    scene = np.full((480, 900, 3), 90, np.uint8)
    corners = [(10, 20), (240, 300), (200, 620)]  # y, x
    for y, x in corners:
        scene[y : y + 220, x : x + 220] = head
    faces = detector.detect([scene])[0]
    assert len(faces) == 3
    for y, x in corners:
        expected = HEAD + [x - 120, y - 20] * 2
        assert max(iou(face.box[None], expected)[0, 0] for face in faces) > 0.7


@pytest.mark.parametrize("left", [0, 185, 200])
def test_a_face_at_the_border_is_found(
    detector: FaceDetector, portrait: np.ndarray, left: int
) -> None:
    """Cut at the cheek, at 200 px through the outer corner of an eye."""
    cut = np.ascontiguousarray(portrait[80:, left:])
    [[face]] = detector.detect([cut])
    assert np.abs(face.landmarks + [left, 80] - BY_EYE)[[1, 2, 4]].max() < 2 * NEAR_PX


def test_a_face_that_fills_the_frame_is_found(detector: FaceDetector, portrait: np.ndarray) -> None:
    [[face]] = detector.detect([np.ascontiguousarray(portrait[70:178, 178:272])])
    assert np.abs(face.landmarks + [178, 70] - BY_EYE).max() < 2 * NEAR_PX


def test_a_batch_of_mixed_sizes_answers_as_single_frames(
    detector: FaceDetector, portrait: np.ndarray
) -> None:
    small = cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_AREA)
    frames = [portrait, noise(100, 100), small, np.ascontiguousarray(portrait[:, ::-1])]
    together = detector.detect(frames)
    assert [len(faces) for faces in together] == [1, 0, 1, 1]
    for frame, faces in zip(frames, together, strict=True):
        for face, alone in zip(faces, detector.detect([frame])[0], strict=True):
            np.testing.assert_allclose(face.box, alone.box, atol=0.05)
            np.testing.assert_allclose(face.landmarks, alone.landmarks, atol=0.05)


def test_grey_pictures_show_their_face(detector: FaceDetector, portrait: np.ndarray) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    [[face]] = detector.detect([grey])
    assert np.abs(face.landmarks - BY_EYE).max() < NEAR_PX


@pytest.mark.parametrize(
    "frame",
    [
        noise(1, 1),
        noise(5, 5),
        noise(11, 300),
        noise(300, 1),
        noise(240, 320),
        np.repeat(noise(240, 320)[..., :1], 3, axis=2),
        np.zeros((200, 200, 3), np.uint8),
        np.full((64, 48, 3), 255, np.uint8),
    ],
    ids=["1x1", "5x5", "11x300", "300x1", "noise", "grey noise", "black", "white"],
)
def test_frames_without_a_face_give_none(detector: FaceDetector, frame: np.ndarray) -> None:
    assert detector.detect([frame]) == [[]]
    assert detector.detect([frame], 12.0) == [[]]
    assert detector.refine([frame], [np.array([0.0, 0, 40, 40])]) == [None]


def test_no_frames_give_no_answers(detector: FaceDetector) -> None:
    assert detector.detect([]) == []
    assert detector.refine([], []) == []


def test_a_stricter_cascade_finds_less(portrait: np.ndarray) -> None:
    strict = FaceDetector(1, Cascade(thresholds=(0.8, 0.7, 1.0)))
    assert strict.detect([portrait]) == [[]]


def test_wrong_calls_are_named(detector: FaceDetector) -> None:
    with pytest.raises(ValueError, match=r"min_face_px is 8; P-net sees no less than 12"):
        detector.detect([noise(20, 20)], 8)
    with pytest.raises(ValueError, match="1 frames came with 0 boxes"):
        detector.refine([noise(20, 20)], [])


def test_a_resized_view_and_a_patch_are_the_mean_of_what_they_cover() -> None:
    """Sixteen-fold shrinking of noise: an aliased sampling would keep its contrast."""
    frame = noise(256, 512)
    view = Halves(frame)
    blocks = frame.reshape(16, 16, 32, 16, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(view.resized(32, 16), blocks, atol=3)
    patch = view.patch(np.array([64.0, 32, 192, 160]), 8)
    np.testing.assert_allclose(patch, blocks[2:10, 4:12], atol=3)


def test_a_patch_beyond_the_frame_is_black_there() -> None:
    view = Halves(np.full((40, 40, 3), 200, np.uint8))
    patch = view.patch(np.array([-24.0, 0, 24, 48]), 48)
    assert (patch[:40, 25:] == 200).all()
    assert (patch[:, :23] == 0).all()
    assert (patch[41:] == 0).all()


@pytest.mark.real_clips
def test_nearly_every_frame_of_a_talking_head_shows_one_face(detector: FaceDetector) -> None:
    paths = sorted((DATA / "video").rglob("*.mp4"))[::200]
    if not paths:
        pytest.skip(f"no research clips at {DATA}")
    frames = [frame.rgb for path in paths for frame in stream_frames(path, step_seconds=1.0)]
    found = [bool(faces) for faces in detector.detect(frames)]
    assert np.mean(found) > 0.95
