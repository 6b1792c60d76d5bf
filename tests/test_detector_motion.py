"""The motion branch end to end: a face that flickers from frame to frame, over a tiny bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seamline.data.demo_clips import read_portrait
from seamline.detector import Detector, Examination
from seamline.errors import BadBundle
from seamline.media.write import write_video
from seamline.scoring.calibration import Calibration
from tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="module")
def detectors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Detector]:
    folder = tmp_path_factory.mktemp("bundles")
    made = {}
    for name, branches in {"crops": ("picture",), "both": ("picture", "motion")}.items():
        bundle = write_tiny_bundle(folder / name, branches=branches, pool_sharpness=0.0)
        made[name] = Detector(bundle, threads=1)
    return made


def portraits(count: int, flicker: float) -> Iterator[np.ndarray]:
    portrait = read_portrait().astype(np.float64)
    for index in range(count):
        yield np.clip(portrait + flicker * (-1) ** index, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    paths = {}
    for name, flicker in {"still": 0.0, "restless": 6.0}.items():
        paths[name] = folder / f"{name}.mp4"
        options = {"threads": "1", "crf": "12"}
        write_video(paths[name], portraits(200, flicker), 25, options=options)
    return paths


def log_odds(examination: Examination) -> float:
    chance = examination.verdict.video.fake_probability
    assert chance is not None
    return float(np.log(chance / (1 - chance)))


def test_motion_adds_to_what_the_crops_say(
    detectors: dict[str, Detector], clips: dict[str, Path]
) -> None:
    found = {
        (model, clip): log_odds(detectors[model].examine(path))
        for model in detectors
        for clip, path in clips.items()
    }
    still = found["both", "still"] - found["crops", "still"]
    restless = found["both", "restless"] - found["crops", "restless"]
    # Calm says little: log(1 + exp(−2)), and a little coding noise.
    assert 0.1 < still < 0.6
    # Each frame differs by 12 grey levels, a unit, from both neighbours, less what coding takes.
    assert 4.0 < restless < 6.5


def test_the_report_s_faces_are_read_as_the_verdict_s(
    detectors: dict[str, Detector], clips: dict[str, Path]
) -> None:
    examination = detectors["both"].examine(clips["still"])
    shown = np.concatenate([faces.fake_probabilities for faces in examination.evidence.faces])
    (person,) = examination.verdict.people
    assert person.fake_probability is not None
    assert len(examination.evidence.faces) == 4  # windows, of which two are seen frame by frame
    assert np.log(shown / (1 - shown)).mean() == pytest.approx(log_odds(examination), abs=1e-6)


def test_a_thorough_scan_looks_at_every_frame_of_the_reference_too(tmp_path: Path) -> None:
    fit = {
        "reference_calibration": Calibration(),
        "reference_threshold": 0.5,
        "reference_usual_logits": (-99.0, 99.0),
    }
    branches = ("picture", "motion")
    bundle = write_tiny_bundle(tmp_path / "b", branches=branches, pool_sharpness=0.0, **fit)
    still, restless = list(portraits(50, 0.0)), list(portraits(50, 6.0))
    path = tmp_path / "middle.mp4"  # two of four windows flicker, which a quick scan passes over
    write_video(path, [*still, *restless, *restless, *still], 25, options={"crf": "12"})
    quick, thorough = (
        Detector(bundle, threads=1).read_reference(path, thorough=thorough).tracks[0].logit
        for thorough in (False, True)
    )
    assert thorough > quick + 1.0


def test_a_photo_is_judged_by_its_crop_alone(
    detectors: dict[str, Detector], tmp_path: Path
) -> None:
    import cv2

    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), read_portrait()[..., ::-1])
    crops, both = (detectors[name].scan(path).video for name in ("crops", "both"))
    assert both.fake_probability == crops.fake_probability


def test_motion_without_a_picture_branch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="a motion branch needs a picture branch to add to"):
        write_tiny_bundle(tmp_path, branches=("voice", "motion"))
