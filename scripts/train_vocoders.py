"""Fits the small networks that say speech again for pseudo-fakes to the genuine speech of a cache.

    python scripts/train_vocoders.py cache/sound --out vocoders
    seamline train configs/small-voice-copies.yaml

Recordings of val, and of sources named by ``--without``, are not read. Networks that are there
already stay: one that was broken off is fitted again, the others are not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from seamline.clips.cache import read_cache
from seamline.training.folds import sample_of
from seamline.training.vocoders import Told, fit_vocoders
from seamline.training.voice_entries import voice_entries


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("caches", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", action="append", default=[], help="beginning of a source")
    arguments = parser.parse_args()
    clips = (clip for cache in arguments.caches for clip in read_cache(cache))
    train = (clip for clip in clips if sample_of(clip).split == "train")
    without = tuple(arguments.without)
    speech = [
        entry.samples.astype(np.float32)
        for entry in voice_entries(train)
        if not entry.fake and not entry.source.startswith(without)
    ]
    print(f"{len(speech)} genuine recordings")
    fit_vocoders(speech, arguments.out, steps=arguments.steps, seed=arguments.seed, tell=tell)


def tell(told: Told) -> None:
    if (told.step + 1) % 50 == 0:
        print(f"step {told.step + 1}: {told.difference:.2f} nats apart", flush=True)


if __name__ == "__main__":
    main()
