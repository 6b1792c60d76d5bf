"""The voice network: any length of sound, loudness taken out, the same numbers from ONNX."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch

from seamline.models.voice_cnn import VoiceCNN, pool_steps, samples_per_step


def speech_like(batch: int, mels: int, time: int) -> torch.Tensor:
    """Make log-mel columns with levels as speech has them."""
    generator = torch.Generator().manual_seed(0)
    return 3.0 * torch.randn(batch, mels, time, generator=generator) - 4.0


@pytest.fixture
def network() -> VoiceCNN:
    torch.manual_seed(0)
    network = VoiceCNN()
    network.train()
    with torch.no_grad():
        for _ in range(20):  # lets the batch norms' averages settle
            network(speech_like(4, 80, 96))
    return network.eval()


@pytest.mark.parametrize(("time", "steps"), [(1, 1), (16, 1), (17, 2), (201, 13), (1001, 63)])
def test_every_sixteen_columns_make_one_logit(network: VoiceCNN, time: int, steps: int) -> None:
    with torch.no_grad():
        assert network(speech_like(2, 80, time)).shape == (2, steps)
        assert network.features(speech_like(2, 80, time)).shape == (2, 64, steps)
    assert samples_per_step(160) == 2560


def test_network_stays_small() -> None:
    assert sum(weights.numel() for weights in VoiceCNN().parameters()) < 1_000_000


@pytest.mark.parametrize("gain_nats", [-3.0, 5.0])
def test_gain_changes_no_logit(network: VoiceCNN, gain_nats: float) -> None:
    mel = speech_like(2, 80, 120)
    with torch.no_grad():
        torch.testing.assert_close(network(mel), network(mel + gain_nats), atol=1e-4, rtol=1e-4)


def test_digital_silence_reads_like_faint_noise_far_below_speech(network: VoiceCNN) -> None:
    mel = speech_like(1, 80, 160)
    silent, faint = mel.clone(), mel.clone()
    silent[..., :48], faint[..., :48] = -18.0, -14.0
    with torch.no_grad():
        torch.testing.assert_close(network(silent), network(faint), atol=1e-3, rtol=1e-3)


def test_clips_of_a_batch_do_not_touch_each_other(network: VoiceCNN) -> None:
    mel = speech_like(3, 80, 120)
    with torch.no_grad():
        torch.testing.assert_close(network(mel)[1], network(mel[1:2])[0], atol=1e-5, rtol=1e-4)


def test_settings_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValueError, match="1 < cepstra <= mels, not 60 and 40"):
        VoiceCNN(mels=40)
    with pytest.raises(ValueError, match="whole steps of 16, not 100"):
        VoiceCNN(window_frames=100)


@pytest.mark.parametrize("step", [0, 7, 12])
def test_statistics_of_a_step_equal_numpys_over_its_window(step: int) -> None:
    mel = speech_like(1, 80, 200)
    with torch.no_grad():
        found = VoiceCNN().statistics(mel)[0, :, step].numpy()
    bands = mel[0].numpy().astype(np.float64)
    bands = np.maximum(bands - np.log(np.mean(np.exp(bands))), -12.0)
    padded = np.pad(bands, ((0, 0), (1, 1)), mode="edge")
    cepstra = scipy.fft.dct(padded, axis=0, norm="ortho")[:60]
    first = cepstra[:, 2:] - cepstra[:, :-2]
    second = cepstra[:, 2:] - 2 * cepstra[:, 1:-1] + cepstra[:, :-2]
    middle = 16 * step + 8
    seen = np.zeros(200, bool)
    seen[max(0, middle - 80) : middle + 80] = True
    seen &= np.log(np.mean(np.exp(bands), axis=0)) > -3.0
    static = cepstra[:, 1:-1][:, seen]
    change = (padded[:, 1:-1] - padded[:, :-2])[:, seen]
    power = np.sqrt(np.mean(change**2, axis=1))
    expected = [
        static.mean(axis=1)[1:],
        np.log(static.std(axis=1) + 1e-3),
        np.log(np.sqrt(np.mean(first[:, seen] ** 2, axis=1)) + 1e-3),
        np.log(np.sqrt(np.mean(second[:, seen] ** 2, axis=1)) + 1e-3),
        np.abs(bands[2:] - 2 * bands[1:-1] + bands[:-2])[:, seen].mean(axis=1),
        np.mean(change[1:] * change[:-1], axis=1) / (power[1:] * power[:-1]),
    ]
    np.testing.assert_allclose(found, np.concatenate(expected), atol=5e-3, rtol=5e-3)


def test_pooling_equals_the_definition_and_runs_from_mean_to_maximum() -> None:
    logits = torch.tensor([[1.0, -2.0, 4.0], [0.0, 0.0, 0.0]])
    naive = np.log(np.mean(np.exp(0.5 * logits.numpy().astype(np.float64)), axis=1)) / 0.5
    np.testing.assert_allclose(pool_steps(logits, 0.5).numpy(), naive, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(pool_steps(logits, 0.0), logits.mean(dim=1))
    torch.testing.assert_close(pool_steps(logits, 1e-4), logits.mean(dim=1), atol=5e-3, rtol=0)
    torch.testing.assert_close(pool_steps(logits, 1e3), logits.amax(dim=1), atol=5e-3, rtol=0)
    assert torch.isfinite(pool_steps(torch.tensor([[900.0, -900.0]]), 1.0)).all()


def test_gradient_reaches_every_weight() -> None:
    network = VoiceCNN(dropout=0.0).train()
    pool_steps(network(speech_like(4, 80, 100)), 1.0).square().sum().backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_export_to_onnx_keeps_the_numbers_at_other_lengths(
    network: VoiceCNN, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    path = tmp_path / "voice.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            network,
            (speech_like(2, 80, 160),),
            path,
            dynamo=True,
            input_names=["mel"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC},),
            verbose=False,
        )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch, time in ((1, 16), (1, 101), (3, 240), (2, 1001)):
        mel = speech_like(batch, 80, time)
        (found,) = session.run(None, {"mel": mel.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(found, network(mel).numpy(), atol=1e-3, rtol=1e-3)
