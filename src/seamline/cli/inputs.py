"""From what was typed to the files that were meant: files, folders and globs, each file once.

In: arguments. Out: paths in a steady order, and a message for each argument that gave none.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# What a folder is searched for; a file that is named itself is tried whatever its name.
_SUFFIXES = """
    .mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .wmv .asf .flv .3gp .3g2 .ogv .mxf
    .gif .apng .jpg .jpeg .png .webp .bmp .tif .tiff .avif .heic .jxl
    .wav .mp3 .m4a .aac .flac .ogg .oga .opus .wma .aif .aiff .amr .ac3 .caf
"""
MEDIA_SUFFIXES = frozenset(_SUFFIXES.split())


@dataclass
class Inputs:
    """The files to scan, and what was asked for but gave no file."""

    files: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_inputs(arguments: Sequence[str]) -> Inputs:
    """Expands arguments; a file that is reached twice is kept where it came first."""
    inputs = Inputs()
    seen: set[str] = set()
    for argument in arguments:
        for path in _expand(argument, inputs.problems):
            place = os.path.abspath(path)
            if place not in seen:
                seen.add(place)
                inputs.files.append(path)
    return inputs


def _expand(argument: str, problems: list[str]) -> Iterator[str]:
    if os.path.isdir(argument):
        yield from _folder(argument, problems)
    elif os.path.lexists(argument) or not glob.has_magic(argument):
        yield argument  # one that is not there gets its reason from the scan, like any other
    else:
        matches = sorted(glob.glob(argument, recursive=True))
        if not matches:
            problems.append(f"{argument}: nothing matches. Check the pattern and its quotes.")
        for match in matches:
            if os.path.isdir(match):
                yield from _folder(match, [])  # "*" also meets folders without media
            else:
                yield match


def _folder(folder: str, problems: list[str]) -> Iterator[str]:
    """Yields the media files below a folder, by name, without hidden ones (``._x.mp4``)."""
    found, before = False, len(problems)

    def unlisted(error: OSError) -> None:
        problems.append(f"{error.filename}: cannot be listed: {error.strerror}.")

    for where, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in MEDIA_SUFFIXES:
                found = True
                yield os.path.join(where, name).removeprefix(os.curdir + os.sep)
    if not found and len(problems) == before:
        problems.append(
            f"{folder}: no video, image or sound in this folder or below it. "
            "A file with an unusual ending can be named itself."
        )
