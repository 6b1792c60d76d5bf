from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from seamline.data.manifest import COLUMNS, Sample, read_manifest, write_manifest
from seamline.errors import BadManifest

HEADER = "path,kind,split,label,video_label,audio_label,source,method,person,note\n"


def manifest(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "samples.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_row_becomes_a_sample_with_its_file_beside_the_manifest(tmp_path):
    text = HEADER + 'a b/ü.mp4,video,val,fake,fake,,FF++,"Swap, v2",ff1+ff2,"say ""hi"""\n'
    (sample,) = read_manifest(manifest(tmp_path, text))
    assert sample == Sample(
        "a b/ü.mp4", "video", "val", "fake", "fake", "", "FF++", "Swap, v2", "ff1+ff2",
        'say "hi"', root=tmp_path,
    )  # fmt: skip
    assert sample.file == tmp_path / "a b" / "ü.mp4"
    assert sample.people == ("ff1", "ff2")


def test_a_spreadsheet_export_reads_the_same(tmp_path):
    rows = "label,kind,path,frames\r\nreal,audio,x.wav,12\r\n\r\n,face,y.jpg,\r\n"
    found = read_manifest(manifest(tmp_path, b"\xef\xbb\xbf" + rows.encode()))
    assert [(s.path, s.kind, s.label, s.extra) for s in found] == [
        ("x.wav", "audio", "real", {"frames": "12"}),
        ("y.jpg", "face", "", {"frames": ""}),
    ]


def test_a_split_is_chosen_and_an_unknown_one_lists_the_known(tmp_path):
    path = manifest(tmp_path, "path,kind,label,split\na,video,real,train\nb,video,real,val\n")
    assert [s.path for s in read_manifest(path, split="val")] == ["b"]
    with pytest.raises(BadManifest, match=r"no row of split 'test'\. Its splits: train, val"):
        read_manifest(path, split="test")


def test_root_moves_relative_paths_but_not_absolute_ones(tmp_path):
    path = manifest(tmp_path, "path,kind,label\na.mp4,video,real\n/data/b.mp4,video,fake\n")
    files = [s.file for s in read_manifest(path, root="/clips")]
    assert files == [Path("/clips/a.mp4"), Path("/data/b.mp4")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\nx,real\n", r"lacks the column kind.*found: path, label"),
        ("", r"lacks the column path and kind and label.*found: nothing"),
        ("path,kind,label,kind\n", r"names the column kind more than once"),
        ("path,kind,label\nx,movie,real\n", r"line 2: column kind holds 'movie'; allowed: video,"),
        ("path,kind,label\nx,video,FAKE\n", r"column label holds 'FAKE'; allowed: real, fake, \("),
        (
            "path,kind,label,sync_label\nx,video,fake,no\n",
            r"column sync_label holds 'no'; allowed: real, fake, \(",
        ),
        (
            "path,kind,label,sync_label\nx,video,real,fake\n",
            r"label says real, but sync_label says fake",
        ),
        ("path,kind,label\nx,video\n", r"line 2: found 2 cells.* 3 columns"),
        ("path,kind,label\nx,y,video,real\n", r"line 2: found 4 cells"),
        ("path,kind,label\n ,video,real\n", r"line 2: column path is empty"),
        ("path,kind,label\na/../../x,video,real\n", r"leaves the root"),
        ("path,kind,label\nx,video,real\n\nx,video,fake\n", r"line 4: .* repeats 'x' of line 2"),
        ('path,kind,label\n"x,video,real\n', r"not valid CSV"),
        (
            "path,kind,label,audio_label\nx,video,real,fake\n",
            r"label says real, but audio_label says fake",
        ),
    ],
)
def test_what_breaks_the_layout_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(BadManifest, match=message):
        read_manifest(manifest(tmp_path, text))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path):
    with pytest.raises(BadManifest, match="not UTF-8"):
        read_manifest(manifest(tmp_path, b"path,kind,label\n\xff\xfe,video,real\n"))
    with pytest.raises(BadManifest, match="No such file"):
        read_manifest(tmp_path / "absent.csv")


def test_written_samples_read_back_the_same(tmp_path):
    samples = [
        Sample("x, y.mp4", "video", "train", "fake", "", "", "S", "M", "a+b", 'a "note"\nof two',
               {"frames": "3"}, tmp_path),
        Sample(" z.wav", "audio", root=tmp_path, extra={"licence": "MIT"}),
    ]  # fmt: skip
    path = tmp_path / "out.csv"
    write_manifest(path, samples)
    back = read_manifest(path)
    assert back[0].extra == {"frames": "3", "licence": ""}
    assert [{**vars(s), "extra": None} for s in back] == [
        {**vars(s), "extra": None} for s in samples
    ]
    with path.open(newline="") as file:
        assert next(csv.reader(file)) == [*COLUMNS, "frames", "licence"]
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize(
    ("kind", "label", "video", "audio", "picture", "voice"),
    [
        ("video", "fake", "fake", "", "fake", ""),
        ("video", "fake", "", "fake", "", "fake"),
        ("video", "fake", "", "", "fake", ""),
        ("video", "fake", "real", "fake", "real", "fake"),
        ("video", "real", "", "", "real", "real"),
        ("video", "real", "real", "", "real", "real"),
        ("audio", "fake", "", "", "", "fake"),
        ("audio", "real", "", "real", "", "real"),
        ("face", "fake", "", "", "fake", ""),
        ("video", "", "", "", "", ""),
    ],
)
def test_the_truth_of_each_sense_is_never_guessed_from_the_other(
    kind, label, video, audio, picture, voice
):
    sample = Sample("x", kind, label=label, video_label=video, audio_label=audio)
    assert (sample.picture_truth, sample.voice_truth) == (picture, voice)


@pytest.mark.real_clips
def test_the_research_manifest_reads_whole():
    path = Path(__file__).parents[3] / "shared" / "data" / "manifest.csv"
    if not path.exists():
        pytest.skip("the research clips are not beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        expected = sum(1 for _ in csv.DictReader(file))
    samples = read_manifest(path)
    assert len(samples) == expected
    assert all("licence" in sample.extra for sample in samples)
    assert all(sample.file.exists() for sample in samples[::100])
