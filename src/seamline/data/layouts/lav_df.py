"""LAV-DF, localised audio-visual fakes: folder in, samples with their forged segments out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seamline.data.layouts.walk import nothing_found, read_json, require_folder
from seamline.data.manifest import Sample
from seamline.errors import BadManifest

NAME = "LAV-DF"
TABLES = ("metadata.json", "metadata.min.json")
SPLITS = {"train": "train", "dev": "val", "test": "test"}


def find_lav_df(root: Path) -> list[Sample]:
    """Find the samples of LAV-DF.

    ::

        root/
        ├── metadata.json         or metadata.min.json: [{"file": "train/000001.mp4",
        ├── train/000001.mp4          "split": "train", "original": "train/000000.mp4" or null,
        ├── dev/…                     "modify_video": true, "modify_audio": false,
        └── test/…                    "fake_periods": [[1.2, 1.9]], "duration": 4.1, …}, …]

    Licence: CC BY-NC 4.0 with an agreement; built on VoxCeleb2.

    The split dev becomes ``val``. ``segments`` holds the forged spans as JSON, in the words of a
    verdict's segments: ``[{"modality": "video", "start_seconds": 1.2, "stop_seconds": 1.9}]``.
    People are not named; whoever is in a fake is named after its original. Rows whose file is
    missing are left out.
    """
    require_folder(root, NAME)
    table = next((root / name for name in TABLES if (root / name).is_file()), None)
    if table is None:
        raise nothing_found(root, NAME, " or ".join(TABLES))
    rows = read_json(table, NAME)
    if not isinstance(rows, list):
        raise BadManifest(f"{NAME}: {table} is not a list of videos.")
    samples = [_sample(root, row, table, number) for number, row in enumerate(rows)]
    there = [sample for sample in samples if sample.file.is_file()]
    if not there:
        raise nothing_found(root, NAME, f"any of the {len(rows)} videos that {table.name} names")
    return there


def _sample(root: Path, row: Any, table: Path, number: int) -> Sample:
    try:
        file, split, original = str(row["file"]), str(row["split"]), row["original"]
        forged = {"video": bool(row["modify_video"]), "audio": bool(row["modify_audio"])}
        periods = [(float(start), float(stop)) for start, stop in row["fake_periods"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BadManifest(
            f"{NAME}: {table}, row {number}: needs file, split, original, modify_video, "
            f"modify_audio and fake_periods; found {row!r:.200}."
        ) from error
    segments = [
        {"modality": modality, "start_seconds": start, "stop_seconds": stop}
        for modality, is_forged in forged.items()
        for start, stop in periods
        if is_forged
    ]
    labels = {modality: "fake" if is_forged else "real" for modality, is_forged in forged.items()}
    is_fake = "fake" in labels.values()
    extra = {"segments": json.dumps(segments)}
    if original:
        extra["original"] = str(original)
    return Sample(
        path=file,
        kind="video",
        split=SPLITS.get(split, split),
        label="fake" if is_fake else "real",
        video_label=labels["video"],
        audio_label=labels["audio"],
        source=NAME,
        method="LAV-DF" if is_fake else "",
        person=f"lavdf-{Path(str(original or file)).with_suffix('').as_posix()}",
        extra=extra,
        root=root,
    )
