from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from forge_media import RATE, babble, talking

from seamline.data import copy_synthesis
from seamline.data.copy_synthesis import find_vocoder
from seamline.data.forge import forge
from seamline.data.forge_kinds import ForgeSettings, parse_kind
from seamline.data.forge_masks import read_masks
from seamline.data.forge_spans import draw_spans, overlap, within
from seamline.data.forge_sync import other_sound, shift_sound
from seamline.data.forge_voice import copy_voice
from seamline.data.manifest import Sample, read_manifest
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.video import stream_frames

SPAN = (1.2, 2.4)
KINDS = ("none", "lips", "sync", "swap", "splice-both", "splice-sync")


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [talking(folder / "talk.mp4", seconds=3.2), talking(folder / "b.mp4", 1.5, seed=9)]


@pytest.fixture(scope="module")
def made(clips, tmp_path_factory) -> dict[str, Sample]:
    settings = ForgeSettings(seed=1, crf=8, shift_seconds=0.4, spans=(SPAN,))
    folder = tmp_path_factory.mktemp("fakes")
    found = forge(clips, folder, kinds=KINDS, settings=settings, detector=FaceDetector(1))
    assert {(Path(s.path).name, s.kind) for s in found.skipped} == {
        ("b.mp4", "splice-both"), ("b.mp4", "splice-sync"),
    }  # fmt: skip
    assert all("; a splice needs 2 s" in s.reason for s in found.skipped)
    return {s.extra["forgery"]: s for s in found.samples if s.path.startswith("talk.")}


def frames(path: Path) -> np.ndarray:
    return np.stack([f.rgb for f in stream_frames(path, step_seconds=0.004)]).astype(np.int16)


def sound(path: Path) -> np.ndarray:
    return next(read_audio(path)).samples


def test_a_sync_fake_is_fake_by_its_sync_alone(made):
    for kind in ("sync", "swap", "splice-sync"):
        row = made[kind]
        assert (row.label, row.video_label, row.audio_label) == ("fake", "real", "real")
        assert (row.extra["sync_label"], row.extra["four_way"]) == ("fake", "")
    labels = [made[k].extra["four_way"] for k in ("none", "lips", "splice-both")]
    assert labels == ["real", "fake_video", "fake_both"]
    assert (made["sync"].extra["shift_seconds"], made["swap"].extra["donor"][-5:]) == (
        "0.4", "b.mp4",
    )  # fmt: skip
    assert read_manifest(made["sync"].root / "manifest.csv")[2] == made["sync"]


def test_a_shifted_sound_comes_as_late_as_told_and_no_quieter_anywhere(made):
    genuine, late = sound(made["none"].file), sound(made["sync"].file)
    assert len(genuine) == len(late)
    cross = np.fft.irfft(np.fft.rfft(late) * np.conj(np.fft.rfft(genuine)))
    assert abs(int(cross.argmax()) / 16000 - 0.4) < 0.001
    level = np.sqrt(np.mean(late[:4000] ** 2))
    assert level > 0.2 * np.sqrt(np.mean(genuine**2))  # no silence gives it away


def test_a_swapped_sound_is_another_clips_and_as_loud(made):
    genuine, swapped = sound(made["none"].file), sound(made["swap"].file)
    assert abs(np.corrcoef(genuine, swapped)[0, 1]) < 0.1
    ratio = np.sqrt(np.mean(swapped**2) / np.mean(genuine**2))
    assert 0.9 < ratio < 1.1
    np.testing.assert_allclose(frames(made["none"].file), frames(made["swap"].file), atol=2)


