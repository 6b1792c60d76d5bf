"""FaceForensics++ and the Deep Fake Detection set inside it: folder in, samples out."""

from __future__ import annotations

import re
from pathlib import Path

from seamline.data.layouts.walk import nothing_found, relative, require_folder, videos_below
from seamline.data.manifest import Sample
from seamline.errors import BadManifest

NAME = "FaceForensics++"
# 033_097: the video 033 with the face of 097.
SWAP = re.compile(r"(?P<target>\d{3})_(?P<donor>\d{3})")
# 01_02__scene__hash: actor 01 in the scene with the face of actor 02.
ACTORS = re.compile(r"(?P<target>\d{2})_(?P<donor>\d{2})__(?P<scene>.+)__[A-Z0-9]+")


def find_faceforensics(root: Path) -> list[Sample]:
    """Find the samples of FaceForensics++.

    ::

        root/
        ├── original_sequences/
        │   ├── youtube/{raw,c23,c40}/videos/033.mp4
        │   └── actors/{raw,c23,c40}/videos/01__exit_phone_room.mp4
        └── manipulated_sequences/
            ├── Deepfakes/{raw,c23,c40}/videos/033_097.mp4     033 with the face of 097
            ├── Face2Face/, FaceSwap/, FaceShifter/, NeuralTextures/ ...
            └── DeepFakeDetection/{raw,c23,c40}/videos/01_02__exit_phone_room__YVGY8LOK.mp4

    Licence: FaceForensics++ terms of use (non-commercial research, no redistribution).

    A swap holds two people; its ``original`` is the video whose frames it keeps, at the same
    compression. The collection has no sound, so voices have no label.
    """
    require_folder(root, NAME)
    real = videos_below(root / "original_sequences")
    fake = videos_below(root / "manipulated_sequences")
    samples = [_real(root, path) for path in real if path.parent.name == "videos"]
    samples += [_fake(root, path) for path in fake if path.parent.name == "videos"]
    if not samples:
        raise nothing_found(
            root,
            NAME,
            "original_sequences/…/c23/videos/033.mp4 and "
            "manipulated_sequences/…/c23/videos/033_097.mp4",
        )
    return samples


def _source(path: Path) -> str:
    return f"{NAME} {path.parents[1].name}"  # …/<method>/<compression>/videos/name.mp4


def _real(root: Path, path: Path) -> Sample:
    if path.parents[2].name == "actors":
        person = f"dfd{path.stem.split('__')[0]}"
    else:
        person = f"ff{path.stem}"
    return Sample(
        path=relative(path, root),
        kind="video",
        label="real",
        video_label="real",
        source=_source(path),
        person=person,
        root=root,
    )


def _fake(root: Path, path: Path) -> Sample:
    compression = path.parents[1].name
    if found := SWAP.fullmatch(path.stem):
        prefix, folder, original = "ff", "youtube", found["target"]
    elif found := ACTORS.fullmatch(path.stem):
        prefix, folder, original = "dfd", "actors", f"{found['target']}__{found['scene']}"
    else:
        raise BadManifest(
            f"{NAME}: {path} is named neither like 033_097.mp4 nor like "
            "01_02__scene__ABC123.mp4, so its people cannot be told."
        )
    return Sample(
        path=relative(path, root),
        kind="video",
        label="fake",
        video_label="fake",
        source=_source(path),
        method=path.parents[2].name,
        person=f"{prefix}{found['target']}+{prefix}{found['donor']}",
        extra={
            "original": f"original_sequences/{folder}/{compression}/videos/{original}{path.suffix}"
        },
        root=root,
    )
