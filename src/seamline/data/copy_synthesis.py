"""Vocoders that say the same words again: genuine mono speech in, a synthetic copy of it out.

WORLD (Morise et al., 2016) needs the optional package pyworld; Griffin-Lim needs nothing more.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from typing import Any

import numpy as np
from jaxtyping import Float32

from seamline.data.voice_augment import griffin_lim_copy

Samples = Float32[np.ndarray, " sample"]
Vocoder = Callable[[Samples, np.random.Generator, int], Samples]


def world_copy(samples: Samples, rng: np.random.Generator, sample_rate_hz: int = 16000) -> Samples:
    """Resynthesise speech from WORLD's pitch, envelope and aperiodicity.

    The pitch finder, and how finely envelope and aperiodicity are kept, are drawn at random.
    """
    world = _pyworld()
    finder = str(rng.choice(("dio", "harvest")))
    bands = int(rng.choice((0, 24, 40, 60)))  # 0: the whole envelope is kept
    sound = np.ascontiguousarray(samples, dtype=np.float64)
    pitch, times = getattr(world, finder)(sound, sample_rate_hz)
    pitch = world.stonemask(sound, pitch, times, sample_rate_hz)
    envelope = world.cheaptrick(sound, pitch, times, sample_rate_hz)
    noise = world.d4c(sound, pitch, times, sample_rate_hz)
    if bands:
        size = (envelope.shape[1] - 1) * 2
        coded = world.code_spectral_envelope(envelope, sample_rate_hz, bands)
        envelope = world.decode_spectral_envelope(coded, sample_rate_hz, size)
        coded = world.code_aperiodicity(noise, sample_rate_hz)
        noise = world.decode_aperiodicity(coded, sample_rate_hz, size)
    copied = world.synthesize(pitch, envelope, noise, sample_rate_hz)[: len(samples)]
    return np.pad(copied, (0, len(samples) - len(copied))).astype(np.float32)


VOCODERS: dict[str, Vocoder] = {"griffin-lim": griffin_lim_copy, "world": world_copy}


def find_vocoder(name: str) -> Vocoder:
    """Give a vocoder by its name; raises `ValueError` where it is unknown or not installed."""
    if name not in VOCODERS:
        raise ValueError(f"Unknown vocoder {name!r}. Known: {', '.join(VOCODERS)}.")
    if name == "world":
        _pyworld()
    return VOCODERS[name]


def has_vocoder(name: str) -> bool:
    """Tell whether a vocoder of `VOCODERS` is installed."""
    try:
        find_vocoder(name)
    except ValueError:
        return False
    return True


@cache
def _pyworld() -> Any:
    """Load pyworld's compiled part: its ``__init__`` imports what setuptools no longer brings."""
    package = importlib.util.find_spec("pyworld")
    folders = package.submodule_search_locations if package is not None else None
    found = PathFinder.find_spec("pyworld.pyworld", folders) if folders else None
    if found is None or found.loader is None:
        raise ValueError(
            "Vocoder 'world' needs the package pyworld, which is not installed. "
            "Install it (pip install 'seamline[forge]') or choose griffin-lim."
        )
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
