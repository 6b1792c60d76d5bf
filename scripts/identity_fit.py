"""Fits the projection of `seamline.faces.identity` and measures it on people left out.

    python scripts/identity_fit.py NAMED.npz ONCE.npz [--out WEIGHTS.npz]

The files come from ``scripts/identity_faces.py``. NAMED has people with faces from several videos
each: two thirds of them fit the projection. ONCE has clearer videos of people who appear in one
each: half of them fit only what an average face looks like, for without that all clear faces look
alike. The others choose the threshold: of pairs of different people one in a hundred may pass, in
either set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

from seamline.faces.align import TEMPLATE, aligned_to_frame
from seamline.faces.identity import measure_face

MARGIN, SIZE_PX = 1.8, 192  # of scripts/identity_faces.py
COMPONENTS, DIM, SHRINKAGE = 900, 128, 0.015
LEFT_OUT = 1 / 3
FALSE_MATCHES = 0.01


def main() -> None:
    """Fit, choose, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("named", type=Path)
    parser.add_argument("once", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    features, people, videos = read_faces(asked.named)
    clear, _, shown = read_faces(asked.once)
    kept, held = left_out(people, LEFT_OUT), left_out(shown, 1 / 2)
    mean = (features[~kept].mean(axis=0) + clear[~held].mean(axis=0)) / 2
    spread = sum(np.cov(x.T, bias=True) for x in (features[~kept], clear[~held]))
    matrix = fisher(features[~kept] - mean, people[~kept], spread).astype(np.float16)

    def describe(features: np.ndarray) -> np.ndarray:
        vectors = (features - mean) @ matrix.astype(np.float64)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    found = {
        "other videos": pairs(describe(features[kept]), people[kept], videos[kept]),
        "halves of videos": pairs(describe(clear[held]), shown[held], halves(shown[held])),
    }
    threshold = max(float(np.quantile(x[~same], 1 - FALSE_MATCHES)) for x, same in found.values())
    print(f"fit on {len(set(people[~kept]))} people, {np.sum(~kept)} faces; {threshold=:.3f}")
    for name, (likeness, same) in found.items():
        tell(name, likeness, same, threshold)
    if asked.out:
        np.savez_compressed(
            asked.out, mean=mean.astype(np.float16), matrix=matrix, same_person=threshold
        )
        print(f"{asked.out}: {asked.out.stat().st_size / 1e3:.0f} kB")


def read_faces(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the faces of one file; give features, people and videos."""
    stored = np.load(path)
    to_template = aligned_to_frame(TEMPLATE, margin=MARGIN, size_px=SIZE_PX)
    to_crop = cv2.invertAffineTransform(to_template)
    marks = TEMPLATE @ to_crop[:, :2].T + to_crop[:, 2]
    features = np.stack([measure_face(crop, marks) for crop in stored["crops"]])
    return features.astype(np.float64), stored["people"], stored["videos"]


def left_out(names: np.ndarray, share: float) -> np.ndarray:
    """Flag the faces of a random share of the names."""
    unique = np.unique(names)
    np.random.default_rng(0).shuffle(unique)
    return np.isin(names, unique[: round(share * len(unique))])


def fisher(centred: np.ndarray, people: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Fit a discriminant in the space of the largest components of ``spread``."""
    _, vectors = np.linalg.eigh(spread)
    basis = vectors[:, ::-1][:, :COMPONENTS]
    small = centred @ basis
    _, places = np.unique(people, return_inverse=True)
    counts = np.bincount(places)
    means = np.stack([np.bincount(places, column) for column in small.T], axis=1) / counts[:, None]
    rest = small - means[places]
    within = rest.T @ rest / len(rest)
    within += SHRINKAGE * np.trace(within) / COMPONENTS * np.eye(COMPONENTS)
    between = means.T @ means / len(means)
    root = np.linalg.cholesky(np.linalg.inv(within))
    values, turns = np.linalg.eigh(root.T @ between @ root)
    values, turns = values[::-1][:DIM], turns[:, ::-1][:, :DIM]
    return basis @ root @ turns * np.sqrt(values / (1 + values))


def pairs(
    vectors: np.ndarray, people: np.ndarray, videos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compare videos two by two, each by its mean vector: likeness, and whether one person."""
    names, places = np.unique(videos, return_inverse=True)
    means = np.stack([vectors[places == k].sum(axis=0) for k in range(len(names))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    owner = np.array([people[places == k][0] for k in range(len(names))])
    one, other = np.triu_indices(len(names), 1)
    return (means @ means.T)[one, other], owner[one] == owner[other]


def tell(name: str, likeness: np.ndarray, same: np.ndarray, threshold: float) -> None:
    """Print how well one person is told from two."""
    print(
        f"{name}: AUC {roc_auc_score(same, likeness):.3f}, one person's found "
        f"{np.mean(likeness[same] >= threshold):.1%} of {same.sum()} pairs, two people's taken for "
        f"one {np.mean(likeness[~same] >= threshold):.2%} of {(~same).sum()}"
    )


def halves(videos: np.ndarray) -> np.ndarray:
    """Mark the first and the second half of each video's faces."""
    _, places, counts = np.unique(videos, return_inverse=True, return_counts=True)
    rank = np.array([np.sum(places[:k] == place) for k, place in enumerate(places)])
    return np.char.add(videos, np.where(rank < counts[places] / 2, " 1st", " 2nd"))


if __name__ == "__main__":
    main()
