"""Lightning wrapper of the sync branch: every other sound of a batch is a wrong one."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from seamline.scoring.synchrony import fit_of, offset_likeness
from seamline.training.modules import TrainModule

NEAR_STEPS = 2
"""Steps nearer than this to the right one count neither as right nor as wrong."""
FARTHEST_STEPS = 15
LEAST_STRETCH_STEPS, LEAST_COMMON_STEPS = 8, 4
"""Of the stretches over which the second loss compares offsets."""


class SyncModule(TrainModule):
    """Trains both towers to agree on the moment, by single steps and by stretches of them."""

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        """Return the step loss plus the stretch loss."""
        crops, log_mel, ahead = batch
        model: Any = self.model
        mouth = model.mouth(crops.float())
        sound = model.sound(log_mel)[:, :-1]  # its last vector is of half a step
        sharpness = model.sharpness.clamp(max=3.9).exp()
        step_loss, hits = step_contrast(mouth, sound, ahead, sharpness)
        stretch_loss, right = stretch_contrast(mouth, sound, ahead, sharpness)
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
    sound: Float[Tensor, "batch other size"],
    ahead: Int[Tensor, " batch"],
    sharpness: Tensor,
) -> tuple[Tensor, Tensor]:
    """InfoNCE over all steps of the batch, both ways; also the share of steps found.

    ``ahead`` is the step of sound at which each mouth starts.
    """
    batch, steps, _ = mouth.shape
    others = sound.shape[1]
    likeness = sharpness * mouth.flatten(0, 1) @ sound.flatten(0, 1).T
    clip = torch.arange(batch, device=mouth.device)
    target = (clip * others + ahead)[:, None] + torch.arange(steps, device=mouth.device)
    target = target.flatten()
    apart = (target[:, None] - torch.arange(batch * others, device=mouth.device)).abs()
    same = clip.repeat_interleave(steps)[:, None] == clip.repeat_interleave(others)
    likeness = likeness.masked_fill(same & (apart > 0) & (apart < NEAR_STEPS), -torch.inf)
    right = torch.arange(batch * steps, device=mouth.device)
    back = F.cross_entropy(likeness.T[target], right)
    loss = (F.cross_entropy(likeness, target) + back) / 2
    return loss, (likeness.argmax(dim=1) == target).float().mean()


def stretch_contrast(
    mouth: Float[Tensor, "batch step size"],
    sound: Float[Tensor, "batch other size"],
    ahead: Int[Tensor, " batch"],
    sharpness: Tensor,
) -> tuple[Tensor, Tensor]:
    """Find the offset, and the clip, that a stretch of mouth belongs to, by mean likeness."""
    batch, steps, _ = mouth.shape
    length = int(torch.randint(min(LEAST_STRETCH_STEPS, steps), steps + 1, ()))
    first = int(torch.randint(0, steps - length + 1, ()))
    stretch = mouth[:, first : first + length]
    places = (ahead + first)[:, None] + torch.arange(length, device=mouth.device)
    rows = torch.arange(batch, device=mouth.device)[:, None]
    # All clips' sounds of the right moment: the diagonal is the right clip.
    scores = [torch.einsum("bsd,csd->bc", stretch, sound[rows, places]) / length]
    for offset in range(-FARTHEST_STEPS, FARTHEST_STEPS + 1):
        if abs(offset) < NEAR_STEPS:
            continue
        moved = places + offset
        inside = ((moved >= 0) & (moved < sound.shape[1])).float()
        products = (stretch * sound[rows, moved.clamp(0, sound.shape[1] - 1)]).sum(dim=2)
        count = inside.sum(dim=1)
        mean = (products * inside).sum(dim=1) / count.clamp(min=1)
        scores.append(mean.masked_fill(count < LEAST_COMMON_STEPS, -10.0)[:, None])
    likeness = 3.0 * sharpness * torch.cat(scores, dim=1)
    target = torch.arange(batch, device=mouth.device)
    loss = F.cross_entropy(likeness, target)
    return loss, (likeness.argmax(dim=1) == target).float().mean()
