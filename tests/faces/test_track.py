"""Tracking: one person one track, split at cuts, alive over two missed frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from seamline.faces.cuts import CutDetector
from seamline.faces.mtcnn import Face
from seamline.faces.track import FaceTracker
from seamline.media.video import Frame

Boxes = Callable[[float], list[tuple[float, float, float]]]


class Scripted:
    """Stands in for FaceDetector: faces are known by time; each frame carries its number."""

    def __init__(self, where: Boxes, blind: Sequence[float] = ()) -> None:
        self._where, self._blind = where, blind
        self.detected: list[float] = []

    def faces(self, rgb: np.ndarray) -> list[Face]:
        seconds = float(rgb[0, 0, 0]) / 4
        if seconds in self._blind:
            return []
        made = []
        for x, y, side in self._where(seconds):
            box = np.array([x, y, x + side, y + side], np.float64)
            made.append(Face(box, 0.99, np.tile(box[:2], (5, 1))))
        return made

    def detect(self, frames: Sequence[np.ndarray], min_face_px: float) -> list[list[Face]]:
        self.detected += [float(rgb[0, 0, 0]) / 4 for rgb in frames]
        return [self.faces(rgb) for rgb in frames]

    def refine(
        self, frames: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> list[Face | None]:
        """Finds a face whose centre lies in the grown box."""
        found: list[Face | None] = []
        for rgb, box in zip(frames, boxes, strict=True):
            side, centre = box[2] - box[0], (box[:2] + box[2:]) / 2
            near = [
                face
                for face in self.faces(rgb)
                if np.abs((face.box[:2] + face.box[2:]) / 2 - centre).max() < 0.3 * side
            ]
            found.append(near[0] if near else None)
        return found


def frames(count: int, scene: Callable[[int], int] = lambda _: 0) -> list[Frame]:
    made = []
    for index in range(count):
        rgb = np.zeros((90, 160, 3), np.uint8)
        rgb[:, 80:] = 200 if scene(index) == 0 else 0
        rgb[45:, :, 1] = 0 if scene(index) == 0 else 220
        rgb[0, 0] = index
        made.append(Frame(index / 4, rgb))
    return made


def tracks(tracker: FaceTracker, given: list[Frame]) -> list[list[int]]:
    return [[face.track for face in row] for row in tracker.follow(given)]


def test_two_people_keep_their_numbers_while_they_cross_the_frame() -> None:
    where = lambda t: [(10 + 20 * t, 10, 60), (400 - 20 * t, 200, 60)]  # noqa: E731
    tracker = FaceTracker(Scripted(where))  # type: ignore[arg-type]
    rows = tracker.follow(frames(20))
    assert [[face.track for face in row] for row in rows] == [[0, 1]] * 20
    assert all(row[0].face.box[1] == 10 and row[1].face.box[1] == 200 for row in rows)


def test_between_key_frames_only_the_last_net_runs() -> None:
    detector = Scripted(lambda t: [(10, 10, 60)])
    FaceTracker(detector).follow(frames(12))  # type: ignore[arg-type]
    assert detector.detected == [0.0, 1.0, 2.0]


def test_a_track_survives_two_missed_frames_and_no_third() -> None:
    for blind, expected in (([0.5, 0.75], {0}), ([0.5, 0.75, 1.0], {0, 1})):
        tracker = FaceTracker(Scripted(lambda t: [(10, 10, 60)], blind))  # type: ignore[arg-type]
        rows = tracks(tracker, frames(12))
        assert {track for row in rows for track in row} == expected
        assert rows[2] == []


def test_tracks_are_split_at_a_cut() -> None:
    tracker = FaceTracker(Scripted(lambda t: [(10, 10, 60)]))  # type: ignore[arg-type]
    rows = tracks(tracker, frames(12, lambda index: int(index >= 6)))
    assert rows == [[0]] * 6 + [[1]] * 6


def test_a_newcomer_gets_a_track_at_the_next_key_frame() -> None:
    where = lambda t: [(10, 10, 60)] + ([(300, 10, 60)] if t >= 1.25 else [])  # noqa: E731
    rows = tracks(FaceTracker(Scripted(where)), frames(12))  # type: ignore[arg-type]
    assert rows[7] == [0]
    assert rows[8] == [0, 1]


def test_chunks_of_any_length_give_the_same_tracks() -> None:
    where = lambda t: [(10 + 30 * t, 10, 60), (400 - 30 * t, 200, 60)]  # noqa: E731
    given = frames(17, lambda index: int(index >= 9))
    whole = tracks(FaceTracker(Scripted(where)), given)  # type: ignore[arg-type]
    tracker = FaceTracker(Scripted(where))  # type: ignore[arg-type]
    parts = [row for i in range(0, 17, 3) for row in tracks(tracker, given[i : i + 3])]
    assert whole == parts


def test_two_tracks_that_run_into_one_face_become_one() -> None:
    where = lambda t: [(10, 10, 60)] + ([(80, 10, 60)] if t < 1 else [])  # noqa: E731
    rows = tracks(FaceTracker(Scripted(where)), frames(12))  # type: ignore[arg-type]
    assert rows[0] == [0, 1]
    assert all(row == [0] for row in rows[5:])


@pytest.mark.parametrize("change", ["brighter", "pan", "noise"])
def test_light_motion_and_noise_are_no_cuts(change: str) -> None:
    generator = np.random.default_rng(0)
    wide = np.kron(
        generator.integers(30, 200, (12, 30, 3), dtype=np.uint8), np.ones((20, 20, 1), np.uint8)
    )
    cuts = CutDetector()
    assert not cuts.is_cut(np.ascontiguousarray(wide[:, :400]))
    after = {
        "brighter": wide[:, :400] + 15,
        "pan": wide[:, 12:412],
        "noise": wide[:, :400] + generator.integers(0, 12, (240, 400, 3), dtype=np.uint8),
    }[change]
    assert not cuts.is_cut(np.ascontiguousarray(after))


def test_another_scene_is_a_cut() -> None:
    generator = np.random.default_rng(0)
    cuts = CutDetector()
    for index in range(20):
        low = 0 if index % 2 else 120
        scene = generator.integers(low, low + 120, (6, 8, 3), dtype=np.uint8)
        assert cuts.is_cut(np.kron(scene, np.ones((20, 20, 1), np.uint8))) == (index > 0)
