"""Lightning wrapper of the motion branch: each moment is judged, each pair is compared."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from seamline.training.modules import BranchModule, accuracy_of
from seamline.training.twins import ask_apart


class MotionModule(BranchModule):
    """Trains on pairs that passed one chain."""

    def training_step(
        self, batch: Float[Tensor, "pair 2 moment 4 size size"], index: int
    ) -> Tensor:
        """Return the moments' classification loss plus the loss of each pair's difference.

        The difference of the means cancels what a pair shares: scene, person and codec.
        """
        (logits,) = ask_apart(self._judge, batch)
        labels = torch.tensor([0.0, 1.0], device=logits.device)[None, :, None].expand_as(logits)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        means = logits.mean(dim=2)
        rank_loss = F.softplus(means[:, 0] - means[:, 1]).mean()
        self.log_training(
            loss=loss, rank_loss=rank_loss, accuracy=accuracy_of(logits.flatten(), labels.flatten())
        )
        return loss + self.config.rank_weight * rank_loss

    def _judge(self, clips: Float[Tensor, "clip moment 4 size size"]) -> tuple[Tensor]:
        maps = clips.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return (self.model(maps).view(clips.shape[:2]),)

    def file_logits(self, inputs: Float[Tensor, "moment 4 size size"]) -> Float[Tensor, ""]:
        """Give the mean over a file's moments, as the runtime does."""
        logits: Tensor = self.model(inputs.contiguous(memory_format=torch.channels_last))
        return logits.mean()
