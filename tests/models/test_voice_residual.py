"""The residual voice network: any length, loudness taken out, masks in training alone."""

from __future__ import annotations

import pytest
import torch

from seamline.models.build import ModelConfig, build_model
from seamline.models.voice_cnn import VoiceCNN
from seamline.models.voice_residual import SpectrogramMask, VoiceBoth, VoiceResidual


def speech_like(batch: int, mels: int, time: int) -> torch.Tensor:
    """Make log-mel columns with levels as speech has them."""
    generator = torch.Generator().manual_seed(0)
    return 3.0 * torch.randn(batch, mels, time, generator=generator) - 4.0


def settled(network: torch.nn.Module) -> torch.nn.Module:
    """Let the batch norms' averages settle on speech-like columns."""
    network.train()
    with torch.no_grad():
        for _ in range(10):
            network(speech_like(4, 80, 96))
    return network.eval()


@pytest.fixture(params=["voice_residual", "voice_both"])
def network(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    return settled(build_model(ModelConfig(kind=request.param)))


@pytest.mark.parametrize(("time", "steps"), [(1, 1), (16, 1), (17, 2), (201, 13), (1001, 63)])
def test_every_sixteen_columns_make_one_logit(
    network: VoiceResidual | VoiceBoth, time: int, steps: int
) -> None:
    width = 192 if isinstance(network, VoiceBoth) else 128
    with torch.no_grad():
        assert network(speech_like(2, 80, time)).shape == (2, steps)
        assert network.features(speech_like(2, 80, time)).shape == (2, width, steps)
    assert network.input_per_step == 16


def test_both_networks_stay_under_700_thousand_weights() -> None:
    network = build_model(ModelConfig(kind="voice_both"))
    assert sum(weights.numel() for weights in network.parameters()) < 700_000


@pytest.mark.parametrize("gain_nats", [-3.0, 5.0])
def test_gain_changes_no_logit(network: torch.nn.Module, gain_nats: float) -> None:
    mel = speech_like(2, 80, 120)
    with torch.no_grad():
        torch.testing.assert_close(network(mel), network(mel + gain_nats), atol=1e-4, rtol=1e-4)


def test_digital_silence_reads_like_faint_noise_far_below_speech(
    network: torch.nn.Module,
) -> None:
    mel = speech_like(1, 80, 160)
    silent, faint = mel.clone(), mel.clone()
    silent[..., :48], faint[..., :48] = -18.0, -14.0
    with torch.no_grad():
        torch.testing.assert_close(network(silent), network(faint), atol=1e-3, rtol=1e-3)


def test_clips_of_a_batch_do_not_touch_each_other(network: torch.nn.Module) -> None:
    mel = speech_like(3, 80, 120)
    with torch.no_grad():
        torch.testing.assert_close(network(mel)[1], network(mel[1:2])[0], atol=1e-4, rtol=1e-4)


def test_a_step_sees_about_a_second_around_it() -> None:
    torch.manual_seed(0)
    network = settled(VoiceResidual())
    mel = speech_like(1, 80, 400)
    mel.requires_grad_()
    network(mel)[0, 12].backward()
    assert mel.grad is not None
    # Every column moves the level by the same small share of its power; far ones do nothing more.
    moved = (mel.grad / mel.detach().exp()).std(dim=1)[0]
    seen = (moved > 1e-3 * moved.max()).nonzero()
    first, last = int(seen.min()), int(seen.max())
    assert first < 200 < last
    assert 50 < last - first < 120


def test_masks_hide_one_band_and_one_stretch_of_time_in_training_alone() -> None:
    mask, ones = SpectrogramMask(20, 30), torch.ones(64, 80, 160)
    torch.manual_seed(0)
    hidden = mask.train()(ones) == 0
    bands, columns = hidden.all(dim=2), hidden.all(dim=1)
    assert bands.sum(dim=1).max() <= 21
    assert columns.sum(dim=1).max() <= 31
    assert len(bands.sum(dim=1).unique()) > 5  # each clip has its own
    torch.testing.assert_close(hidden, bands[:, :, None] | columns[:, None, :])
    torch.testing.assert_close(mask.eval()(ones), ones)


def test_a_short_clip_is_never_hidden_whole() -> None:
    torch.manual_seed(0)
    kept = SpectrogramMask(20, 30).train()(torch.ones(256, 80, 4)) != 0
    assert kept.any(dim=(1, 2)).all()


def test_both_judge_by_the_mean_of_their_logits() -> None:
    torch.manual_seed(0)
    both = VoiceBoth(VoiceCNN(), VoiceResidual()).eval()
    mel = speech_like(2, 80, 100)
    with torch.no_grad():
        torch.testing.assert_close(both(mel), (both.spread(mel) + both.picture(mel)) / 2)


def test_gradient_reaches_every_weight() -> None:
    torch.manual_seed(0)
    network = VoiceResidual(dropout=0.0, hidden_bands=0, hidden_columns=0).train()
    network(speech_like(4, 80, 100)).mean(dim=1).square().sum().backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_bands_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ValueError, match="halves the bands four times, which 72 do not"):
        VoiceResidual(mels=72)


def test_an_unknown_kind_lists_the_residual_network() -> None:
    with pytest.raises(ValueError, match="voice_residual, voice_both"):
        build_model(ModelConfig(kind="voice_resnet"))
