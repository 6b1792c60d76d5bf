"""The file of results: one verdict a line, each file once, whatever moment the run is killed at.

In: outcomes. Out: JSONL, every line whole before the next begins. Beside the verdict's own keys a
line carries ``input``: the file's size and time and the scan's settings, by which a resumed run
knows what it need not do again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from io import BufferedRandom
from pathlib import Path
from typing import Any

from seamline.errors import SeamlineError, WrongUsage
from seamline.scale.examine import FileState, Outcome, Settings
from seamline.scoring.verdict import ModelId, Verdict

_LINE_START = b'{"schema": '  # what a torn line must look like: no other file is ever cut


class Results:
    """An open JSONL file of verdicts; use as a context manager."""

    def __init__(
        self,
        path: str | Path,
        model: ModelId,
        settings: Settings,
        *,
        resume: bool = False,
        asked: Iterable[str] = (),
    ) -> None:
        """Opens a new file, or with ``resume`` one that an earlier run left.

        A torn last line is cut off. Lines of ``asked`` files that changed since, or could not be
        read, are taken out to be done again; all others stay.
        """
        self.path = Path(path)
        self._model, self._settings = model, settings
        self._places: dict[str, int] = {}
        if not resume and self.path.exists() and self.path.stat().st_size:
            raise WrongUsage(
                f"{self.path} exists already. Add --resume to go on with it, or name another --out."
            )
        try:
            self._file = self._open()
            try:
                self._recover(set(asked))
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise SeamlineError(f"{self.path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, path: str) -> bool:
        """Tells whether a file's verdict is here already."""
        return path in self._places

    def __getitem__(self, path: str) -> Verdict:
        """Reads a file's verdict back."""
        self._file.seek(self._places[path])
        return Verdict.from_json(json.loads(self._file.readline()))

    def append(self, outcome: Outcome) -> None:
        """Writes one line and waits until the disk has it."""
        if outcome.verdict.path in self._places:
            raise ValueError(f"{outcome.verdict.path} has a line in {self.path} already")
        row = {**outcome.verdict.to_json(), "input": self._input(outcome.state)}
        line = (json.dumps(row, allow_nan=False) + "\n").encode()
        place = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise SeamlineError(
                f"{self.path} cannot be written: {error.strerror}. What it holds is whole; make "
                "room and run again with --resume."
            ) from error
        self._places[outcome.verdict.path] = place

    def _open(self) -> BufferedRandom:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        _lock(descriptor, self.path)
        return os.fdopen(descriptor, "r+b")

    def _input(self, state: FileState | None) -> dict[str, Any]:
        chosen = self._settings.to_json()
        return {**(asdict(state) if state else {"size_bytes": None, "modified_ns": None}), **chosen}

    def _recover(self, asked: set[str]) -> None:
        stale: list[int] = []
        end = 0
        for place, row in self._rows():
            end = self._file.tell()
            self._check_origin(row)
            earlier = self._places.pop(row["path"], None)
            if earlier is not None:
                stale.append(earlier)
            if row["path"] in asked and not self._is_current(row):
                stale.append(place)
            else:
                self._places[row["path"]] = place
        self._file.truncate(end)
        if stale:
            self._drop(set(stale))

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields the whole lines; stops at a torn end, refuses a broken line before the end."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        number = 0
        while line := self._file.readline():
            number += 1
            place = self._file.tell() - len(line)
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
                whole = isinstance(row, dict) and isinstance(row.get("path"), str)
            except ValueError:  # also a line cut within a character
                whole = False
            torn = line.startswith(_LINE_START) or _LINE_START.startswith(line)
            if not whole and (self._file.tell() < size or not torn):
                raise WrongUsage(
                    f"{self.path}, line {number}: not a verdict. This is no file of results, or "
                    "it was damaged; name another --out."
                )
            if not whole:
                return
            yield place, row
            self._file.seek(place + len(line))

    def _check_origin(self, row: dict[str, Any]) -> None:
        """Refuses to mix the verdicts of two models, or of two settings, in one file."""
        mine = {**asdict(self._model), **self._input(None)}
        theirs = {**row.get("model", {}), **row.get("input", {})}
        for side in (mine, theirs):  # the same footage in another order judges alike
            side["reference"] = sorted(side.get("reference") or []) or None
            side["proposals"] = bool(side.get("proposals"))
        odd = [
            f"{name} {theirs.get(name)!r} there, {mine[name]!r} now"
            for name in mine
            if name not in ("size_bytes", "modified_ns") and theirs.get(name) != mine[name]
        ]
        if odd:
            raise WrongUsage(
                f"{self.path} was made by another model or with other options "
                f"({'; '.join(odd)}). Use the same ones, or name another --out."
            )

    def _is_current(self, row: dict[str, Any]) -> bool:
        state = FileState.of(row["path"])
        if state is None or row.get("error") is not None:
            return False
        if state.size_bytes != row["input"].get("size_bytes"):
            return False
        if state.modified_ns == row["input"].get("modified_ns"):
            return True
        try:  # touched or copied: the bytes decide
            with open(row["path"], "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == row["sha256"]
        except OSError:
            return False

    def _drop(self, stale: set[int]) -> None:
        """Writes the lines that stay into a new file and puts it in the old one's place."""
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        with unfinished.open("wb") as kept:
            self._places = {}
            self._file.seek(0)
            place = 0
            for line in self._file:
                if place not in stale:
                    self._places[json.loads(line)["path"]] = kept.tell()
                    kept.write(line)
                place += len(line)
            kept.flush()
            os.fsync(kept.fileno())
        self._file.close()
        unfinished.replace(self.path)
        self._file = self._open()


def _lock(descriptor: int, path: Path) -> None:
    """Keeps a second run from writing into the same file; the lock ends with the process."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are the caller's care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise SeamlineError(
            f"Another run is writing {path}. Wait for it, or name another --out."
        ) from error
