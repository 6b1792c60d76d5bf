"""How each kind of network is called once it is exported: raw inputs in, logits out.

Every graph takes what the runtime has (uint8 crops, log-mel or samples) and so stands alone. The
names of its inputs tell what it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from seamline.faces.flow import CHANNELS
from seamline.models.frame_autoencoder import FrameAutoencoder
from seamline.models.usual import UsualFaces
from seamline.training.config import TrainConfig
from seamline.training.pairs import MASK_STRIDE

COLUMNS, SAMPLES = 100, 16000  # a second of log-mel and of sound
EXAMPLE_SECONDS = 3
"""Length to export with: of several windows, since the exporter takes a count of 1 as fixed."""
SIDES = ((True, True), (True, False), (False, True))
"""Of picture and sound, what each logit of a graph for both may see."""


class PictureGraph(nn.Module):
    """A frame classifier from crops: a logit and the mask logits of each.

    Where the usual faces are known, also how strange each crop is among them.
    """

    def __init__(self, model: nn.Module, usual: UsualFaces | None = None) -> None:
        super().__init__()
        self.model = model
        self.usual = usual

    def forward(self, crops: UInt8[Tensor, "time size size 3"]) -> tuple[Tensor, ...]:
        scores = self.model(crops.permute(0, 3, 1, 2).float())
        if isinstance(self.model, FrameAutoencoder):
            # It cannot tell where: the heatmap is its logit everywhere.
            rows = crops.shape[1] // MASK_STRIDE
            return scores.logit, scores.logit[:, None, None].expand(-1, rows, rows)
        if self.usual is None:
            return scores.logit, scores.mask_logit
        return scores.logit, scores.mask_logit, self.usual(scores.look)


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

    def forward(self, samples: Float[Tensor, "batch sample"]) -> tuple[Tensor, ...]:
        made = self.model(samples)
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
    """A model of both senses from crops and sound of one clip: its logits by `SIDES`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = model
        self.sides: Bool[Tensor, "side sense"]
        self.register_buffer("sides", torch.tensor(SIDES), persistent=False)

    def forward(
        self, frames: UInt8[Tensor, "time size size 3"], sound: Float[Tensor, "1 ..."]
    ) -> Float[Tensor, " side"]:
        pixels = frames.permute(0, 3, 1, 2).float()[None]
        seen = torch.ones(pixels.shape[:2], dtype=torch.bool)
        video, audio = self.model.video_tokens(pixels, seen), self.model.audio_tokens(sound)
        logits: Tensor = self.model.judge(
            video.expand(len(SIDES), -1, -1),
            audio.expand(len(SIDES), -1, -1),
            self.sides[:, :1].expand(-1, video.shape[1]),
            self.sides[:, 1:].expand(-1, audio.shape[1]),
        )
        return logits


class SyncGraph(nn.Module):
    """Both towers of a sync network: the vectors of a mouth and of sound, of any lengths."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = model

    def forward(
        self, mouths: UInt8[Tensor, "step size size"], log_mel: Float[Tensor, "1 mel column"]
    ) -> tuple[Float[Tensor, "step dim"], Float[Tensor, "other dim"]]:
        return self.model.mouth(mouths[None].float())[0], self.model.sound(log_mel)[0]


class MotionGraph(nn.Module):
    """A motion network from maps of change: a logit of each moment."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, maps: Float[Tensor, "moment 4 size size"]) -> Float[Tensor, " moment"]:
        logit: Tensor = self.model(maps)
        return logit


