"""Starts a training from a bundle: the graph of a branch in, the weights of its network out.

A graph has each batch norm folded into the convolution before it. So the norms start as plain
shifts, and `settle_norms` gives them the spread of what they meet, lest training's own statistics
change what the network says.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from seamline.training.config import TrainConfig
from seamline.training.graphs import largest_difference, make_graph
from seamline.training.modules import TrainModule
from seamline.zoo.bundle import GOLDEN_TOLERANCE, Bundle
from seamline.zoo.catalog import find_model

SETTLING_BATCHES = 8


def load_branch(model: nn.Module, config: TrainConfig) -> None:
    """Load the branch of ``config.initial``, a shipped model's name or a bundle's folder.

    Weights that only training reads keep their start. Raises `ValueError` where the bundle lacks
    the branch or has another network there.
    """
    bundle = Bundle.load(find_model(config.initial))
    if config.branch not in bundle.branches:
        known = ", ".join(bundle.branches)
        raise ValueError(
            f"initial is {config.initial!r}, which has no branch {config.branch}; it has: {known}."
        )
    path = bundle.folder / bundle.branches[config.branch].graph
    fits = (
        "Give the `model` of the config that it was trained with (configs/ has the shipped ones)."
    )
    told = f"The branch {config.branch} of {bundle.name} is another network than this config's"
    try:
        model.load_state_dict(unfolded(model, read_weights(path)))
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{told}: {str(error).splitlines()[-1].strip()}. {fits}") from error
    difference = largest_difference(make_graph(model, _as_exported(config, bundle)), path)
    model.train()
    if difference > GOLDEN_TOLERANCE:
        raise ValueError(f"{told}: their outputs differ by {difference:.2g}. {fits}")


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Read the named tensors of a graph, under the names of the network's own, as float32."""
    named = {}
    for tensor in onnx.load(path).graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype in (np.float16, np.float32):
            name = tensor.name.removesuffix(".half").removeprefix("model.")
            named[name] = values.astype(np.float32)
    return named


def unfolded(model: nn.Module, weights: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Give a state for ``model``: a norm whose own tensors are not there shifts by its bias alone.

    Raises `KeyError` for a norm that has neither its own tensors nor a convolution's bias.
    """
    state = model.state_dict()
    state |= {k: torch.from_numpy(weights[k]) for k in state.keys() & weights.keys()}
    before = ""
    for name, module in model.named_modules():
        if not isinstance(module, BatchNorm):
            before = name if getattr(module, "weight", None) is not None else before
        elif f"{name}.running_mean" not in weights:
            shift = weights[f"{before}.weight_bias"]
            state[f"{name}.bias"] = torch.from_numpy(shift)
            state[f"{name}.weight"] = torch.ones(len(shift))
            state[f"{name}.running_mean"] = torch.zeros(len(shift))
            state[f"{name}.running_var"] = torch.full((len(shift),), 1.0 - module.eps)
    return state


def settle_norms(module: TrainModule, batches: Iterable[Any]) -> None:
    """Give every batch norm the mean and variance of what it meets in some training batches.

    Its weight and bias move along, so that what the network says in evaluation stays the same.
    """
    norms = {
        name: norm
        for name, norm in module.model.named_modules()
        if isinstance(norm, BatchNorm) and norm.affine  # a plain one keeps the graph's statistics
    }
    with _watched(norms) as met, torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*self.log.*")  # no trainer is there yet
        module.eval()
        for index, batch in enumerate(islice(batches, SETTLING_BATCHES)):
            module.training_step(batch, index)
    for name, norm in norms.items():
        if met[name]:
            _move(norm, *_moments(met[name]))
    module.train()


@contextmanager
def _watched(norms: dict[str, BatchNorm]) -> Iterator[dict[str, list[tuple[Tensor, Tensor]]]]:
    """Note mean and mean square of each channel that goes into a norm."""
    met: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in norms}

    def note(name: str, inputs: Tensor) -> None:
        axes = [axis for axis in range(inputs.ndim) if axis != 1]
        met[name].append((inputs.mean(axes), inputs.square().mean(axes)))

    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs, name=name: note(name, inputs[0]))
        for name, norm in norms.items()
    ]
    try:
        yield met
    finally:
        for hook in hooks:
            hook.remove()


def _moments(met: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    mean, square = (torch.stack(values).mean(0) for values in zip(*met, strict=True))
    return mean, (square - mean.square()).clamp(min=0.0)


def _move(norm: BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Exchange a norm's statistics and keep the line that it maps inputs to."""
    assert norm.running_mean is not None  # ours all have them
    assert norm.running_var is not None
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    start = norm.bias - slope * norm.running_mean
    with torch.no_grad():
        norm.weight.copy_(slope * (variance + norm.eps).sqrt())
        norm.bias.copy_(start + slope * mean)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)


def _as_exported(config: TrainConfig, bundle: Bundle) -> TrainConfig:
    """The config at the sizes that the bundle's graph takes."""
    contract = bundle.contract
    if config.branch == "motion" and contract.motion is not None:
        return replace(config, size_px=contract.motion.size_px)
    if config.branch == "picture":
        return replace(config, size_px=contract.size_px, scan_size_px=0)
    return config
