from __future__ import annotations

import pytest
from layout_trees import plant

from seamline.data.layouts.celeb_df import find_celeb_df
from seamline.errors import BadManifest


@pytest.fixture
def root(tmp_path):
    return plant(
        tmp_path,
        "Celeb-real/id0_0000.mp4",
        "Celeb-real/id1_0003.mp4",
        "YouTube-real/00170.mp4",
        "Celeb-synthesis/id0_id1_0000.mp4",
    )


def test_labels_people_and_originals_come_from_folders_and_names(root):
    found = {s.path: (s.label, s.person, s.extra.get("original")) for s in find_celeb_df(root)}
    assert found == {
        "Celeb-real/id0_0000.mp4": ("real", "celebdf-id0", None),
        "Celeb-real/id1_0003.mp4": ("real", "celebdf-id1", None),
        "YouTube-real/00170.mp4": ("real", "celebdf-youtube00170", None),
        "Celeb-synthesis/id0_id1_0000.mp4": (
            "fake", "celebdf-id0+celebdf-id1", "Celeb-real/id0_0000.mp4",
        ),
    }  # fmt: skip


def test_the_list_of_testing_videos_makes_the_splits(root):
    assert {s.split for s in find_celeb_df(root)} == {""}
    (root / "List_of_testing_videos.txt").write_text(
        "1 YouTube-real/00170.mp4\n0 Celeb-synthesis/id0_id1_0000.mp4\n\n"
    )
    splits = {s.path: s.split for s in find_celeb_df(root)}
    assert splits == {
        "Celeb-real/id0_0000.mp4": "train",
        "Celeb-real/id1_0003.mp4": "train",
        "YouTube-real/00170.mp4": "test",
        "Celeb-synthesis/id0_id1_0000.mp4": "test",
    }


def test_odd_trees_are_refused(root):
    (root / "List_of_testing_videos.txt").write_text("0 YouTube-real/00170.mp4\n")
    with pytest.raises(BadManifest, match=r"line 1: expected .* found '0 YouTube-real"):
        find_celeb_df(root)
    (root / "List_of_testing_videos.txt").unlink()
    plant(root, "Celeb-synthesis/fake7.mp4")
    with pytest.raises(BadManifest, match=r"not named like id0_id1_0000.mp4"):
        find_celeb_df(root)
    with pytest.raises(BadManifest, match=r"videos in the folders Celeb-real, YouTube-real"):
        find_celeb_df(root / "Celeb-real")