@dataclass(frozen=True)
class Graph:
    """What is exported: a module, how its inputs look, which of their axes vary."""

    module: nn.Module
    inputs: Callable[[np.random.Generator, int], dict[str, np.ndarray]]
    """Makes inputs of a length in whole seconds."""
    outputs: Sequence[str]
    dynamic: Sequence[Mapping[int, str]]

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Compute the outputs in torch."""
        with torch.no_grad():
            made = self.module(*(torch.from_numpy(value) for value in inputs.values()))
        values = made if isinstance(made, tuple) else (made,)
        return {k: v.numpy() for k, v in zip(self.outputs, values, strict=True)}


def make_graph(model: nn.Module, config: TrainConfig, usual: UsualFaces | None = None) -> Graph:
    """Wrap a trained network for its branch; a picture's may be given the faces it knows."""
    size, model = config.scan_px, model.eval()

    def frames(generator: np.random.Generator, seconds: int) -> np.ndarray:
        if config.model.frames == "whole":
            return generator.integers(0, 256, (min(seconds, 2), 1080, 1920, 3), dtype=np.uint8)
        # Blocks, not noise: what is even over a few pixels survives the first layers.
        blocks = generator.integers(0, 256, (4 * seconds, 8, 8, 3), dtype=np.uint8)
        return blocks.repeat(size // 8, axis=1).repeat(size // 8, axis=2)

    def sound(generator: np.random.Generator, seconds: int) -> np.ndarray:
        if config.reads_samples:
            return generator.normal(0, 0.1, (1, SAMPLES * seconds)).astype(np.float32)
        return generator.normal(-6, 3, (1, 80, COLUMNS * seconds)).astype(np.float32)

    def mouths(generator: np.random.Generator, seconds: int) -> np.ndarray:
        blocks = generator.integers(0, 256, (25 * seconds, 8, 8), dtype=np.uint8)
        return blocks.repeat(config.mouth_px // 8, axis=1).repeat(config.mouth_px // 8, axis=2)

    def maps(generator: np.random.Generator, seconds: int) -> np.ndarray:
        shape = (3 * seconds, CHANNELS, size // 8, size // 8)
        blocks = generator.normal(0, 1, shape).astype(np.float32)
        return blocks.repeat(8, axis=2).repeat(8, axis=3)

    heard, hears = ("samples", {1: "sample"}) if config.reads_samples else ("log_mel", {2: "frame"})
    judged = config.branch == "picture" or joint(config)
    name = "picture" if judged else config.branch
    branches: dict[str, Callable[[], Graph]] = {
        "picture": lambda: Graph(
            PictureGraph(model, usual),
            lambda g, n: {"crops": frames(g, n)},
            ("logit", "mask_logit", *(() if usual is None else ("strangeness",))),
            [{0: "time"}],
        ),
        "autoencoder": lambda: Graph(
            PixelGraph(model),
            lambda g, n: {"frames": frames(g, n)},
            ("code", "pixels", "logit"),
            [{0: "time"}],
        ),
        "sound_autoencoder": lambda: Graph(
            SoundGraph(model), lambda g, n: {"samples": sound(g, 1)}, ("code", "rebuilt"), [{}]
        ),
        "clip": lambda: Graph(
            ClipGraph(model), lambda g, n: {"frames": frames(g, n)}, ("logit",), [{0: "time"}]
        ),
        "both": lambda: Graph(
            BothGraph(model),
            lambda g, n: {"frames": frames(g, n), heard: sound(g, n)},
            ("logit",),
            [{0: "time"}, hears],
        ),
        "sync": lambda: Graph(
            SyncGraph(model),
            lambda g, n: {"mouths": mouths(g, n), "log_mel": sound(g, n)},
            ("mouth", "sound"),
            [{0: "step"}, {2: "frame"}],
        ),
        "motion": lambda: Graph(
            MotionGraph(model),
            lambda g, n: {"maps": maps(g, n)},
            ("logit",),
            [{0: "moment"}],
        ),
        "voice": lambda: Graph(
            model, lambda g, n: {heard: sound(g, n)}, ("logit",), [{0: "batch"} | hears]
        ),
    }
    return branches[name]()


def joint(config: TrainConfig) -> bool:
    """Tell whether a run is an autoencoder of faces that learned to classify them."""
    return (
        config.branch == "autoencoder"
        and config.classify_weight > 0
        and config.model.frames != "whole"
    )


def largest_difference(graph: Graph, path: Path, *, threads: int = 1) -> float:
    """Compare ONNX Runtime with torch on made-up inputs of one and two seconds."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    generator, largest = np.random.default_rng(1), 0.0
    for seconds in (1, 2):
        inputs = graph.inputs(generator, seconds)
        expected = graph.run(inputs)
        found = session.run(list(graph.outputs), inputs)
        for name, value in zip(graph.outputs, found, strict=True):
            # Made-up crops may be strange by the thousand; their logits are small numbers.
            scale = np.maximum(1.0, expected[name]) if name == "strangeness" else 1.0
            largest = max(largest, float(np.abs((value - expected[name]) / scale).max()))
    return largest
