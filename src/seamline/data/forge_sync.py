"""Parts a voice from its lips: mono samples in, as many samples that no longer fit the picture out.

Nothing else changes: no silence is left at an end, no second is cut off, no loudness shifts, so
that only the synchrony tells.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from seamline.data.forge_voice import FADE_SECONDS, loudness

Samples = Float32[np.ndarray, " sample"]

SHIFTS_SECONDS = (0.2, 0.4, 0.8)
"""Sizes to draw from, either way."""


def draw_shift(seconds: float, generator: np.random.Generator) -> float:
    """Draw a shift that is at most a third of a clip."""
    fitting = [shift for shift in SHIFTS_SECONDS if 3 * shift <= seconds] or [SHIFTS_SECONDS[0]]
    return float(generator.choice(fitting)) * float(generator.choice((-1.0, 1.0)))


def shift_sound(samples: Samples, shift_seconds: float, sample_rate_hz: int) -> Samples:
    """Play the sound later (or, below 0, earlier); what leaves at one end comes in at the other."""
    shift = round(shift_seconds * sample_rate_hz)
    if not 0 < abs(shift) < len(samples):
        raise ValueError(
            f"a shift must be shorter than the sound, {len(samples) / sample_rate_hz:.2f} s, and "
            f"not 0; found {shift_seconds:g} s"
        )
    return _faded(np.roll(samples, shift), [shift % len(samples)], sample_rate_hz)


def other_sound(
    samples: Samples, donor: Samples, generator: np.random.Generator, sample_rate_hz: int
) -> Samples:
    """Give another recording the length and loudness of this one, from a random place on.

    A shorter one is repeated.
    """
    if len(donor) == 0:
        raise ValueError("the other sound is empty")
    spare = len(donor) - len(samples)
    start = int(generator.integers(spare + 1)) if spare > 0 else 0
    times = -(-len(samples) // len(donor))
    seams = list(range(len(donor), len(samples), len(donor)))
    taken = np.tile(donor, times)[start : start + len(samples)]
    gain = np.float32((loudness(samples) + 1e-9) / (loudness(taken) + 1e-9))
    return _faded(np.clip(taken * gain, -1.0, 1.0).astype(np.float32), seams, sample_rate_hz)


def _faded(samples: Samples, seams: list[int], sample_rate_hz: int) -> Samples:
    """Fade out before and in after each seam, so that it does not click."""
    faded = samples.copy()
    fade = round(FADE_SECONDS / 2 * sample_rate_hz)
    ramp = ((np.arange(fade) + 0.5) / fade).astype(np.float32)
    edges = [0, *seams, len(samples)]
    for index, seam in enumerate(seams, 1):
        reach = min(fade, seam - edges[index - 1], edges[index + 1] - seam)
        faded[seam - reach : seam] *= ramp[:reach][::-1]
        faded[seam : seam + reach] *= ramp[:reach]
    return faded
