"""Celeb-DF (v1 and v2): folder in, samples out."""

from __future__ import annotations

import re
from pathlib import Path

from seamline.data.layouts.walk import nothing_found, relative, require_folder, videos_below
from seamline.data.manifest import Sample
from seamline.errors import BadManifest

NAME = "Celeb-DF"
REAL_FOLDERS = ("Celeb-real", "YouTube-real")
FAKE_FOLDER = "Celeb-synthesis"
TEST_LIST = "List_of_testing_videos.txt"
REAL_NAME = re.compile(r"(?P<person>id\d+)_(?P<video>\d+)")
FAKE_NAME = re.compile(r"(?P<target>id\d+)_(?P<donor>id\d+)_(?P<video>\d+)")


def find_celeb_df(root: Path) -> list[Sample]:
    """Find the samples of Celeb-DF.

    ::

        root/
        ├── Celeb-real/id0_0000.mp4             person, number of the video
        ├── YouTube-real/00170.mp4              people without a number: each its own
        ├── Celeb-synthesis/id0_id1_0000.mp4    the video id0_0000 with the face of id1
        └── List_of_testing_videos.txt          "1 YouTube-real/00170.mp4" (1 real, 0 fake)

    Licence: Celeb-DF terms of use (non-commercial research, on request, no redistribution).

    Listed videos have the split ``test``, the others ``train``; without the list no split is set.
    The collection has no sound worth the name, so voices have no label.
    """
    require_folder(root, NAME)
    tested = _tested(root)
    samples = []
    for folder in (*REAL_FOLDERS, FAKE_FOLDER):
        for path in videos_below(root / folder):
            name = relative(path, root)
            split = "" if tested is None else "test" if name in tested else "train"
            samples.append(_sample(root, path, folder, split))
    if not samples:
        folders = ", ".join((*REAL_FOLDERS, FAKE_FOLDER))
        raise nothing_found(root, NAME, f"videos in the folders {folders}")
    return samples


def _tested(root: Path) -> frozenset[str] | None:
    table = root / TEST_LIST
    if not table.is_file():
        return None
    names = set()
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        label, _, name = line.strip().partition(" ")
        is_fake = name.startswith(FAKE_FOLDER)
        if label not in ("0", "1") or (label == "0") != is_fake:
            raise BadManifest(
                f"{NAME}: {table}, line {number}: expected '1 {REAL_FOLDERS[0]}/…' or "
                f"'0 {FAKE_FOLDER}/…', found {line!r}."
            )
        names.add(name.strip())
    return frozenset(names)


def _sample(root: Path, path: Path, folder: str, split: str) -> Sample:
    extra: dict[str, str] = {}
    if folder == FAKE_FOLDER:
        found = FAKE_NAME.fullmatch(path.stem)
        if found is None:
            raise BadManifest(
                f"{NAME}: {path} is not named like id0_id1_0000.mp4, so its people cannot be told."
            )
        person = f"celebdf-{found['target']}+celebdf-{found['donor']}"
        extra["original"] = f"Celeb-real/{found['target']}_{found['video']}{path.suffix}"
    else:
        named = REAL_NAME.fullmatch(path.stem)
        person = f"celebdf-{named['person'] if named else f'youtube{path.stem}'}"
    label = "fake" if folder == FAKE_FOLDER else "real"
    return Sample(
        path=relative(path, root),
        kind="video",
        split=split,
        label=label,
        video_label=label,
        source=NAME,
        method="face swap" if label == "fake" else "",
        person=person,
        extra=extra,
        root=root,
    )
