"""Where sound fits a mouth: unit vectors of both, step by step, in; likeness at each offset out.

The likeness at offset k is the mean product of mouth step i and sound step i + k, over all steps
that have both. A positive offset means that the sound comes late::

    mouth     m0 m1 m2 m3 m4 m5
    sound           s2 s3 s4 s5 s6 s7      offset +2

Two questions are asked of it. Do they belong together at all? Then the likeness at some offset that
a cable, a container or a headset can explain stands out from that at others, and comes near to
what the steps of sound reach one by one, each at the mouth that suits it best. And how late is the
sound? That is where it stands out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

STEP_SECONDS = 0.04
FARTHEST_STEPS = 25
"""Offsets are looked at up to this many steps, a second, either way: what fits nowhere has more
chances to fit better at an unnatural one, and what was moved far is found where it is."""
NATURAL_STEPS = 7
"""A constant lag of up to this many steps, 0.28 s, is no sign of a forgery: broadcasting asks for
less (ITU-R BT.1359: +0.09 to -0.185 s), but of 111 people who filmed themselves four are 0.24 s or
more out of step."""
LOGITS_PER_LIKENESS = 20.0
"""Brings differences of likeness, some tenths, to the size of logits."""
WEIGHED_STEPS, MOST_WEIGHED_STEPS = 50, 200
"""Evidence over 2 s of compared steps counts once, and over 8 s and more twice: a mouth that a poor
camera hides fits nowhere either, and is not more guilty the longer it is seen."""
LEAST_SHARE = 0.4
"""An offset counts if this share of the steps has both; else chance rules it."""


@dataclass(frozen=True)
class Fit:
    """How well one mouth fits the sound."""

    logit: float
    """Above 0: the likeness is higher at some unnatural offset than at any natural one."""
    offset_seconds: float
    """The natural offset of the highest likeness; positive: the sound comes late."""
    likeness: Float[np.ndarray, " offset"]
    """From -FARTHEST_STEPS to FARTHEST_STEPS; NaN where too few steps overlap."""
    shortfall: float = 0.0
    """How far the likeness at the best natural offset stays below what is reached step by step."""

    def logit_with(self, shortfall_weight: float) -> float:
        """Count the shortfall as well, ``shortfall_weight`` times as much as the margin.

        A fit that merely moved falls short as far as it moved away; another person's sound does at
        every offset, for it is alike only here and there.
        """
        return self.logit + LOGITS_PER_LIKENESS * shortfall_weight * self.shortfall


def offset_likeness(
    mouth: Float[np.ndarray, "step size"],
    sound: Float[np.ndarray, "step size"],
    farthest: int = FARTHEST_STEPS,
) -> Float[np.ndarray, " offset"]:
    """Return the mean likeness at offsets -farthest … farthest; NaN where too few steps overlap.

    Both start at the same time; rows of NaN were not seen or heard and count nowhere.
    """
    return compare(mouth, sound, farthest)[0]


def compare(
    mouth: Float[np.ndarray, "step size"],
    sound: Float[np.ndarray, "step size"],
    farthest: int = FARTHEST_STEPS,
) -> tuple[Float[np.ndarray, " offset"], float]:
    """Return the likeness at each offset, as `offset_likeness`, and what is reached step by step.

    The latter is the mean, over the steps of sound, of the highest product with a mouth at most
    ``farthest`` steps away: how alike these two can be at all. NaN where nothing was compared.
    """
    found = np.full(2 * farthest + 1, np.nan)
    counts = np.zeros(2 * farthest + 1, int)
    reached = np.full(len(sound), np.nan)
    for index, offset in enumerate(range(-farthest, farthest + 1)):
        first, last = max(0, -offset), min(len(mouth), len(sound) - offset)
        if last <= first:
            continue
        heard = slice(first + offset, last + offset)
        products = (mouth[first:last] * sound[heard]).sum(axis=1)
        reached[heard] = np.fmax(reached[heard], products)
        products = products[~np.isnan(products)]
        counts[index] = len(products)
        if len(products):
            found[index] = products.mean()
    found[counts < max(1, LEAST_SHARE * counts.max())] = np.nan
    reached = reached[~np.isnan(reached)]
    return found, float(reached.mean()) if len(reached) else math.nan


def fit_of(
    likeness: Float[np.ndarray, " offset"],
    natural_steps: int = NATURAL_STEPS,
    *,
    reached: float | None = None,
) -> Fit | None:
    """Judge a curve of likeness; None where offsets of one kind were not compared.

    ``reached``, of `compare`, is what the shortfall is measured from; without it there is none.
    """
    farthest = len(likeness) // 2
    offsets = np.arange(-farthest, farthest + 1)
    known = ~np.isnan(likeness)
    natural = known & (np.abs(offsets) <= natural_steps)
    other = known & (np.abs(offsets) > natural_steps + 1)
    if not natural.any() or not other.any():
        return None
    best = int(np.flatnonzero(natural)[likeness[natural].argmax()])
    margin = float(likeness[other].max() - likeness[best])
    return Fit(
        LOGITS_PER_LIKENESS * margin,
        float(_peak(likeness, best) * STEP_SECONDS),
        likeness,
        0.0 if reached is None else reached - float(likeness[best]),
    )


def fit_vectors(
    mouth: Float[np.ndarray, "step size"], sound: Float[np.ndarray, "step size"]
) -> Fit | None:
    """Compare vectors and judge what comes of it; None where too little was compared."""
    likeness, reached = compare(mouth, sound)
    return fit_of(likeness, reached=reached)


def weighed(logit: float, steps: int, even_logit: float | None) -> float:
    """Weigh a fit's logit by how much was compared; ``even_logit`` None: not at all.

    What does not belong together fits equally badly at every offset, a logit near 0, however long
    it is; what does stays below 0 by the same amount. Only chance shrinks, by the root of the
    length. So in the long run everything above the logit that lies half-way, ``even_logit``, does
    not belong together, and in a short one hardly anything is certain.
    """
    if even_logit is None:
        return logit
    return (logit - even_logit) * math.sqrt(min(steps, MOST_WEIGHED_STEPS) / WEIGHED_STEPS)


def _peak(likeness: Float[np.ndarray, " offset"], best: int) -> float:
    """Place the peak between steps: the vertex of the parabola through it and its neighbours."""
    place = float(best - len(likeness) // 2)
    if not 0 < best < len(likeness) - 1:
        return place
    left, top, right = likeness[best - 1 : best + 2]
    bend = left - 2 * top + right
    if not np.isfinite(bend) or bend >= 0 or top < max(left, right):
        return place
    return place + float(0.5 * (left - right) / bend)
