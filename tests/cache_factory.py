"""Writes small clip caches of made-up faces and tones, in which fakes are easy to tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seamline.clips.cache import clip_row, write_contract, write_shard
from seamline.clips.clip import Clip, FaceCrops
from seamline.clips.contract import CropContract
from seamline.faces.align import TEMPLATE, TIGHT_CENTRE, TIGHT_SIDE
from seamline.voice.logmel import log_mel

STORE = CropContract(margin=1.7, size_px=96)
MARKS = (TEMPLATE - TIGHT_CENTRE + TIGHT_SIDE * 1.7 / 2) * 96 / (TIGHT_SIDE * 1.7)


def video_sample(person: int, split: str, label: str = "real") -> dict[str, str]:
    """A manifest's row of a made-up video with sound; forged, its picture is."""
    return {
        "path": f"{label}/{person}.mp4", "kind": "video", "split": split, "label": label,
        "video_label": label, "audio_label": "real", "source": "made up",
        "method": "" if label == "real" else "made up", "person": f"p{person}", "note": "",
    }  # fmt: skip


def write_cache(
    folder: Path, *, people: int = 6, sound: bool = False, source: str = "made up"
) -> Path:
    """One genuine and one fake clip a person; the last person is the val split."""
    write_contract(folder, STORE)
    rows = []
    for person in range(people):
        for label in ("real", "fake"):
            sample = {
                "path": f"{person}-{label}.mp4",
                "kind": "audio" if sound else "video",
                "split": "val" if person == people - 1 else "train",
                "label": label,
                "video_label": "" if sound else label,
                "audio_label": label if sound else "",
                "source": source,
                "method": "" if label == "real" else "stripes",
                "person": f"p{person}" if source == "made up" else f"{source} {person}",
                "note": "",
            }
            rows.append(clip_row(sample, _clip(person, label == "fake", sound)))
    write_shard(folder, 0, rows)
    return folder


def _clip(person: int, fake: bool, sound: bool) -> Clip:
    generator = np.random.default_rng([person, fake])
    if sound:
        seconds = np.arange(32000) / 16000
        pitch = 300 + 20 * person + (1500 if fake else 0)
        samples = 0.3 * np.sin(2 * np.pi * pitch * seconds) + generator.normal(0, 0.01, 32000)
        samples = samples.astype(np.float32)
        return Clip(0, 0.0, 2.0, None, samples, log_mel(samples, STORE.mel), 2.0)
    crops = generator.integers(90, 130, (4, 96, 96, 3), dtype=np.uint8)
    if fake:
        crops[:, :, ::4] = 250
    faces = FaceCrops(
        track=0,
        seconds=np.arange(4) * 0.25,
        crops=crops,
        boxes=np.tile(np.array([10.0, 10.0, 90.0, 90.0]), (4, 1)),
        landmarks=np.tile(MARKS, (4, 1, 1)),
        detection_scores=np.ones(4),
    )
    return Clip(0, 0.0, 2.0, faces, None, None, 0.0)
