"""Reads how a photo lies from its EXIF data: a path goes in, the orientation tag comes out.

FFmpeg tells the turn, but hides whether the photo is mirrored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

UPRIGHT = 1
MIRRORED = frozenset({2, 4, 5, 7})  # EXIF 2.3, tag 274
_ORIENTATION_TAG = 0x0112
_HEADER_BYTES = 1 << 20
# What comes before the EXIF block's TIFF header in JPEG, PNG and WebP, and how far before.
_MARKERS = ((b"Exif\0\0", 6), (b"eXIf", 4), (b"EXIF", 8))


def exif_orientation(path: str | Path) -> int:
    """Return the orientation from 1 (upright) to 8 that a photo's EXIF data names."""
    with open(path, "rb") as file:
        data = file.read(_HEADER_BYTES)
    for marker, length in _MARKERS:
        at = data.find(marker)
        if at >= 0:
            return _orientation(data[at + length :])
    return UPRIGHT


def _orientation(tiff: bytes) -> int:
    """Find the tag among the first directory's entries of 12 bytes each."""
    if tiff[:2] not in (b"II", b"MM"):
        return UPRIGHT
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    directory = number(4, 4)
    for entry in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if number(entry, 2) == _ORIENTATION_TAG:
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
