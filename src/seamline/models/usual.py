"""Tells how far a face's look lies from the looks of the faces that a network was trained on.

What a detector's last layers read has forgotten whatever does not bear on forgeries: a negative or
a drawing lies in the middle of it. Early layers still describe the picture itself. Their channels'
means and deviations over the face, what is called style since Gatys et al. (CVPR 2016), are held
against those of the training faces by Mahalanobis distance (Lee et al., "A simple unified framework
for detecting out-of-distribution samples and adversarial attacks", NeurIPS 2018).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seamline.models.regions import ellipse


class UsualFaces(nn.Module):
    """Looks in, strangeness out: about 1 for a usual face, in deviations of the training faces."""

    mean: Tensor
    deviation: Tensor
    whiten: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        self.register_buffer("whiten", torch.eye(dim))

    def forward(self, look: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
        apart = ((look - self.mean) / self.deviation) @ self.whiten
        return apart.square().mean(dim=1).sqrt()


def describe_look(
    features: Float[Tensor, "batch channel rows columns"], half_axes: tuple[float, float]
) -> Float[Tensor, "batch twice"]:
    """Give each channel's mean and its deviation inside an ellipse at the crop's middle.

    ``half_axes`` are those across and down, in sides of the crop. Hair, walls and the edge of the
    frame lie outside.
    """
    inside = ellipse(features, half_axes)
    weight = inside / inside.sum()
    mean = (features * weight).sum(dim=(2, 3))
    apart = features - mean[:, :, None, None]
    spread = (apart.square() * weight).sum(dim=(2, 3))
    return torch.cat((mean, (spread + 1e-8).sqrt()), dim=1)
