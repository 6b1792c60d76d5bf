"""Networks that redraw faces for pseudo-fakes: fitted to genuine faces, then one drawn at a time.

In: a pool of genuine faces. Out: a folder with a few networks of different shapes, and from it
`Redrawers`, whose `redraw` turns a picture into what one of them makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from seamline.clips.cache import decode_jpeg
from seamline.models.redraw_net import RedrawNet, RedrawShape
from seamline.training.pool import FacePool

SHAPES = (
    RedrawShape(halvings=3, code_channels=16, enlarge="transposed"),
    RedrawShape(halvings=2, code_channels=4, enlarge="nearest", sharpened=False),
    RedrawShape(halvings=3, code_channels=32, enlarge="shuffle"),
)
"""Coarse and fine codes, three ways to enlarge, with and without a critic of sharpness."""
CROP_PX = 128
BATCH = 8
LEARNING_RATE = 2e-3
CRITIC_FROM = 0.35  # of the steps: what is not yet a face is not worth a critic
CRITIC_WEIGHT = 0.06
SCALES = (0.6, 1.3)  # of the picture that is redrawn
NOISED_SHARE, NOISE = 0.4, (0.05, 0.3)  # of the code's own spread

Image = UInt8[np.ndarray, "height width 3"]


class Redrawers:
    """Several networks, one of which redraws a picture."""

    def __init__(self, networks: Sequence[RedrawNet]) -> None:
        if not networks:
            raise ValueError("There is no network to redraw faces with.")
        self._networks = [network.eval() for network in networks]

    @classmethod
    def read(cls, folder: str | Path) -> Redrawers:
        """Read the networks that `fit_redrawers` wrote into a folder."""
        paths = sorted(Path(folder).glob("*.safetensors"))
        if not paths:
            raise FileNotFoundError(
                f"No networks that redraw faces in {folder}. Run scripts/train_redrawers.py first."
            )
        networks = []
        for path in paths:
            network = RedrawNet(RedrawShape(**json.loads(path.with_suffix(".json").read_text())))
            network.load_state_dict(load_file(path))
            networks.append(network)
        return cls(networks)

    @torch.no_grad()
    def redraw(self, image: Image, generator: np.random.Generator) -> Image:
        """Redraw a picture at a random scale, sometimes with noise in the code."""
        network = self._networks[int(generator.integers(len(self._networks)))]
        height, width = image.shape[:2]
        scale, unit = float(generator.uniform(*SCALES)), 2**network.shape.halvings
        rows, columns = (max(1, round(side * scale / unit)) * unit for side in (height, width))
        small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        noise = None
        if generator.random() < NOISED_SHARE:
            size = (1, network.shape.code_channels, rows // unit, columns // unit)
            spread = generator.standard_normal(size) * generator.uniform(*NOISE)
            noise = torch.from_numpy(spread.astype(np.float32))
        drawn = network(_tensor(small[None]), noise)[0].clamp(0, 255).round().byte()
        back = np.ascontiguousarray(drawn.permute(1, 2, 0).numpy())
        return cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Told:
    """How a fit goes."""

    step: int
    difference: float
    """Mean absolute difference from the original, in grey levels."""


def fit_redrawers(
    pool: FacePool,
    folder: Path,
    *,
    shapes: Sequence[RedrawShape] = SHAPES,
    steps: int = 1000,
    seed: int = 0,
    tell: Callable[[Told], None] | None = None,
) -> None:
    """Fit a network of each shape to the pool's genuine faces; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, shape in enumerate(shapes):
        weights = folder / f"{number}.safetensors"
        if weights.exists():
            continue
        network = _fit(pool, shape, steps, [seed, number], tell)
        weights.with_suffix(".json").write_text(json.dumps(asdict(shape)) + "\n")
        state = {name: value.contiguous() for name, value in network.state_dict().items()}
        save_file(state, weights)


def _fit(
    pool: FacePool,
    shape: RedrawShape,
    steps: int,
    seed: Sequence[int],
    tell: Callable[[Told], None] | None,
) -> RedrawNet:
    generator = np.random.default_rng(seed)
    torch.manual_seed(int(generator.integers(2**31)))
    network, critic = RedrawNet(shape), _critic()
    ours = torch.optim.Adam(network.parameters(), LEARNING_RATE, betas=(0.5, 0.99))
    theirs = torch.optim.Adam(critic.parameters(), LEARNING_RATE / 2, betas=(0.5, 0.99))
    for step in range(steps):
        for group in ours.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / 50) * max(0.05, 1 - step / steps)
        faces = _tensor(np.stack([_face(pool, generator) for _ in range(BATCH)]))
        drawn = network(faces)
        difference = (drawn - faces).abs().mean()
        loss = difference / 10 + _edges(drawn, faces) / 20
        if shape.sharpened and step >= CRITIC_FROM * steps:
            judged = critic(faces / 127.5 - 1), critic(drawn.detach() / 127.5 - 1)
            hinge = functional.relu(1 - judged[0]).mean() + functional.relu(1 + judged[1]).mean()
            theirs.zero_grad()
            hinge.backward()
            theirs.step()
            loss = loss - CRITIC_WEIGHT * critic(drawn / 127.5 - 1).mean()
        ours.zero_grad()
        loss.backward()
        ours.step()
        if tell is not None:
            tell(Told(step, difference.item()))
    return network.eval()


def _edges(drawn: Tensor, faces: Tensor) -> Tensor:
    """Mean absolute difference of the two pictures' first differences."""
    across, along = drawn.diff(dim=3) - faces.diff(dim=3), drawn.diff(dim=2) - faces.diff(dim=2)
    return across.abs().mean() + along.abs().mean()


def _critic() -> nn.Sequential:
    """Tells drawn from genuine patches of about 22 px."""

    def look(inputs: int, outputs: int, stride: int) -> nn.Module:
        return nn.utils.parametrizations.spectral_norm(nn.Conv2d(inputs, outputs, 4, stride, 1))

    slope = 0.2
    return nn.Sequential(
        look(3, 24, 2), nn.LeakyReLU(slope), look(24, 48, 2), nn.LeakyReLU(slope), look(48, 1, 1)
    )


def _face(pool: FacePool, generator: np.random.Generator) -> Image:
    """Cut a square out of the middle of a genuine crop, at a random scale, half of them turned."""
    entry = pool.draw(generator, pool.genuine, {})
    crop = decode_jpeg(entry.jpegs[int(generator.integers(len(entry.jpegs)))])
    side = int(generator.integers(190, 260))
    crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    top, left = ((side - CROP_PX) // 2 + generator.integers(-25, 26, 2)).tolist()
    cut = crop[top : top + CROP_PX, left : left + CROP_PX]
    return cut[:, ::-1] if generator.random() < 0.5 else cut


def _tensor(
    frames: UInt8[np.ndarray, "batch height width 3"],
) -> Float[Tensor, "batch 3 height width"]:
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
