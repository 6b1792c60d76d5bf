"""Muon for a network's matrices, AdamW for everything else, as one optimiser.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/) turns the momentum of a
matrix into the nearest orthogonal one before it steps, so that directions in which gradients are
small move as far as those in which they are large. `torch.optim.Muon` takes matrices alone; here
each filter of a convolution is a row of one. Steps are scaled to those of AdamW (Liu et al.,
arXiv:2502.16982), so one learning rate serves both.

A filter that sees a single channel, as those of a depthwise convolution do, mixes nothing and
stays with AdamW, as do norms and biases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

WEIGHT_DECAY = "weight_decay"


def mixes(weight: Tensor) -> bool:
    """Say whether a weight is a matrix: several outputs, each from several channels."""
    return weight.ndim > 1 and weight.shape[0] > 1 and weight.shape[1] > 1


class Muon(torch.optim.Optimizer):
    """Muon over the weights for which `mixes` holds, AdamW over the rest.

    ``groups`` are parameter groups as torch's optimisers take them. A schedule may change their
    learning rates, and clipping their gradients, as for any other optimiser.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, weight_decay: float = 0.0
    ) -> None:
        super().__init__(groups, {"lr": lr, WEIGHT_DECAY: weight_decay})
        self._mixing = [[p for p in group["params"] if mixes(p)] for group in self.param_groups]
        self._rows = [[nn.Parameter(as_rows(p.detach())) for p in each] for each in self._mixing]
        rest = [[p for p in group["params"] if not mixes(p)] for group in self.param_groups]
        self._muon = self._inner(torch.optim.Muon, self._rows, adjust_lr_fn="match_rms_adamw")
        self._adamw = self._inner(torch.optim.AdamW, rest)

    def _inner(
        self, make: Callable[..., torch.optim.Optimizer], params: list[list[Any]], **settings: Any
    ) -> torch.optim.Optimizer | None:
        """Make one of the two for its share of each group; `None` where it has none."""
        groups = [
            {"params": each, WEIGHT_DECAY: group[WEIGHT_DECAY], "place": place}
            for place, (each, group) in enumerate(zip(params, self.param_groups, strict=True))
            if each
        ]
        return make(groups, lr=self.defaults["lr"], **settings) if groups else None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Step by the gradients that the weights hold."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for weights, rows in zip(self._mixing, self._rows, strict=True):
            for weight, row in zip(weights, rows, strict=True):
                row.data, row.grad = as_rows(weight.detach()), None  # the same memory
                if weight.grad is not None:
                    row.grad = as_rows(torch.empty_like(weight).copy_(weight.grad))
        for inner in self._both():
            for group in inner.param_groups:
                group["lr"] = self.param_groups[group["place"]]["lr"]
            inner.step()
        return loss

    def _both(self) -> list[torch.optim.Optimizer]:
        return [inner for inner in (self._muon, self._adamw) if inner is not None]

    def state_dict(self) -> dict[str, Any]:
        """Return the groups and what both remember."""
        return {**super().state_dict(), "inner": [inner.state_dict() for inner in self._both()]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        outer = {key: value for key, value in state_dict.items() if key != "inner"}
        super().load_state_dict(outer)
        for inner, state in zip(self._both(), state_dict["inner"], strict=True):
            inner.load_state_dict(state)


def as_rows(weight: Tensor) -> Tensor:
    """View a weight as a matrix with a row per filter, in the order of its memory.

    Raises `ValueError` where a filter is not one piece of memory, as in a transposed matrix.
    """
    if weight.stride(0) != weight[0].numel():
        told = f"{tuple(weight.shape)} with strides {weight.stride()}"
        raise ValueError(f"Muon takes weights whose filters each lie in one piece, not {told}.")
    return weight.as_strided((len(weight), weight[0].numel()), (weight.stride(0), 1))
