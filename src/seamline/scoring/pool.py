"""Pools many logits over time into one, so that a number and its place come from the same logits.

In: logits of frames or steps, which of them count, how sharply the loudest shall win. Out: one
logit, or None where nothing was seen.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float


def pool_logits(
    logits: Float[np.ndarray, " time"],
    sharpness: float,
    weights: Float[np.ndarray, " time"] | None = None,
    seen: Bool[np.ndarray, " time"] | None = None,
) -> float | None:
    """Computes ``(1/r) log mean exp(r x)``: the mean at ``r = 0``, the maximum at infinity.

    ``sharpness`` is r (Pinheiro & Collobert, CVPR 2015). ``weights`` weigh the mean; entries that
    are not ``seen`` or weigh nothing are left out, and None comes back when none are left.
    """
    if not sharpness >= 0:
        raise ValueError(f"sharpness must be 0 or more, found {sharpness}")
    x = np.asarray(logits, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    kept = np.ones(x.shape, dtype=bool) if seen is None else np.asarray(seen, dtype=bool)
    if not x.shape == w.shape == kept.shape or x.ndim != 1:
        raise ValueError(
            "logits, weights and seen must be 1-D and of one length, found "
            f"{x.shape}, {w.shape} and {kept.shape}"
        )
    if not (w[kept] >= 0).all():
        raise ValueError("weights must not be negative")
    kept = kept & (w > 0)
    x, w = x[kept], w[kept]
    if not np.isfinite(x).all():
        raise ValueError(f"{np.sum(~np.isfinite(x))} of {len(x)} seen logits are not finite")
    if len(x) == 0:
        return None
    w = w / w.sum()
    top = float(x.max())
    if math.isinf(sharpness):
        return top
    below = x - top
    if sharpness * float(np.ptp(x)) < 1e-6:  # second order is exact here; r itself may be 0
        mean = float(w @ below)
        return top + mean + sharpness / 2 * float(w @ (below - mean) ** 2)
    return top + float(np.log1p(w @ np.expm1(sharpness * below))) / sharpness
