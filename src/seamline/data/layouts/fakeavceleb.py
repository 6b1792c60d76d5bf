"""FakeAVCeleb: folder in, samples of its four classes out."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from seamline.data.layouts.walk import nothing_found, relative, require_folder, videos_below
from seamline.data.manifest import Sample
from seamline.errors import BadManifest

NAME = "FakeAVCeleb"
CLASSES = {
    "RealVideo-RealAudio": ("real", "real"),
    "RealVideo-FakeAudio": ("real", "fake"),
    "FakeVideo-RealAudio": ("fake", "real"),
    "FakeVideo-FakeAudio": ("fake", "fake"),
}
TABLE = "meta_data.csv"
PERSON = re.compile(r"id\d+")


def find_fakeavceleb(root: Path) -> list[Sample]:
    """Find the samples of FakeAVCeleb.

    ::

        root/
        ├── meta_data.csv     source,target1,target2,method,category,type,race,gender,path,
        │                     id00076,id00476,10,wav2lip,D,FakeVideo-FakeAudio,African,men,
        │                         00109_10_id00476_wavtolip.mp4,FakeAVCeleb/FakeVideo-FakeAudio/…
        ├── RealVideo-RealAudio/African/men/id00076/00109.mp4
        ├── RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4
        ├── FakeVideo-RealAudio/African/men/id00076/00109_id00476_….mp4
        └── FakeVideo-FakeAudio/African/men/id00076/00109_10_id00476_wavtolip.mp4

    Licence: FakeAVCeleb's agreement (research only, on request, no redistribution); built on
    VoxCeleb2 (CC BY 4.0).

    Folders give the labels and names the people; the table, whose header lacks the last column's
    name, gives the methods, and is not needed. A number after ``id…`` in a name is not a person.
    """
    require_folder(root, NAME)
    methods = _methods(root / TABLE)
    samples = [
        _sample(root, path, labels, methods)
        for folder, labels in CLASSES.items()
        for path in videos_below(root / folder)
    ]
    if not samples:
        raise nothing_found(root, NAME, f"videos in the folders {', '.join(CLASSES)}")
    return samples


def _methods(table: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Read method and further people of each file, by its path below the root."""
    if not table.is_file():
        return {}
    methods = {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows, [])]
        for column in ("method", "path", "target1", "target2"):
            if column not in header:
                raise BadManifest(
                    f"{NAME}: {table} lacks the column {column}; its header names "
                    f"{', '.join(header) or 'nothing'}."
                )
        at = {name: index for index, name in enumerate(header)}
        for row in rows:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) <= at["path"] + 1:  # the folder follows the name
                continue
            folder = cells[at["path"] + 1].partition("/")[2]  # without "FakeAVCeleb/"
            targets = tuple(
                name for name in (cells[at["target1"]], cells[at["target2"]]) if PERSON.match(name)
            )
            methods[f"{folder}/{cells[at['path']]}"] = (cells[at["method"]], targets)
    return methods


def _sample(
    root: Path,
    path: Path,
    labels: tuple[str, str],
    methods: dict[str, tuple[str, tuple[str, ...]]],
) -> Sample:
    place = relative(path, root)
    video_label, audio_label = labels
    method, targets = methods.get(place, ("", ()))
    people = dict.fromkeys([path.parent.name, *targets, *PERSON.findall(path.stem)])
    is_fake = "fake" in labels
    extra = {}
    if is_fake:
        group = path.parent.relative_to(root).parts[1:]  # race, gender, person
        stem = path.stem.split("_")[0]
        extra["original"] = "/".join(("RealVideo-RealAudio", *group, f"{stem}{path.suffix}"))
    return Sample(
        path=place,
        kind="video",
        label="fake" if is_fake else "real",
        video_label=video_label,
        audio_label=audio_label,
        source=NAME,
        method=method if is_fake else "",
        person="+".join(f"voxceleb2-{name}" for name in people),
        extra=extra,
        root=root,
    )
