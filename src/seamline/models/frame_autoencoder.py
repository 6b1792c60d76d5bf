"""A convolutional autoencoder of single frames: RGB in, a small code and the rebuilt RGB out.

Three convolutions of kernel 5 with ReLU and downsampling between them; the decoder mirrors them.
The code is one plane, the picture shrunk by the downsampling::

    3×160×160 ── conv ─ /2 ── conv ─ /2 ── conv, no padding ──> 1×36×36  = 1,296 values
    3×1080×1920 ─ conv ─ /4 ── conv ─ /6 ── conv ─────────────> 1×45×80  = 3,600 values
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

KERNEL = 5


class Reconstruction(NamedTuple):
    """What the autoencoder makes of a batch of frames."""

    code: Float[Tensor, "batch code"]
    pixels: Float[Tensor, "batch 3 height width"]
    """In 0..1 (black to white), though nothing clips them there."""
    logit: Float[Tensor, " batch"]
    """Forgery logit of the code; untrained unless the classification loss has weight."""


class FrameAutoencoder(nn.Module):
    """Codes frames of one size; ``shrink`` holds the two downsampling factors."""

    def __init__(
        self,
        height_px: int = 160,
        width_px: int = 160,
        *,
        shrink: tuple[int, int] = (2, 2),
        pad_code: bool = False,
        channels: tuple[int, int] = (16, 32),
    ) -> None:
        super().__init__()
        first, second = channels
        pad, edge = KERNEL // 2, KERNEL // 2 if pad_code else 0
        total = shrink[0] * shrink[1]
        if height_px % total or width_px % total:
            raise ValueError(
                f"A frame of {width_px}×{height_px} px does not divide by shrink {shrink}; "
                f"both sides must be multiples of {total}."
            )
        lost = 0 if pad_code else KERNEL - 1
        self.code_shape = (1, height_px // total - lost, width_px // total - lost)
        self.feature_size = self.code_shape[1] * self.code_shape[2]
        self.encoder = nn.Sequential(
            nn.Conv2d(3, first, KERNEL, padding=pad),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(shrink[0]),
            nn.Conv2d(first, second, KERNEL, padding=pad),
            nn.ReLU(inplace=True),
            nn.AvgPool2d(shrink[1]),
            nn.Conv2d(second, 1, KERNEL, padding=edge),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(1, second, KERNEL, padding=edge),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=shrink[1], mode="nearest"),
            nn.Conv2d(second, first, KERNEL, padding=pad),
            nn.ReLU(inplace=True),
            nn.Upsample(scale_factor=shrink[0], mode="nearest"),
            nn.Conv2d(first, 3, KERNEL, padding=pad),
        )
        self.classify = nn.Linear(self.feature_size, 1)

    def features(self, frames: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Code frames of RGB in 0..255."""
        # Middle grey codes to about zero, so that training starts level.
        code: Tensor = self.encoder((frames - 127.5) / 127.5).flatten(1)
        return code

    def forward(self, frames: Float[Tensor, "batch 3 height width"]) -> Reconstruction:
        """Code and rebuild frames of RGB in 0..255."""
        code = self.features(frames)
        pixels = self.decoder(code.unflatten(1, self.code_shape)) + 0.5
        return Reconstruction(code, pixels, self.classify(code).squeeze(1))
