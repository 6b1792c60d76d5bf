"""Does the heatmap point at the forgery? Pointing-game accuracy and IoU of a model's heatmaps.

On self-blends of genuine clips, whose masks are known, and on forged files beside their originals,
where the mask is what differs between the two:

    python benchmarks/heatmaps.py MANIFEST.csv --split val --model seamline-small

An original is the genuine file of the same source that is named by a forged file's first number
(`033_097.mp4`: `033.mp4`), as FaceForensics++ names them. The pointing game (Zhang et al.,
"Top-down Neural Attention by Excitation Backprop", ECCV 2016) counts how often the hottest cell
lies on the mask; IoU takes heat of at least half, and, since heat may be weak but rightly placed,
as many of the hottest cells as the mask has.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from seamline.clips.contract import CropContract
from seamline.data.manifest import Sample, read_manifest
from seamline.data.self_blend import change_of, self_blend
from seamline.errors import UnreadableMedia
from seamline.faces.align import align_crop, aligned_to_frame
from seamline.faces.mtcnn import Face, FaceDetector
from seamline.media.video import stream_frames
from seamline.scoring.evidence import heat_of
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model

STEP_SECONDS = 0.5
LEAST_CHANGE = 3.0  # grey levels: less is coding noise
SMOOTH = 0.03  # of the crop's side, so that single pixels make no mask

Shown = tuple[np.ndarray, np.ndarray]  # crop, and mask of the crop's size


def faces_of(path: Path, detector: FaceDetector) -> Iterator[tuple[float, np.ndarray, Face]]:
    """Yield time, frame and largest face of every half second."""
    for frame in stream_frames(path, step_seconds=STEP_SECONDS):
        found = detector.detect([frame.rgb])[0]
        if found:
            yield frame.seconds, frame.rgb, max(found, key=lambda face: face.box[3] - face.box[1])


def marks_in_crop(face: Face, contract: CropContract) -> np.ndarray:
    """Give a face's landmarks in pixels of its crop."""
    to_frame = aligned_to_frame(face.landmarks, margin=contract.margin, size_px=contract.size_px)
    to_crop = cv2.invertAffineTransform(to_frame)
    return face.landmarks @ to_crop[:, :2].T + to_crop[:, 2]


def cut(rgb: np.ndarray, face: Face, contract: CropContract) -> np.ndarray:
    return align_crop(rgb, face.landmarks, margin=contract.margin, size_px=contract.size_px)


def blended(path: Path, contract: CropContract, detector: FaceDetector, seed: int) -> list[Shown]:
    """Self-blend the faces of a genuine file."""
    made = []
    for index, (_, rgb, face) in enumerate(faces_of(path, detector)):
        generator = np.random.default_rng([seed, index])
        crop = cut(rgb, face, contract)
        blend = self_blend(crop, marks_in_crop(face, contract), generator)
        if change_of(blend, crop) >= LEAST_CHANGE:
            made.append((blend.fake, blend.mask / blend.mask.max()))
    return made


def differing(
    fake: Path,
    original: Path,
    contract: CropContract,
    detector: FaceDetector,
    peak_share: float,
) -> list[Shown]:
    """Pair the frames of a forged file with its original's; the mask is where they differ.

    They differ where the smoothed change is above coding noise and above a share of its peak.
    """
    frames = {
        round(f.seconds, 2): f.rgb for f in stream_frames(original, step_seconds=STEP_SECONDS)
    }
    made = []
    for seconds, rgb, face in faces_of(fake, detector):
        other = frames.get(round(seconds, 2))
        if other is None or other.shape != rgb.shape:
            continue
        crop = cut(rgb, face, contract)
        change = cv2.absdiff(crop, cut(other, face, contract)).mean(axis=2).astype(np.float32)
        change = cv2.GaussianBlur(change, (0, 0), SMOOTH * contract.size_px)
        least = max(LEAST_CHANGE, peak_share * float(change.max()))
        if change.max() >= least:
            made.append((crop, np.minimum(change / (2 * least), 1.0)))
    return made


def figures(bundle: Bundle, shown: list[Shown]) -> dict[str, float]:
    """Hit or miss, and the two IoUs, averaged over a file's frames."""
    mask_logits = bundle.score_faces(np.stack([crop for crop, _ in shown])).masks
    assert mask_logits is not None, f"{bundle.name} has no heatmaps"
    hits, halves, ranks, chances = [], [], [], []
    for logits, (_, mask) in zip(mask_logits, shown, strict=True):
        heat = heat_of(logits)
        cells = cv2.resize(mask.astype(np.float32), heat.shape[::-1], interpolation=cv2.INTER_AREA)
        truth = cells >= 0.5
        if not truth.any():
            continue
        hits.append(bool(truth.flat[np.argmax(heat)]))
        halves.append(iou(heat >= 0.5, truth))
        ranks.append(iou(heat >= np.sort(heat, axis=None)[-truth.sum()], truth))
        chances.append(float(truth.mean()))
    if not hits:
        return {}
    names = ("pointing", "iou_half", "iou_ranked", "share_of_crop")
    return {
        k: float(np.mean(v)) for k, v in zip(names, (hits, halves, ranks, chances), strict=True)
    }


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def original_of(sample: Sample, genuine: dict[tuple[str, str], Sample]) -> Sample | None:
    return genuine.get((sample.source, Path(sample.path).stem.split("_")[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument(
        "--peak-share", type=float, default=0.0, help="least change, as a share of its peak"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    bundle, detector = Bundle.load(find_model(arguments.model)), FaceDetector()
    samples = [
        s for s in read_manifest(arguments.manifest, split=arguments.split) if s.kind == "video"
    ]
    genuine = {(s.source, Path(s.path).stem): s for s in samples if s.picture_truth == "real"}
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for index, sample in enumerate(samples):
        original = original_of(sample, genuine)
        try:
            if sample.picture_truth == "real":
                shown, name = blended(sample.file, bundle.contract, detector, index), "self-blends"
            elif original is not None:
                files = (sample.file, original.file)
                shown = differing(*files, bundle.contract, detector, arguments.peak_share)
                name = f"{sample.source}: {sample.method}"
            else:
                continue
        except UnreadableMedia as error:
            print(f"{sample.path}: {error.reason}")
            continue
        measured = figures(bundle, shown) if shown else {}
        if measured:
            found[name].append(measured)
    print("| set | files | pointing | IoU, heat ≥ ½ | IoU, as many cells | chance of a hit |")
    print("|---|---:|---:|---:|---:|---:|")
    table = {}
    for name, rows in sorted(found.items()):
        mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
        table[name] = {"files": len(rows), **mean}
        cells = " | ".join(f"{value:.2f}" for value in mean.values())
        print(f"| {name} | {len(rows)} | {cells} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
