"""A small convolutional network over log-mel spectrograms: one forgery logit a step of time.

Vocoders betray themselves less in what is said than in how the spectrum's fine shape moves, so
the network looks at statistics over about a second and a half rather than at pictures of words:
a convolution turns the spectrogram into cepstra and their first two differences, their spread
within a sliding window is measured, and a small perceptron judges each window.

The time axis may have any length. Loudness is taken out inside the network: the clip's mean mel
power is divided out, what lies far below it is clipped, and quiet columns do not count, so
neither gain nor digital silence is a cue. That mean is taken over the whole input: a window that
holds only a word's end is levelled by that end.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LEAST_SPREAD = 1e-3
"""Added before a logarithm, nats: less than one step of a 16-bit recording changes a band."""
LEAST_POWER = 1e-12
"""Under a root, whose gradient at zero (of digital silence) would be no number."""


def cosine_basis(size: int, count: int) -> Float[Tensor, "count size"]:
    """Return the first rows of the orthonormal cosine transform (DCT-II)."""
    place = (torch.arange(size) + 0.5) * math.pi / size
    basis = torch.cos(torch.arange(count)[:, None] * place) * math.sqrt(2.0 / size)
    basis[0] /= math.sqrt(2.0)
    return basis


def level_bands(
    mel: Float[Tensor, "batch mel time"], range_nats: float
) -> Float[Tensor, "batch mel time"]:
    """Divide out the clip's mean band power and clip what lies far below it."""
    level = mel.exp().mean(dim=(1, 2), keepdim=True).log()
    return (mel - level).clamp(min=-range_nats)


class SpectralStatistics(nn.Module):
    """Cepstra, their differences, and how these and the bands spread within a sliding window."""

    def __init__(
        self,
        mels: int,
        cepstra: int,
        *,
        window_frames: int,
        hop_frames: int,
        range_nats: float,
        quiet_nats: float,
    ) -> None:
        super().__init__()
        self.window_frames, self.hop_frames = window_frames, hop_frames
        self.range_nats, self.quiet_nats = range_nats, quiet_nats
        self.cepstra = cepstra
        in_time = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [1.0, -2.0, 1.0]])
        kernels = torch.einsum("dk,cm->dcmk", in_time, cosine_basis(mels, cepstra))
        self.kernels = nn.Parameter(kernels.reshape(3 * cepstra, mels, 3))
        self.size = 4 * cepstra - 1 + (mels - 2) + (mels - 1)

    def forward(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch dim step"]:
        """Describe each step by its window; columns outside the clip have no weight."""
        bands = level_bands(mel, self.range_nats)
        loud = (bands.exp().mean(dim=1, keepdim=True).log() > -self.quiet_nats).to(bands.dtype)
        padded = functional.pad(bands, (1, 1), mode="replicate")
        static, moving = functional.conv1d(padded, self.kernels).split(
            [self.cepstra, 2 * self.cepstra], dim=1
        )
        curve = (bands[:, 2:] - 2.0 * bands[:, 1:-1] + bands[:, :-2]).abs()
        change = padded[:, :, 1:-1] - padded[:, :, :-2]
        values = [static, static**2, moving**2, curve, change**2, change[:, 1:] * change[:, :-1]]
        sizes = [value.shape[1] for value in values]
        weight = self._slide(loud) + 1e-6
        pooled = self._slide(torch.cat(values, dim=1) * loud) / weight
        mean, square, moved, curve, power, joint = pooled.split(sizes, dim=1)
        spread = (square - mean**2).clamp(min=LEAST_POWER).sqrt()
        moved = moved.clamp(min=LEAST_POWER).sqrt()
        norm = (power[:, 1:] * power[:, :-1]).clamp(min=LEAST_POWER).sqrt() + LEAST_SPREAD
        return torch.cat(
            [
                mean[:, 1:],  # the first is loudness
                (spread + LEAST_SPREAD).log(),
                (moved + LEAST_SPREAD).log(),
                curve,
                joint / norm,
            ],
            dim=1,
        )

    def _slide(self, x: Float[Tensor, "batch dim time"]) -> Float[Tensor, "batch dim step"]:
        """Average over a window around each step's middle; zeros lie beyond the ends.

        ::

            |<-- step 0 -->|<-- step 1 -->|
            ------- window 0 -------
                     ------- window 1 -------
        """
        before = self.window_frames // 2 - self.hop_frames // 2
        after = self.window_frames - 1 - before
        hops = functional.avg_pool1d(functional.pad(x, (before, after)), self.hop_frames)
        return functional.avg_pool1d(hops, self.window_frames // self.hop_frames, 1)


class VoiceCNN(nn.Module):
    """Log-mel in, one logit a step out; positive means synthetic."""

    FRAMES_PER_STEP = 16
    """Columns of the log-mel per logit."""

    def __init__(
        self,
        mels: int = 80,
        cepstra: int = 60,
        hidden: tuple[int, int] = (256, 64),
        *,
        window_frames: int = 160,
        dropout: float = 0.4,
        range_nats: float = 12.0,
        quiet_nats: float = 3.0,
    ) -> None:
        super().__init__()
        if not 1 < cepstra <= mels:
            raise ValueError(f"VoiceCNN needs 1 < cepstra <= mels, not {cepstra} and {mels}.")
        if window_frames < 1 or window_frames % self.FRAMES_PER_STEP:
            raise ValueError(
                f"VoiceCNN needs window_frames in whole steps of {self.FRAMES_PER_STEP}, "
                f"not {window_frames}."
            )
        self.statistics = SpectralStatistics(
            mels,
            cepstra,
            window_frames=window_frames,
            hop_frames=self.FRAMES_PER_STEP,
            range_nats=range_nats,
            quiet_nats=quiet_nats,
        )
        first, second = hidden
        self.judge = nn.Sequential(
            nn.BatchNorm1d(self.statistics.size, affine=False),
            nn.Dropout(dropout / 2),
            nn.Conv1d(self.statistics.size, first, 1, bias=False),
            nn.BatchNorm1d(first),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Conv1d(first, second, 1, bias=False),
            nn.BatchNorm1d(second),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout / 2),
        )
        self.score = nn.Conv1d(second, 1, 1)

    def features(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch dim step"]:
        """Describe each step of time; what a fusion with other senses reads."""
        described: Tensor = self.judge(self.statistics(mel))
        return described

    def forward(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch step"]:
        """Score each step: ``ceil(time / FRAMES_PER_STEP)`` logits."""
        logits: Tensor = self.score(self.features(mel)).squeeze(1)
        return logits


def samples_per_step(hop_samples: int) -> int:
    """Return how many samples one logit stands for."""
    return VoiceCNN.FRAMES_PER_STEP * hop_samples


def pool_steps(logits: Float[Tensor, "batch step"], sharpness: float) -> Float[Tensor, " batch"]:
    """Pool steps to one logit by (1/r) log mean exp(r x): r → 0 is the mean, r → ∞ the maximum."""
    if sharpness <= 0:
        return logits.mean(dim=1)
    count = math.log(logits.shape[1])
    return (torch.logsumexp(sharpness * logits, dim=1) - count) / sharpness
