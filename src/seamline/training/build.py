"""Translates a training config into its wrapped network with starting weights, and its data."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from safetensors.torch import load_file
from torch import nn

from seamline.models.build import ModelConfig, build_fusion, build_model
from seamline.models.frame_cnn import imagenet_state, load_imagenet
from seamline.training.both_data import BothData
from seamline.training.clip_data import ClipData
from seamline.training.config import TrainConfig, make_config
from seamline.training.frame_data import FaceFrameData, WholeFrameData
from seamline.training.from_bundle import load_branch, read_weights
from seamline.training.modules import PictureModule, TrainModule, VoiceModule
from seamline.training.motion_data import MotionData
from seamline.training.motion_module import MotionModule
from seamline.training.paper_modules import (
    AutoencoderModule,
    BothModule,
    ClipModule,
    SoundAutoencoderModule,
)
from seamline.training.picture_data import PictureData
from seamline.training.sync_data import SyncData
from seamline.training.sync_module import SyncModule
from seamline.training.voice_data import VoiceData
from seamline.training.widen import deepen_voice, further_blocks, widen_voice
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model, is_model

WEIGHTS = "weights.safetensors"
TRAINERS: dict[str, Callable[[Any, TrainConfig], TrainModule]] = {
    "picture": PictureModule,
    "voice": VoiceModule,
    "autoencoder": AutoencoderModule,
    "sound_autoencoder": SoundAutoencoderModule,
    "clip": ClipModule,
    "both": BothModule,
    "sync": SyncModule,
    "motion": MotionModule,
}

NARROW = ModelConfig(kind="voice_both")
"""What `voice_wide` may start from."""
DEEP = ("voice_wide", "voice_deep", "voice_deeper")
"""By further blocks; each may start from those before it."""
BUNDLED = ("picture", "voice", "sync", "motion")


def build_network(config: TrainConfig) -> nn.Module:
    """Build the network of a config with random weights."""
    if config.network.kind == "fusion":
        size_px = config.size_px
        shapes = [
            dataclasses.replace(m, size_px=size_px) for m in (config.model, config.audio_model)
        ]
        model: nn.Module = build_fusion(*shapes)
    else:
        model = build_model(config.network)
    return _channels_last(model) if config.branch in ("picture", "sync", "motion") else model


def _channels_last(model: nn.Module) -> nn.Module:
    """Lay convolutions out as CPUs train them up to twice as fast; mypy lacks the overload."""
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def build_module(config: TrainConfig) -> TrainModule:
    """Build the wrapped network of a config with its starting weights."""
    model = build_network(config)
    if config.branch == "voice":  # only to train: torch.export cannot trace it so
        model = _channels_last(model)
    _start(model, config)
    return TRAINERS[config.branch](model, config)


def build_data(config: TrainConfig, module: TrainModule) -> Any:
    """Build the data of a config; clips are encoded by the network's frozen part."""
    model: Any = module.model
    makers: dict[str, Callable[[], L.LightningDataModule]] = {
        "picture": lambda: PictureData(config),
        "voice": lambda: VoiceData(config),
        "autoencoder": lambda: (
            WholeFrameData(config) if config.model.frames == "whole" else FaceFrameData(config)
        ),
        "sound_autoencoder": lambda: VoiceData(config),
        "clip": lambda: ClipData(config, model),
        "both": lambda: BothData(config, model),
        "sync": lambda: SyncData(config),
        "motion": lambda: MotionData(config),
    }
    return makers[config.branch]()


def load_weights(config: TrainConfig, folder: Path) -> nn.Module:
    """Load the trained network of a run folder."""
    model = build_network(config)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()


