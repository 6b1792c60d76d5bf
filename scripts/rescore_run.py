"""Judges a finished run's held-out files anew, at another size or with other weights.

    python scripts/rescore_run.py runs/transfer-3 --scan-size-px 224 --out runs/transfer-3-224
    python scripts/rescore_run.py runs/mean --out runs/mean   # of average_runs.py; a voice too
    python scripts/rescore_run.py runs/wide --scan-size-px 224 --refit --out runs/refitted

Nothing is trained but, with ``--refit``, the last layer (`seamline.training.refit`). Out: a run
folder to compare, to export and to go on from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from seamline.training.refit import PAIRS, refit
from seamline.training.rescore import rescore


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run to write")
    parser.add_argument("--scan-size-px", type=int, help="side of the crops; default: as they were")
    parser.add_argument("--pool-sharpness", type=float, help="over frames; 0 is their mean")
    parser.add_argument("--mask-share", type=float, help="of a crop's logit that its mask makes up")
    parser.add_argument("--detail-weight", type=float, help="logits an e-fold of fine detail")
    parser.add_argument("--refit", action="store_true", help="fit the last layer at that size")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of crops to fit it on")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    how = {
        "scan_size_px": arguments.scan_size_px,
        "pool_sharpness": arguments.pool_sharpness,
        "mask_share": arguments.mask_share,
        "detail_weight": arguments.detail_weight,
    }
    if arguments.refit:
        config = refit(arguments.run, arguments.out, pairs=arguments.pairs, **how)
    else:
        config = rescore(arguments.run, arguments.out, **how)
    size = f" at {config.scan_px} px" if config.branch == "picture" else ""
    print(f"{config.run_folder}: held-out files scored{size}")


if __name__ == "__main__":
    main()
