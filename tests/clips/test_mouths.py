"""Mouths: cut on an even grid, steady while the face moves, asked for by the contract alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from seamline.clips.contract import CropContract, MouthSettings
from seamline.clips.extract import extract
from seamline.clips.mouths import MouthCutter
from seamline.clips.window import dense_windows
from seamline.data.demo_clips import read_portrait
from seamline.errors import ContractMismatch
from seamline.faces.mtcnn import FaceDetector
from seamline.media.write import write_video

CONTRACT = CropContract(mouth=MouthSettings())


def moving_portrait(count: int) -> Iterator[np.ndarray]:
    """A face that drifts 60 px a second to the right and back, before grey."""
    portrait = read_portrait()
    side = portrait.shape[0]
    for index in range(count):
        frame = np.full((side + 60, side + 160, 3), 90, np.uint8)
        left = 20 + 60 * (1 - abs(index / 25 - 1))
        shift = np.array([[1, 0, left], [0, 1, 30]], np.float64)
        flags, border = cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT
        cv2.warpAffine(portrait, shift, frame.shape[1::-1], frame, flags, border)
        yield frame


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    sound = np.random.default_rng(0).normal(0, 0.05, 32000).astype(np.float32)
    write_video(path, moving_portrait(50), 25, samples=sound, options={"threads": "1"})
    return path


def test_a_drifting_face_s_mouth_stands_still_on_the_grid(talk: Path) -> None:
    (clip,) = extract(talk, CONTRACT, detector=FaceDetector(1), threads=1)
    assert clip.faces is not None
    mouths = clip.faces.mouths
    assert mouths is not None
    assert mouths.crops.shape == (50, 32, 32)
    assert mouths.seen.all()
    assert (mouths.start_seconds, mouths.step_seconds) == (0.0, 0.04)
    middle = np.median(mouths.crops, axis=0)
    apart = np.abs(mouths.crops[2:44] - middle).mean(axis=(1, 2))
    assert middle.std() > 15  # a mouth is to be seen
    assert apart.max() < middle.std()
    # Cut where the face was a quarter of a second before, it would lie five pixels off.
    late = np.abs(np.roll(middle, 5, axis=1) - middle).mean()
    assert np.median(apart) < late / 2


def test_without_sound_or_without_the_contract_s_word_no_mouth_is_cut(
    talk: Path, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.mp4"
    write_video(silent, moving_portrait(25), 25, options={"threads": "1"})
    for path, contract in ((talk, CropContract()), (silent, CONTRACT)):
        clips = list(extract(path, contract, detector=FaceDetector(1), threads=1))
        assert all(clip.faces is not None and clip.faces.mouths is None for clip in clips)


def test_every_window_of_a_film_with_sound_shows_mouths(tmp_path: Path) -> None:
    path, silence = tmp_path / "long.mp4", np.zeros(6 * 16000, np.float32)
    still = (frame for _ in range(6) for frame in moving_portrait(25))
    write_video(path, still, 25, samples=silence, options={"threads": "1"})
    clips = list(extract(path, CONTRACT, detector=FaceDetector(1), threads=1))
    assert [clip.window for clip in clips] == [0, 1, 2]
    assert all(clip.faces is not None and clip.faces.mouths is not None for clip in clips)


def test_contracts_from_before_mouths_load_and_differ_from_those_with_them() -> None:
    old = CropContract().to_json()
    del old["mouth"]
    assert CropContract.from_json(old) == CropContract()
    assert CropContract.from_json(CONTRACT.to_json()) == CONTRACT
    with pytest.raises(ContractMismatch, match=r"other fields .* \(nose\)"):
        CropContract.from_json({**old, "nose": 1})
    with pytest.raises(ContractMismatch, match=r"mouth: None here, .*'size_px': 32"):
        CropContract().require(CONTRACT, mine="This", theirs="that")


def test_a_mouth_beyond_the_picture_s_edge_is_not_seen() -> None:
    cutter, grey = MouthCutter(MouthSettings()), np.zeros((100, 200), np.uint8)
    marks = np.array([[40.0, 40], [70, 40], [55, 60], [43, 80], [67, 80]])
    assert cutter.shows(marks, grey)
    for shift in ([0, 21], [0, -81], [140, 0], [-44, 0]):
        assert not cutter.shows(marks + shift, grey)


def test_nothing_fed_gives_nothing() -> None:
    assert MouthCutter(MouthSettings()).take(0.0, 2.0) == {}


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, [0]), (3, [0, 2]), (5, [0, 4]), (30, 10), (0, [])]
)
def test_a_third_of_the_windows_show_motion_with_both_ends(
    count: int, chosen: list[int] | int
) -> None:
    found = dense_windows(count)
    if isinstance(chosen, int):
        assert (len(set(found)), found[0], found[-1]) == (chosen, 0, count - 1)
    else:
        assert found == chosen
