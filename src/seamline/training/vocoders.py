"""Networks that say speech again for pseudo-fakes: fitted to genuine speech, one drawn at a time.

In: genuine recordings. Out: a folder with a few networks of different shapes, and from it
`Vocoders`, whose `copy` gives a recording as one of them says it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from seamline.models.vocoder_net import HOP, VocoderNet, VocoderShape

SHAPES = (
    VocoderShape(draws="spectrum", width=128),
    VocoderShape(draws="transposed", mels=80),
    VocoderShape(reads="wave", draws="transposed", code_channels=24, levels=16),
    VocoderShape(draws="repeated", mels=100),
    VocoderShape(reads="wave", draws="spectrum", code_channels=12),
)
"""Vocoders and codecs, each way to draw a wave."""
RATE_HZ = 16000
CROP_SAMPLES = 80 * HOP
BATCH = 8
LEARNING_RATE = 1.5e-3
RISING_STEPS = 50
CRITIC_FROM = 0.25  # of the steps: what does not yet sound like speech is not worth a critic
CRITIC_WEIGHT, FEATURES_WEIGHT = 0.1, 0.5
RESOLUTIONS = (256, 512, 1024)  # samples of a frame
CRITIC_RESOLUTIONS = (320, 1024)
LEAST_LEVEL = 0.01  # root mean square of a crop: silence teaches nothing
LEVELS_DB = (-32.0, -16.0)  # that crops are brought to

Samples = Float32[np.ndarray, " sample"]


class Vocoders:
    """Several networks, one of which says a recording again."""

    def __init__(self, networks: Sequence[VocoderNet]) -> None:
        if not networks:
            raise ValueError("There is no network to say speech again with.")
        self._networks = [network.eval() for network in networks]

    def __len__(self) -> int:
        return len(self._networks)

    @classmethod
    def read(cls, folder: str | Path) -> Vocoders:
        """Read the networks that `fit_vocoders` wrote into a folder."""
        paths = sorted(Path(folder).glob("*.safetensors"))
        if not paths:
            raise FileNotFoundError(
                f"No networks that say speech again in {folder}. Run scripts/train_vocoders.py "
                "first."
            )
        networks = []
        for path in paths:
            network = VocoderNet(VocoderShape(**json.loads(path.with_suffix(".json").read_text())))
            network.load_state_dict(load_file(path))
            networks.append(network)
        return cls(networks)

    @torch.no_grad()
    def copy(
        self, samples: Samples, generator: np.random.Generator, place: int | None = None
    ) -> Samples:
        """Say 16 kHz speech again, as long and as loud; without a place, by a network drawn."""
        drawn = int(generator.integers(len(self._networks)))
        network = self._networks[drawn if place is None else place]
        level = max(rms(samples), 1e-6)
        gain = 10 ** (float(generator.uniform(*LEVELS_DB)) / 20) / level
        sound = torch.from_numpy(np.ascontiguousarray(samples * np.float32(gain)))[None]
        copied = network(sound)[0].numpy()
        return (copied * np.float32(level / max(rms(copied), 1e-6))).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    """Give the root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


@dataclass(frozen=True)
class Told:
    """How a fit goes."""

    step: int
    difference: float
    """Mean absolute difference of the log spectra, in nats."""


