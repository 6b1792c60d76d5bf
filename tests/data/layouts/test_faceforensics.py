from __future__ import annotations

import pytest
from layout_trees import plant

from seamline.data.layouts.faceforensics import find_faceforensics
from seamline.data.splits import identity_groups
from seamline.errors import BadManifest


@pytest.fixture
def root(tmp_path):
    return plant(
        tmp_path,
        "original_sequences/youtube/c23/videos/033.mp4",
        "original_sequences/youtube/c23/videos/097.mp4",
        "original_sequences/youtube/c23/images/033/0001.png",
        "original_sequences/actors/c40/videos/01__exit_phone_room.mp4",
        "manipulated_sequences/Deepfakes/c23/videos/033_097.mp4",
        "manipulated_sequences/Deepfakes/c23/videos/._033_097.mp4",
        "manipulated_sequences/Deepfakes/masks/videos_of_masks/033_097.mp4",
        "manipulated_sequences/DeepFakeDetection/c40/videos/01_02__exit_phone_room__YVGY8LOK.mp4",
    )


def test_every_video_once_with_label_people_and_method(root):
    found = {
        s.path.rsplit("/", 1)[1]: (s.label, s.person, s.method, s.source)
        for s in find_faceforensics(root)
    }
    assert found == {
        "033.mp4": ("real", "ff033", "", "FaceForensics++ c23"),
        "097.mp4": ("real", "ff097", "", "FaceForensics++ c23"),
        "01__exit_phone_room.mp4": ("real", "dfd01", "", "FaceForensics++ c40"),
        "033_097.mp4": ("fake", "ff033+ff097", "Deepfakes", "FaceForensics++ c23"),
        "01_02__exit_phone_room__YVGY8LOK.mp4": (
            "fake", "dfd01+dfd02", "DeepFakeDetection", "FaceForensics++ c40",
        ),
    }  # fmt: skip


def test_originals_are_files_of_the_same_compression(root):
    fakes = [s for s in find_faceforensics(root) if s.label == "fake"]
    assert [s.extra["original"] for s in fakes] == [
        "original_sequences/actors/c40/videos/01__exit_phone_room.mp4",
        "original_sequences/youtube/c23/videos/033.mp4",
    ]
    assert all((root / s.extra["original"]).is_file() for s in fakes)


def test_a_swap_ties_both_people(root):
    samples = find_faceforensics(root)
    groups = dict(zip((s.person for s in samples), identity_groups(samples), strict=True))
    assert groups["ff033"] == groups["ff097"] == groups["ff033+ff097"]
    assert groups["ff033"] != groups["dfd01"]


def test_odd_trees_are_refused(tmp_path):
    plant(tmp_path, "033.mp4")
    with pytest.raises(BadManifest, match=r"for original_sequences/.* found 033.mp4"):
        find_faceforensics(tmp_path)
    plant(tmp_path, "manipulated_sequences/FaceSwap/c23/videos/final.mp4")
    with pytest.raises(BadManifest, match=r"named neither like 033_097.mp4 nor like"):
        find_faceforensics(tmp_path)
