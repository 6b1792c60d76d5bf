from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from forge_media import RATE, babble, talking

from media_factory import photo, tiny_video
from seamline.data.forge import Forged, forge
from seamline.data.forge_kinds import ForgeSettings
from seamline.data.forge_masks import FaceMask, read_masks, write_masks
from seamline.data.forge_picture import at_steady_rate
from seamline.data.forge_voice import copy_voice, splice_voice
from seamline.data.manifest import read_manifest
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.video import Frame, stream_frames
from seamline.media.write import write_audio


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return talking(tmp_path_factory.mktemp("clips") / "talk.mp4")


@pytest.fixture(scope="module")
def forged(clip, tmp_path_factory) -> Forged:
    return forge(
        [clip],
        tmp_path_factory.mktemp("fakes"),
        kinds=("video", "audio", "both", "none", "splice"),
        settings=ForgeSettings(seed=3, crf=8),
        detector=FaceDetector(1),
    )


def by_kind(forged: Forged) -> dict[str, object]:
    return {sample.path.split(".")[-2]: sample for sample in forged.samples}


def frames(path: Path) -> np.ndarray:
    return np.stack([f.rgb for f in stream_frames(path, step_seconds=0.004)]).astype(np.int16)


def sound(path: Path) -> np.ndarray:
    return next(read_audio(path)).samples


def segments(sample: object, modality: str) -> list[tuple[float, float]]:
    found = json.loads(sample.extra["segments"])
    return [(s["start_seconds"], s["stop_seconds"]) for s in found if s["modality"] == modality]


def test_each_kind_has_its_labels_and_its_manifest_row(forged, clip):
    labels = {k: (s.label, s.video_label, s.audio_label) for k, s in by_kind(forged).items()}
    assert labels == {
        "video": ("fake", "fake", "real"),
        "audio": ("fake", "real", "fake"),
        "both": ("fake", "fake", "fake"),
        "splice": ("fake", "real", "fake"),
        "none": ("real", "real", "real"),
    }
    assert forged.skipped == []
    folder = forged.samples[0].root
    assert read_manifest(folder / "manifest.csv") == forged.samples
    assert {s.extra["original"] for s in forged.samples} == {str(clip)}
    assert sorted(p.name for p in folder.iterdir() if p.suffix == ".mp4") == sorted(
        s.path for s in forged.samples
    )


def test_the_picture_changes_only_inside_the_mask(forged, clip):
    fake = by_kind(forged)["video"]
    genuine, changed = frames(by_kind(forged)["none"].file), frames(fake.file)
    assert genuine.shape == changed.shape
    (mask,) = read_masks(fake.root / fake.extra["masks"])
    for index in (5, 15, 30):
        weight = mask.over_frame(index / RATE, genuine.shape[1:3])
        change = np.abs(genuine[index] - changed[index]).mean(axis=2)
        assert change[weight > 0.9].mean() > 2.5
        assert change[weight == 0].mean() < 1.3  # what coding alone differs
        assert weight.max() > 0.98


def test_the_blend_is_the_same_in_every_frame(forged):
    fake, genuine = by_kind(forged)["video"], by_kind(forged)["none"]
    (mask,) = read_masks(fake.root / fake.extra["masks"])
    pairs = zip(frames(fake.file), frames(genuine.file), strict=True)
    shifts = []
    for index, (changed, kept) in enumerate(pairs):
        inside = mask.over_frame(index / RATE, kept.shape) > 0.9
        shifts.append((changed - kept)[inside].mean(axis=0))
    shifts = np.array(shifts)
    assert np.abs(shifts.mean(axis=0)).max() > 5 * shifts.std(axis=0).max()


def test_the_mask_moves_with_the_face_and_without_jitter(forged):
    fake = by_kind(forged)["video"]
    (mask,) = read_masks(fake.root / fake.extra["masks"])
    middle = mask.to_frame @ np.array([128.0, 128.0, 1.0])
    index = np.arange(len(middle))
    pan = np.stack([4 * np.sin(index / 6), 3 * np.cos(index / 6)], axis=1)
    stray = (middle - pan) - (middle - pan).mean(axis=0)
    assert np.sqrt((stray[3:-3] ** 2).mean()) < 0.7  # px; the face is 80 px wide


def test_the_voice_is_forged_just_where_the_segments_say(forged):
    kinds = by_kind(forged)
    genuine = sound(kinds["none"].file)
    assert segments(kinds["none"], "audio") == segments(kinds["video"], "audio") == []
    ((start, stop),) = segments(kinds["splice"], "audio")
    assert 1.0 <= stop - start <= 3.0
    change = np.abs(sound(kinds["splice"].file)[: len(genuine)] - genuine)
    rms = np.sqrt(np.mean(genuine**2))
    spliced = np.zeros(len(genuine), bool)
    spliced[round(start * 16000) : round(stop * 16000)] = True
    near = np.convolve(spliced, np.ones(2048), "same") > 0  # AAC's frames reach over the edge
    assert np.sqrt(np.mean(change[spliced] ** 2)) > 0.5 * rms
    assert np.sqrt(np.mean(change[~near] ** 2)) < 0.05 * rms
    ((start, stop),) = segments(kinds["audio"], "audio")
    assert (start, stop) == (0.0, pytest.approx(2.4, abs=0.07))


def test_picture_segments_are_where_the_face_is_seen(forged):
    ((start, stop),) = segments(by_kind(forged)["both"], "video")
    assert (start, stop) == (0.0, pytest.approx(2.4, abs=0.08))


