"""What a voice transformer reads: samples or log-mel in, tokens (steps of features) out.

Each front takes loudness out, so that gain is no cue, and has no weights that train.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from seamline.models.voice_cnn import SpectralStatistics

QUIETEST = 1e-4
"""Root mean square below which a clip is silence and is not amplified any further."""


def level(samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch sample"]:
    """Scale each clip to a root mean square of 1."""
    power = samples.square().mean(dim=1, keepdim=True)
    return samples / power.sqrt().clamp(min=QUIETEST)


def whole_blocks(x: Float[Tensor, "*batch time"], size: int) -> Float[Tensor, "*batch block size"]:
    """Cut the last axis into blocks, padding the last with zeros.

    Padded by the most that can be missing and then cut: the amount to pad would otherwise depend
    on the length, which exported graphs cannot express.
    """
    count = (x.shape[-1] + size - 1) // size
    return F.pad(x, (0, size - 1))[..., : count * size].unflatten(-1, (count, size))


class RawAmplitudes(nn.Module):
    """One amplitude a token: the mean of each block of samples, as a crude low-pass.

    Blocks of 16 at 16 kHz give the 1,000 amplitudes a second of which the original project read
    the first 500.
    """

    feature_size = 1

    def __init__(self, block_samples: int = 16) -> None:
        super().__init__()
        self.block_samples = block_samples
        self.input_per_token = block_samples

    def forward(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch token 1"]:
        return level(whole_blocks(samples, self.block_samples).mean(dim=2))[:, :, None]


class FourierFeatures(nn.Module):
    """Log power of each frequency of short windows: one window a token."""

    kernels: Tensor

    def __init__(self, window_samples: int = 320, hop_samples: int = 320) -> None:
        super().__init__()
        if hop_samples > window_samples:
            raise ValueError(f"hop_samples {hop_samples} exceed window_samples {window_samples}.")
        self.window_samples, self.input_per_token = window_samples, hop_samples
        bins = window_samples // 2 + 1
        self.feature_size = bins
        time = torch.arange(window_samples)
        angle = 2 * math.pi * torch.arange(bins)[:, None] * time / window_samples
        window = torch.hann_window(window_samples)
        kernels = torch.cat([angle.cos(), angle.sin()]) * window / math.sqrt(window_samples)
        self.register_buffer("kernels", kernels[:, None], persistent=False)

    def forward(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch token dim"]:
        hop = self.input_per_token
        whole = whole_blocks(level(samples), hop).flatten(1)
        padded = F.pad(whole, (0, self.window_samples - hop))
        parts = F.conv1d(padded[:, None], self.kernels, stride=hop)
        cosine, sine = parts.chunk(2, dim=1)
        # A hundred-thousandth of the mean power is 50 dB down: below lies the recording's noise.
        return (cosine.square() + sine.square() + 1e-5).log().transpose(1, 2) / 4.0


class LogMelFeatures(nn.Module):
    """A few neighbouring log-mel columns a token, levelled by the clip's mean power."""

    def __init__(self, mels: int = 80, columns: int = 4, range_nats: float = 12.0) -> None:
        super().__init__()
        self.columns, self.range_nats = columns, range_nats
        self.input_per_token = columns
        self.feature_size = mels * columns

    def forward(self, mel: Float[Tensor, "batch mel column"]) -> Float[Tensor, "batch token dim"]:
        mean = mel.exp().mean(dim=(1, 2), keepdim=True).clamp(min=1e-8).log()
        bands = (mel - mean).clamp(min=-self.range_nats) / 4.0 + 1.0
        return whole_blocks(bands, self.columns).permute(0, 2, 1, 3).flatten(2)


class LogMelStatistics(nn.Module):
    """How the log-mel's fine shape spreads within a sliding window: 396 numbers every 16 columns.

    What a single column looks like tells collections apart before it tells forgeries; how columns
    move does so less. The numbers' scale is that of the batches seen in training.
    """

    def __init__(
        self, mels: int = 80, cepstra: int = 60, *, window_columns: int = 96, columns: int = 16
    ) -> None:
        super().__init__()
        self.statistics = SpectralStatistics(
            mels,
            cepstra,
            window_frames=window_columns,
            hop_frames=columns,
            range_nats=12.0,
            quiet_nats=3.0,
        )
        self.statistics.requires_grad_(False)
        self.input_per_token = columns
        self.feature_size = self.statistics.size
        self.scale = nn.BatchNorm1d(self.feature_size, affine=False)

    def forward(self, mel: Float[Tensor, "batch mel column"]) -> Float[Tensor, "batch token dim"]:
        scaled: Tensor = self.scale(self.statistics(mel))
        return scaled.transpose(1, 2)
