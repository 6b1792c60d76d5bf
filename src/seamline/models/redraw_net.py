"""Small face autoencoders that redraw a face as generators' decoders do: RGB in, RGB out.

    3×H×W ── conv /2 ─ conv /2 [─ conv /2] ── code ── [conv ×2] ─ ×2 ─ ×2 [─ ×2] ──> 3×H×W

What differs from network to network (depth, width of the code, how the decoder enlarges) is what
leaves different traces.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

ENLARGE = ("transposed", "nearest", "bilinear", "shuffle")


@dataclass(frozen=True)
class RedrawShape:
    """The shape of one network, and how it is fitted."""

    halvings: int = 3
    """How often the encoder halves the picture's sides."""
    code_channels: int = 16
    """Planes of the code."""
    enlarge: str = "transposed"
    """How the decoder doubles them again, see ENLARGE."""
    width: int = 20
    """Channels of the outermost layers; each halving doubles them."""
    sharpened: bool = True
    """Whether a critic that tells drawn from genuine patches is fitted against it."""

    def __post_init__(self) -> None:
        if self.enlarge not in ENLARGE:
            raise ValueError(f"enlarge is {self.enlarge!r}; known: {', '.join(ENLARGE)}.")


class RedrawNet(nn.Module):
    """Codes and redraws pictures whose sides divide by 2 to the power of ``halvings``."""

    def __init__(self, shape: RedrawShape | None = None) -> None:
        super().__init__()
        shape = shape or RedrawShape()
        self.shape = shape
        widths = [shape.width * 2**step for step in range(shape.halvings)]
        down: list[nn.Module] = []
        inputs = 3
        for width in widths:
            down += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
            inputs = width
        self.encoder = nn.Sequential(*down, nn.Conv2d(inputs, shape.code_channels, 3, 1, 1))
        up: list[nn.Module] = [nn.Conv2d(shape.code_channels, inputs, 3, 1, 1), nn.LeakyReLU(0.2)]
        for width in [*widths[-2::-1], shape.width]:
            up += [_enlarge(shape.enlarge, inputs, width), nn.LeakyReLU(0.2)]
            inputs = width
        self.decoder = nn.Sequential(*up, nn.Conv2d(inputs, 3, 3, 1, 1))

    def forward(
        self,
        frames: Float[Tensor, "batch 3 height width"],
        noise: Float[Tensor, "batch code rows columns"] | None = None,
    ) -> Float[Tensor, "batch 3 height width"]:
        """Redraw RGB in 0..255; ``noise`` is added to the code in units of its spread."""
        code = self.encoder(frames / 127.5 - 1)
        if noise is not None:
            code = code + noise * code.std(dim=(2, 3), keepdim=True)
        pixels: Tensor = (self.decoder(code) + 1) * 127.5
        return pixels


def _enlarge(kind: str, inputs: int, outputs: int) -> nn.Module:
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inputs, outputs * 4, 3, 1, 1), nn.PixelShuffle(2))
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(inputs, outputs, 3, 1, 1)
    )
