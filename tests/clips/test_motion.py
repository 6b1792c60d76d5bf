"""Faces of successive frames: every frame once, with or without sound, if the contract asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seamline.clips.cache import clip_row, read_cache, write_contract, write_shard
from seamline.clips.contract import CropContract, MotionSettings, MouthSettings
from seamline.clips.extract import extract
from seamline.clips.motion import MotionCutter
from seamline.data.demo_clips import read_portrait
from seamline.errors import ContractMismatch
from seamline.faces.flow import pick_centres
from seamline.faces.mtcnn import FaceDetector
from seamline.media.write import write_video

CONTRACT = CropContract(motion=MotionSettings())


def portraits(count: int) -> Iterator[np.ndarray]:
    """A face before a strip that tells the number of the frame."""
    for index in range(count):
        frame = read_portrait().copy()
        frame[:20, :, :] = index * 2
        yield frame


def silent_clip(folder: Path, count: int, rate: int) -> Path:
    path = folder / f"{rate}.mp4"
    write_video(path, portraits(count), rate, options={"threads": "1"})
    return path


@pytest.mark.parametrize(("rate", "crops"), [(25, 50), (50, 50), (15, 30)])
def test_a_silent_window_has_a_crop_a_frame_and_no_more_than_25_a_second(
    tmp_path: Path, rate: int, crops: int
) -> None:
    path = silent_clip(tmp_path, 2 * rate, rate)
    (clip,) = extract(path, CONTRACT, detector=FaceDetector(1), threads=1, dense="all")
    assert clip.faces is not None
    motion = clip.faces.motion
    assert motion is not None
    assert motion.crops.shape == (crops, 112, 112)
    assert motion.crops.dtype == np.uint8
    assert (np.diff(motion.seconds) > 0.9 / min(rate, 25)).all()
    assert clip.faces.mouths is None


@pytest.mark.parametrize(("rate", "moments"), [(25, 8), (15, 5)])
def test_a_scan_cuts_runs_of_three_frames(tmp_path: Path, rate: int, moments: int) -> None:
    path = silent_clip(tmp_path, 2 * rate, rate)
    (clip,) = extract(path, CONTRACT, detector=FaceDetector(1), threads=1)
    assert clip.faces is not None
    assert clip.faces.motion is not None
    assert len(clip.faces.motion.seconds) <= 3 * (moments + 1)
    assert len(pick_centres(clip.faces.motion.seconds, 9)) == moments


def test_what_the_contract_does_not_ask_for_is_not_cut(tmp_path: Path) -> None:
    path = silent_clip(tmp_path, 25, 25)
    (clip,) = extract(path, CropContract(), detector=FaceDetector(1), threads=1)
    assert clip.faces is not None
    assert clip.faces.motion is None


def test_a_photo_has_none(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), read_portrait()[..., ::-1])
    (clip,) = extract(path, CONTRACT, detector=FaceDetector(1), threads=1)
    assert clip.faces is not None
    assert clip.faces.motion is None


def test_only_some_windows_of_a_long_file_are_looked_at_frame_by_frame(tmp_path: Path) -> None:
    path = silent_clip(tmp_path, 80, 10)  # 8 s: four windows
    some, every = (
        [
            clip.faces is not None and clip.faces.motion is not None
            for clip in extract(path, CONTRACT, detector=FaceDetector(1), threads=1, dense=dense)
        ]
        for dense in ("some", "all")
    )
    assert some == [True, False, False, True]
    assert every == [True] * 4


def test_the_cache_keeps_crops_to_the_last_bit(tmp_path: Path) -> None:
    (clip,) = extract(silent_clip(tmp_path, 25, 25), CONTRACT, detector=FaceDetector(1), threads=1)
    assert clip.faces is not None
    assert clip.faces.motion is not None
    folder = tmp_path / "cache"
    write_contract(folder, CONTRACT)
    sample = {"path": "25.mp4", "kind": "video", "split": "train", "label": "real"}
    write_shard(folder, 0, [clip_row(sample, clip)])
    (cached,) = read_cache(folder)
    assert (cached.motion() == clip.faces.motion.crops).all()
    assert cached.motion_seconds is not None
    assert cached.motion_seconds.tolist() == clip.faces.motion.seconds.tolist()


def test_a_cache_without_motion_says_so(tmp_path: Path) -> None:
    (clip,) = extract(
        silent_clip(tmp_path, 25, 25), CropContract(), detector=FaceDetector(1), threads=1
    )
    write_shard(tmp_path, 0, [clip_row({"path": "25.mp4"}, clip)])
    (cached,) = read_cache(tmp_path)
    with pytest.raises(ValueError, match=r"25\.mp4: the cache holds no motion of it"):
        cached.motion()


def test_contracts_from_before_motion_load_and_differ_from_those_with_it() -> None:
    old = CropContract().to_json()
    del old["motion"]
    assert CropContract.from_json(old) == CropContract()
    assert CropContract.from_json(CONTRACT.to_json()) == CONTRACT
    with pytest.raises(ContractMismatch, match=r"motion: None here, .*'size_px': 112"):
        CropContract().require(CONTRACT, mine="This", theirs="that")


def test_mouths_and_motion_share_a_grid() -> None:
    both = CropContract(mouth=MouthSettings(), motion=MotionSettings())
    assert both.dense_step_seconds == 0.04
    assert CropContract().dense_step_seconds is None
    with pytest.raises(ValueError, match=r"Mouths every 0\.04 s and motion every 0\.1 s"):
        CropContract(mouth=MouthSettings(), motion=MotionSettings(step_seconds=0.1))


def test_nothing_fed_gives_nothing() -> None:
    assert MotionCutter(MotionSettings()).take() == {}