def _start(model: Any, config: TrainConfig) -> None:
    """Load ImageNet's weights, or those of the runs that this one builds on; freeze the latter."""
    if config.branch == "picture" and config.initial == "imagenet":
        load_imagenet(model.trunk, imagenet_state())
    elif config.branch in BUNDLED and config.initial not in (
        "imagenet",
        "random",
    ):
        if is_model(config.initial):
            _start_from_bundle(model, config)
        else:
            _start_from_run(model, config)
    for part in _stages(model)[: config.frozen_stages]:
        part.requires_grad_(False)
    if config.network.kind == "fusion":
        for part, run in ((model.video, config.video_run), (model.audio, config.audio_run)):
            if run:
                part.load_state_dict(load_file(_finished(run)))
            part.requires_grad_(False)
    elif config.branch in ("clip", "both"):
        encoder = model.encoder
        network = getattr(encoder, "network", encoder)
        if config.encoder_run and is_model(config.encoder_run):
            _load_encoder(network, config)
        elif config.encoder_run:
            _same_encoder(config)
            network.load_state_dict(load_file(_finished(config.encoder_run)))
        elif config.model.encoder == "cnn" and config.initial == "imagenet":
            load_imagenet(network.trunk, imagenet_state())
        encoder.requires_grad_(False)


def _start_from_run(model: Any, config: TrainConfig) -> None:
    state = load_file(_finished(config.initial))
    if config.network.kind == "voice_wide" and _is_narrow(state, model):
        narrow: Any = build_model(NARROW)
        narrow.load_state_dict(state)
        widen_voice(model, narrow)
    elif config.network.kind in DEEP[1:]:
        deepen_voice(model, state)
    else:
        model.load_state_dict(state)


def _start_from_bundle(model: Any, config: TrainConfig) -> None:
    kind = config.network.kind
    if kind in DEEP:
        bundle = Bundle.load(find_model(config.initial))
        state = read_weights(bundle.folder / bundle.branches["voice"].graph)
        if kind == "voice_wide" and _is_narrow(state, model):
            widen_voice(model, _loaded(NARROW, config))
            return
        shallower = DEEP[: DEEP.index(kind)]
        if further_blocks(state) < len(shallower):
            shape = ModelConfig(kind=shallower[further_blocks(state)])
            deepen_voice(model, _loaded(shape, config).state_dict())
            return
    load_branch(model, config)


def _loaded(shape: ModelConfig, config: TrainConfig) -> Any:
    """The network of a bundle that is smaller than the config's."""
    smaller = build_model(shape)
    load_branch(smaller, dataclasses.replace(config, model=shape))
    return smaller


def _is_narrow(state: Mapping[str, Any], model: nn.Module) -> bool:
    """Tell whether weights are those of `voice_both`."""
    name = "picture.score.weight"
    return name in state and state[name].shape[1] < model.get_parameter(name).shape[1]


def _stages(model: Any) -> list[nn.Module]:
    """List the parts of a network from the input on, as far as they can be frozen."""
    if hasattr(model, "trunk"):
        return [model.trunk.stem, *model.trunk.stages]
    return [model.statistics] if hasattr(model, "statistics") else []


def _finished(run: str) -> Path:
    path = Path(run) / WEIGHTS
    if not path.exists():
        raise FileNotFoundError(
            f"This run builds on {run}, which has no {WEIGHTS} yet. Train that one first."
        )
    return path


def _load_encoder(network: nn.Module, config: TrainConfig) -> None:
    """Take the frame encoder from a bundle's picture branch, if it reads crops of this frame."""
    contract = Bundle.load(find_model(config.encoder_run)).contract
    for key, found in (("margin", contract.margin), ("size_px", contract.size_px)):
        if getattr(config, key) != found:
            raise ValueError(
                f"{key} is {getattr(config, key)}, but the picture branch of {config.encoder_run} "
                f"reads crops of {found}."
            )
    shape = dataclasses.replace(config.model, kind="frame_cnn")
    load_branch(
        network,
        dataclasses.replace(config, branch="picture", initial=config.encoder_run, model=shape),
    )
    network.eval()


def _same_encoder(config: TrainConfig) -> None:
    """Refuse an encoder trained on crops of another frame: its codes would mean nothing here."""
    path = Path(config.encoder_run) / "config.json"
    if not path.exists():
        return
    other = make_config(json.loads(path.read_text()))
    for key in ("margin", "size_px"):
        if getattr(other, key) != getattr(config, key):
            raise ValueError(
                f"{key} is {getattr(config, key)}, but the encoder of {config.encoder_run} was "
                f"trained with {getattr(other, key)}."
            )
