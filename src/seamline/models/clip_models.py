"""Models of whole clips, composed of parts: frames and sound in, one forgery logit a clip out.

Every clip model works in two moves, so that a frozen first one runs once a clip and not once an
epoch: `tokens` reads pixels or samples, `judge` reads tokens.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seamline.models.cross_transformer import CrossTransformer
from seamline.models.frame_cnn import HEAD_CHANNELS, FrameCNN
from seamline.models.fusion import LinearFusion
from seamline.models.temporal_transformer import TemporalTransformer
from seamline.models.voice_transformer import VoiceTransformer

Frames = Float[Tensor, "batch time 3 height width"]


class CNNFeatures(nn.Module):
    """The frame classifier's features before its last layer."""

    feature_size = HEAD_CHANNELS

    def __init__(self, network: FrameCNN) -> None:
        super().__init__()
        self.network = network

    def features(self, frames: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        feature: Tensor = self.network(frames).feature
        return feature


class ClipClassifier(nn.Module):
    """A frame encoder, then a transformer over its codes."""

    def __init__(self, encoder: nn.Module, transformer: TemporalTransformer, size: int) -> None:
        super().__init__()
        self.encoder, self.transformer = encoder, transformer
        # Codes of different encoders differ a hundredfold in size.
        self.norm = nn.LayerNorm(size)

    def tokens(self, frames: Frames) -> Float[Tensor, "batch time dim"]:
        """Encode every frame."""
        codes: Tensor = self.encoder.features(frames.flatten(0, 1))  # type: ignore[operator]
        return codes.unflatten(0, frames.shape[:2])

    def judge(
        self, tokens: Float[Tensor, "batch time dim"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, " batch"]:
        """Judge a clip by its tokens."""
        logit: Tensor = self.transformer(self.norm(tokens), seen)
        return logit

    def forward(self, frames: Frames, seen: Bool[Tensor, "batch time"]) -> Float[Tensor, " batch"]:
        return self.judge(self.tokens(frames), seen)


class FusedClassifier(nn.Module):
    """Both branches' logits through one linear layer."""

    def __init__(self, video: ClipClassifier, audio: VoiceTransformer) -> None:
        super().__init__()
        self.video, self.audio = video, audio
        self.fusion = LinearFusion(2)

    def video_tokens(
        self, frames: Frames, seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch 1 1"]:
        """Judge the picture: one token of one value."""
        logit: Tensor = self.video(frames, seen)
        return logit[:, None, None]

    def audio_tokens(self, sound: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 1 1"]:
        """Judge the sound: one token of one value."""
        return self.audio(sound).mean(dim=1)[:, None, None]

    def judge(
        self,
        video: Float[Tensor, "batch 1 1"],
        audio: Float[Tensor, "batch 1 1"],
        video_seen: Bool[Tensor, "batch 1"],
        audio_seen: Bool[Tensor, "batch 1"],
    ) -> Float[Tensor, " batch"]:
        """Fuse two logits, either of which may be missing."""
        logits = torch.cat([video[:, 0], audio[:, 0]], dim=1)
        fused: Tensor = self.fusion(logits, torch.cat([video_seen, audio_seen], dim=1))
        return fused


class CrossClassifier(nn.Module):
    """Frame features and sound features through an encoder–decoder transformer."""

    def __init__(
        self,
        encoder: nn.Module,
        front: nn.Module,
        cross: CrossTransformer,
        *,
        sizes: tuple[int, int],
        audio_into_encoder: bool,
    ) -> None:
        super().__init__()
        self.encoder, self.front, self.cross = encoder, front, cross
        self.video_norm, self.audio_norm = (nn.LayerNorm(size) for size in sizes)
        self.audio_into_encoder = audio_into_encoder

    def video_tokens(
        self, frames: Frames, seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time dim"]:
        """Encode every frame."""
        codes: Tensor = self.encoder.features(frames.flatten(0, 1))  # type: ignore[operator]
        return codes.unflatten(0, frames.shape[:2])

    def audio_tokens(self, sound: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch token dim"]:
        """Cut the sound into tokens."""
        tokens: Tensor = self.front(sound)
        return tokens

    def judge(
        self,
        video: Float[Tensor, "batch time video_dim"],
        audio: Float[Tensor, "batch token audio_dim"],
        video_seen: Bool[Tensor, "batch time"],
        audio_seen: Bool[Tensor, "batch token"],
    ) -> Float[Tensor, " batch"]:
        """Judge both together, either of which may be missing."""
        sides = [(self.video_norm(video), video_seen), (self.audio_norm(audio), audio_seen)]
        if self.audio_into_encoder:
            sides.reverse()
        (first, first_seen), (second, second_seen) = sides
        logit: Tensor = self.cross(first, second, first_seen, second_seen)
        return logit
