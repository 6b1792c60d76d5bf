"""Where sound fits a mouth: unit vectors of both, step by step, in; likeness at each offset out.

The likeness at offset k is the mean product of mouth step i and sound step i + k, over all steps
that have both. A positive offset means that the sound comes late::

    mouth     m0 m1 m2 m3 m4 m5
    sound           s2 s3 s4 s5 s6 s7      offset +2
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

STEP_SECONDS = 0.04
FARTHEST_STEPS = 15
"""Offsets are looked at up to this many steps, 0.6 s, either way."""


def offset_likeness(
    mouth: Float[np.ndarray, "step size"],
    sound: Float[np.ndarray, "step size"],
    farthest: int = FARTHEST_STEPS,
) -> Float[np.ndarray, " offset"]:
    """Return the mean likeness at offsets -farthest … farthest; NaN where nothing overlaps.

    Both start at the same time; rows of NaN were not seen or heard and count nowhere.
    """
    found = np.full(2 * farthest + 1, np.nan)
    for index, offset in enumerate(range(-farthest, farthest + 1)):
        first, last = max(0, -offset), min(len(mouth), len(sound) - offset)
        if last <= first:
            continue
        products = (mouth[first:last] * sound[first + offset : last + offset]).sum(axis=1)
        products = products[~np.isnan(products)]
        if len(products):
            found[index] = products.mean()
    return found
