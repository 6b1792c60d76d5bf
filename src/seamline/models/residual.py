"""What a blur takes away from a picture: its finest detail, without the scene's light and colours.

Blending, resampling and generators disturb this layer most, and detectors that read it carry over
better to other sets (Luo et al., "Generalizing Face Forgery Detection with High-frequency
Features", CVPR 2021).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

GAIN = 8.0
"""Brings the residual of faces, 3 to 8 grey levels, to the spread of the picture itself."""


class Residual(nn.Module):
    """Pixels minus their 5×5 binomial blur, times a gain; borders are continued."""

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
        self.kernel: Tensor
        self.register_buffer("kernel", torch.outer(line, line)[None, None], persistent=False)

    def forward(
        self, pixels: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Give each channel's fine detail, in the unit of ``pixels`` times `GAIN`."""
        channels = pixels.shape[1]
        padded = functional.pad(pixels, (2, 2, 2, 2), mode="replicate")
        blurred = functional.conv2d(
            padded, self.kernel.expand(channels, -1, -1, -1), groups=channels
        )
        return GAIN * (pixels - blurred)
