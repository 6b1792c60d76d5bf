"""Translates a model's config into the model; the one place that knows both.

Choice is by plain dicts: an unknown name lists the known ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from seamline.models.clip_models import (
    ClipClassifier,
    CNNFeatures,
    CrossClassifier,
    FusedClassifier,
)
from seamline.models.cross_transformer import CrossTransformer
from seamline.models.frame_autoencoder import FrameAutoencoder
from seamline.models.frame_cnn import FrameCNN
from seamline.models.motion_net import MotionNet
from seamline.models.sync_net import SyncNet
from seamline.models.temporal_transformer import TemporalTransformer
from seamline.models.voice_cnn import VoiceCNN
from seamline.models.voice_fronts import (
    FourierFeatures,
    LogMelFeatures,
    LogMelStatistics,
    RawAmplitudes,
)
from seamline.models.voice_lstm_autoencoder import VoiceLSTMAutoencoder
from seamline.models.voice_residual import VoiceBoth, VoiceResidual
from seamline.models.voice_transformer import VoiceTransformer


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a network; keys that a kind does not read are ignored."""

    kind: str = ""
    """Which network, see MODELS; empty: the default of the branch."""
    frames: str = "faces"
    """`faces`: crops of `size_px`; `whole`: whole pictures of 1920×1080."""
    encoder: str = "autoencoder"
    """Frame encoder below a transformer: `autoencoder` or `cnn`."""
    front: str = "log_mel"
    """What a voice transformer reads: `raw`, `fourier`, `log_mel` or `log_mel_statistics`."""
    size_px: int = 160
    """Side of face crops; training sets it from its own `size_px`."""
    width: int = 128
    """Features of a transformer's tokens."""
    heads: int = 8
    """Attention heads."""
    layers: int = 6
    """Transformer layers."""
    dropout: float = 0.1
    """Dropout of the transformer."""
    readout: str = "last"
    """`last`, `mean`, `max` or `log_sum_exp` over the classified outputs."""
    causal: bool = True
    """Whether a frame sees only itself and earlier ones."""
    window_tokens: int = 50
    """Tokens of sound that are judged together."""
    code_size: int = 5
    """Values a step of the LSTM autoencoder's code; a step is 20 amplitudes of 1 ms."""
    regions: bool = False
    """Whether a frame classifier compares the face's inside with what lies around it."""
    inputs: str = "rgb"
    """What a frame classifier reads: `rgb`, `residual` (what a blur takes away) or `both`."""
    audio_into_encoder: bool = True
    """Which way the cross transformer is fed."""


def _autoencoder(config: ModelConfig) -> FrameAutoencoder:
    if config.frames == "whole":
        # Half the channels: at full size they are what costs time and memory.
        return FrameAutoencoder(1080, 1920, shrink=(4, 6), pad_code=True, channels=(8, 16))
    return FrameAutoencoder(config.size_px, config.size_px)


FRAME_ENCODERS: dict[str, Callable[[ModelConfig], Any]] = {
    "autoencoder": _autoencoder,
    "cnn": lambda config: CNNFeatures(FrameCNN(inputs=config.inputs)),
}
VOICE_FRONTS: dict[str, Callable[[], Any]] = {
    "raw": RawAmplitudes,
    "fourier": FourierFeatures,
    "log_mel": LogMelFeatures,
    "log_mel_statistics": LogMelStatistics,
}


def _transformer(config: ModelConfig, inputs: int) -> TemporalTransformer:
    return TemporalTransformer(
        inputs,
        width=config.width,
        heads=config.heads,
        layers=config.layers,
        dropout=config.dropout,
        readout=config.readout,
        causal=config.causal,
    )


def _video_transformer(config: ModelConfig) -> ClipClassifier:
    encoder = _pick(FRAME_ENCODERS, "encoder", config.encoder)(config)
    size = encoder.feature_size
    return ClipClassifier(encoder, _transformer(config, size), size)


def _voice_transformer(config: ModelConfig) -> VoiceTransformer:
    front = _pick(VOICE_FRONTS, "front", config.front)()
    transformer = _transformer(config, front.feature_size)
    return VoiceTransformer(front, transformer, config.window_tokens)


def _cross_transformer(config: ModelConfig) -> CrossClassifier:
    encoder = _pick(FRAME_ENCODERS, "encoder", config.encoder)(config)
    front = _pick(VOICE_FRONTS, "front", config.front)()
    sizes = (encoder.feature_size, front.feature_size)
    inputs = sizes[::-1] if config.audio_into_encoder else sizes
    cross = CrossTransformer(
        *inputs,
        width=config.width,
        heads=config.heads,
        layers=config.layers,
        dropout=config.dropout,
    )
    return CrossClassifier(
        encoder, front, cross, sizes=sizes, audio_into_encoder=config.audio_into_encoder
    )


WIDE = (24, 48, 72, 144)
"""Channels of a residual voice network half as wide again as its default."""
LESS_DROPOUT = 0.25
"""Of the deeper one: the one before told its own training clips no better than unheard ones."""

MODELS: dict[str, Callable[[ModelConfig], nn.Module]] = {
    "frame_cnn": lambda config: FrameCNN(regions=config.regions, inputs=config.inputs),
    "frame_autoencoder": _autoencoder,
    "video_transformer": _video_transformer,
    "voice_cnn": lambda config: VoiceCNN(),
    "voice_residual": lambda config: VoiceResidual(),
    "voice_both": lambda config: VoiceBoth(VoiceCNN(), VoiceResidual()),
    "voice_wide": lambda config: VoiceBoth(VoiceCNN(), VoiceResidual(WIDE, 192)),
    "voice_deep": lambda config: VoiceBoth(
        VoiceCNN(), VoiceResidual(WIDE, 192, dropout=LESS_DROPOUT, deeper=1)
    ),
    "voice_deeper": lambda config: VoiceBoth(
        VoiceCNN(), VoiceResidual(WIDE, 192, dropout=LESS_DROPOUT, deeper=2)
    ),
    "voice_transformer": _voice_transformer,
    "voice_lstm_autoencoder": lambda config: VoiceLSTMAutoencoder(code_size=config.code_size),
    "cross_transformer": _cross_transformer,
    "sync_net": lambda config: SyncNet(dropout=config.dropout),
    "motion_net": lambda config: MotionNet(),
}


DEFAULT_KIND = {
    "picture": "frame_cnn",
    "voice": "voice_cnn",
    "autoencoder": "frame_autoencoder",
    "sound_autoencoder": "voice_lstm_autoencoder",
    "clip": "video_transformer",
    "both": "cross_transformer",
    "sync": "sync_net",
    "motion": "motion_net",
}
"""What each branch trains unless its model says otherwise."""


def build_model(config: ModelConfig) -> nn.Module:
    """Build a network with random weights."""
    return _pick(MODELS, "kind", config.kind)(config)


def build_fusion(video: ModelConfig, audio: ModelConfig) -> FusedClassifier:
    """Build the fusion of two branches' networks with random weights."""
    return FusedClassifier(_video_transformer(video), _voice_transformer(audio))


def _pick(known: Mapping[str, Callable[..., Any]], key: str, name: str) -> Callable[..., Any]:
    if name not in known:
        raise ValueError(f"{key} is {name!r}; known: {', '.join(known)}.")
    return known[name]