def test_the_seed_decides_whatever_else_is_forged(forged, clip, tmp_path):
    other = tiny_video(tmp_path / "first.mp4", audio=True)
    again = forge([other, clip], tmp_path / "a", kinds=("splice",), settings=ForgeSettings(seed=3))
    old, new = by_kind(forged)["splice"], by_kind(again)["splice"]
    assert new.extra["segments"] == old.extra["segments"]
    np.testing.assert_allclose(sound(new.file), sound(old.file), atol=1e-3)
    changed = forge([clip], tmp_path / "b", kinds=("splice",), settings=ForgeSettings(seed=4))
    assert by_kind(changed)["splice"].extra["segments"] != old.extra["segments"]


def test_what_a_clip_cannot_give_is_skipped_by_name(tmp_path):
    silent = talking(tmp_path / "silent.mp4", seconds=1.0, sound=False)
    faceless = tiny_video(tmp_path / "faceless.mp4", seconds=1.0, audio=True)
    still = photo(tmp_path / "still.png")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    clips = [silent, faceless, still, tmp_path / "broken.mp4", tmp_path / "absent.mp4"]
    made = forge(clips, tmp_path / "out", kinds=("video", "audio", "splice", "none"))
    reasons = {(Path(s.path).stem, s.kind): s.reason for s in made.skipped}
    assert reasons["silent", "audio"] == "no audio stream"
    assert reasons["faceless", "video"] == "no face of at least 48 px for at least 0.4 s"
    assert reasons["faceless", "splice"] == "1.0 s of sound; a splice needs 2 s"
    assert reasons["still", "none"] == "a photo, not a clip"
    assert reasons["absent", ""] == "no such file"
    assert reasons["broken", ""]
    assert sorted(s.path for s in made.samples) == [
        "faceless.audio.mp4", "faceless.none.mp4", "silent.none.mp4", "silent.video.mp4",
    ]  # fmt: skip
    soundless = next(s for s in made.samples if s.path == "silent.video.mp4")
    assert (soundless.video_label, soundless.audio_label) == ("fake", "")


def test_nothing_is_overwritten(clip, tmp_path):
    (tmp_path / "talk.none.mp4").write_text("mine")
    with pytest.raises(FileExistsError, match=r"talk.none.mp4 exists; nothing is overwritten"):
        forge([clip], tmp_path, kinds=("none",))
    assert (tmp_path / "talk.none.mp4").read_text() == "mine"
    (tmp_path / "manifest.csv").write_text("")
    with pytest.raises(FileExistsError, match=r"manifest.csv exists"):
        forge([clip], tmp_path, kinds=("none",))
    with pytest.raises(ValueError, match=r"Unknown kind 'smile'. Known: video, lips, audio"):
        forge([clip], tmp_path / "new", kinds=("smile",))


def test_sound_files_and_clips_of_one_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_audio(tmp_path / folder / "voice.wav", babble(2.5))
    clips = [tmp_path / folder / "voice.wav" for folder in ("a", "b")]
    made = forge(clips, tmp_path / "out", kinds=("audio", "video"))
    assert [s.path for s in made.samples] == ["voice.audio.wav", "voice-2.audio.wav"]
    assert {(s.kind, s.video_label, s.audio_label) for s in made.samples} == {("audio", "", "fake")}
    assert {s.reason for s in made.skipped} == {"no video stream"}


def test_a_long_recording_gets_spans_all_over():
    voice = babble(24.0)
    spliced, spans = splice_voice(voice, np.random.default_rng(0), 16000)
    assert len(spans) == 3
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    for start, stop in spans:
        inside = slice(round(start * 16000), round(stop * 16000))
        assert np.abs(spliced[inside] - voice[inside]).max() > 0.01
        voice[inside] = spliced[inside]
    np.testing.assert_array_equal(spliced, voice)  # to the sample nothing else changed


def test_blocks_of_a_long_voice_join_without_a_seam(monkeypatch):
    monkeypatch.setattr("seamline.data.forge_voice.BLOCK_SECONDS", 1.0)
    voice = babble(2.5)
    copied = copy_voice(voice, np.random.default_rng(0), 16000)
    assert len(copied) == len(voice)
    usual = np.percentile(np.abs(np.diff(copied)), 99)
    for seam in (16000, 32000):
        assert abs(copied[seam] - copied[seam - 1]) < 3 * usual


def test_frames_keep_their_times_on_an_even_grid():
    shown = [Frame(s, np.full((2, 2, 3), i, np.uint8)) for i, s in enumerate((0.2, 0.3, 0.7))]
    levels = [int(rgb[0, 0, 0]) for rgb in at_steady_rate(shown, 10.0)]
    assert levels == [0, 0, 0, 1, 1, 1, 1, 2]  # the first is held from 0 s on


def test_masks_come_back_as_written_and_follow_between_frames(tmp_path):
    matrix = np.array([[0.5, 0, 10.0], [0, 0.5, 20.0]])
    moved = matrix + [[0, 0, 4.0], [0, 0, 0]]
    mask = np.zeros((256, 256), np.uint8)
    mask[100:150, 100:150] = 255
    kept = FaceMask(7, np.array([0.0, 0.1, 1.0]), np.stack([matrix, moved, moved]), mask)
    write_masks(tmp_path / "m.npz", [kept])
    (back,) = read_masks(tmp_path / "m.npz")
    assert back.track == 7
    np.testing.assert_allclose(back.matrix_at(0.05)[0, 2], 12.0)
    assert back.matrix_at(0.5) is None  # missed for 0.9 s
    assert back.spans(0.1) == [(0.0, 0.2), (1.0, 1.1)]
    drawn = back.over_frame(0.0, (160, 160))
    rows, columns = np.nonzero(drawn > 0.5)
    assert (rows.min(), columns.min()) == (70, 60)  # 100 / 2 + shift
    assert back.over_frame(0.5, (8, 8)).sum() == 0