def test_a_spliced_fake_is_forged_in_its_seconds_and_nowhere_else(made):
    fake, genuine = made["splice-both"], made["none"]
    segments = {s["modality"]: s for s in json.loads(fake.extra["segments"])}
    assert set(segments) == {"video", "audio"}
    for found in segments.values():
        assert found["start_seconds"] == pytest.approx(SPAN[0], abs=0.51 / RATE)
        assert found["stop_seconds"] == pytest.approx(SPAN[1], abs=0.51 / RATE)
    (mask,) = read_masks(fake.root / fake.extra["masks"])
    pasted = mask.over_frame(1.8, (192, 192)) > 0.9
    change = np.abs(frames(fake.file) - frames(genuine.file))[:, pasted].mean(axis=(1, 2))
    inside = np.array([SPAN[0] <= i / RATE < SPAN[1] for i in range(len(change))])
    before = inside.argmax() - 4  # both are coded from the same but for frames that look ahead
    assert change[:before].max() == 0
    assert change[inside][2:-2].min() > 2 * change[~inside].max()
    voice = np.abs(sound(fake.file) - sound(genuine.file))
    rms = np.sqrt(np.mean(sound(genuine.file) ** 2))
    assert voice[: 16000 + 1000].max() < 0.2 * rms
    assert np.sqrt(np.mean(voice[19500:38000] ** 2)) > 0.5 * rms
    late = json.loads(made["splice-sync"].extra["segments"])
    assert [(s["modality"], s["start_seconds"], s["stop_seconds"]) for s in late] == [
        ("sync", *SPAN)
    ]


