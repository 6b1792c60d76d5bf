"""The transformers: time flows one way, order counts, what is not seen does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seamline.models.attention import Attention, self_mask, sinusoids
from seamline.models.cross_transformer import CrossTransformer
from seamline.models.temporal_transformer import READOUTS, TemporalTransformer
from seamline.models.voice_fronts import (
    FourierFeatures,
    LogMelFeatures,
    LogMelStatistics,
    RawAmplitudes,
)
from seamline.models.voice_transformer import VoiceTransformer


def tokens(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small(readout: str = "last", causal: bool = True) -> TemporalTransformer:
    torch.manual_seed(0)
    return TemporalTransformer(
        6, width=16, heads=8, layers=2, readout=readout, causal=causal
    ).eval()


def cross() -> CrossTransformer:
    torch.manual_seed(0)
    return CrossTransformer(5, 6, width=16, heads=2, layers=2).eval()


def all_seen(batch: int, time: int) -> torch.Tensor:
    return torch.ones(batch, time, dtype=torch.bool)


def test_positions_are_those_of_the_formula() -> None:
    found = sinusoids(7, 6, torch.device("cpu"))
    for place in range(7):
        for pair in range(3):
            angle = place / 10_000 ** (2 * pair / 6)
            assert float(found[place, 2 * pair]) == pytest.approx(math.sin(angle), abs=1e-5)
            assert float(found[place, 2 * pair + 1]) == pytest.approx(math.cos(angle), abs=1e-5)


def test_attention_is_that_of_torch() -> None:
    torch.manual_seed(0)
    own, theirs = Attention(16, 4, 0.0), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        weight = torch.cat([own.query.weight, own.key_value.weight])
        bias = torch.cat([own.query.bias, own.key_value.bias])
        theirs.in_proj_weight.copy_(weight)
        theirs.in_proj_bias.copy_(bias)
        theirs.out_proj.load_state_dict(own.leave.state_dict())
    x, memory = tokens(2, 5, 16), tokens(2, 7, 16, seed=1)
    seen = torch.arange(7)[None] < torch.tensor([7, 3])[:, None]
    expected, _ = theirs(x, memory, memory, key_padding_mask=~seen)
    torch.testing.assert_close(own(x, memory, seen[:, None, None]), expected)


def test_a_later_frame_changes_no_earlier_output() -> None:
    model, x = small(), tokens(2, 9, 6)
    changed = x.clone()
    changed[:, 5:] += 3.0
    before, after = (model.outputs(each, all_seen(2, 9)) for each in (x, changed))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().min() > 1e-4
    free = small(causal=False)
    assert (
        (free.outputs(x, all_seen(2, 9)) - free.outputs(changed, all_seen(2, 9)))[:, :5].abs().max()
    ) > 1e-4


@pytest.mark.parametrize("readout", list(READOUTS))
def test_order_counts_and_padding_does_not(readout: str) -> None:
    model, x = small(readout, causal=False), tokens(2, 6, 6)
    plain = model(x)
    assert (plain - model(x.flip(1))).abs().max() > 1e-4
    padded = torch.cat([x, tokens(2, 3, 6, seed=1) * 50], dim=1)
    seen = torch.arange(9)[None].expand(2, -1) < 6
    torch.testing.assert_close(model(padded, seen), plain)


def test_a_gap_at_the_start_gives_numbers() -> None:
    seen = torch.tensor([[False, False, True, True]])
    assert torch.isfinite(small("mean")(tokens(1, 4, 6), seen)).all()


def test_readouts_agree_with_numpy() -> None:
    logits, seen = tokens(3, 8), torch.rand(3, 8, generator=torch.Generator().manual_seed(2)) < 0.6
    seen[:, 1] = True
    for row in range(3):
        kept = logits[row][seen[row]].double().numpy()
        expected = {
            "last": kept[-1],
            "mean": kept.mean(),
            "max": kept.max(),
            "log_sum_exp": np.log(np.exp(kept).mean()),
        }
        for name, readout in READOUTS.items():
            assert float(readout(logits, seen)[row]) == pytest.approx(expected[name], abs=1e-5)


def test_an_unknown_readout_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"'median'; known: last, mean, max, log_sum_exp"):
        small("median")


def test_self_mask_lets_every_token_read_itself() -> None:
    seen = torch.tensor([[False, True, True]])
    found = self_mask(seen, causal=True)[0, 0].int().tolist()
    assert found == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]


def test_cross_transformer_reads_both_sides_and_bears_the_loss_of_either() -> None:
    model = cross()
    sound, picture = tokens(2, 4, 5), tokens(2, 7, 6, seed=1)
    here, there = all_seen(2, 4), all_seen(2, 7)
    both = model(sound, picture, here, there)
    assert (both - model(sound + 1, picture, here, there)).abs().min() > 1e-5
    assert (both - model(sound, picture + 1, here, there)).abs().min() > 1e-5
    no_sound = model(sound, picture, ~here, there)
    no_picture = model(sound, picture, here, ~there)
    torch.testing.assert_close(no_sound, model(sound * 9, picture, ~here, there))
    torch.testing.assert_close(no_picture, model(sound, picture * 9, here, ~there))
    assert torch.isfinite(model(sound, picture, ~here, ~there)).all()


def test_every_weight_of_the_cross_transformer_gets_a_gradient() -> None:
    model = cross().train()
    model(
        tokens(2, 4, 5), tokens(2, 7, 6), all_seen(2, 4), all_seen(2, 7)
    ).square().sum().backward()
    idle = [
        name
        for name, weight in model.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert idle == []


def test_raw_amplitudes_are_block_means_of_one_loudness() -> None:
    samples = tokens(2, 64) * torch.tensor([[0.1], [0.001]])
    found = RawAmplitudes(16)(samples)[:, :, 0]
    means = samples.reshape(2, 4, 16).mean(dim=2)
    torch.testing.assert_close(found[0], means[0] / means[0].square().mean().sqrt())
    assert RawAmplitudes(16)(samples[:, :50]).shape == (2, 4, 1)


def test_fourier_features_are_numpy_s_transform() -> None:
    samples = tokens(1, 640)
    found = FourierFeatures(320, 320)(samples)[0]
    levelled = samples[0] / samples[0].square().mean().sqrt()
    windows = levelled.numpy().reshape(2, 320) * torch.hann_window(320).numpy()
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2 / 320
    np.testing.assert_allclose(found.numpy(), np.log(power + 1e-5) / 4, atol=1e-3)


def test_statistics_of_the_log_mel_are_a_token_every_sixteen_columns_whatever_the_gain() -> None:
    front = LogMelStatistics().eval()
    mel = 2.0 * tokens(1, 80, 50) - 4.0
    found = front(mel)
    assert found.shape == (1, 4, front.feature_size)
    torch.testing.assert_close(front(mel + 3.0), found, atol=1e-3, rtol=1e-3)
    assert not any(parameter.requires_grad for parameter in front.parameters())
    assert (front(mel + 3.0 * torch.linspace(-1, 1, 50)) - found).abs().max() > 0.1


def test_gain_changes_no_token() -> None:
    mel, samples = tokens(1, 80, 21), tokens(1, 3200)
    torch.testing.assert_close(LogMelFeatures()(mel), LogMelFeatures()(mel + 3))
    for front in (RawAmplitudes(), FourierFeatures()):
        torch.testing.assert_close(front(samples), front(samples * 0.1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("columns", "steps"), [(1, 1), (40, 1), (41, 2), (201, 6)])
def test_sound_of_any_length_gives_a_logit_a_window(columns: int, steps: int) -> None:
    torch.manual_seed(0)
    transformer = TemporalTransformer(320, width=16, heads=2, layers=1)
    model = VoiceTransformer(LogMelFeatures(), transformer, window_tokens=10).eval()
    mel = tokens(2, 80, columns)
    assert model.input_per_step == 40
    assert model(mel).shape == (2, steps)


def test_windows_are_judged_by_themselves() -> None:
    torch.manual_seed(0)
    transformer = TemporalTransformer(1, width=16, heads=2, layers=1)
    model = VoiceTransformer(RawAmplitudes(16), transformer, window_tokens=10).eval()
    samples = tokens(1, 480)
    changed = samples.clone()
    changed[:, 320:] = samples[:, 320:].flip(1)  # the same loudness
    torch.testing.assert_close(model(samples)[:, :2], model(changed)[:, :2])
    assert (model(samples)[:, 2] - model(changed)[:, 2]).abs() > 1e-5
