"""Deepfake Detection Challenge: the folder of its parts in, samples out."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from seamline.data.layouts.walk import nothing_found, read_json, relative, require_folder
from seamline.data.manifest import Sample
from seamline.errors import BadManifest

NAME = "DFDC"
LABELS = {"REAL": "real", "FAKE": "fake"}


def find_dfdc(root: Path) -> list[Sample]:
    """Find the samples of the Deepfake Detection Challenge.

    ::

        root/
        ├── dfdc_train_part_0/          one part alone is a root, too
        │   ├── metadata.json           {"abc.mp4": {"label": "FAKE", "split": "train",
        │   ├── abc.mp4                               "original": "xyz.mp4"}, ...}
        │   └── xyz.mp4
        └── dfdc_train_part_1/ ...

    Licence: the challenge's terms (AWS registration, research only, no redistribution).

    A fake may be a changed picture, a changed voice or both: the collection does not tell, so its
    ``video_label`` and ``audio_label`` stay empty until ``seamline label`` compares it with its
    ``original``. People are not named; whoever is in a fake is named after its original. Rows whose
    file is missing are left out, since parts are often unpacked singly.
    """
    require_folder(root, NAME)
    tables = sorted(root.rglob("metadata.json"))
    places = {path.name: path for table in tables for path in table.parent.glob("*.mp4")}
    samples = [
        _sample(root, table.parent / name, row, places, table)
        for table in tables
        for name, row in sorted(_rows(table).items())
        if (table.parent / name).is_file()
    ]
    if not samples:
        raise nothing_found(root, NAME, "parts with metadata.json and the videos that it names")
    return samples


def _rows(table: Path) -> dict[str, dict[str, Any]]:
    rows = read_json(table, NAME)
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise BadManifest(
            f'{NAME}: {table} is not a table like {{"abc.mp4": {{"label": "FAKE", ...}}}}.'
        )
    return rows


def _sample(
    root: Path, file: Path, row: dict[str, Any], places: dict[str, Path], table: Path
) -> Sample:
    if row.get("label") not in LABELS:
        raise BadManifest(
            f"{NAME}: {table} gives {file.name} the label {row.get('label')!r}. "
            f"Known: {', '.join(LABELS)}."
        )
    label = LABELS[row["label"]]
    known = "real" if label == "real" else ""
    original = str(row.get("original") or "")
    extra = {}
    if original:  # nearly always in the same part; elsewhere if that is where it lies
        extra["original"] = relative(places.get(original, file.parent / original), root)
    return Sample(
        path=relative(file, root),
        kind="video",
        split=str(row.get("split") or ""),
        label=label,
        video_label=known,
        audio_label=known,
        source=NAME,
        person=f"dfdc-{PurePosixPath(original or file.name).stem}",
        extra=extra,
        root=root,
    )
