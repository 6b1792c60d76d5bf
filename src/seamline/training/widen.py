"""Grows a trained voice: a smaller network's weights in, a larger one's that say the same out.

Every new channel repeats an old one, and what reads a channel that stands there twice takes half of
each (Chen et al., "Net2Net", ICLR 2016). A little noise lets the twins part in training.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from seamline.models.voice_residual import VoiceBoth

NOISE = 0.02
"""Of a tensor's own standard deviation."""
ADDED = ("picture.low.", "picture.middle.")
"""Where further blocks lie."""


def widen_voice(wide: VoiceBoth, narrow: VoiceBoth, seed: int = 0) -> None:
    """Give ``wide`` the weights of ``narrow``, whose residual network has fewer channels.

    Runs that are to be averaged have to start with the same twins, of one ``seed``.
    Raises `ValueError` where a layer of ``wide`` is the narrower one.
    """
    generator = np.random.default_rng(seed)
    twins: dict[tuple[int, int], np.ndarray] = {}

    def repeated(old: int, new: int) -> np.ndarray:
        """Tell which old channel each new one repeats: one answer for each pair of widths."""
        if not old <= new <= 2 * old:
            raise ValueError(f"{old} channels cannot become {new}; up to twice as many can.")
        if (old, new) not in twins:
            twins[old, new] = np.concatenate(
                [np.arange(old), generator.permutation(old)[: new - old]]
            )
        return twins[old, new]

    wanted, state = wide.state_dict(), {}
    rows = narrow.picture.rows
    for name, value in narrow.state_dict().items():
        made, shape = value, wanted[name].shape
        if made.ndim and made.shape[0] != shape[0]:
            made = made[repeated(made.shape[0], shape[0])]
        if made.ndim > 1 and made.shape[1] != shape[1]:
            flat = rows if name == "picture.join.1.weight" else 1  # channels, each with its rows
            places = repeated(made.shape[1] // flat, shape[1] // flat)
            share = torch.from_numpy((1.0 / np.bincount(places)[places]).astype(np.float32))
            each = made.unflatten(1, (-1, flat))[:, places]
            made = (each * share.reshape(1, -1, *[1] * (each.ndim - 2))).flatten(1, 2)
        if made.ndim > 1 and made.shape != value.shape:
            made = made + _noise(made, generator)
        state[name] = made
    wide.load_state_dict(state)


def further_blocks(state: Mapping[str, object]) -> int:
    """Count the blocks that `voice_deep` and `voice_deeper` put behind each width."""
    return len({name.split(".")[2] for name in state if name.startswith(ADDED[0])})


def deepen_voice(deep: VoiceBoth, state: Mapping[str, Tensor]) -> None:
    """Give ``deep`` the weights of a network with fewer further blocks; others stay still.

    Raises `ValueError` where anything but those blocks is missing, or left over.
    """
    told = deep.load_state_dict(state, strict=False)
    odd = [name for name in told.missing_keys if not name.startswith(ADDED)] + told.unexpected_keys
    if odd:
        raise ValueError(f"a deeper voice starts from a shallower one, and {odd[0]} is amiss.")


def _noise(values: Tensor, generator: np.random.Generator) -> Tensor:
    spread = NOISE * float(values.std())
    return torch.from_numpy(generator.normal(0.0, spread, tuple(values.shape)).astype(np.float32))
