"""Exports a run of any branch as one ONNX graph, and proves that it computes what torch does.

Models that judge clips over time, samples or both senses have no place in a bundle yet. Their graph
takes raw inputs (uint8 pixels, samples or log-mel) and so stands alone: ``graph.onnx``,
``config.json`` and ``golden.npz``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from seamline.training.build import load_weights
from seamline.training.config import TrainConfig, config_json
from seamline.training.export import Run
from seamline.training.onnx_file import save_onnx

TOLERANCE = 1e-3
"""Largest difference between ONNX Runtime's outputs and torch's."""
GOLDEN_VALUES = 1_000_000  # of one array: whole frames would make files of 25 MB
COLUMNS, SAMPLES = 100, 16000  # a second of log-mel and of sound


class PixelGraph(nn.Module):
    """A frame autoencoder from uint8 pixels: code, rebuilt pixels and logit."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: UInt8[Tensor, "time height width 3"]) -> tuple[Tensor, ...]:
        made = self.model(frames.permute(0, 3, 1, 2).float())
        return made.code, made.pixels, made.logit


class SoundGraph(nn.Module):
    """A sound autoencoder from samples: code and rebuilt amplitudes."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, sound: Float[Tensor, "batch sample"]) -> tuple[Tensor, ...]:
        made = self.model(sound)
        return made.code, made.rebuilt


class ClipGraph(nn.Module):
    """A clip model from uint8 crops of one clip: its logit."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: UInt8[Tensor, "time size size 3"]) -> Float[Tensor, " 1"]:
        pixels = frames.permute(0, 3, 1, 2).float()[None]
        seen = torch.ones(pixels.shape[:2], dtype=torch.bool)
        logit: Tensor = self.model(pixels, seen)
        return logit


class BothGraph(nn.Module):
    """A model of both senses from crops and sound of one clip, and which of them is there."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = model

    def forward(
        self,
        frames: UInt8[Tensor, "time size size 3"],
        sound: Float[Tensor, "1 ..."],
        present: Shaped[Tensor, " 2"],
    ) -> Float[Tensor, " 1"]:
        pixels = frames.permute(0, 3, 1, 2).float()[None]
        seen = torch.ones(pixels.shape[:2], dtype=torch.bool)
        video, audio = self.model.video_tokens(pixels, seen), self.model.audio_tokens(sound)
        sides = [
            present[side].expand(1, tokens.shape[1]) for side, tokens in enumerate((video, audio))
        ]
        logit: Tensor = self.model.judge(video, audio, *sides)
        return logit


@dataclass(frozen=True)
class Graph:
    """What is exported: a module, how its inputs look at two lengths, which axes vary."""

    module: nn.Module
    inputs: Callable[[np.random.Generator, int], dict[str, np.ndarray]]
    """Makes inputs of a length in whole seconds."""
    outputs: Sequence[str]
    dynamic: Sequence[Mapping[int, str]]


def make_graph(model: nn.Module, config: TrainConfig) -> Graph:
    """Wrap a trained network for its branch."""

    def frames(generator: np.random.Generator, seconds: int) -> np.ndarray:
        if config.model.frames == "whole":
            return generator.integers(0, 256, (seconds, 1080, 1920, 3), dtype=np.uint8)
        shape = (2 * seconds, config.size_px, config.size_px, 3)
        return generator.integers(0, 256, shape, dtype=np.uint8)

    def sound(generator: np.random.Generator, seconds: int) -> np.ndarray:
        if config.reads_samples:
            shape: tuple[int, ...] = (1, SAMPLES * seconds)
            return generator.normal(0, 0.1, shape).astype(np.float32)
        return generator.normal(-6, 3, (1, 80, COLUMNS * seconds)).astype(np.float32)

    hears = {1: "sample"} if config.reads_samples else {2: "column"}
    branches: dict[str, Callable[[], Graph]] = {
        "autoencoder": lambda: Graph(
            PixelGraph(model),
            lambda g, n: {"frames": frames(g, n)},
            ("code", "pixels", "logit"),
            [{0: "time"}],
        ),
        "sound_autoencoder": lambda: Graph(
            SoundGraph(model), lambda g, n: {"sound": sound(g, 1)}, ("code", "rebuilt"), [{}]
        ),
        "clip": lambda: Graph(
            ClipGraph(model), lambda g, n: {"frames": frames(g, n)}, ("logit",), [{0: "time"}]
        ),
        "both": lambda: Graph(
            BothGraph(model),
            lambda g, n: {
                "frames": frames(g, n),
                "sound": sound(g, n),
                "present": np.array([True, n != 2]),
            },
            ("logit",),
            [{0: "time"}, hears, {}],
        ),
        "voice": lambda: Graph(model, lambda g, n: {"sound": sound(g, n)}, ("logit",), [hears]),
    }
    if config.branch not in branches:
        raise ValueError(
            f"Branch {config.branch} goes into a bundle: use `seamline export`. Graphs alone are "
            f"for {', '.join(branches)}."
        )
    return branches[config.branch]()


def export_graph(folder: Path, run: Run) -> float:
    """Write a run's graph; returns the largest difference from torch, which must be small."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = make_graph(load_weights(run.config, run.folder).eval(), run.config)
    generator = np.random.default_rng(0)
    first = graph.inputs(generator, 1)
    save_onnx(
        graph.module.eval(),
        tuple(torch.from_numpy(value) for value in first.values()),
        folder / "graph.onnx",
        inputs=list(first),
        outputs=graph.outputs,
        dynamic=graph.dynamic,
        halve=False,
    )
    (folder / "config.json").write_text(json.dumps(config_json(run.config), indent=2) + "\n")
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, run.config.threads)
    session = ort.InferenceSession(
        str(folder / "graph.onnx"), options, providers=["CPUExecutionProvider"]
    )
    golden: dict[str, np.ndarray] = {}
    largest = 0.0
    for length in (1, 2):
        inputs = graph.inputs(generator, length)
        with torch.no_grad():
            made = graph.module(*(torch.from_numpy(value) for value in inputs.values()))
        expected = [each.numpy() for each in (made if isinstance(made, tuple) else (made,))]
        found = session.run(list(graph.outputs), inputs)
        for a, b in zip(found, expected, strict=True):
            largest = max(largest, float(np.abs(a - b).max()))
        if length == 1:
            golden = inputs | dict(zip(graph.outputs, expected, strict=True))
    kept = {name: value for name, value in golden.items() if value.size <= GOLDEN_VALUES}
    np.savez_compressed(folder / "golden.npz", **kept)  # type: ignore[arg-type]
    if largest > TOLERANCE:
        raise ValueError(
            f"The exported graph of {run.config.name} differs from torch by {largest:.2g}, more "
            f"than {TOLERANCE:g}."
        )
    return largest
