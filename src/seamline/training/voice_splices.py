"""Splices for the voice branch: a stretch of one clip laid into another, each step with its truth.

A loss on a clip's mean never asks a network to tell one second from the next; one on the steps of
spliced clips does (as CutMix does in pictures, Yun et al., ICCV 2019).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from seamline.models.voice_cnn import level_bands

LEAST_COLUMNS = 24
"""Of the stretch, 10 ms each; it may reach beyond the clip's end."""
RANGE_NATS = 12.0


def splice_clips(
    mel: Float[Tensor, "batch mel time"],
    labels: Float[Tensor, " batch"],
    columns_per_step: int,
) -> tuple[Float[Tensor, "batch mel time"], Float[Tensor, "batch step"]]:
    """Lay a stretch of another clip of the batch into each, as loud; gives each step's truth.

    The truth of a step is the share of its columns that are fake. Draws from torch's generator.
    """
    count, _, columns = mel.shape
    if columns <= LEAST_COLUMNS + columns_per_step:
        raise ValueError(
            f"Clips of {columns} columns are too short to splice; sound_seconds must give more "
            f"than {LEAST_COLUMNS + columns_per_step}."
        )
    other = torch.randperm(count, device=mel.device)
    start = torch.rand(count, 1, device=mel.device) * (columns - columns_per_step)
    length = LEAST_COLUMNS + torch.rand(count, 1, device=mel.device) * (columns - LEAST_COLUMNS)
    place = torch.arange(columns, device=mel.device)
    inside = (place >= start) & (place < start + length)
    level = level_bands(mel, RANGE_NATS)
    spliced = torch.where(inside[:, None], level[other], level)
    truth = torch.where(inside, labels[other][:, None], labels[:, None])
    steps = F.avg_pool1d(
        truth[:, None], columns_per_step, ceil_mode=True, count_include_pad=False
    ).squeeze(1)
    return spliced, steps