def test_a_spliced_picture_fades_in_and_its_mask_says_so(made):
    (mask,) = read_masks(made["splice-both"].root / made["splice-both"].extra["masks"])
    strengths = [mask.strength_at(s) for s in mask.seconds]
    assert strengths[0] < 1
    assert strengths[-1] < 1
    assert strengths[len(strengths) // 2] == 1
    assert mask.over_frame(0.5, (192, 192)).sum() == 0
    assert mask.over_frame(1.8, (192, 192)).max() > 0.98
    assert 0 < mask.over_frame(mask.seconds[0], (192, 192)).max() < 0.98


def test_only_the_mouth_of_a_lips_fake_changes(made):
    fake, genuine = frames(made["lips"].file), frames(made["none"].file)
    change = np.abs(fake - genuine).mean(axis=(0, 3))
    (mask,) = read_masks(made["lips"].root / made["lips"].extra["masks"])
    rows, _ = np.nonzero(mask.mask > 128)
    assert rows.min() > 128  # of 256 rows of an upright face
    assert change[:40].max() < 4
    assert change.max() > 4


def test_one_seed_gives_the_same_bytes(clips, tmp_path):
    kinds, settings = ("splice-both", "swap"), ForgeSettings(seed=7)
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        made = forge(clips, folder, kinds=kinds, settings=settings, detector=FaceDetector(1))
        assert len(made.samples) == 3
    for sample in made.samples:
        first, second = ((folder / sample.path).read_bytes() for folder in folders)
        assert first == second


def test_a_fault_in_one_clip_does_not_end_it_and_leaves_no_part(clips, tmp_path, monkeypatch):
    from seamline.data import forge_clip

    write = forge_clip.write_video

    def faulty(path: Path, *rest: object, **more: object) -> None:
        write(path, *rest, **more)
        if "talk" in path.name:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(forge_clip, "write_video", faulty)
    made = forge(clips, tmp_path / "out", kinds=("none",))
    assert [s.path for s in made.samples] == ["b.none.mp4"]
    (skipped,) = made.skipped
    assert skipped.kind == "none"
    assert "RuntimeError: a fault of ours" in skipped.reason
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["b.none.mp4", "manifest.csv"]


def test_a_run_goes_on_where_a_broken_one_stopped(clips, tmp_path, monkeypatch):
    from seamline.data.forge_clip import OpenClip

    whole = forge(clips, tmp_path / "whole", kinds=("audio", "none"))
    usual = OpenClip.forge

    def killed(self: OpenClip, kind: object, folder: Path, name: str, draws: object) -> object:
        if name == "b.none":
            raise KeyboardInterrupt
        return usual(self, kind, folder, name, draws)

    monkeypatch.setattr(OpenClip, "forge", killed)
    with pytest.raises(KeyboardInterrupt):
        forge(clips, tmp_path / "out", kinds=("audio", "none"))
    monkeypatch.undo()
    assert len(read_manifest(tmp_path / "out" / "manifest.csv")) == 3
    again = forge(clips, tmp_path / "out", kinds=("audio", "none"), resume=True)
    assert again.kept == 3
    assert {s.path for s in again.samples} == {s.path for s in whole.samples}
    for sample in whole.samples:
        assert (tmp_path / "out" / sample.path).read_bytes() == sample.file.read_bytes()


def test_a_shift_wraps_and_a_short_sound_repeats():
    voice = babble(1.0)
    moved = shift_sound(voice, 0.25, 16000)
    fade = 80
    np.testing.assert_array_equal(moved[4000 + fade :], voice[fade:12000])
    np.testing.assert_array_equal(moved[: 4000 - fade], voice[12000 : 16000 - fade])
    np.testing.assert_allclose(np.roll(shift_sound(voice, -0.25, 16000), 4000)[fade:-fade],
                               voice[fade:-fade])  # fmt: skip
    with pytest.raises(ValueError, match=r"a shift must be shorter than the sound, 1.00 s"):
        shift_sound(voice, 1.0, 16000)
    short = babble(0.4, seed=1)
    taken = other_sound(voice, short, np.random.default_rng(0), 16000)
    assert len(taken) == len(voice)
    np.testing.assert_allclose(taken[6400 + 80 : 12800 - 80], taken[80 : 6400 - 80])


def test_spans_lie_where_face_and_voice_are_and_keep_apart():
    spoken, seen = [(4.0, 9.0), (12.0, 19.0)], [(6.0, 20.0)]
    for seed in range(20):
        spans = draw_spans(20.0, np.random.default_rng(seed), [spoken, seen])
        assert len(spans) == 2
        for start, stop in spans:
            assert 1.0 <= stop - start <= 3.0
            assert 0 <= start < stop <= 20.0
            assert overlap(spoken, (start, stop)) > 0
        assert spans[1][0] - spans[0][1] >= 0.3
    assert within([(1.0, 2.0), (4.9, 6.0), (7.0, 8.0)], 5.0) == [(1.0, 2.0)]


def test_world_copies_the_words_but_not_the_waveform():
    voice = babble(1.5)
    copied = copy_voice(voice, np.random.default_rng(0), 16000, find_vocoder("world"))
    assert len(copied) == len(voice)

    def envelope(sound: np.ndarray) -> np.ndarray:
        return np.sqrt(np.convolve(sound**2, np.ones(1600) / 1600, "valid"))

    assert np.corrcoef(envelope(voice), envelope(copied))[0, 1] > 0.8
    assert abs(np.corrcoef(voice, copied)[0, 1]) < 0.95
    again = copy_voice(voice, np.random.default_rng(0), 16000, find_vocoder("world"))
    np.testing.assert_array_equal(copied, again)


def test_world_without_pyworld_says_what_to_install(monkeypatch):
    copy_synthesis._pyworld.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'seamline\[forge\]'.*griffin-lim"):
        find_vocoder("world")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("video+swap", ("video", False, "swap", False)),
        ("splice-lips+audio", ("lips", True, "", True)),
        ("both", ("video", True, "", False)),
        ("splice", ("", True, "", True)),
        ("splice-sync", ("", False, "sync", True)),
        ("none", ("", False, "", False)),
    ],
)
def test_a_kind_says_what_is_forged(text, parts):
    kind = parse_kind(text)
    assert (kind.picture, kind.voice, kind.sync, kind.spliced) == parts


@pytest.mark.parametrize("text", ["", "splice-none", "none+video", "video+video", "splice-"])
def test_an_unknown_kind_is_refused(text):
    with pytest.raises(ValueError, match=r"Unknown kind|asks for both"):
        parse_kind(text)
