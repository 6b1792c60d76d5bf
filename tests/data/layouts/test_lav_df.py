from __future__ import annotations

import json

import pytest
from layout_trees import plant

from seamline.data.layouts.lav_df import find_lav_df
from seamline.errors import BadManifest

ROW = {
    "file": "dev/000002.mp4", "split": "dev", "original": "dev/000001.mp4", "n_fakes": 1,
    "modify_video": True, "modify_audio": True, "fake_periods": [[1.25, 1.75]], "duration": 4.0,
}  # fmt: skip
REAL = {
    **ROW, "file": "dev/000001.mp4", "original": None, "fake_periods": [],
    "modify_video": False, "modify_audio": False,
}  # fmt: skip
SOUND = {**ROW, "file": "dev/000003.mp4", "modify_video": False}


@pytest.mark.parametrize("table", ["metadata.json", "metadata.min.json"])
def test_labels_and_segments_come_from_the_table(tmp_path, table):
    plant(tmp_path, "dev/000001.mp4", "dev/000002.mp4", "dev/000003.mp4")
    gone = {**ROW, "file": "dev/000009.mp4"}
    (tmp_path / table).write_text(json.dumps([ROW, REAL, SOUND, gone]))
    both, real, sound = find_lav_df(tmp_path)
    assert (both.split, both.label, both.video_label, both.audio_label) == ("val", *["fake"] * 3)
    assert json.loads(both.extra["segments"]) == [
        {"modality": "video", "start_seconds": 1.25, "stop_seconds": 1.75},
        {"modality": "audio", "start_seconds": 1.25, "stop_seconds": 1.75},
    ]
    assert (real.label, json.loads(real.extra["segments"])) == ("real", [])
    assert (sound.label, sound.video_label, sound.audio_label) == ("fake", "real", "fake")
    assert [s["modality"] for s in json.loads(sound.extra["segments"])] == ["audio"]
    assert both.person == real.person == sound.person == "lavdf-dev/000001"
    assert both.extra["original"] == real.path


def test_odd_trees_are_refused(tmp_path):
    plant(tmp_path, "dev/000001.mp4")
    with pytest.raises(BadManifest, match=r"for metadata.json or metadata.min.json, found dev"):
        find_lav_df(tmp_path)
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(BadManifest, match=r"is not a list of videos"):
        find_lav_df(tmp_path)
    (tmp_path / "metadata.json").write_text('[{"file": "dev/000001.mp4"}]')
    with pytest.raises(BadManifest, match=r"row 0: needs file, split, original"):
        find_lav_df(tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps([{**ROW, "file": "dev/7.mp4"}]))
    with pytest.raises(BadManifest, match=r"any of the 1 videos that metadata.json names"):
        find_lav_df(tmp_path)
