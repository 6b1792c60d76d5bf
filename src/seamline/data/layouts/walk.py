"""What the layouts share: sorted listings and tables, refused with what was looked for.

In: folders and files of a downloaded collection. Out: names and parsed JSON; nothing is decoded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seamline.errors import BadManifest

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm"})


def require_folder(root: Path, collection: str) -> None:
    """Refuse a root that is not a folder."""
    if not root.is_dir():
        raise BadManifest(
            f"{collection}: {root} is not a folder. Give the folder that the collection was "
            "unpacked into."
        )


def nothing_found(root: Path, collection: str, looked_for: str) -> BadManifest:
    """Make the error for a tree of another shape."""
    held = sorted(path.name for path in root.iterdir())
    some = ", ".join(held[:8]) + (", …" if len(held) > 8 else "")
    return BadManifest(
        f"{collection}: looked in {root} for {looked_for}, found {some or 'an empty folder'}. "
        "Give the folder that the collection was unpacked into."
    )


def videos_below(folder: Path) -> list[Path]:
    """List the video files of a folder and of those below it, by name, hidden ones left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")
    )


def read_json(path: Path, collection: str) -> Any:
    """Read a JSON table; damage is told with the file's name."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadManifest(f"{collection}: cannot read {path} as JSON: {error}.") from error


def relative(path: Path, root: Path) -> str:
    """Tell a file's place below the root, with forward slashes."""
    return path.relative_to(root).as_posix()
