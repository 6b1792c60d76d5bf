"""Joins the logits of several senses, and of several frames: numbers in, one logit out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

CONFIDENT_LOGIT = 1.386
"""Logit of probability 0.8, from which a frame counts as confidently fake (below 0.2: genuine)."""
CONFIDENT_SHARE, GENUINE_SHARE = 0.4, 0.9
"""Shares of frames that decide in `confident`, as the winner of the DFDC chose them."""


class LinearFusion(nn.Module):
    """A linear layer over the outputs of the branches; a missing one has a learned stand-in."""

    def __init__(self, sides: int = 2) -> None:
        super().__init__()
        self.weigh = nn.Linear(sides, 1)
        self.absent = nn.Parameter(torch.zeros(sides))
        nn.init.constant_(self.weigh.weight, 1.0 / sides)
        nn.init.zeros_(self.weigh.bias)

    def forward(
        self, logits: Float[Tensor, "batch side"], present: Bool[Tensor, "batch side"]
    ) -> Float[Tensor, " batch"]:
        filled = torch.where(present, logits, self.absent)
        fused: Tensor = self.weigh(filled).squeeze(1)
        return fused


def mean_frames(logits: Float[Tensor, " time"]) -> Float[Tensor, ""]:
    """Average over the frames."""
    return logits.mean()


def top_frames(logits: Float[Tensor, " time"], share: float = 0.3) -> Float[Tensor, ""]:
    """Average over the highest-scoring share of the frames, at least one."""
    count = max(1, round(share * logits.shape[0]))
    return logits.topk(count).values.mean()


def confident(logits: Float[Tensor, " time"]) -> Float[Tensor, ""]:
    """Average over the confident frames where they decide, else over all.

    The rule of the DFDC's winner (Seferbekov 2020): if over two fifths of the frames are surely
    fake, those alone count; if over nine tenths are surely genuine, those alone; else all.
    """
    fake, genuine = logits > CONFIDENT_LOGIT, logits < -CONFIDENT_LOGIT
    if fake.float().mean() > CONFIDENT_SHARE:
        return logits[fake].mean()
    if genuine.float().mean() > GENUINE_SHARE:
        return logits[genuine].mean()
    return logits.mean()


AGGREGATIONS: dict[str, Callable[[Float[Tensor, " time"]], Float[Tensor, ""]]] = {
    "mean": mean_frames,
    "top": top_frames,
    "confident": confident,
}
