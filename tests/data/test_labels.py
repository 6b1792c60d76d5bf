from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from forge_media import RATE, SIDE_PX, babble, portrait_frames, talking

from media_factory import tiny_video
from seamline.data.forge import forge
from seamline.data.forge_kinds import ForgeSettings
from seamline.data.forge_voice import copy_voice, splice_voice
from seamline.data.labels import Tolerance, label_pair, label_samples, picture_label
from seamline.data.labels_frames import paired_frames
from seamline.data.labels_picture import PictureDistance, relight, ssim_map
from seamline.data.labels_voice import compare_voices, find_lag
from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.data.voice_augment import through_codec
from seamline.faces.mtcnn import FaceDetector
from seamline.media.write import write_video

RATE_HZ = 16000


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory, detector):
    folder = tmp_path_factory.mktemp("pairs")
    clip = talking(folder / "talk.mp4", seconds=2.2)
    settings = ForgeSettings(seed=3)
    return clip, forge([clip], folder / "fakes", settings=settings, detector=detector).samples


def pair_of(made, kind: str) -> tuple[Path, Path]:
    clip, samples = made
    return next(s.file for s in samples if f".{kind}." in s.path), clip


def shared(path: Path, out: Path, **options: object) -> Path:
    """Encode again smaller, worse, quieter, and with the picture and sound late."""
    from seamline.media.audio import read_audio
    from seamline.media.video import stream_frames

    frames = [f.rgb for f in stream_frames(path, step_seconds=0.004)]
    frames = [cv2.resize(f, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA) for f in frames]
    samples = np.pad(0.5 * next(read_audio(path)).samples, (800, 0))
    write_video(out, frames[:1] + frames[:-1], RATE, samples=samples, crf=24, **options)
    return out


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("video", ("fake", "real")),
        ("audio", ("real", "fake")),
        ("both", ("fake", "fake")),
        ("splice", ("real", "fake")),
        ("none", ("real", "real")),
    ],
)
def test_all_four_labels_survive_another_encoding(made, kind, labels, tmp_path, detector):
    fake, original = pair_of(made, kind)
    for path in (fake, shared(fake, tmp_path / "again.mp4")):
        pair = label_pair(path, original, detector)
        assert (pair.video_label, pair.audio_label) == labels, pair
        assert pair.picture.frames >= 5


def test_the_lag_of_sound_is_found_to_a_millisecond():
    voice = babble(3.0)
    for late in (-4321, 0, 37, 9000):
        shifted = np.pad(voice, (max(late, 0), 0))[max(-late, 0) :]
        assert abs(find_lag(shifted, voice, RATE_HZ) - late) <= 16
    assert compare_voices(np.pad(voice, (9000, 0)), voice).worst_correlation > 0.999


@pytest.mark.parametrize("codec", ["aac", "mp3", "opus"])
def test_low_bit_rates_leave_a_voice_real_and_synthesis_does_not(codec):
    voice = babble(3.0)
    coded = through_codec(voice, codec, coded_rate_hz=16000, bit_rate=24000)
    least = Tolerance().least_correlation
    assert compare_voices(0.3 * coded, voice).worst_correlation > least + 0.2
    copied = copy_voice(voice, np.random.default_rng(0), RATE_HZ)
    forged = through_codec(copied, codec, coded_rate_hz=16000, bit_rate=24000)
    assert compare_voices(forged, voice).worst_correlation < least - 0.1


def test_a_splice_is_found_where_it_is():
    voice = babble(6.0)
    spliced, ((start, stop),) = splice_voice(voice, np.random.default_rng(1), RATE_HZ)
    distance = compare_voices(spliced, voice)
    assert distance.worst_correlation < 0.6
    spans = distance.unlike_spans(0.6)
    assert abs(spans[0][0] - start) < 0.25
    assert abs(spans[-1][1] - stop) < 0.25
    assert distance.correlation > 0.99


def test_silence_has_no_label():
    quiet = np.zeros(32000, np.float32)
    assert compare_voices(quiet, quiet) is None
    assert compare_voices(babble(2.0)[:4000], babble(2.0)) is None


def test_frames_are_paired_with_those_they_were_made_from(tmp_path):
    original = tiny_video(tmp_path / "a.mp4", seconds=2.0, fps=20.0)
    from media_factory import counting_frames, frame_number

    late = [next(counting_frames(1)), *counting_frames(39)]  # each frame one later
    write_video(tmp_path / "b.mp4", late, 20.0)
    pairs = list(paired_frames(tmp_path / "b.mp4", original, 0.2, (4, 10)))
    assert len(pairs) == 10
    for pair in pairs:
        assert frame_number(pair.rgb) == frame_number(pair.original)
        assert pair.seconds - pair.original_seconds == pytest.approx(0.05, abs=1e-6)


def test_other_shapes_cannot_be_paired(tmp_path, detector):
    tall = tiny_video(tmp_path / "tall.mp4", size=(48, 64))
    wide = tiny_video(tmp_path / "wide.mp4", size=(64, 48))
    pair = label_pair(tall, wide, detector)
    assert (pair.video_label, pair.video_reason) == ("", "no two frames could be paired")
    same = label_pair(wide, wide, detector)
    assert (same.video_label, same.video_reason) == ("", "no face was found in the original")
    assert same.audio_reason == "no audio stream"


