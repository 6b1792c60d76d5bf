"""Hides the channel of a voice: mono samples in, the same speech through another channel out.

Genuine and synthetic collections differ in bandwidth, codec, loudness, room and silence, and a
model finds those differences before it finds the forgery. ``hide_channel`` sends both classes
through the same random chain, drawn from the same distribution. Randomness is an argument.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import numpy as np
from av.audio.stream import AudioStream
from jaxtyping import Float32
from numpy.random import Generator

from seamline.voice.logmel import LogMelSettings, hann_window, log_mel, mel_filters

Samples = Float32[np.ndarray, " sample"]

CODECS: dict[str, tuple[str, str, tuple[int, ...], tuple[int, ...]]] = {
    "mp3": ("libmp3lame", "mp3", (16000, 22050, 24000, 44100), (24, 32, 48, 64, 96, 128)),
    "aac": ("aac", "adts", (16000, 22050, 32000, 44100), (24, 32, 48, 64, 96, 128)),
    "opus": ("libopus", "ogg", (16000, 24000, 48000), (12, 16, 24, 32, 48, 64)),
    "g722": ("g722", "wav", (16000,), (64,)),
    "mulaw": ("pcm_mulaw", "wav", (8000, 16000), (64,)),
}
"""Name: encoder, container, sample rates in Hz and bit rates in kbit/s to draw from."""


@dataclass(frozen=True)
class ChannelSettings:
    """How often each step of the chain happens, and how far it goes."""

    speed: float = 0.3
    """Probability of playing faster or slower (pitch and tempo together)."""
    speed_range: tuple[float, float] = (0.92, 1.08)
    """Least and most factor."""
    equalise: float = 0.5
    """Probability of a random smooth frequency response."""
    equalise_db: float = 8.0
    """Standard deviation of that response at its control points."""
    room: float = 0.25
    """Probability of a room."""
    noise: float = 0.6
    """Probability of added noise."""
    noise_snr_db: tuple[float, float] = (12.0, 45.0)
    """Least and most ratio of speech to noise."""
    band_limit: float = 0.6
    """Probability of a low-pass."""
    band_limit_hz: tuple[float, float] = (3400.0, 7800.0)
    """Least and most cut-off frequency."""
    codec: float = 0.6
    """Probability of a lossy codec."""
    level_db: tuple[float, float] = (-38.0, -14.0)
    """Least and most root mean square of the result, relative to full scale."""


def hide_channel(
    samples: Samples,
    rng: Generator,
    settings: ChannelSettings | None = None,
    sample_rate_hz: int = 16000,
) -> Samples:
    """Send speech through a random channel; the length stays (faster speech ends mirrored)."""
    settings = settings or ChannelSettings()
    if rng.random() < settings.speed:
        changed = change_speed(samples, float(rng.uniform(*settings.speed_range)))
        missing = max(0, len(samples) - len(changed))
        samples = np.pad(changed, (0, missing), mode="reflect")[: len(samples)]
    if rng.random() < settings.equalise:
        samples = equalise(samples, rng, settings.equalise_db)
    if rng.random() < settings.room:
        samples = add_room(samples, rng, sample_rate_hz)
    if rng.random() < settings.noise:
        samples = add_noise(samples, rng, float(rng.uniform(*settings.noise_snr_db)))
    if rng.random() < settings.band_limit:
        samples = low_pass(
            samples, float(rng.uniform(*settings.band_limit_hz)), rng, sample_rate_hz
        )
    samples = set_level(samples, float(rng.uniform(*settings.level_db)))
    if rng.random() < settings.codec:
        samples = random_codec(samples, rng, sample_rate_hz)
    return samples


def change_speed(samples: Samples, factor: float) -> Samples:
    """Play ``factor`` times faster by resampling in the frequency domain."""
    length = max(1, round(len(samples) / factor))
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(spectrum[: length // 2 + 1], length).astype(np.float32) * np.float32(
        length / len(samples)
    )


def equalise(samples: Samples, rng: Generator, spread_db: float) -> Samples:
    """Apply a smooth random frequency response: eight random points, joined on a mel-like axis."""
    spectrum = np.fft.rfft(samples)
    place = np.sqrt(np.linspace(0.0, 1.0, len(spectrum)))
    points_db = rng.normal(0.0, spread_db, 8)
    points_db -= points_db.mean()
    response = 10.0 ** (np.interp(place, np.linspace(0.0, 1.0, 8), points_db) / 20.0)
    return np.fft.irfft(spectrum * response, len(samples)).astype(np.float32)


def add_room(samples: Samples, rng: Generator, sample_rate_hz: int) -> Samples:
    """Convolve with a direct path and an exponentially decaying noise tail (60 dB in 0.1–0.6 s)."""
    decay_seconds = float(rng.uniform(0.1, 0.6))
    tail = np.arange(int(decay_seconds * sample_rate_hz)) / sample_rate_hz
    impulse = rng.normal(size=len(tail)) * 10.0 ** (-3.0 * tail / decay_seconds)
    impulse[: int(rng.uniform(0.001, 0.006) * sample_rate_hz)] = 0.0
    direct_to_tail_db = float(rng.uniform(0.0, 15.0))
    impulse *= 10.0 ** (-direct_to_tail_db / 20.0) / np.sqrt(np.sum(impulse**2) + 1e-12)
    impulse[0] = 1.0
    length = len(samples) + len(impulse) - 1
    wet = np.fft.irfft(np.fft.rfft(samples, length) * np.fft.rfft(impulse, length), length)
    return wet[: len(samples)].astype(np.float32)


def add_noise(samples: Samples, rng: Generator, snr_db: float) -> Samples:
    """Add noise of a random colour (power falling as 1/f^0 to 1/f^2), sometimes with mains hum."""
    frequency = np.arange(len(samples) // 2 + 1) + 20.0
    phases = np.exp(2j * np.pi * rng.random(len(frequency)))
    colour = frequency ** -float(rng.uniform(0.0, 1.0))
    noise = np.fft.irfft(phases * colour, len(samples))
    noise /= np.sqrt(np.mean(noise**2)) + 1e-12
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10.0 ** (-snr_db / 20.0)
    return (samples + noise * level).astype(np.float32)


def low_pass(samples: Samples, cutoff_hz: float, rng: Generator, sample_rate_hz: int) -> Samples:
    """Remove what lies above a frequency, over a transition of 1–20 % of it, as resampling does."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1.0 / sample_rate_hz)
    width_hz = cutoff_hz * float(rng.uniform(0.01, 0.2))
    past = np.clip((hz - (cutoff_hz - width_hz)) / width_hz, 0.0, 1.0)
    stop = 10.0 ** (-float(rng.uniform(30.0, 90.0)) / 20.0)
    gain = stop + (1.0 - stop) * (0.5 + 0.5 * np.cos(np.pi * past))
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


