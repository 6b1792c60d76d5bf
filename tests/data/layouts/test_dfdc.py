from __future__ import annotations

import json

import pytest
from layout_trees import plant

from seamline.data.layouts.dfdc import find_dfdc
from seamline.data.splits import identity_groups
from seamline.errors import BadManifest

PART_0 = {
    "abc.mp4": {"label": "FAKE", "split": "train", "original": "xyz.mp4"},
    "def.mp4": {"label": "FAKE", "split": "train", "original": "far.mp4"},
    "xyz.mp4": {"label": "REAL", "split": "train"},
    "gone.mp4": {"label": "REAL", "split": "train"},
}


@pytest.fixture
def root(tmp_path):
    part_0, part_1 = "dfdc_train_part_0", "dfdc_train_part_1"
    plant(tmp_path, *(f"{part_0}/{name}.mp4" for name in ("abc", "def", "xyz")))
    plant(tmp_path, f"{part_1}/far.mp4")
    (tmp_path / part_0 / "metadata.json").write_text(json.dumps(PART_0))
    (tmp_path / part_1 / "metadata.json").write_text(
        json.dumps({"far.mp4": {"label": "REAL", "split": "val", "original": None}})
    )
    return tmp_path


def test_parts_become_samples_whose_files_are_there(root):
    samples = {sample.path: sample for sample in find_dfdc(root)}
    assert set(samples) == {
        "dfdc_train_part_0/abc.mp4", "dfdc_train_part_0/def.mp4", "dfdc_train_part_0/xyz.mp4",
        "dfdc_train_part_1/far.mp4",
    }  # fmt: skip
    assert all(sample.file.is_file() for sample in samples.values())
    fake, real = samples["dfdc_train_part_0/abc.mp4"], samples["dfdc_train_part_0/xyz.mp4"]
    assert (fake.label, fake.split, fake.person) == ("fake", "train", "dfdc-xyz")
    assert (real.label, real.person, real.extra) == ("real", "dfdc-xyz", {})
    assert samples["dfdc_train_part_1/far.mp4"].split == "val"


def test_which_part_of_a_fake_is_fake_is_left_open(root):
    labels = {s.label: (s.video_label, s.audio_label) for s in find_dfdc(root)}
    assert labels == {"fake": ("", ""), "real": ("real", "real")}


def test_an_original_is_found_in_another_part(root):
    originals = {s.path: s.extra["original"] for s in find_dfdc(root) if s.label == "fake"}
    assert originals == {
        "dfdc_train_part_0/abc.mp4": "dfdc_train_part_0/xyz.mp4",
        "dfdc_train_part_0/def.mp4": "dfdc_train_part_1/far.mp4",
    }


def test_a_fake_and_its_original_stay_together_in_a_split(root):
    samples = find_dfdc(root)
    group = dict(zip((s.path for s in samples), identity_groups(samples), strict=True))
    assert group["dfdc_train_part_0/abc.mp4"] == group["dfdc_train_part_0/xyz.mp4"]
    assert group["dfdc_train_part_0/def.mp4"] == group["dfdc_train_part_1/far.mp4"]
    assert len(set(group.values())) == 2


def test_one_part_alone_is_a_root(root):
    assert [s.path for s in find_dfdc(root / "dfdc_train_part_0")] == [
        "abc.mp4", "def.mp4", "xyz.mp4",
    ]  # fmt: skip


def test_a_tree_without_parts_is_refused_with_what_was_looked_for(tmp_path):
    plant(tmp_path, "clip.mp4")
    with pytest.raises(BadManifest, match=r"looked in .* for parts with metadata.json.*clip.mp4"):
        find_dfdc(tmp_path)
    with pytest.raises(BadManifest, match=r"is not a folder"):
        find_dfdc(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read .*metadata.json as JSON"),
        ("[1]", "is not a table like"),
        ('{"a.mp4": {"label": "MAYBE"}}', "gives a.mp4 the label 'MAYBE'. Known: REAL, FAKE"),
    ],
)
def test_odd_metadata_is_refused_by_name(tmp_path, text, message):
    plant(tmp_path, "a.mp4")
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(BadManifest, match=message):
        find_dfdc(tmp_path)