@pytest.mark.parametrize("cut", [(slice(None), slice(4, -4)), (slice(4, -4), slice(None))])
def test_a_few_columns_or_rows_cut_off_evenly_do_no_harm(cut, tmp_path, detector):
    frames = portrait_frames(1.0)
    write_video(tmp_path / "a.mp4", frames, RATE)
    write_video(tmp_path / "b.mp4", [frame[cut] for frame in frames], RATE)
    for pair in paired_frames(tmp_path / "b.mp4", tmp_path / "a.mp4", 0.2, (4, 8)):
        assert pair.rgb.shape == pair.original.shape == frames[0][cut].shape
        assert np.abs(pair.rgb.astype(int) - pair.original).mean() < 3
        assert pair.seconds == pytest.approx(pair.original_seconds)
    for fake, original in (("b.mp4", "a.mp4"), ("a.mp4", "b.mp4")):
        pair = label_pair(tmp_path / fake, tmp_path / original, detector)
        assert pair.video_label == "real"


def test_another_light_over_the_whole_frame_is_no_forgery(tmp_path, detector):
    frames = portrait_frames(1.0)
    write_video(tmp_path / "a.mp4", frames, RATE)
    bright = [np.clip(frame * 0.8 + 30, 0, 255).astype(np.uint8) for frame in frames]
    write_video(tmp_path / "b.mp4", bright, RATE)
    pair = label_pair(tmp_path / "b.mp4", tmp_path / "a.mp4", detector)
    assert pair.video_label == "real"
    mask = np.ones((SIDE_PX, SIDE_PX), bool)
    relit = relight(bright[0], frames[0], mask)
    assert np.abs(relit.astype(int) - bright[0]).mean() < 1.5


def test_ssim_agrees_with_its_definition_at_a_pixel():
    generator = np.random.default_rng(0)
    a, b = generator.uniform(0, 255, (2, 31, 31)).astype(np.float32)
    line = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(line, line) / np.outer(line, line).sum()
    x, y = a[10:21, 10:21].astype(np.float64), b[10:21, 10:21].astype(np.float64)
    mx, my = (window * x).sum(), (window * y).sum()
    vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
    shared_part = (window * (x - mx) * (y - my)).sum()
    c1, c2 = 2.55**2, 7.65**2
    wanted = (2 * mx * my + c1) * (2 * shared_part + c2) / (mx**2 + my**2 + c1) / (vx + vy + c2)
    assert ssim_map(a, b)[15, 15] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("excess", "outside", "label"),
    [
        (5.0, 1.0, "real"), (10.0, 1.0, "fake"), (10.0, None, "fake"),
        (5.0, 9.0, "real"), (10.0, 9.0, ""), (30.0, 9.0, "fake"),
    ],
)  # fmt: skip
def test_what_heavy_coding_could_have_made_has_no_label(excess, outside, label):
    measured = PictureDistance(8, 0.0, outside, 30.0, 30.0, 0.9, 0.9, (excess,) * 8)
    assert picture_label(measured, Tolerance()) == label


def test_a_manifest_is_filled_in_and_what_is_known_is_kept(made, tmp_path, detector):
    clip, samples = made
    kinds = {s.path.split(".")[-2]: s for s in samples}
    blank = replace(kinds["video"], video_label="", audio_label="")
    wrong = replace(kinds["none"], label="fake", video_label="fake", audio_label="")
    trusted = replace(kinds["both"], label="real", video_label="", audio_label="")
    genuine = Sample("../talk.mp4", "video", label="real", root=clip.parent / "fakes")
    absent = Sample("gone.mp4", "video", label="fake", extra={"original": str(clip)}, root=tmp_path)
    steps: list[tuple[int, int]] = []
    labelled = label_samples(
        [blank, wrong, genuine, absent, trusted],
        detector,
        progress=lambda *step: steps.append(step),
    )
    assert [(s.video_label, s.audio_label) for s in labelled] == [
        ("fake", "real"), ("fake", "real"), ("", ""), ("", ""), ("real", "real"),
    ]  # fmt: skip
    assert labelled[1].extra["unlabelled"] == "video_label is fake, measured real"
    assert labelled[2] == genuine
    assert "audio_label is real, measured fake" in labelled[4].extra["unlabelled"]
    assert labelled[3].extra["unlabelled"].startswith("Cannot read ")
    assert float(labelled[0].extra["voice_worst_correlation"]) > 0.9
    assert steps == [(n, 5) for n in range(1, 6)]
    write_manifest(tmp_path / "out.csv", [labelled[0], labelled[4]])
    back = read_manifest(tmp_path / "out.csv", labelled[0].root)
    assert back[0].extra["face_change"] == labelled[0].extra["face_change"]


def test_a_stream_that_one_of_the_two_lacks_has_no_label(made, tmp_path, detector):
    fake, original = pair_of(made, "none")
    mute = talking(tmp_path / "mute.mp4", seconds=1.0, sound=False)
    assert label_pair(mute, original, detector).audio_reason == "no audio stream"
    reverse = label_pair(fake, mute, detector)
    assert reverse.audio_reason == "the original has no audio stream"
    assert reverse.columns()["unlabelled"] == "voice: the original has no audio stream"