def set_level(samples: Samples, level_db: float) -> Samples:
    """Scale to a root mean square in dB of full scale, clipping what exceeds full scale."""
    rms = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    gain = 10.0 ** (level_db / 20.0) / max(float(rms), 1e-7)
    return np.clip(samples * np.float32(gain), -1.0, 1.0)


def random_codec(samples: Samples, rng: Generator, sample_rate_hz: int) -> Samples:
    """Send samples through a codec at a rate and bit rate, all drawn at random."""
    name = list(CODECS)[int(rng.integers(len(CODECS)))]
    _, _, rates_hz, kilobits = CODECS[name]
    return through_codec(
        samples,
        name,
        coded_rate_hz=int(rng.choice(rates_hz)),
        bit_rate=int(rng.choice(kilobits)) * 1000,
        sample_rate_hz=sample_rate_hz,
    )


def through_codec(
    samples: Samples, name: str, *, coded_rate_hz: int, bit_rate: int, sample_rate_hz: int = 16000
) -> Samples:
    """Encode and decode in memory; the codec's delay stays, the length is restored."""
    if name not in CODECS:
        raise ValueError(f"Unknown codec {name!r}. Known: {', '.join(CODECS)}.")
    coded = io.BytesIO()
    _encode(samples, coded, name, coded_rate_hz, bit_rate, sample_rate_hz)
    coded.seek(0)
    heard = _decode(coded, sample_rate_hz)[: len(samples)]
    return np.pad(heard, (0, len(samples) - len(heard)))


