"""Pictures that lie on their side or stand on their head, over media made here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_factory import photo, sine
from seamline.clips.extract import extract
from seamline.clips.turned import Looks, look_times, turn_back
from seamline.data.demo_clips import read_portrait
from seamline.detector import TURNED, Detector
from seamline.faces.mtcnn import FaceDetector
from seamline.media.upright import Turn
from seamline.media.video import Frame, stream_frames, stream_pictures
from seamline.media.write import write_image, write_video
from tiny_bundle import CONTRACT, REFERENCE_FIT, write_tiny_bundle

# A picture turned counterclockwise by so many quarters is set right by a clockwise turn of as many.
QUARTERS: dict[Turn, int] = {90: 1, 180: 2, 270: 3}


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(write_tiny_bundle(tmp_path_factory.mktemp("tiny"), **REFERENCE_FIT), threads=1)


def wide_portrait() -> np.ndarray:
    """The portrait at the left of a frame that is wider than high, so that turns differ."""
    portrait = read_portrait()
    return np.pad(portrait, ((0, 0), (0, 64), (0, 0)), mode="edge")


def turned_film(path: Path, turn: Turn, seconds: float = 2.0) -> Path:
    frame = np.ascontiguousarray(np.rot90(wide_portrait(), QUARTERS.get(turn, 0)))
    write_video(path, [frame] * round(15 * seconds), 15)
    return path


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_face_is_found_and_its_box_lies_where_players_show_it(
    detector: Detector, tmp_path: Path, turn: Turn
) -> None:
    upright = detector.examine(turned_film(tmp_path / "upright.mp4", 0))
    turned = detector.examine(turned_film(tmp_path / "turned.mp4", turn))
    assert TURNED[turn] in turned.verdict.warnings
    assert not set(TURNED.values()) & set(upright.verdict.warnings)
    assert turned.verdict.label == upright.verdict.label
    one, other = upright.verdict.video, turned.verdict.video
    assert other.fake_probability == pytest.approx(one.fake_probability, abs=0.02)
    (there,), (here,) = upright.verdict.people, turned.verdict.people
    assert here.face_px == pytest.approx(there.face_px, rel=0.03)

    # The box's pixels, cut from the frame as it is shown and set right, show the same face.
    patches = []
    for path, examination, quarters in (
        ("upright.mp4", upright, 0),
        ("turned.mp4", turned, -QUARTERS[turn]),
    ):
        frame = next(stream_frames(tmp_path / path, step_seconds=1.0)).rgb
        left, top, right, bottom = examination.evidence.faces[0].boxes[0].round().astype(int)
        patches.append(np.rot90(frame[top:bottom, left:right], quarters))
    smallest = [min(p.shape[axis] for p in patches) for axis in (0, 1)]
    ours, theirs = (p[: smallest[0], : smallest[1]].astype(float).ravel() for p in patches)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9


def test_a_turned_photo_is_examined(detector: Detector, tmp_path: Path) -> None:
    write_image(tmp_path / "side.png", np.ascontiguousarray(np.rot90(read_portrait())))
    verdict = detector.scan(tmp_path / "side.png")
    assert len(verdict.people) == 1
    assert TURNED[90] in verdict.warnings


def test_where_no_turn_shows_a_face_nothing_is_said_of_turns(
    detector: Detector, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    walls = [generator.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(20)]
    write_video(tmp_path / "noise.mp4", walls, 10, samples=sine(2.0))
    for path in (tmp_path / "noise.mp4", photo(tmp_path / "wall.png")):
        verdict = detector.scan(path)
        assert not verdict.people
        assert not set(TURNED.values()) & set(verdict.warnings)


def test_a_face_in_one_frame_of_many_is_no_reason_to_turn(tmp_path: Path) -> None:
    side = np.ascontiguousarray(np.rot90(read_portrait()))
    wall = np.full_like(side, 90)
    write_video(tmp_path / "flash.mp4", [wall] * 60 + [side] * 10 + [wall] * 60, 10)
    windows = [(float(start), start + 1.0) for start in range(13)]
    looks = Looks(windows)
    looks.feed(list(stream_frames(tmp_path / "flash.mp4", step_seconds=0.25)))
    assert looks.find_turn(FaceDetector(1)) == 0
    always = Looks([(6.0, 7.0)])
    always.feed(list(stream_frames(tmp_path / "flash.mp4", step_seconds=0.25)))
    assert always.find_turn(FaceDetector(1)) == 90
    always.feed([], tracks=[3])
    assert always.found_somebody
    assert always.find_turn(FaceDetector(1)) == 0


def test_what_looks_like_a_face_for_a_moment_is_nobody(detector: Detector, tmp_path: Path) -> None:
    side = np.ascontiguousarray(np.rot90(wide_portrait()))
    moment = np.full_like(side, 90)
    portrait = read_portrait()[:, : side.shape[1]]
    moment[: portrait.shape[0], : portrait.shape[1]] = portrait[: side.shape[0]]
    write_video(tmp_path / "film.mp4", [moment] * 5 + [side] * 40, 15)
    verdict = detector.scan(tmp_path / "film.mp4")
    assert TURNED[90] in verdict.warnings
    (person,) = verdict.people
    assert person.stop_seconds == pytest.approx(3.0, abs=0.1)


def test_looks_are_spread_over_what_is_examined() -> None:
    assert look_times([(0.0, 0.1)]) == [0.05]
    assert look_times([(10.0, 12.0)]) == pytest.approx([10.2, 10.6, 11.0, 11.4, 11.8])
    spread = look_times([(0.0, 3.0), (100.0, 103.0)])
    assert spread == pytest.approx([0.5, 1.5, 2.5, 100.5, 101.5, 102.5])


def test_a_face_in_a_film_of_8k_is_looked_for_in_smaller_frames() -> None:
    side = np.ascontiguousarray(np.rot90(cv2.resize(read_portrait(), (4320, 4320))))
    looks = Looks([(0.0, 4.0)])
    looks.feed([Frame(float(second), side) for second in range(4)])
    assert looks.find_turn(FaceDetector(1)) == 90


def test_turned_reference_footage_serves(detector: Detector, tmp_path: Path) -> None:
    footage = turned_film(tmp_path / "footage.mp4", 270)
    (track,) = detector.read_reference(footage).tracks
    assert track.examined_seconds == pytest.approx(2.0, abs=0.1)


def test_colours_and_greys_turn_alike(tmp_path: Path) -> None:
    from seamline.media.video import GreyGrid

    path = turned_film(tmp_path / "film.mp4", 0)
    shown = next(stream_frames(path, step_seconds=1.0)).rgb
    grid = GreyGrid(0.5, [(0.0, 2.0)])
    picture = next(iter(stream_pictures(path, step_seconds=1.0, grey=grid, turn=90)))
    assert picture.rgb is not None
    assert picture.grey is not None
    assert np.array_equal(picture.rgb, np.rot90(shown, -1))
    assert picture.grey.shape == picture.rgb.shape[:2]
    assert np.corrcoef(picture.grey.ravel(), picture.rgb.mean(axis=2).ravel())[0, 1] > 0.99


def test_boxes_go_back_to_the_corners_they_came_from(tmp_path: Path) -> None:
    frame = np.zeros((40, 60), np.uint8)
    frame[5:15, 30:50] = 1
    for turn in (0, 90, 180, 270):
        turned = np.rot90(frame, -turn // 90)
        rows, columns = np.nonzero(turned)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        back = turn_back(np.array([box], float), turn, 60, 40)
        assert back.tolist() == [[30, 5, 50, 15]]


def test_extract_takes_a_turn(tmp_path: Path) -> None:
    path = turned_film(tmp_path / "side.mp4", 90)
    assert all(clip.faces is None for clip in extract(path, CONTRACT, threads=1))
    (faces, *_) = [clip.faces for clip in extract(path, CONTRACT, threads=1, turn=90)]
    assert faces is not None
