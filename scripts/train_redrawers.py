"""Fits the small networks that redraw faces for pseudo-fakes to genuine faces of clip caches.

    python scripts/train_redrawers.py cache/research cache/genuine --out redrawers
    seamline train configs/transfer-wide.yaml --set redrawers=redrawers

Files of val, and of sources named by ``--without``, are not read. Networks that are there already
stay: one that was broken off is fitted again, the others are not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seamline.clips.cache import read_cache
from seamline.training.folds import sample_of
from seamline.training.pool import FacePool, face_entries
from seamline.training.redrawers import Told, fit_redrawers


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("caches", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", action="append", default=[], help="beginning of a source")
    arguments = parser.parse_args()
    clips = (clip for cache in arguments.caches for clip in read_cache(cache))
    train = (clip for clip in clips if sample_of(clip).split == "train")
    entries = [
        entry
        for entry in face_entries(train)
        if not entry.fake and not entry.source.startswith(tuple(arguments.without))
    ]
    print(f"{len(entries)} genuine faces")
    pool = FacePool(entries)
    fit_redrawers(pool, arguments.out, steps=arguments.steps, seed=arguments.seed, tell=tell)


def tell(told: Told) -> None:
    if (told.step + 1) % 50 == 0:
        print(f"step {told.step + 1}: {told.difference:.1f} grey levels apart", flush=True)


if __name__ == "__main__":
    main()
