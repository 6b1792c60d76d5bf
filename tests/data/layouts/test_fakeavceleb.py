from __future__ import annotations

import pytest
from layout_trees import plant

from seamline.data.layouts.fakeavceleb import find_fakeavceleb
from seamline.errors import BadManifest

WAV2LIP = "FakeVideo-FakeAudio/African/men/id00076/00109_10_id00476_wavtolip.mp4"
FOLDER, NAME = WAV2LIP.rsplit("/", 1)
REAL = "FakeAVCeleb/RealVideo-RealAudio/African/men/id00076"
TABLE = f"""source,target1,target2,method,category,type,race,gender,path,
id00076,-,-,real,A,RealVideo-RealAudio,African,men,00109.mp4,{REAL}
id00076,id00476,10,wav2lip,D,FakeVideo-FakeAudio,African,men,{NAME},FakeAVCeleb/{FOLDER}
"""


@pytest.fixture
def root(tmp_path):
    return plant(
        tmp_path,
        "RealVideo-RealAudio/African/men/id00076/00109.mp4",
        "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4",
        "FakeVideo-RealAudio/African/men/id00076/00109_id00781_wavtolip.mp4",
        WAV2LIP,
    )


def test_the_four_classes_give_the_two_labels(root):
    found = {s.path.split("/")[0]: (s.video_label, s.audio_label) for s in find_fakeavceleb(root)}
    assert found == {
        "RealVideo-RealAudio": ("real", "real"),
        "RealVideo-FakeAudio": ("real", "fake"),
        "FakeVideo-RealAudio": ("fake", "real"),
        "FakeVideo-FakeAudio": ("fake", "fake"),
    }
    assert [s.label for s in find_fakeavceleb(root)] == ["real", "fake", "fake", "fake"]


def test_every_fake_names_the_original_that_is_there(root):
    fakes = [s for s in find_fakeavceleb(root) if s.label == "fake"]
    originals = {s.extra["original"] for s in fakes}
    assert originals == {"RealVideo-RealAudio/African/men/id00076/00109.mp4"}
    assert (root / originals.pop()).is_file()


def test_people_come_from_folders_and_names_and_methods_from_the_table(root):
    without = {s.path: s for s in find_fakeavceleb(root)}[WAV2LIP]
    assert (without.person, without.method) == ("voxceleb2-id00076+voxceleb2-id00476", "")
    (root / "meta_data.csv").write_text(TABLE)
    samples = {s.path: s for s in find_fakeavceleb(root)}
    assert samples[WAV2LIP].method == "wav2lip"
    assert samples[WAV2LIP].person == "voxceleb2-id00076+voxceleb2-id00476"
    assert samples["RealVideo-RealAudio/African/men/id00076/00109.mp4"].method == ""


def test_odd_trees_are_refused(root, tmp_path):
    (root / "meta_data.csv").write_text("file,label\n")
    with pytest.raises(BadManifest, match=r"lacks the column method; its header names file, label"):
        find_fakeavceleb(root)
    with pytest.raises(BadManifest, match=r"RealVideo-RealAudio, RealVideo-FakeAudio"):
        find_fakeavceleb(root / "RealVideo-RealAudio")
