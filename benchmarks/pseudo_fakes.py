"""How many training crops a second the pseudo-fakes give: by kind, on one process and on two.

    python benchmarks/pseudo_fakes.py [--size-px 224] [--json FILE]

Pairs of a genuine crop and its fake are drawn from views of the package's portrait, with the whole
chain after the forgery, as training draws them. Crops a second count both sides of a pair.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2

from seamline.data.demo_clips import read_portrait
from seamline.faces.align import align_crop, aligned_to_frame
from seamline.faces.mtcnn import FaceDetector
from seamline.training.config import make_config
from seamline.training.pairs import PairDataset
from seamline.training.pool import FaceEntry, FacePool

STORE_PX, STORE_MARGIN = 320, 1.7
KINDS = {
    "self-blends": {"self_blend_share": 1.0},
    "self-blends around the lips": {"self_blend_share": 1.0, "mouth_share": 1.0},
    "cross-identity blends": {"self_blend_share": 0.0, "cross_blend_share": 1.0},
    "as transfer-base mixes them": {"self_blend_share": 0.8, "cross_blend_share": 0.2},
    "the same, three in ten through H.264": {
        "self_blend_share": 0.8,
        "cross_blend_share": 0.2,
        "h264_share": 0.3,
    },
}
ITEMS, REPEATS = 40, 3


def pool() -> FacePool:
    """Views of one portrait, each as another file's face."""
    portrait = read_portrait()
    face = FaceDetector(1).detect([portrait])[0][0]
    to_crop = cv2.invertAffineTransform(
        aligned_to_frame(face.landmarks, margin=STORE_MARGIN, size_px=STORE_PX)
    )
    marks = face.landmarks @ to_crop[:, :2].T + to_crop[:, 2]
    crop = align_crop(portrait, face.landmarks, margin=STORE_MARGIN, size_px=STORE_PX)
    entries = []
    for index in range(16):
        view = cv2.convertScaleAbs(crop, alpha=0.8 + 0.025 * index)
        data = cv2.imencode(".jpg", view[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        entries.append(
            FaceEntry(f"{index}.jpg", "portrait", "", "", False, (data.tobytes(),), marks[None])
        )
    return FacePool(entries)


def rate(kind: str, size_px: int, seed: int) -> float:
    """Crops a second of one process."""
    cv2.setNumThreads(1)
    config = make_config({"size_px": size_px, "seed": seed, "margin": 1.25, **KINDS[kind]})
    pairs = PairDataset(pool(), config, store_margin=STORE_MARGIN, epoch=0)
    for index in range(5):
        pairs[index]
    began = time.perf_counter()
    for index in range(ITEMS):
        pairs[index]
    return 2 * ITEMS / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size-px", type=int, default=224)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {}
    print("| pseudo-fakes | crops/s, one process | two processes together |\n|---|---:|---:|")
    with ProcessPoolExecutor(2, get_context("spawn")) as both:
        for kind in KINDS:
            alone = [rate(kind, arguments.size_px, seed) for seed in range(REPEATS)]
            together = []
            for seed in range(REPEATS):
                parts = [both.submit(rate, kind, arguments.size_px, 9 * seed + i) for i in (0, 1)]
                together.append(sum(part.result() for part in parts))
            found[kind] = {"one": alone, "two": together}
            told = (
                f"{statistics.median(v):.0f} ({min(v):.0f}–{max(v):.0f})" for v in (alone, together)
            )
            print(f"| {kind} | {' | '.join(told)} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
