"""Small networks that say speech again, as neural vocoders and codecs do: samples in, samples out.

    log-mel bands, or     ┌ transposed convolutions ×8 ×5 ×4 ────┐
    convolutions /4 /5 /8 ┤ repeated columns and convolutions    ├─> samples
                          └ magnitudes and phases, inverse STFT ─┘

A vocoder (HiFi-GAN, Kong et al., NeurIPS 2020; Vocos, Siuzdak, ICLR 2024) draws the wave from a
spectrogram that lost its phases, a codec (SoundStream, Zeghidour et al., 2021) from a coarse code
of the wave. What differs from network to network is what leaves different traces.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from seamline.voice.logmel import LogMelSettings, mel_filters

STRIDES = (8, 5, 4)
HOP = 160  # the product of the strides
SPECTRUM = 640  # samples of the inverse transform's frames
DRAWS = ("transposed", "repeated", "spectrum")
_QUIET = 1e-4


@dataclass(frozen=True)
class VocoderShape:
    """The shape of one network."""

    reads: str = "mel"
    """What the wave is drawn from: "mel" (a vocoder) or "wave" (a codec's learned code)."""
    draws: str = "transposed"
    """How the wave is drawn, see DRAWS."""
    mels: int = 80
    """Bands, on the mel scale, of what a vocoder reads."""
    code_channels: int = 16
    """Numbers that a codec keeps of each 10 ms."""
    levels: int = 0
    """Steps that each of them is rounded to; 0 leaves them as they are."""
    width: int = 96
    """Channels at the code's rate; each step up halves them."""

    def __post_init__(self) -> None:
        if self.draws not in DRAWS:
            raise ValueError(f"draws is {self.draws!r}; known: {', '.join(DRAWS)}.")
        if self.reads not in ("mel", "wave"):
            raise ValueError(f"reads is {self.reads!r}; known: mel, wave.")


class VocoderNet(nn.Module):
    """Says 16 kHz speech again, as many samples as it was given."""

    def __init__(self, shape: VocoderShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or VocoderShape()
        self.code: nn.Module = _Mel(shape.mels) if shape.reads == "mel" else _Code(shape)
        inputs = shape.mels if shape.reads == "mel" else shape.code_channels
        self.enter = nn.Conv1d(inputs, shape.width, 7, padding=3)
        self.draw: nn.Module = _Spectrum(shape.width) if shape.draws == "spectrum" else _Up(shape)

    def forward(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch sample"]:
        """Copy speech of any length; full scale is 1."""
        count = samples.shape[1]
        padded = functional.pad(samples, (0, -count % HOP))
        drawn: Tensor = self.draw(self.enter(self.code(padded)))
        return drawn[:, :count]


class _Mel(nn.Module):
    """Log-mel bands, a column for each hop; nothing in it is learned."""

    filters: Tensor
    window: Tensor

    def __init__(self, mels: int) -> None:
        super().__init__()
        settings = LogMelSettings(mels=mels, scale="htk", window_samples=640, fft_samples=1024)
        filters = torch.tensor(mel_filters(settings))
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("window", torch.hann_window(640), persistent=False)

    def forward(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch mel time"]:
        spectrum = torch.stft(
            samples, 1024, HOP, 640, self.window, pad_mode="constant", return_complex=True
        )
        power = spectrum.abs().square()[:, :, : samples.shape[1] // HOP]
        return (self.filters @ power).clamp_min(_QUIET).log() / 4


class _Code(nn.Module):
    """A learned code of the wave, a column for each hop, rounded if asked."""

    def __init__(self, shape: VocoderShape) -> None:
        super().__init__()
        self.levels = shape.levels
        layers: list[nn.Module] = [nn.Conv1d(1, shape.width // 8, 7, padding=3)]
        inputs = shape.width // 8
        for stride in reversed(STRIDES):
            layers += [nn.LeakyReLU(0.2), _Blocks(inputs)]
            layers += [nn.Conv1d(inputs, 2 * inputs, 2 * stride + 1, stride, padding=stride)]
            inputs *= 2
        self.layers = nn.Sequential(*layers)
        self.leave = nn.Conv1d(inputs, shape.code_channels, 3, padding=1)

    def forward(self, samples: Float[Tensor, "batch sample"]) -> Float[Tensor, "batch code time"]:
        code = torch.tanh(self.leave(self.layers(samples[:, None]))[..., : samples.shape[1] // HOP])
        if not self.levels:
            return code
        half = (self.levels - 1) / 2
        rounded = (code * half).round() / half
        return code + (rounded - code).detach()  # rounding passes its gradient on


class _Blocks(nn.Module):
    """Two dilated residual convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=wide, dilation=wide) for wide in (1, 3)
        )

    def forward(self, x: Float[Tensor, "batch width time"]) -> Float[Tensor, "batch width time"]:
        for layer in self.layers:
            x = x + layer(functional.leaky_relu(x, 0.2))
        return x


class _Up(nn.Module):
    """From columns to samples by steps of 8, 5 and 4."""

    def __init__(self, shape: VocoderShape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = shape.width
        for stride in STRIDES:
            layers += [nn.LeakyReLU(0.2), _enlarge(shape.draws, inputs, inputs // 2, stride)]
            layers += [_Blocks(inputs // 2)]
            inputs //= 2
        self.layers = nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Conv1d(inputs, 1, 7, padding=3))

    def forward(self, x: Float[Tensor, "batch width time"]) -> Float[Tensor, "batch sample"]:
        drawn: Tensor = torch.tanh(self.layers(x)[:, 0])
        return drawn


def _enlarge(draws: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    if draws == "transposed":
        odd = stride % 2
        return nn.ConvTranspose1d(
            inputs, outputs, 2 * stride, stride, (stride + odd) // 2, output_padding=odd
        )
    return nn.Sequential(
        nn.Upsample(scale_factor=stride), nn.Conv1d(inputs, outputs, 2 * stride + 1, padding=stride)
    )


class _Spectrum(nn.Module):
    """From columns to magnitudes and phases, and from those to samples."""

    window: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        wide = 2 * width
        self.enter = nn.Conv1d(width, wide, 1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(wide, wide, 7, padding=3, groups=wide),
                nn.GroupNorm(1, wide),
                nn.Conv1d(wide, 2 * wide, 1),
                nn.GELU(),
                nn.Conv1d(2 * wide, wide, 1),
            )
            for _ in range(4)
        )
        self.leave = nn.Conv1d(wide, SPECTRUM + 2, 1)
        self.register_buffer("window", torch.hann_window(SPECTRUM), persistent=False)

    def forward(self, x: Float[Tensor, "batch width time"]) -> Float[Tensor, "batch sample"]:
        x = self.enter(x)
        for layer in self.layers:
            x = x + layer(x)
        size, phase = self.leave(x).chunk(2, dim=1)
        spectrum = torch.polar(size.clamp_max(6.0).exp(), phase)
        spectrum = functional.pad(spectrum, (0, 1))
        samples: Tensor = torch.istft(
            spectrum, SPECTRUM, HOP, window=self.window, length=x.shape[2] * HOP
        )
        return samples
