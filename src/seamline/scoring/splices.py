"""Finds stretches that stand out from the rest of their own track: what was spliced into it.

In: the logits of one face or voice over time. Out: stretches of 0.75 to 6 s, each with how
probable a forgery is there. Scenes, cameras and people move all logits of a track alike, so a
short forgery is seen by its contrast long before its own level accuses it. A track forged from end
to end has nothing to stand out from; that is what the pooled logit is for.

The search is circular binary segmentation (Olshen et al., Biostatistics 2004): the stretch of the
greatest contrast is taken out, then what is left is searched again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from seamline.scoring.calibration import Calibration
from seamline.scoring.timeline import FineLogits

LEAST_SECONDS = 0.75
MOST_SECONDS = 6.0
"""Longer forgeries are found by their level."""
MOST_SHARE = 0.5
"""Of a track; beyond it nobody knows which of the two parts is the rest."""
GAP_SECONDS = 1.0
"""Unseen time that a stretch may bridge."""
FITTED_SECONDS = 10.0
"""Length of track up to which chance contrasts are as frequent as where the rule was fitted."""
MOST_SPLICES = 16
NORMAL_OVER_MEDIAN = 1.4826
"""Standard deviation of a normal distribution over its median deviation."""


@dataclass(frozen=True)
class SpliceRule:
    """How contrast becomes a probability; a bundle carries one for each sense that has it."""

    calibration: Calibration
    """Of a stretch's contrast, as `Stretch` gives it."""
    threshold: float
    """Probability from which a stretch is called forged."""
    spread_floor: float
    """Logits; added to a track's own spread, which counts where it is not small beside this."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of a track that stands out from the rest."""

    start_seconds: float
    stop_seconds: float
    contrast: float
    """Difference of the mean logits in and outside, times the root of the seconds behind it, over
    the spread of them all."""


@dataclass(frozen=True)
class Splice:
    """A stretch that a rule calls forged."""

    start_seconds: float
    stop_seconds: float
    fake_probability: float


def find_splices(
    fine: FineLogits, rule: SpliceRule, least_logit: float = -math.inf
) -> list[Splice]:
    """Find what the rule calls forged, in order of time.

    A stretch whose mean is below ``least_logit`` stands out, but looks genuine itself: it is none.
    The longer a track, the more stretches stand out by chance: that many times less probable each.
    """
    left = np.ones(len(fine.logits), bool)
    fitted, seconds = rule.calibration, len(left) * fine.seconds
    calibration = replace(fitted, bias=fitted.bias - math.log(max(1.0, seconds / FITTED_SECONDS)))
    found: list[Splice] = []
    while len(found) < MOST_SPLICES:
        stretch = greatest_contrast(fine, rule.spread_floor, least_logit, left)
        if stretch is None:
            break
        probability = calibration.probability(stretch.contrast)
        if probability < rule.threshold:
            break
        inside = (fine.starts >= stretch.start_seconds) & (fine.starts < stretch.stop_seconds)
        left &= ~inside
        found.append(Splice(stretch.start_seconds, stretch.stop_seconds, probability))
    return sorted(found, key=lambda splice: splice.start_seconds)


def greatest_contrast(
    fine: FineLogits,
    spread_floor: float,
    least_logit: float = -math.inf,
    left: Bool[np.ndarray, " time"] | None = None,
) -> Stretch | None:
    """Find the stretch of at least a mean logit that stands out most; None where there is none.

    It lies wholly in what is ``left`` (None: all), which is also what it is held against.
    """
    logits = fine.logits.astype(np.float64)
    left = np.ones(len(logits), bool) if left is None else left
    kept = logits[left]
    count = len(kept)
    if count == 0:
        return None
    deviation = float(np.median(np.abs(kept - np.median(kept))))
    spread = NORMAL_OVER_MEDIAN * deviation + spread_floor
    sums = np.concatenate([[0.0], np.cumsum(np.where(left, logits, 0.0))])
    gone = np.concatenate([[0], np.cumsum(~left)])
    best: Stretch | None = None
    longest = min(round(MOST_SECONDS / fine.seconds), int(MOST_SHARE * count))
    for width in range(max(1, math.ceil(LEAST_SECONDS / fine.seconds)), longest + 1):
        firsts = _whole(fine, gone, width)
        if len(firsts) == 0:
            continue
        inside = sums[firsts + width] - sums[firsts]
        outside = (sums[-1] - inside) / (count - width)
        held = math.sqrt(width * (count - width) / count * fine.seconds)
        contrasts = (inside / width - outside) * held / spread
        contrasts[inside / width < least_logit] = -math.inf
        top = int(np.argmax(contrasts))
        if contrasts[top] > (-math.inf if best is None else best.contrast):
            start, last = fine.starts[firsts[top]], fine.starts[firsts[top] + width - 1]
            best = Stretch(float(start), float(last) + fine.seconds, float(contrasts[top]))
    return best


def _whole(
    fine: FineLogits, gone: Int[np.ndarray, " edge"], width: int
) -> Int[np.ndarray, " place"]:
    """List where stretches of a width begin that lack nothing and bridge no long gap."""
    firsts = np.arange(len(fine.starts) - width + 1)
    lengths = fine.starts[firsts + width - 1] - fine.starts[firsts]
    near = lengths <= (width - 1) * fine.seconds + GAP_SECONDS
    return firsts[near & (gone[firsts + width] == gone[firsts])]