def _encode(
    samples: Samples, coded: io.BytesIO, name: str, coded_rate_hz: int, bit_rate: int, rate_hz: int
) -> None:
    encoder, container, _, _ = CODECS[name]
    with av.open(coded, "w", format=container) as output:
        stream = output.add_stream(encoder, rate=coded_rate_hz, layout="mono")
        assert isinstance(stream, AudioStream)
        if name in ("mp3", "aac", "opus"):  # the others' bit rates follow from their sample rates
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate_hz, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _decode(coded: io.BytesIO, sample_rate_hz: int) -> Samples:
    resampler = av.AudioResampler("fltp", "mono", sample_rate_hz)
    pieces = [np.zeros(0, np.float32)]
    with av.open(coded, "r") as source:
        for frame in source.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces)


def random_crop(samples: Samples, rng: Generator, length_samples: int) -> Samples:
    """Cut a random stretch; what is too short is padded at random ends with its own quiet noise."""
    spare = len(samples) - length_samples
    if spare >= 0:
        start = int(rng.integers(spare + 1))
        return samples[start : start + length_samples]
    before = int(rng.integers(-spare + 1))
    padded = np.pad(samples, (before, -spare - before))
    return padded + rng.normal(0.0, 1e-5, length_samples).astype(np.float32)


def griffin_lim_copy(samples: Samples, rng: Generator, sample_rate_hz: int = 16000) -> Samples:
    """Resynthesise speech from its mel spectrogram alone: a pseudo-fake of the same words.

    Phases are guessed anew (Griffin & Lim, 1984, in the accelerated form of Perraudin et al.,
    2013); the number of bands, the hop and the number of rounds are drawn at random.
    """
    settings = LogMelSettings(
        sample_rate_hz=sample_rate_hz,
        window_samples=1024,
        hop_samples=int(rng.choice((160, 200, 256))),
        fft_samples=1024,
        mels=int(rng.choice((64, 80, 100))),
        high_hz=sample_rate_hz / 2,
        scale="htk",
    )
    filters = mel_filters(settings)
    spread = np.linalg.pinv(filters) @ np.exp(log_mel(samples, settings))
    magnitude = np.sqrt(np.maximum(spread, 1e-10)).T
    phase = np.exp(2j * np.pi * rng.random(magnitude.shape))
    previous = np.zeros_like(phase)
    for _ in range(int(rng.integers(8, 33))):
        rebuilt = _stft(_inverse_stft(magnitude * phase, settings, len(samples)), settings)
        ahead = rebuilt + 0.99 * (rebuilt - previous)
        phase = ahead / np.maximum(np.abs(ahead), 1e-8)
        previous = rebuilt
    return _inverse_stft(magnitude * phase, settings, len(samples)).astype(np.float32)


def _stft(samples: np.ndarray, settings: LogMelSettings) -> np.ndarray:
    """Frame as ``log_mel`` does and transform: [time, bin]."""
    half, count = settings.window_samples // 2, settings.frames(len(samples))
    padded = np.pad(samples, (half, settings.window_samples))
    windows = np.lib.stride_tricks.sliding_window_view(padded, settings.window_samples)
    frames = windows[:: settings.hop_samples][:count]
    return np.fft.rfft(frames * hann_window(settings.window_samples), axis=1)


def _inverse_stft(spectrum: np.ndarray, settings: LogMelSettings, length: int) -> np.ndarray:
    """Overlap-add windowed frames, divided by the windows' squares (least squares)."""
    window = hann_window(settings.window_samples).astype(np.float64)
    frames = np.fft.irfft(spectrum, settings.fft_samples, axis=1) * window
    total = np.zeros(length + 2 * settings.window_samples)
    weight = np.zeros_like(total)
    for index, frame in enumerate(frames):
        span = slice(index * settings.hop_samples, index * settings.hop_samples + len(window))
        total[span] += frame
        weight[span] += window**2
    half = settings.window_samples // 2
    return (total / np.maximum(weight, 1e-3))[half : half + length]
