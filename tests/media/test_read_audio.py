from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from media_factory import counting_frames, photo, sine, tiny_video, tone
from seamline.errors import UnreadableMedia
from seamline.media.audio import Sound, read_audio
from seamline.media.probe import probe
from seamline.media.video import stream_frames
from seamline.media.write import write_video


def whole(path: Path, **more: int) -> Sound:
    (sound,) = read_audio(path, **more)
    return sound


def write_blocks(
    path: Path,
    blocks: Sequence[tuple[float, np.ndarray]],
    *,
    rate_hz: int = 16000,
    layout: str = "mono",
    codec: str = "pcm_s16le",
    format: str = "s16p",
) -> Path:
    """Write blocks of (start in seconds, samples of shape (channel, time) in [-1, 1])."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        for start, samples in blocks:
            samples = np.atleast_2d(samples)
            scaled = samples.astype(np.float32) if "flt" in format else samples * 32767
            dtype = np.float32 if "flt" in format else np.int16
            frame = av.AudioFrame.from_ndarray(scaled.astype(dtype), format, layout)
            frame.sample_rate, frame.pts = rate_hz, round(start * rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def click(seconds: float, at: float, rate_hz: int = 16000) -> np.ndarray:
    """Return silence with one smooth bump of 2 ms around ``at``."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.8 * np.exp(-(((times - at) / 1e-3) ** 2))).astype(np.float32)


def click_time(sound: Sound) -> float:
    return sound.start_seconds + int(np.abs(sound.samples).argmax()) / sound.sample_rate_hz


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000, 96000])
def test_resampling_keeps_every_rate_in_time(rate_hz: int, tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "click.wav", [(0, click(2, 1.25, rate_hz))], rate_hz=rate_hz)
    sound = whole(path)
    assert sound.sample_rate_hz == 16000
    assert sound.samples.dtype == np.float32
    assert abs(len(sound.samples) - 32000) <= 1
    assert click_time(sound) == pytest.approx(1.25, abs=1.5e-4)


def test_resampling_keeps_a_tone_and_drops_what_would_alias(tmp_path: Path) -> None:
    low, high = sine(2, 1000, 48000), sine(2, 11000, 48000)
    sound = whole(write_blocks(tmp_path / "low.wav", [(0, low)], rate_hz=48000))
    assert np.abs(sound.samples - sine(2, 1000))[200:-200].max() < 0.01
    sound = whole(write_blocks(tmp_path / "high.wav", [(0, high)], rate_hz=48000))
    assert np.abs(sound.samples[200:-200]).max() < 0.02


