"""Compares a face's inside with what lies around it: feature maps in, a difference a channel out.

Both passed the same camera and codec, so what they share cancels out (the idea of Li et al., "Face
X-ray for More General Face Forgery Detection", CVPR 2020, as a feature).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def inside_minus_outside(
    features: Float[Tensor, "batch channel rows columns"], half_axes: tuple[float, float]
) -> Float[Tensor, "batch channel"]:
    """Give each channel's mean inside an ellipse at the crop's middle, minus that outside.

    ``half_axes`` are those across and down, in sides of the crop.
    """
    inside = ellipse(features, half_axes)
    weight = inside / inside.sum() - (1 - inside) / (1 - inside).sum()
    return (features * weight).sum(dim=(2, 3))


def ellipse(
    features: Float[Tensor, "batch channel rows columns"], half_axes: tuple[float, float]
) -> Float[Tensor, "rows columns"]:
    """Give 1 for the cells of a map that lie inside an ellipse at its middle, 0 for the others."""
    rows, columns = features.shape[2:]
    y = (torch.arange(rows, device=features.device) + 0.5) / rows - 0.5
    x = (torch.arange(columns, device=features.device) + 0.5) / columns - 0.5
    across, down = half_axes
    return ((x[None] / across) ** 2 + (y[:, None] / down) ** 2 < 1).to(features.dtype)
