"""Collects aligned faces with names: manifests in, one .npz of crops, people and videos out.

    python scripts/identity_faces.py OUT.npz MANIFEST.csv... [--per-video 6]

Faces of videos come from `extract`, those of pictures from the same detector, all cut at the same
place with room around. The .npz is research data: keep it out of the repository.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from seamline.clips.contract import CropContract
from seamline.clips.extract import extract
from seamline.errors import UnreadableMedia
from seamline.faces.align import align_crop
from seamline.faces.mtcnn import FaceDetector

MARGIN, SIZE_PX = 1.8, 192
LEAST_FACE_PX = 40
BORDER_SHARE = 0.3  # of a picture's side; tight face pictures leave the detector no context
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def main() -> None:
    """Read the manifests, write the faces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--per-video", type=int, default=6)
    asked = parser.parse_args()
    detector = FaceDetector(1)
    crops, people, videos, sources = [], [], [], []
    for manifest in asked.manifests:
        with manifest.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["kind"] in ("video", "face")]
        for count, row in enumerate(rows):
            path = manifest.parent / row["path"]
            for crop in faces_of(path, detector, asked.per_video):
                crops.append(crop)
                people.append(row["person"])
                videos.append(row.get("video") or str(path))
                sources.append(f"{row['source']}|{row['label']}|{row['method']}")
            if count % 200 == 0:
                print(manifest, count, len(rows), len(crops), flush=True)
    columns = {"people": people, "videos": videos, "sources": sources}
    np.savez(asked.out, crops=np.stack(crops), **{k: np.array(v) for k, v in columns.items()})


def faces_of(path: Path, detector: FaceDetector, per_video: int) -> Iterator[np.ndarray]:
    """Yield the faces of the longest track, spread over it; a picture's largest face."""
    if path.suffix.lower() in PICTURES:
        yield from _picture(path, detector)
        return
    contract = CropContract(margin=MARGIN, size_px=SIZE_PX, frame_step_seconds=0.4)
    tracks: dict[int, list[np.ndarray]] = {}
    try:
        for clip in extract(path, contract, detector=detector, min_face_px=LEAST_FACE_PX):
            if clip.faces is not None:
                tracks.setdefault(clip.faces.track, []).extend(clip.faces.crops)
    except UnreadableMedia as error:
        print(error)
        return
    longest = max(tracks.values(), key=len, default=[])
    places = np.linspace(0, len(longest) - 1, min(per_video, len(longest))).round().astype(int)
    yield from (longest[place] for place in sorted(set(places.tolist())))


def _picture(path: Path, detector: FaceDetector) -> Iterator[np.ndarray]:
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        return
    rim = round(BORDER_SHARE * max(found.shape[:2]))
    rgb = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    rgb = cv2.copyMakeBorder(rgb, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    faces = detector.detect([rgb], LEAST_FACE_PX)[0]
    if faces:
        best = max(faces, key=lambda face: face.box[2] - face.box[0])
        yield align_crop(rgb, best.landmarks, margin=MARGIN, size_px=SIZE_PX)


if __name__ == "__main__":
    main()
