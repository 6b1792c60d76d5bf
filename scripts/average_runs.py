"""Averages the weights of runs that started alike, as a run to go on from.

Networks that were tuned from one start can be averaged weight by weight (Wortsman et al., "Model
soups", ICML 2022). What their batch norms knew of activations no longer holds then, so it is
measured anew on genuine and forged crops of the first run's cache (pictures alone). Where one run
goes on from the other it still holds: ``--keep-norms`` averages it too.

    python scripts/average_runs.py runs/small-picture-2 runs/transfer-2 --out runs/mean
    seamline train configs/transfer-3.yaml --set initial=runs/mean
    python scripts/average_runs.py runs/transfer-3 runs/transfer-4 --out runs/mean-2 --keep-norms
    python scripts/average_runs.py runs/a runs/b --out runs/c --keep-norms --shares 0.7 0.3
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from seamline.clips.cache import decode_jpeg
from seamline.data.augment import apply_chain, plain_chain
from seamline.training.build import WEIGHTS, build_network
from seamline.training.export import Run
from seamline.training.picture_data import PictureData

CROPS = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keep-norms", action="store_true")
    parser.add_argument(
        "--shares", type=float, nargs="+", help="how much each run counts; default: all alike"
    )
    arguments = parser.parse_args()
    shares = np.array(arguments.shares or [1.0] * len(arguments.runs))
    if len(shares) != len(arguments.runs) or (shares < 0).any() or shares.sum() == 0:
        parser.error(f"{len(arguments.runs)} runs need as many shares, got {arguments.shares}")
    shares /= shares.sum()
    runs = [Run.read(folder) for folder in arguments.runs]
    states = [load_file(run.folder / WEIGHTS) for run in runs]
    mean = {
        name: sum(
            (share * state[name].double() for share, state in zip(shares, states, strict=True)),
            torch.zeros_like(value, dtype=torch.float64),
        ).to(value.dtype)
        for name, value in states[0].items()
    }
    model = build_network(runs[0].config)
    model.load_state_dict(mean)
    if not arguments.keep_norms:
        measure_norms(model, some_crops(runs[0]))
    arguments.out.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, arguments.out / WEIGHTS)
    shutil.copy(runs[0].folder / "config.json", arguments.out)


def some_crops(run: Run) -> torch.Tensor:
    """Read a crop each of some training files, as a scan would cut them."""
    data = PictureData(run.config)
    entries, draw = data.pool.entries, np.random.default_rng(0)
    picked = [entries[i] for i in draw.permutation(len(entries))[:CROPS]]
    chain = plain_chain(run.config.margin)
    crops = [
        apply_chain(
            decode_jpeg(entry.jpegs[0]),
            chain,
            store_margin=data.store_margin,
            size_px=run.config.size_px,
        )
        for entry in picked
    ]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()


@torch.no_grad()
def measure_norms(model: nn.Module, crops: torch.Tensor) -> None:
    """Let every batch norm forget its statistics and take those of one batch."""
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    model.train()
    model(crops.contiguous(memory_format=torch.channels_last))
    model.eval()


if __name__ == "__main__":
    main()
