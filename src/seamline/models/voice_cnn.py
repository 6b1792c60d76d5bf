"""A small convolutional network over log-mel spectrograms: one forgery logit a step of time.

The time axis may have any length. Loudness is taken out inside the network: each clip's mean mel
power is divided out and what lies far below it is clipped, so neither gain nor digital silence
is a cue. That mean is taken over the window given, so a window that holds only a word's end is
levelled by that end; train on windows as short as those that will be judged.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., CVPR 2016); the first may stride."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride != (1, 1):
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(
        self, x: Float[Tensor, "batch in_ch mel time"]
    ) -> Float[Tensor, "batch out_ch mel_out time_out"]:
        return torch.relu(self.body(x) + self.shortcut(x))


class VoiceCNN(nn.Module):
    """Log-mel in, one logit a step out; positive means synthetic."""

    FRAMES_PER_STEP = 16
    """Columns of the log-mel per logit: the product of the strides over time."""

    def __init__(
        self,
        mels: int = 80,
        channels: tuple[int, int, int, int] = (16, 32, 64, 96),
        dropout: float = 0.2,
        range_nats: float = 12.0,
    ) -> None:
        super().__init__()
        if mels < 1 or mels % 16:
            raise ValueError(f"VoiceCNN halves mels four times: a multiple of 16, not {mels}.")
        first, second, third, fourth = channels
        self.mels = mels
        self.range_nats = range_nats
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.Sequential(
            ResidualBlock(first, first, (1, 1)),
            ResidualBlock(first, second, (2, 2)),
            ResidualBlock(second, second, (1, 1)),
            ResidualBlock(second, third, (2, 2)),
            ResidualBlock(third, third, (1, 1)),
            ResidualBlock(third, fourth, (2, 2)),
            ResidualBlock(fourth, fourth, (1, 1)),
        )
        # One kernel spans all frequencies, so that a band's height stays known.
        self.join = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv2d(fourth, fourth, (mels // 16, 1), bias=False),
            nn.BatchNorm2d(fourth),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )
        self.score = nn.Conv1d(fourth, 1, 3, padding=1)

    def features(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch dim step"]:
        """Describe each step of time; what a fusion with other senses reads."""
        level = mel.exp().mean(dim=(1, 2), keepdim=True).log()
        x = (mel - level).clamp(min=-self.range_nats)
        x = (x + 4.0) / 4.0  # near zero mean and unit spread for speech
        return self.join(self.stages(self.stem(x[:, None]))).squeeze(2)

    def forward(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch step"]:
        """Score each step: ``ceil(time / FRAMES_PER_STEP)`` logits."""
        return self.score(self.features(mel)).squeeze(1)


def samples_per_step(hop_samples: int) -> int:
    """Return how many samples one logit stands for."""
    return VoiceCNN.FRAMES_PER_STEP * hop_samples


def pool_steps(logits: Float[Tensor, "batch step"], sharpness: float) -> Float[Tensor, " batch"]:
    """Pool steps to one logit by (1/r) log mean exp(r x): r → 0 is the mean, r → ∞ the maximum."""
    if sharpness <= 0:
        return logits.mean(dim=1)
    count = math.log(logits.shape[1])
    return (torch.logsumexp(sharpness * logits, dim=1) - count) / sharpness
