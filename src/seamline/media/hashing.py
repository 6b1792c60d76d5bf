"""Hashes a file's bytes, by which a verdict names what it judged."""

from __future__ import annotations

import hashlib
from pathlib import Path

from seamline.errors import UnreadableMedia


def file_sha256(path: str | Path) -> str:
    """Hash a file's bytes; raises `UnreadableMedia` when they cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableMedia(path, error.strerror or "cannot be opened") from error
