"""A residual network over log-mel spectrograms: one forgery logit a step of time.

Where `VoiceCNN` measures how the spectrum spreads over a second and a half, this one looks at the
spectrogram itself as a picture, about 0.9 s wide: what a vocoder smears between harmonics or
repeats from hop to hop. `VoiceBoth` lets the two judge together, by the mean of their logits.

The time axis may have any length. Loudness is taken out as `VoiceCNN` does it: the clip's mean
band power is divided out and what lies far below it is clipped. While training, a band and a
stretch of time of each clip are hidden (Park et al., SpecAugment, Interspeech 2019).
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from seamline.models.voice_cnn import VoiceCNN, level_bands

SCALE_NATS = 4.0
"""About the standard deviation of speech's log bands: the first layer sees numbers near 1."""


class SpectrogramMask(nn.Module):
    """While training, hides one stretch of bands and one of time in each clip."""

    def __init__(self, bands: int, columns: int) -> None:
        super().__init__()
        self.bands, self.columns = bands, columns

    def forward(self, x: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch mel time"]:
        """Set what is hidden to zero; evaluation hides nothing."""
        if not self.training:
            return x
        hidden = self._stretch(x, 1, self.bands) | self._stretch(x, 2, self.columns)
        return x.masked_fill(hidden, 0.0)

    def _stretch(self, x: Tensor, axis: int, longest: int) -> Tensor:
        size = x.shape[axis]
        length = torch.rand(len(x), 1, device=x.device) * min(longest, size / 2)
        start = torch.rand(len(x), 1, device=x.device) * (size - length)
        place = torch.arange(size, device=x.device)
        inside = (place >= start) & (place < start + length)
        return inside[:, :, None] if axis == 1 else inside[:, None, :]


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut; ``stride`` over bands and time."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride != (1, 1):
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Float[Tensor, "batch _ mel time"]) -> Float[Tensor, "batch _ mel time"]:
        """Add what the convolutions find to what came in."""
        found = functional.relu(self.first_norm(self.first(x)))
        found = self.second_norm(self.second(found))
        return functional.relu(found + self.shortcut(x))


def still_block(channels: int) -> Residual:
    """Make a block that changes nothing that is above zero, until it is trained."""
    made = Residual(channels, channels)
    nn.init.zeros_(made.second_norm.weight)
    return made


class VoiceResidual(nn.Module):
    """Log-mel in, one logit a step out; positive means synthetic.

    ``deeper`` puts so many further blocks behind each of those of ``channels``' second and third
    width. They start still: a trained network's weights say with them what they said without.
    """

    input_per_step = VoiceCNN.FRAMES_PER_STEP
    """Columns of the log-mel per logit."""

    def __init__(
        self,
        channels: tuple[int, int, int, int] = (16, 32, 48, 96),
        width: int = 128,
        *,
        mels: int = 80,
        dropout: float = 0.4,
        deeper: int = 0,
        range_nats: float = 12.0,
        hidden_bands: int = 20,
        hidden_columns: int = 30,
    ) -> None:
        super().__init__()
        if mels % 16:
            raise ValueError(f"VoiceResidual halves the bands four times, which {mels} do not.")
        self.range_nats, self.rows = range_nats, mels // 16
        self.mask = SpectrogramMask(hidden_bands, hidden_columns)
        stem, low, middle, high = channels
        self.look = nn.Sequential(
            nn.Conv2d(1, stem, 5, 2, padding=2, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            Residual(stem, low, (2, 2)),
            Residual(low, middle, (2, 1)),
            Residual(middle, middle),
            Residual(middle, high, (2, 2)),
        )
        self.low = nn.Sequential(*(still_block(low) for _ in range(deeper)))
        self.middle = nn.Sequential(*(still_block(middle) for _ in range(deeper)))
        self.join = nn.Sequential(
            nn.Dropout(dropout / 2),
            nn.Conv1d(high * self.rows, width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.AvgPool1d(2, 2, ceil_mode=True, count_include_pad=False),
            nn.Dropout(dropout),
        )
        self.score = nn.Conv1d(width, 1, 1)

    def features(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch dim step"]:
        """Describe each step of time; what a fusion with other senses reads."""
        seen = self.mask(level_bands(mel, self.range_nats) / SCALE_NATS)
        looked = self.low(self.look[:4](seen[:, None]))
        looked = self.look[6:](self.middle(self.look[4:6](looked)))
        joined: Tensor = self.join(rearrange(looked, "batch dim mel time -> batch (dim mel) time"))
        return joined

    def forward(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch step"]:
        """Score each step: ``ceil(time / input_per_step)`` logits."""
        logits: Tensor = self.score(self.features(mel)).squeeze(1)
        return logits


class VoiceBoth(nn.Module):
    """The mean of the logits of `VoiceCNN` and `VoiceResidual`."""

    input_per_step = VoiceCNN.FRAMES_PER_STEP
    """Columns of the log-mel per logit."""

    def __init__(self, spread: VoiceCNN, picture: VoiceResidual) -> None:
        super().__init__()
        self.spread, self.picture = spread, picture

    @property
    def statistics(self) -> nn.Module:
        """The part that training can keep as it starts."""
        return self.spread.statistics

    def features(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch dim step"]:
        """Describe each step of time by both."""
        return torch.cat([self.spread.features(mel), self.picture.features(mel)], dim=1)

    def forward(self, mel: Float[Tensor, "batch mel time"]) -> Float[Tensor, "batch step"]:
        """Score each step."""
        logits: Tensor = (self.spread(mel) + self.picture(mel)) / 2
        return logits
