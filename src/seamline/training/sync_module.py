"""Lightning wrapper of the sync branch: every other sound of a batch is a wrong one."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from seamline.scoring.synchrony import fit_of, offset_likeness
from seamline.training.modules import TrainModule

NEAR_STEPS = 2
"""Steps nearer than this to the right one count neither as right nor as wrong."""
FARTHEST_STEPS = 15
STRETCH_STEPS = (8, 28)
"""Lengths of the stretches over which the second loss compares offsets."""


class SyncModule(TrainModule):
    """Trains both towers to agree on the moment, by single steps and by stretches of them."""

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the step loss plus the stretch loss."""
        crops, log_mel = batch
        mouth, sound = self.model(crops.float(), log_mel)
        model: Any = self.model
        sharpness = model.sharpness.clamp(max=3.9).exp()
        step_loss, hits = step_contrast(mouth, sound, sharpness)
        stretch_loss, right = stretch_contrast(mouth, sound, sharpness)
        self.log_training(
            loss=step_loss + stretch_loss, step_loss=step_loss, hits=hits, right=right
        )
        return step_loss + stretch_loss

    def file_scores(self, inputs: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Give the runtime's logit, and how far from sync at once it is (`apart`)."""
        crops, log_mel = inputs
        mouth, sound = self.model(crops[None].float(), log_mel[None])
        likeness = offset_likeness(mouth[0].double().numpy(), sound[0].double().numpy())
        fit, strict = fit_of(likeness), fit_of(likeness, natural_steps=1)
        assert fit is not None, "held-out clips are long enough for all offsets"
        assert strict is not None
        return {"logit": fit.logit, "apart": strict.logit}


def step_contrast(
    mouth: Float[Tensor, "batch step size"],
    sound: Float[Tensor, "batch step size"],
    sharpness: Tensor,
) -> tuple[Tensor, Tensor]:
    """InfoNCE over all steps of the batch, both ways; also the share of steps found."""
    batch, steps, _ = mouth.shape
    likeness = sharpness * mouth.flatten(0, 1) @ sound.flatten(0, 1).T
    place = torch.arange(steps).repeat(batch)
    clip = torch.arange(batch).repeat_interleave(steps)
    apart = (place[:, None] - place[None]).abs()
    near = (clip[:, None] == clip[None]) & (apart > 0) & (apart < NEAR_STEPS)
    likeness = likeness.masked_fill(near, -torch.inf)
    target = torch.arange(batch * steps)
    loss = (F.cross_entropy(likeness, target) + F.cross_entropy(likeness.T, target)) / 2
    return loss, (likeness.argmax(dim=1) == target).float().mean()


def stretch_contrast(
    mouth: Float[Tensor, "batch step size"],
    sound: Float[Tensor, "batch step size"],
    sharpness: Tensor,
) -> tuple[Tensor, Tensor]:
    """Find the offset, and the clip, that a stretch of mouth belongs to, by mean likeness."""
    batch, steps, _ = mouth.shape
    shortest, longest = STRETCH_STEPS
    length = int(torch.randint(shortest, min(longest, steps) + 1, ()))
    first = int(torch.randint(0, steps - length + 1, ()))
    stretch = mouth[:, first : first + length]
    scores: list[Tensor] = []
    for offset in range(-FARTHEST_STEPS, FARTHEST_STEPS + 1):
        low, high = max(0, first + offset), min(steps, first + offset + length)
        if high - low < shortest // 2 or 0 < abs(offset) < NEAR_STEPS:
            continue
        part = stretch[:, low - first - offset : high - first - offset]
        other = sound[:, low:high]
        if offset == 0:
            # All clips' sounds of the same place: the diagonal is the right one.
            scores.insert(0, torch.einsum("bsd,csd->bc", part, other) / (high - low))
        else:
            scores.append((part * other).sum(dim=2).mean(dim=1, keepdim=True))
    likeness = 3.0 * sharpness * torch.cat(scores, dim=1)
    target = torch.arange(batch)
    loss = F.cross_entropy(likeness, target)
    return loss, (likeness.argmax(dim=1) == target).float().mean()