def fit_vocoders(
    speech: Sequence[Samples],
    folder: Path,
    *,
    shapes: Sequence[VocoderShape] = SHAPES,
    steps: int = 2000,
    seed: int = 0,
    tell: Callable[[Told], None] | None = None,
) -> None:
    """Fit a network of each shape to genuine 16 kHz speech; what is there already stays.

    Raises `ValueError` where no recording lasts as long as a crop.
    """
    long = [one for one in speech if len(one) > CROP_SAMPLES]
    if not long:
        raise ValueError(
            f"No recording of {len(speech)} lasts {CROP_SAMPLES / RATE_HZ:.1f} s; "
            "give longer genuine speech."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for number, shape in enumerate(shapes):
        weights = folder / f"{number}.safetensors"
        if weights.exists():
            continue
        network = _fit(long, shape, steps, [seed, number], tell)
        weights.with_suffix(".json").write_text(json.dumps(asdict(shape)) + "\n")
        state = {name: value.contiguous() for name, value in network.state_dict().items()}
        save_file(state, weights)


def _fit(
    speech: Sequence[Samples],
    shape: VocoderShape,
    steps: int,
    seed: Sequence[int],
    tell: Callable[[Told], None] | None,
) -> VocoderNet:
    generator = np.random.default_rng(seed)
    torch.manual_seed(int(generator.integers(2**31)))
    network, critics = VocoderNet(shape), nn.ModuleList(_Critic(n) for n in CRITIC_RESOLUTIONS)
    ours = torch.optim.Adam(network.parameters(), LEARNING_RATE, betas=(0.8, 0.99))
    theirs = torch.optim.Adam(critics.parameters(), LEARNING_RATE / 3, betas=(0.8, 0.99))
    rise = min(RISING_STEPS, steps // 8 + 1)
    for step in range(steps):
        for group in ours.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / rise) * max(0.05, 1 - step / steps)
        genuine = torch.from_numpy(np.stack([_crop(speech, generator) for _ in range(BATCH)]))
        drawn = network(genuine)
        loss, difference = _spectra(drawn, genuine)
        if step >= CRITIC_FROM * steps:
            theirs.zero_grad()
            told = [_hinge(critic, genuine, drawn.detach()) for critic in critics]
            torch.stack(told).sum().backward()
            theirs.step()
            for critic in critics:
                loss = loss + _fooled(critic, genuine, drawn)
        ours.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        ours.step()
        if tell is not None:
            tell(Told(step, float(difference)))
    return network


def _crop(speech: Sequence[Samples], generator: np.random.Generator) -> Samples:
    """Cut speech that is not silent, at a random level."""
    for _ in range(8):
        one = speech[int(generator.integers(len(speech)))]
        start = int(generator.integers(len(one) - CROP_SAMPLES))
        crop = one[start : start + CROP_SAMPLES]
        if rms(crop) >= LEAST_LEVEL:
            break
    gain = 10 ** (float(generator.uniform(*LEVELS_DB)) / 20) / max(rms(crop), LEAST_LEVEL)
    return np.clip(crop * np.float32(gain), -1, 1)


def _spectra(
    drawn: Float[Tensor, "batch sample"], genuine: Float[Tensor, "batch sample"]
) -> tuple[Tensor, Tensor]:
    """Give the loss over spectra of several resolutions, and their mean difference in nats."""
    loss, differences = torch.zeros(()), []
    for size in RESOLUTIONS:
        ours, theirs = (_spectrum(x, size).abs().clamp_min(1e-4) for x in (drawn, genuine))
        difference = (ours.log() - theirs.log()).abs().mean()
        loss = loss + difference + (ours - theirs).norm() / theirs.norm()
        differences.append(difference.detach())
    return loss, torch.stack(differences).mean()


def _spectrum(samples: Float[Tensor, "batch sample"], size: int) -> Tensor:
    window = torch.hann_window(size)
    return torch.stft(samples, size, size // 4, window=window, return_complex=True)


class _Critic(nn.Module):
    """Tells drawn from genuine speech by the real and imaginary parts of its spectrum."""

    def __init__(self, size: int, width: int = 16) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.ModuleList(
            (
                nn.Conv2d(3, width, (7, 3), (2, 1), (3, 1)),
                nn.Conv2d(width, width, (5, 3), (2, 2), (2, 1)),
                nn.Conv2d(width, 2 * width, (5, 3), (2, 1), (2, 1)),
                nn.Conv2d(2 * width, 2 * width, 3, (2, 1), 1),
                nn.Conv2d(2 * width, 1, 3, 1, 1),
            )
        )

    def forward(self, samples: Float[Tensor, "batch sample"]) -> list[Tensor]:
        """Give each layer's output; the last one's are the judgements."""
        spectrum = _spectrum(samples, self.size)
        size = spectrum.abs().clamp_min(1e-4)
        turned = spectrum / size * size.sqrt()
        x = torch.stack((turned.real, turned.imag, size.log() / 4), dim=1)
        found = []
        for layer in self.layers[:-1]:
            x = functional.leaky_relu(layer(x), 0.2)
            found.append(x)
        return [*found, self.layers[-1](x)]


def _hinge(critic: nn.Module, genuine: Tensor, drawn: Tensor) -> Tensor:
    told: Tensor = functional.relu(1 - critic(genuine)[-1]).mean()
    return told + functional.relu(1 + critic(drawn)[-1]).mean()


def _fooled(critic: nn.Module, genuine: Tensor, drawn: Tensor) -> Tensor:
    with torch.no_grad():
        wanted = critic(genuine)
    found = critic(drawn)
    pairs = zip(found[:-1], wanted[:-1], strict=True)
    features = sum((functional.l1_loss(a, b) / b.abs().mean() for a, b in pairs), torch.zeros(()))
    loss: Tensor = FEATURES_WEIGHT * features - CRITIC_WEIGHT * found[-1].mean()
    return loss
