"""The channel-hiding chain: what each step does to a sound; chance comes only by argument."""

from __future__ import annotations

import numpy as np
import pytest

from seamline.data import voice_augment
from seamline.data.voice_augment import (
    CODECS,
    ChannelSettings,
    add_noise,
    add_room,
    change_speed,
    equalise,
    griffin_lim_copy,
    hide_channel,
    low_pass,
    random_crop,
    set_level,
    through_codec,
)
from seamline.voice.logmel import LogMelSettings, log_mel

RATE_HZ = 16000


def tone(hz: float, length: int = RATE_HZ) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(length) / RATE_HZ)).astype(np.float32)


def noise(length: int = RATE_HZ, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).normal(size=length)).astype(np.float32)


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE_HZ / len(samples))


def power_above(samples: np.ndarray, hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[int(hz * len(samples) / RATE_HZ) :].sum() / power.sum())


def test_same_generator_state_makes_the_same_channel() -> None:
    every = ChannelSettings(1.0, equalise=1.0, room=1.0, noise=1.0, band_limit=1.0, codec=1.0)
    first = hide_channel(noise(), np.random.default_rng(7), every)
    again = hide_channel(noise(), np.random.default_rng(7), every)
    other = hide_channel(noise(), np.random.default_rng(8), every)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("seed", range(12))
def test_chain_keeps_samples_finite_float32_and_near_full_scale(seed: int) -> None:
    changed = hide_channel(noise(), np.random.default_rng(seed))
    assert changed.dtype == np.float32
    assert changed.shape == (RATE_HZ,)
    assert np.isfinite(changed).all()
    assert 0 < np.abs(changed).max() <= 1.5  # codecs overshoot


def test_chain_with_every_probability_zero_changes_only_the_level() -> None:
    none = ChannelSettings(0.0, equalise=0.0, room=0.0, noise=0.0, band_limit=0.0, codec=0.0)
    changed = hide_channel(noise(), np.random.default_rng(0), none)
    assert np.corrcoef(changed, noise())[0, 1] > 0.9999


def test_bandwidth_of_both_classes_is_drawn_from_one_distribution() -> None:
    """A bright and a dull voice come out with bandwidths that overlap."""
    limit = ChannelSettings(0.0, equalise=0.0, room=0.0, noise=0.0, band_limit=1.0, codec=0.0)
    bright = noise()
    dull = low_pass(noise(), 5500.0, np.random.default_rng(0), RATE_HZ)
    above = {
        name: [
            power_above(hide_channel(sound, np.random.default_rng(seed), limit), 4500.0) > 0.02
            for seed in range(60)
        ]
        for name, sound in (("bright", bright), ("dull", dull))
    }
    assert abs(np.mean(above["bright"]) - np.mean(above["dull"])) < 0.1
    assert 0.2 < np.mean(above["bright"]) < 0.95


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_moves_pitch_and_length_but_not_level(factor: float) -> None:
    changed = change_speed(tone(1000.0), factor)
    assert len(changed) == pytest.approx(RATE_HZ / factor, abs=1)
    assert loudest_hz(changed) == pytest.approx(1000.0 * factor, abs=2.0)
    assert changed.std() == pytest.approx(tone(1000.0).std(), rel=0.02)


@pytest.mark.parametrize("cutoff_hz", [3400.0, 6000.0])
def test_low_pass_removes_what_lies_above(cutoff_hz: float) -> None:
    changed = low_pass(noise(), cutoff_hz, np.random.default_rng(0), RATE_HZ)
    assert power_above(changed, cutoff_hz + 10) < 1e-3
    assert power_above(changed, 0.7 * cutoff_hz) > 0.1


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_is_added_at_the_ratio_asked(snr_db: float) -> None:
    added = add_noise(tone(440.0), np.random.default_rng(1), snr_db) - tone(440.0)
    ratio_db = 20 * np.log10(tone(440.0).std() / np.sqrt(np.mean(added**2)))
    assert ratio_db == pytest.approx(snr_db, abs=0.1)


def test_room_rings_on_after_the_sound_and_keeps_the_direct_path() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[100] = 1.0
    wet = add_room(click, np.random.default_rng(2), RATE_HZ)
    assert wet[100] == pytest.approx(1.0, abs=1e-3)
    assert np.abs(wet[:100]).max() < 1e-4
    early, late = np.abs(wet[200:900]).sum(), np.abs(wet[1500:2200]).sum()
    assert early > 2 * late


def test_equaliser_changes_the_balance_of_bands_smoothly() -> None:
    before = np.abs(np.fft.rfft(noise()))
    after = np.abs(np.fft.rfft(equalise(noise(), np.random.default_rng(3), 8.0)))
    gain_db = 20 * np.log10(after[1:-1] / before[1:-1])
    assert gain_db.std() > 2.0
    assert np.abs(np.diff(gain_db[100:])).max() < 0.25


def test_level_is_set_and_clips_at_full_scale() -> None:
    assert 20 * np.log10(set_level(noise(), -30.0).std()) == pytest.approx(-30.0, abs=0.1)
    assert np.abs(set_level(noise(), 10.0)).max() == 1.0
    assert set_level(np.zeros(100, np.float32), -20.0).max() == 0.0


@pytest.mark.parametrize("name", list(CODECS))
def test_codec_keeps_length_and_words_but_not_the_samples(name: str) -> None:
    encoder, _, rates_hz, kilobits = CODECS[name]
    assert encoder in voice_augment.av.codecs_available
    sound = tone(700.0) + tone(1500.0)
    heard = through_codec(sound, name, coded_rate_hz=rates_hz[0], bit_rate=kilobits[-1] * 1000)
    assert heard.shape == sound.shape
    assert heard.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum[690:711].max() > 20 * np.median(spectrum[800:1400])
    assert heard.std() == pytest.approx(sound.std(), rel=0.2)
    assert not np.allclose(heard, sound, atol=1e-4)


def test_unknown_codec_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown codec 'amr'\. Known: mp3, aac"):
        through_codec(noise(), "amr", coded_rate_hz=8000, bit_rate=12000)


def test_crop_cuts_within_or_pads_around() -> None:
    rng = np.random.default_rng(0)
    counted = np.arange(1000, dtype=np.float32)
    starts = {int(random_crop(counted, rng, 900)[0]) for _ in range(40)}
    assert len(starts) > 20
    assert max(starts) <= 100
    padded = random_crop(noise(500), rng, 800)
    assert padded.shape == (800,)
    assert padded.dtype == np.float32
    assert padded.std() > 0


def test_griffin_lim_copy_keeps_the_mel_spectrum_but_not_the_waveform() -> None:
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    glide = np.sin(2 * np.pi * (150 * seconds + 40 * seconds**2))
    original = (0.2 * np.sign(glide) * (1 + np.sin(2 * np.pi * 3 * seconds))).astype(np.float32)
    copy = griffin_lim_copy(original, np.random.default_rng(4))
    assert copy.shape == original.shape
    assert copy.dtype == np.float32
    settings = LogMelSettings(mels=40)
    alike = np.corrcoef(log_mel(original, settings).ravel(), log_mel(copy, settings).ravel())
    assert alike[0, 1] > 0.9
    assert abs(np.corrcoef(original, copy)[0, 1]) < 0.5
