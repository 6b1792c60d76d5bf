from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_factory import tiny_video
from seamline.clips.clip import Clip, FaceCrops
from seamline.clips.contract import CropContract
from seamline.clips.extract import extract
from seamline.data.window_policy import POLICIES
from seamline.voice.logmel import log_mel


def test_the_paper_sees_the_first_second_of_any_file():
    for duration in (0.4, 10.0, 3600.0, None):
        assert POLICIES["paper"].plan.windows(duration, 2.0) == [(0.0, 1.0)]


def test_the_papers_clip_holds_thirty_frames_and_half_a_second_of_sound(tmp_path):
    contract = CropContract(frame_step_seconds=1 / 30)
    film = tiny_video(tmp_path / "film.mp4", seconds=3.0, fps=30.0, audio=True)
    (clip,) = extract(film, contract, plan=POLICIES["paper"].plan)
    assert (clip.start_seconds, clip.stop_seconds) == (0.0, 1.0)
    assert len(clip.samples) == 16000
    crops = np.zeros((45, 8, 8, 3), np.uint8)
    faces = FaceCrops(
        0, np.arange(45) / 30, crops, np.zeros((45, 4)), np.zeros((45, 5, 2)), np.ones(45)
    )
    cut = POLICIES["paper"].trim(replace(clip, faces=faces), contract)
    assert len(cut.samples) == 8000
    assert cut.faces.seconds[-1] == pytest.approx(29 / 30)
    assert {len(part) for part in (cut.faces.crops, cut.faces.boxes, cut.faces.landmarks)} == {30}
    # Columns of the log-mel that lie whole in the half second are those of the half second alone.
    alone = log_mel(cut.samples, contract.mel)
    assert cut.log_mel.shape == alone.shape
    np.testing.assert_allclose(cut.log_mel[:, :-2], alone[:, :-2], atol=1e-4)


def test_our_policy_leaves_a_clip_as_it_is():
    clip = Clip(0, 0.0, 2.0, None, np.zeros(32000, np.float32), np.zeros((80, 201)), 1.0)
    same = POLICIES["ours"].trim(clip, CropContract())
    assert same.samples is clip.samples
    assert same.log_mel is clip.log_mel
