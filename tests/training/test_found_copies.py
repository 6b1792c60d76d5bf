"""Copies beside their originals: pairing, bringing into place, and what training makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cache_factory import STORE, write_cache
from seamline.clips.cache import clip_row, write_shard
from seamline.clips.clip import Clip
from seamline.data.voice_augment import griffin_lim_copy
from seamline.training import voice_data
from seamline.training.found_copies import FoundCopies, align
from seamline.training.voice_data import VoiceData
from seamline.training.voice_entries import VoiceEntry
from seamline.voice.logmel import log_mel
from voice_runs import voice_config

RATE = STORE.mel.sample_rate_hz


def speech(seed: int, seconds: float = 2.0) -> np.ndarray:
    """Syllables of changing pitch and colour, as band levels over time tell them apart."""
    generator = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * RATE:
        time = np.arange(int(generator.uniform(0.08, 0.25) * RATE)) / RATE
        pitch = generator.uniform(90, 250)
        tones = sum(
            generator.uniform(0, 0.1) * np.sin(2 * np.pi * pitch * k * time) for k in range(1, 30)
        )
        parts += [tones * np.hanning(len(time)), np.zeros(int(generator.uniform(0, 0.08) * RATE))]
    sound = np.concatenate(parts)[: int(seconds * RATE)]
    return (0.2 * sound + generator.normal(0, 1e-4, len(sound))).astype(np.float32)


def as_kept(sound: np.ndarray) -> bytes:
    return np.round(sound * 32767).astype("<i2").tobytes()


def entry(path: str, sound: np.ndarray, original: str = "", source: str = "page") -> VoiceEntry:
    fake = bool(original)
    return VoiceEntry(path, source, "codec" if fake else "", "", fake, as_kept(sound), original)


@pytest.mark.parametrize("late", [0, 800, -640])
def test_a_late_copy_is_brought_to_its_originals_place_and_loudness(late: int) -> None:
    genuine = speech(1)
    copied = 0.3 * griffin_lim_copy(genuine, np.random.default_rng(0), RATE)
    copied = np.pad(copied, (late, 0)) if late >= 0 else copied[-late:]
    pair = align(genuine, copied.astype(np.float32), STORE.mel)
    assert pair is not None
    assert len(pair.genuine) == len(pair.copied) >= 2 * RATE - abs(late) - 160
    ours, theirs = (log_mel(sound, STORE.mel) for sound in (pair.genuine, pair.copied))
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.85
    loud = [np.sqrt(np.mean(sound**2)) for sound in (pair.genuine, pair.copied)]
    assert loud[1] == pytest.approx(loud[0], rel=0.05)


def test_what_says_something_else_or_hardly_anything_is_no_copy() -> None:
    assert align(speech(1), speech(2), STORE.mel) is None
    assert align(speech(1), np.zeros(2 * RATE, np.float32), STORE.mel) is None
    short = speech(1, 0.5)
    assert align(short, short, STORE.mel) is None


def test_pairs_are_drawn_by_system_and_need_their_original() -> None:
    a, b = speech(1), speech(2)
    many = [entry(f"copy{n}.wav", a, "a.wav", "large") for n in range(40)]
    few = [entry("./copy.wav", b, "b.wav", "small")]
    lost = [entry("lost.wav", b, "absent.wav")]
    genuine = [entry("./a.wav", a), entry("b.wav", b)]
    found = FoundCopies([*genuine, *many, *few, *lost], STORE.mel)
    assert len(found) == 41
    generator = np.random.default_rng(0)
    drawn = [found.draw(generator) for _ in range(200)]
    small = sum(np.array_equal(pair.genuine, genuine[1].samples) for pair in drawn)
    assert 12 <= small <= 50  # 1 in 1 + √40
    assert len(FoundCopies(genuine, STORE.mel)) == 0


def test_training_lays_a_collections_own_copies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = write_cache(tmp_path / "extra", people=2, sound=True, source="further")
    sound = speech(3)
    quiet = np.where(np.arange(len(sound)) % 2, sound, 0).astype(np.float32)  # an obvious copy
    rows = [("genuine.wav", "real", sound, ""), ("copy.wav", "fake", quiet, "genuine.wav")]
    write_shard(
        extra,
        1,
        [
            clip_row(
                {
                    "path": path, "kind": "audio", "split": "train", "label": label,
                    "video_label": "", "audio_label": label, "source": "page", "method": "",
                    "person": "", "note": "", "original": original,
                },
                Clip(0, 0.0, 2.0, None, samples, log_mel(samples, STORE.mel), 2.0),
            )
            for path, label, samples, original in rows
        ],
    )  # fmt: skip
    config = voice_config(
        tmp_path, "voice_residual", own_copy_share=1.0, extra_cache=str(extra), sound_seconds=(1, 1)
    )
    data = VoiceData(config)
    assert len(data.found) == 1
    pair = data.found.draw(np.random.default_rng(0))
    assert np.abs(pair.genuine[: len(sound)] - sound[: len(pair.genuine)]).max() < 1e-3

    def made(*_: object) -> None:
        raise AssertionError("a copy was made, though the collection has one")

    monkeypatch.setattr(voice_data, "FOUND_SHARE", 1.0)
    monkeypatch.setattr(data.copies, "of", made)
    mel, truth = next(iter(data.train_dataloader()))
    assert truth.shape == (mel.shape[0], mel.shape[2])
