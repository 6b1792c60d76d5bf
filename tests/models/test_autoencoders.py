"""Autoencoders and fusion: codes of the promised size, learning, and missing sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seamline.models.build import ModelConfig, build_fusion, build_model
from seamline.models.frame_autoencoder import FrameAutoencoder
from seamline.models.fusion import AGGREGATIONS, LinearFusion
from seamline.models.voice_lstm_autoencoder import VoiceLSTMAutoencoder, repeat_last


def test_a_face_codes_to_1296_values() -> None:
    made = build_model(ModelConfig(kind="frame_autoencoder"))(torch.zeros(2, 3, 160, 160))
    assert made.code.shape == (2, 1296)
    assert made.pixels.shape == (2, 3, 160, 160)


def test_a_whole_frame_codes_to_3600_values() -> None:
    model = build_model(ModelConfig(kind="frame_autoencoder", frames="whole"))
    assert model.feature_size == 3600
    with torch.no_grad():
        made = model(torch.zeros(1, 3, 1080, 1920))
    assert made.code.shape == (1, 3600)
    assert made.pixels.shape == (1, 3, 1080, 1920)


def test_the_encoder_has_three_convolutions_of_kernel_5_and_the_decoder_mirrors_them() -> None:
    model = FrameAutoencoder()
    down = [part for part in model.encoder if isinstance(part, torch.nn.Conv2d)]
    up = [part for part in model.decoder if hasattr(part, "kernel_size")]
    assert [part.kernel_size for part in down] == [(5, 5)] * 3 == [p.kernel_size for p in up]
    assert [p.in_channels for p in down] == [p.out_channels for p in reversed(up)]


def test_a_size_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="162×160 px does not divide by shrink"):
        FrameAutoencoder(160, 162)


def test_the_face_autoencoder_learns_to_beat_the_mean_picture() -> None:
    torch.manual_seed(0)
    model = FrameAutoencoder(32, 32, channels=(8, 8))
    generator = torch.Generator().manual_seed(0)
    light = torch.rand(16, 1, 4, 4, generator=generator)
    coarse = 255 * light * torch.tensor([1.0, 0.8, 0.7])[:, None, None]
    frames = torch.nn.functional.interpolate(coarse, size=32, mode="bilinear")
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    target = frames / 255
    for _ in range(50):
        optimizer.zero_grad()
        loss = (model(frames).pixels - target).square().mean()
        loss.backward()
        optimizer.step()
    trivial = (target - target.mean(dim=0)).square().mean()
    assert float(loss.detach()) < 0.6 * float(trivial)


def voices(count: int, seed: int) -> torch.Tensor:
    """Make half-second sums of a few harmonics with a moving pitch."""
    generator = np.random.default_rng(seed)
    seconds = np.arange(8000) / 16000
    sounds = []
    for _ in range(count):
        pitch = generator.uniform(90, 220) * (1 + 0.1 * np.sin(6 * seconds))
        phase = 2 * np.pi * np.cumsum(pitch) / 16000
        sounds.append(sum(np.sin(k * phase + generator.uniform(0, 6)) / k for k in (1, 2)))
    return torch.from_numpy(np.stack(sounds)).float()


def test_the_lstm_autoencoder_beats_repeating_and_the_mean_on_sounds_it_never_heard() -> None:
    torch.manual_seed(0)
    model = VoiceLSTMAutoencoder(code_size=8, width=32)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    heard, unheard = voices(64, 0), voices(16, 1)
    for step in range(60):
        made = model(heard[step % 4 :: 4])
        optimizer.zero_grad()
        (made.rebuilt - made.target).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        made = model(unheard)
    error = (made.rebuilt - made.target).square().mean()
    repeating = (repeat_last(made.target) - made.target).square().mean()
    mean = (made.target - made.target.mean(dim=1, keepdim=True)).square().mean()
    assert made.code.shape == (16, 25, 8)
    assert error < 0.5 * repeating
    assert error < 0.5 * mean


def test_repeating_shifts_by_one() -> None:
    assert repeat_last(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[0.0, 1.0, 2.0]]


def test_a_code_that_is_no_smaller_than_its_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="code_size 20 is no smaller than frame 20"):
        VoiceLSTMAutoencoder(code_size=20)


def test_fusion_replaces_a_missing_side_by_its_stand_in() -> None:
    fusion = LinearFusion()
    with torch.no_grad():
        fusion.absent.copy_(torch.tensor([0.5, -0.5]))
    logits = torch.tensor([[3.0, 1.0]] * 3)
    present = torch.tensor([[True, True], [False, True], [True, False]])
    torch.testing.assert_close(fusion(logits, present), torch.tensor([2.0, 0.75, 1.25]))
    fusion(logits * torch.nan, ~present & False).sum().backward()
    assert torch.isfinite(fusion.absent.grad).all()


def test_fused_classifier_takes_either_side_alone() -> None:
    torch.manual_seed(0)
    shape = ModelConfig(width=16, heads=2, layers=1, size_px=32, window_tokens=10)
    model = build_fusion(shape, shape).eval()
    frames, mel = torch.rand(2, 3, 3, 32, 32) * 255, torch.randn(2, 80, 50)
    video = model.video_tokens(frames, torch.ones(2, 3, dtype=torch.bool))
    audio = model.audio_tokens(mel)
    here, gone = torch.ones(2, 1, dtype=torch.bool), torch.zeros(2, 1, dtype=torch.bool)
    torch.testing.assert_close(
        model.judge(video, audio, here, gone), model.judge(video, audio + 7, here, gone)
    )
    assert (model.judge(video, audio, here, here) - model.judge(video, audio + 7, here, here)).all()


def test_aggregations_do_what_they_say() -> None:
    logits = torch.tensor([-2.0, -2.5, 2.0, 3.0, 4.0, 0.1])
    assert float(AGGREGATIONS["mean"](logits)) == pytest.approx(4.6 / 6)
    assert float(AGGREGATIONS["top"](logits)) == pytest.approx(3.5)
    assert float(AGGREGATIONS["confident"](logits)) == pytest.approx(3.0)
    assert float(AGGREGATIONS["confident"](logits[[0, 1, 5]])) == pytest.approx(-4.4 / 3)
    assert float(AGGREGATIONS["confident"](torch.tensor([-2.0, -3.0]))) == pytest.approx(-2.5)
    assert float(AGGREGATIONS["top"](logits[:1])) == pytest.approx(-2.0)


def test_unknown_kinds_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"kind is 'gru'; known: frame_cnn, frame_autoencoder"):
        build_model(ModelConfig(kind="gru"))
    with pytest.raises(ValueError, match=r"encoder is 'vit'; known: autoencoder, cnn"):
        build_model(ModelConfig(kind="video_transformer", encoder="vit"))
