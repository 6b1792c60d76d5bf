"""Reads the size that a picture file's header promises: a path goes in, (width, height) or None.

FFmpeg refuses absurd sizes without telling them, so the formats that reach them are read here.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_JPEG_HEADER_BYTES = 1 << 20  # markers before the frame header: EXIF, profiles, thumbnails
# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC): ITU-T T.81, table B.1.
_JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def declared_size(path: str) -> tuple[int, int] | None:
    """Return the (width, height) that a PNG, GIF, JPEG or Y4M header promises, else ``None``."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
            width, height = struct.unpack(">II", head[16:24])
            return width, height
        if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
            width, height = struct.unpack("<HH", head[6:10])
            return width, height
        if head.startswith(b"\xff\xd8"):
            return _jpeg_size(file)
        if head.startswith(b"YUV4MPEG2 "):
            return _y4m_size(head)
    return None


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(0)
    data = file.read(_JPEG_HEADER_BYTES)
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _y4m_size(head: bytes) -> tuple[int, int] | None:
    fields = head.split(b"\n")[0].split(b" ")[1:]
    sides = {field[:1]: field[1:] for field in fields}
    width, height = sides.get(b"W", b""), sides.get(b"H", b"")
    if not (width.isdigit() and height.isdigit()):
        return None
    return int(width), int(height)
