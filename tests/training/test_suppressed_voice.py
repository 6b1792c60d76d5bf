"""Noise suppression in the voice branch's training: as often on forged crops as on genuine ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seamline.training import voice_data
from seamline.training.voice_data import VoiceData
from voice_runs import voice_config


@pytest.mark.parametrize("own_copies", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_asked_for_is_suppressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, own_copies: float
) -> None:
    heard: list[int] = []

    def silence(crop: np.ndarray, rng: np.random.Generator, rate_hz: int) -> np.ndarray:
        assert rate_hz == 16000
        heard.append(len(crop))
        return np.zeros_like(crop)

    monkeypatch.setattr(voice_data, "suppress_noise", silence)
    config = voice_config(
        tmp_path, "voice_residual", suppress_share=share, own_copy_share=own_copies
    )
    mel, labels = next(iter(VoiceData(config).train_dataloader()))
    assert len(heard) == share * config.batch_size
    assert {0.0, 1.0} <= set(labels.unique().tolist())
    silent = [bool(np.ptp(crop) == 0) for crop in mel.numpy()]
    assert silent == [share == 1.0] * config.batch_size
