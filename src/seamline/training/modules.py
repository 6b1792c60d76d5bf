"""Lightning wrappers: a model, its loss, its validation scores; models know only torch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.functional.classification import binary_auroc

from seamline.models.voice_cnn import VoiceCNN
from seamline.scoring.crop_logits import weigh_crops
from seamline.training.config import TrainConfig
from seamline.training.muon import Muon
from seamline.training.pairs import Pair
from seamline.training.twins import ask_apart
from seamline.training.voice_splices import splice_clips, step_truth

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "muon": Muon,
}


class TrainModule(L.LightningModule):
    """Shared by all: optimiser, schedule, and validation by whole files."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self._scores: dict[str, list[dict[str, float]]] = defaultdict(list)

    def file_scores(self, inputs: Any) -> dict[str, float]:
        """Give the figures of one file, such as its `logit` or `mse`."""
        raise NotImplementedError

    def on_train_batch_start(self, batch: Any, index: int) -> None:
        """Seed dropout by step, so that a resumed run draws what an unbroken one drew."""
        torch.manual_seed(self.config.seed * 1_000_003 + self.global_step)

    def validation_step(self, batch: Any, index: int, dataloader_idx: int = 0) -> None:
        """Collect one file's figures and label."""
        scores = {"label": float(batch["label"]), **self.file_scores(batch["inputs"])}
        self._scores[batch["split"]].append(scores)

    def on_validation_epoch_end(self) -> None:
        """Log AUC and log-loss of each validation set, or the mean of its other figures."""
        for split in ("holdout", "val"):
            rows = self._all_rows(self._scores[split])
            if not rows:
                continue
            labels = torch.tensor([row["label"] for row in rows])
            for name in set(rows[0]) - {"label"}:
                values = torch.tensor([row[name] for row in rows])
                if name == "logit":
                    self.log(f"{split}/auc", binary_auroc(values, labels.int()), prog_bar=True)
                    self.log(f"{split}/loss", F.binary_cross_entropy_with_logits(values, labels))
                else:
                    self.log(f"{split}/{name}", values.mean(), prog_bar=True)
        self._scores.clear()

    def log_training(self, **figures: Tensor) -> None:
        """Log figures of a step, averaged over the processes."""
        named = {f"train/{name}": value.detach() for name, value in figures.items()}
        self.log_dict(named, prog_bar=True, sync_dist=self.config.processes > 1)

    def _all_rows(self, rows: list[dict[str, float]]) -> list[dict[str, float]]:
        """Gather the rows of all processes."""
        if self.config.processes == 1:
            return rows
        parts: list[Any] = [None] * self.config.processes
        torch.distributed.all_gather_object(parts, rows)
        return [row for part in parts for row in part]

    def configure_optimizers(self) -> Any:
        """Linear warm-up, cosine decay to a hundredth; no weight decay on norms and biases."""
        config = self.config
        decayed = [p for p in self.model.parameters() if p.requires_grad and p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.requires_grad and p.ndim <= 1]
        optimizer = OPTIMIZERS[config.optimizer](
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        total = config.epochs * config.steps_per_epoch

        def factor(step: int) -> float:
            if step < config.warmup_steps:
                return (step + 1) / config.warmup_steps
            done = (step - config.warmup_steps) / max(1, total - config.warmup_steps)
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class BranchModule(TrainModule):
    """A network that gives logits: shared by all that classify."""

    def file_logits(self, inputs: Any) -> Float[Tensor, ""]:
        """Score one whole file."""
        raise NotImplementedError

    def file_scores(self, inputs: Any) -> dict[str, float]:
        """Give the file's logit."""
        return {"logit": float(self.file_logits(inputs))}


class PictureModule(BranchModule):
    """Trains a frame encoder on pairs, with the blending mask as a second target."""

    def training_step(self, batch: Pair, index: int) -> Tensor:
        """Return classification loss plus weighted mask loss."""
        logits, mask_logits = self._judge_sides(batch.crops)
        labels = torch.tensor([0.0, 1.0], device=logits.device).expand_as(logits)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        known = batch.mask_known[:, :, None, None].expand_as(mask_logits)
        mask_loss = F.binary_cross_entropy_with_logits(mask_logits, batch.masks, weight=known)
        accuracy = accuracy_of(logits.flatten(), labels.flatten())
        self.log_training(loss=loss, mask_loss=mask_loss, accuracy=accuracy)
        return loss + self.config.mask_weight * mask_loss

    def _judge_sides(self, pairs: Float[Tensor, "pair 2 3 size size"]) -> list[Tensor]:
        """Judge twins apart where norms measure the batch; norms that are held see none."""
        if self.config.train_norms:
            return ask_apart(self._judge, pairs)
        return [told.unflatten(0, pairs.shape[:2]) for told in self._judge(pairs.flatten(0, 1))]

    def _judge(self, crops: Float[Tensor, "batch 3 size size"]) -> tuple[Tensor, Tensor]:
        scores = self.model(crops.contiguous(memory_format=torch.channels_last))
        return scores.logit, scores.mask_logit

    def on_train_batch_start(self, batch: Pair, index: int) -> None:
        """Keep batch norms at their ImageNet statistics unless the config lets them adapt."""
        super().on_train_batch_start(batch, index)
        if not self.config.train_norms:
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def file_logits(self, inputs: Float[Tensor, "frame 3 size size"]) -> Float[Tensor, ""]:
        """Pool one file's frame logits as the runtime does."""
        scores = self.model(inputs.contiguous(memory_format=torch.channels_last))
        weights = self.config.crop_weights
        if not weights.any:
            return pool(scores.logit, self.config.pool_sharpness)
        crops = inputs.round().byte().permute(0, 2, 3, 1).cpu().numpy()
        logits, masks = (v.float().cpu().numpy() for v in (scores.logit, scores.mask_logit))
        weighed = torch.from_numpy(weigh_crops(logits, masks, crops, weights))
        return pool(weighed, self.config.pool_sharpness)


class VoiceModule(BranchModule):
    """Trains the voice branch on log-mel crops with file labels."""

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the classification loss of the pooled step logits, or of a splice's steps."""
        log_mel, labels = batch
        if labels.ndim == 2:  # which columns are forged
            return self._step_loss(log_mel, step_truth(labels, self._columns_per_step))
        if self.config.splice_share and float(torch.rand(())) < self.config.splice_share:
            return self._step_loss(*splice_clips(log_mel, labels, self._columns_per_step))
        logits = pool(self.model(log_mel), self.config.pool_sharpness)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        self.log_training(loss=loss, accuracy=accuracy_of(logits, labels))
        return loss

    @property
    def _columns_per_step(self) -> int:
        return int(getattr(self.model, "input_per_step", VoiceCNN.FRAMES_PER_STEP))

    def _step_loss(
        self, log_mel: Float[Tensor, "batch mel time"], truth: Float[Tensor, "batch step"]
    ) -> Tensor:
        steps = self.model(log_mel)
        if steps.shape != truth.shape:
            raise ValueError("Splices need a voice network that judges step by step.")
        loss = F.binary_cross_entropy_with_logits(steps, truth)
        self.log_training(loss=loss, accuracy=accuracy_of(steps.flatten(), truth.flatten()))
        return loss

    def file_logits(self, inputs: Float[Tensor, "... time"]) -> Float[Tensor, ""]:
        """Score one file whole."""
        return pool(self.model(inputs[None]), self.config.pool_sharpness)[0]


def accuracy_of(
    logits: Float[Tensor, " batch"], labels: Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Give the share called rightly at probability one half."""
    return ((logits > 0) == (labels > 0)).float().mean()


def pool(logits: Float[Tensor, "*batch time"], sharpness: float) -> Float[Tensor, "*batch"]:
    """Log-mean-exp over time, as `seamline.scoring.pool` computes it; 0 is the mean."""
    if sharpness == 0:
        return logits.mean(dim=-1)
    count = math.log(logits.shape[-1])
    return (torch.logsumexp(sharpness * logits, dim=-1) - count) / sharpness