@pytest.mark.parametrize(
    ("name", "codec", "audio_codec", "rate_hz"),
    [
        ("c.mp4", "libx264", "aac", 44100),
        ("c.mkv", "libx264", "aac", 44100),
        ("c.webm", "libvpx", "libopus", 48000),
        ("c.mov", "libx264", "libmp3lame", 44100),
        ("c.ts", "libx264", "aac", 44100),
        ("c.flv", "libx264", "aac", 44100),
        ("c.mpg", "mpeg1video", "mp2", 44100),
    ],
)
def test_codec_priming_does_not_shift_sound_against_pictures(
    name: str, codec: str, audio_codec: str, rate_hz: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    write_video(
        path,
        counting_frames(50, (32, 32)),
        25,
        samples=click(2, 1.0, rate_hz),
        sample_rate_hz=rate_hz,
        codec=codec,
        audio_codec=audio_codec,
        crf=None,
    )
    first = next(stream_frames(path, step_seconds=1.0))
    # The encoder's delay is told by MP4, MOV and Matroska; in the others it stays, as in players.
    told = name.rpartition(".")[2] in ("mp4", "mkv", "webm", "mov")
    assert click_time(whole(path)) - first.seconds == pytest.approx(1.0, abs=2e-3 if told else 0.03)


def test_gap_in_the_sound_is_silence_of_its_length(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "gap.mkv", [(0.0, sine(0.5)), (1.5, sine(0.5))])
    sound = whole(path)
    assert len(sound.samples) == pytest.approx(32000, abs=16)
    assert np.abs(sound.samples[8100:23900]).max() < 1e-3
    assert np.abs(sound.samples[100:7900]).max() > 0.45
    assert np.abs(sound.samples[24100:31900]).max() > 0.45


def test_sound_that_starts_late_says_so(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for index, rgb in enumerate(counting_frames(20)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        sound = (click(1, 0.5) * 32767).astype(np.int16)[None]
        block = av.AudioFrame.from_ndarray(sound, "s16p", "mono")
        block.sample_rate, block.pts = 16000, 12000
        container.mux(audio.encode(block))
        container.mux(video.encode(None))
    sound = whole(path)
    assert sound.start_seconds == pytest.approx(0.75)
    assert click_time(sound) == pytest.approx(1.25, abs=1e-3)
    (early,) = read_audio(path, spans=[(0.25, 1.0)])
    assert len(early.samples) == 12000
    assert not early.samples[:7900].any()


def test_sound_longer_and_shorter_than_the_picture_keeps_its_length(tmp_path: Path) -> None:
    for seconds in (0.5, 4.0):
        path = tiny_video(tmp_path / f"{seconds}.mp4", 2, audio=True, audio_seconds=seconds)
        assert len(whole(path).samples) / 16000 == pytest.approx(seconds, abs=0.07)


@pytest.mark.parametrize("format", ["s16p", "fltp"])
@pytest.mark.parametrize("layout", ["stereo", "5.1"])
def test_channels_are_mixed_within_full_scale(layout: str, format: str, tmp_path: Path) -> None:
    channels = {"stereo": 2, "5.1": 6}[layout]
    loud = np.repeat(1.8 * sine(0.5)[None], channels, axis=0)
    codec = "pcm_f32le" if format == "fltp" else "pcm_s16le"
    path = write_blocks(tmp_path / "c.wav", [(0, loud)], layout=layout, codec=codec, format=format)
    peak = np.abs(whole(path).samples).max()
    assert 0.85 < peak <= 1.0


def test_values_that_are_no_numbers_become_silence(tmp_path: Path) -> None:
    samples = sine(0.5)
    samples[100:200] = np.nan
    samples[300:310] = np.inf
    path = write_blocks(tmp_path / "nan.wav", [(0, samples)], codec="pcm_f32le", format="fltp")
    sound = whole(path)
    assert np.isfinite(sound.samples).all()
    assert np.abs(sound.samples).max() <= 1.0


def test_each_span_gives_its_samples_even_where_spans_overlap(tmp_path: Path) -> None:
    path = tone(tmp_path / "tone.wav", 3.0)
    spans = [(0.0, 1.0), (0.5, 1.5), (2.0, 2.0), (2.5, 5.0), (7.0, 8.0)]
    sounds = list(read_audio(path, spans=spans))
    truth = sine(3.0)
    for (start, stop), sound in zip(spans, sounds, strict=True):
        expected = truth[round(start * 16000) : round(stop * 16000)]
        assert sound.start_seconds == start
        assert sound.samples.shape == expected.shape
        assert np.abs(sound.samples - expected).max(initial=0) < 1e-4


def test_spans_out_of_order_are_refused(tmp_path: Path) -> None:
    path = tone(tmp_path / "tone.wav")
    with pytest.raises(ValueError, match="sorted by their starts"):
        read_audio(path, spans=[(1.0, 2.0), (0.0, 1.0)])
    with pytest.raises(ValueError, match="must not end before it starts"):
        read_audio(path, spans=[(1.0, 0.5)])


def test_other_rates_are_made_on_request(tmp_path: Path) -> None:
    sound = whole(tone(tmp_path / "tone.wav", 1.0), sample_rate_hz=8000)
    assert sound.sample_rate_hz == 8000
    assert len(sound.samples) == pytest.approx(8000, abs=1)


def test_cover_art_does_not_make_a_song_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    cover = photo(tmp_path / "cover.jpg")
    with av.open(str(path), "w") as container, av.open(str(cover)) as picture:
        sound = container.add_stream("libmp3lame", rate=16000, layout="mono")
        art = container.add_stream_from_template(picture.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(sine(1.0)[None], "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        packet = next(picture.demux(video=0))
        packet.stream = art
        container.mux(packet)
    info = probe(path)
    assert (info.kind, info.video) == ("audio", None)
    assert info.duration_seconds == pytest.approx(1.0, abs=0.1)
    assert np.abs(whole(path).samples).max() > 0.4


def test_silent_film_and_photo_have_no_sound(tmp_path: Path) -> None:
    for path in (tiny_video(tmp_path / "c.mp4", 0.3), photo(tmp_path / "p.png")):
        with pytest.raises(UnreadableMedia, match="no audio stream"):
            list(read_audio(path))


def write_stereo(path: Path, channels: np.ndarray, codec: str = "pcm_s16le") -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16000, layout="stereo")
        for start in range(0, channels.shape[1], 1024):
            part = np.ascontiguousarray(channels[:, start : start + 1024], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.wav", "pcm_u8"), ("a.flac", "flac")]
)
def test_channels_that_are_each_others_inverse_are_heard(
    tmp_path: Path, name: str, codec: str
) -> None:
    sound = sine(1.0)
    path = write_stereo(tmp_path / name, np.stack([sound, -sound]), codec)
    (heard,) = read_audio(path)
    assert np.corrcoef(heard.samples[: len(sound)], sound)[0, 1] > 0.99
    assert np.abs(heard.samples).max() == pytest.approx(0.5, abs=0.02)


def test_wide_stereo_stays_the_mean_of_its_channels(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    middle, side = 0.2 * sine(2.0), generator.normal(0, 0.2, 32000)
    channels = np.stack([middle + side, middle - side]).clip(-1, 1)
    (heard,) = read_audio(write_stereo(tmp_path / "wide.wav", channels))
    assert np.abs(heard.samples - channels.mean(axis=0)).max() < 0.001


def test_what_comes_into_phase_again_is_heard_as_it_is(tmp_path: Path) -> None:
    sound = sine(6.0)
    inverse = np.where(np.arange(len(sound)) < 32000, -sound, sound)
    (heard,) = read_audio(write_stereo(tmp_path / "part.wav", np.stack([sound, inverse])))
    assert np.abs(heard.samples[:30000]).max() > 0.4
    assert np.corrcoef(heard.samples[-32000:], sound[-32000:])[0, 1] > 0.99
