"""Judges the held-out files of a finished picture run anew, at another size or with other weights.

    python scripts/rescore_run.py runs/transfer-3 --scan-size-px 224 --out runs/transfer-3-224
    python scripts/rescore_run.py runs/mean --out runs/mean          # of scripts/average_runs.py

Nothing is trained. Out: a run folder to compare, to export and to go on from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from seamline.training.rescore import rescore


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run to write")
    parser.add_argument("--scan-size-px", type=int, help="side of the crops; default: as they were")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = rescore(arguments.run, arguments.out, scan_size_px=arguments.scan_size_px)
    print(f"{config.run_folder}: held-out files scored at {config.scan_px} px")


if __name__ == "__main__":
    main()
