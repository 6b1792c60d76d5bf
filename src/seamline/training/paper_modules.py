"""Lightning wrappers of the autoencoders and the models of whole clips: batches in, losses out."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from seamline.models.voice_lstm_autoencoder import repeat_last
from seamline.training.modules import BranchModule, TrainModule, accuracy_of


class ClipItem(NamedTuple):
    """Tokens of one clip, or of a batch of them."""

    tokens: Float[Tensor, "... time dim"]
    seen: Bool[Tensor, "... time"]


class AutoencoderModule(TrainModule):
    """Trains a frame autoencoder to rebuild pixels in 0..1, and to classify if that has weight."""

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the mean squared error plus the weighted classification loss."""
        frames, labels = batch
        made = self.model(frames)
        loss = F.mse_loss(made.pixels, frames / 255.0)
        weight = self.config.classify_weight
        if not weight:
            self.log_training(loss=loss)
            # Weights outside the loss would hang processes that wait for their gradient.
            return loss + 0.0 * made.logit.sum()
        classify = F.binary_cross_entropy_with_logits(made.logit, labels)
        accuracy = accuracy_of(made.logit, labels)
        self.log_training(loss=loss, classify_loss=classify, accuracy=accuracy)
        return loss + weight * classify

    def file_scores(self, inputs: Float[Tensor, "frame 3 height width"]) -> dict[str, float]:
        """Give a file's error, and that of answering each frame with its mean colour."""
        target = inputs / 255.0
        made = self.model(inputs)
        flat = target.mean(dim=(2, 3), keepdim=True)
        scores = {
            "mse": float(F.mse_loss(made.pixels, target)),
            "flat_mse": float((target - flat).square().mean()),
        }
        if self.config.classify_weight:
            scores["logit"] = float(made.logit.mean())
        return scores


class SoundAutoencoderModule(TrainModule):
    """Trains an LSTM autoencoder to rebuild amplitudes of mean square 1."""

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the mean squared error."""
        made = self.model(batch[0])
        loss = F.mse_loss(made.rebuilt, made.target)
        self.log_training(loss=loss)
        return loss

    def file_scores(self, inputs: Float[Tensor, " sample"]) -> dict[str, float]:
        """Give a file's error and those of two trivial predictors."""
        made = self.model(inputs[None])
        return {
            "mse": float(F.mse_loss(made.rebuilt, made.target)),
            "repeat_mse": float(F.mse_loss(repeat_last(made.target), made.target)),
            "mean_mse": float(made.target.var(unbiased=False)),
        }


class ClipModule(BranchModule):
    """Trains a transformer over the tokens of a frozen frame encoder."""

    model: Any

    def training_step(self, batch: tuple[ClipItem, Tensor], index: int) -> Tensor:
        """Return the classification loss."""
        clip, labels = batch
        logits = self.model.judge(clip.tokens, clip.seen)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        self.log_training(loss=loss, accuracy=accuracy_of(logits, labels))
        return loss

    def file_logits(self, inputs: ClipItem) -> Float[Tensor, ""]:
        """Score one clip."""
        logits: Tensor = self.model.judge(inputs.tokens[None], inputs.seen[None])
        return logits[0]


class BothModule(BranchModule):
    """Trains a model of picture and sound together on their frozen tokens."""

    model: Any

    def training_step(self, batch: tuple[ClipItem, ClipItem, Tensor], index: int) -> Tensor:
        """Return the classification loss."""
        video, audio, labels = batch
        logits = self.model.judge(video.tokens, audio.tokens, video.seen, audio.seen)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        self.log_training(loss=loss, accuracy=accuracy_of(logits, labels))
        return loss

    def file_logits(self, inputs: tuple[ClipItem, ClipItem]) -> Float[Tensor, ""]:
        """Score one pair of picture and sound."""
        video, audio = inputs
        logits: Tensor = self.model.judge(
            video.tokens[None], audio.tokens[None], video.seen[None], audio.seen[None]
        )
        return logits[0]


def padded(tokens: Float[Tensor, "time dim"], length: int) -> ClipItem:
    """Pad a clip's tokens at the end to ``length``, or cut them there."""
    kept: Any = tokens[:length]
    seen = torch.arange(length) < len(kept)
    return ClipItem(F.pad(kept, (0, 0, 0, length - len(kept))), seen)
