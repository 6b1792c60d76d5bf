"""An LSTM autoencoder of sound: amplitudes in, a code of a few values a step and the sound out.

Two things keep such a network from learning, and both are avoided here. An LSTM that takes one
amplitude a step has to carry it over hundreds of steps, so steps are short frames of amplitudes.
One that must put everything into its last state forgets the beginning, so every step leaves its
own part of the code.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from seamline.models.voice_fronts import level, whole_blocks


class SoundReconstruction(NamedTuple):
    """What the autoencoder makes of a batch of clips."""

    code: Float[Tensor, "batch step dim"]
    target: Float[Tensor, "batch value"]
    """The amplitudes that were to be rebuilt, of mean square 1."""
    rebuilt: Float[Tensor, "batch value"]


class VoiceLSTMAutoencoder(nn.Module):
    """Rebuilds ``frame`` amplitudes a step from ``code_size`` values a step."""

    def __init__(
        self,
        *,
        block_samples: int = 16,
        frame: int = 20,
        code_size: int = 5,
        width: int = 128,
        layers: int = 1,
    ) -> None:
        super().__init__()
        if code_size >= frame:
            raise ValueError(f"code_size {code_size} is no smaller than frame {frame}.")
        self.block_samples, self.frame = block_samples, frame
        self.feature_size = code_size
        self.encoder = nn.LSTM(frame, width, layers, batch_first=True, bidirectional=True)
        self.enter = nn.Linear(2 * width, code_size)
        self.decoder = nn.LSTM(code_size, width, layers, batch_first=True, bidirectional=True)
        self.leave = nn.Linear(2 * width, frame)
        # A straight way past each LSTM: a linear autoencoder from the start, improved by context.
        self.enter_straight = nn.Linear(frame, code_size, bias=False)
        self.leave_straight = nn.Linear(code_size, frame, bias=False)

    def frames(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch step frame"]:
        """Average blocks of samples to amplitudes, level them and cut them into frames."""
        amplitudes = level(whole_blocks(samples, self.block_samples).mean(dim=2))
        return whole_blocks(amplitudes, self.frame)

    def features(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch step dim"]:
        """Code each step."""
        return self._encode(self.frames(samples))

    def _encode(self, frames: Float[Tensor, "batch step frame"]) -> Float[Tensor, "batch step dim"]:
        code: Tensor = self.enter(self.encoder(frames)[0]) + self.enter_straight(frames)
        return code

    def forward(self, samples: Float[Tensor, "batch sample"]) -> SoundReconstruction:
        """Code and rebuild samples in -1..1."""
        frames = self.frames(samples)
        code = self._encode(frames)
        rebuilt = self.leave(self.decoder(code)[0]) + self.leave_straight(code)
        return SoundReconstruction(code, frames.flatten(1), rebuilt.flatten(1))


def repeat_last(values: Float[Tensor, "batch value"]) -> Float[Tensor, "batch value"]:
    """Predict each value as the one before it, the first as 0: the trivial predictor."""
    return F.pad(values[:, :-1], (1, 0))
