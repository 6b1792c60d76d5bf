"""Reads and writes the manifest: the one table of samples, as CSV.

In: a CSV file with the columns ``path,kind,split,label,video_label,audio_label,source,method,
person,note`` in any order; further columns are kept. Out: ``Sample`` records. Nothing is decoded,
and whether a file exists is left to whoever opens it.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seamline.errors import BadManifest

COLUMNS = (
    "path", "kind", "split", "label", "video_label", "audio_label",
    "source", "method", "person", "note",
)  # fmt: skip
REQUIRED = ("path", "kind", "label")
ALLOWED = {
    "kind": ("video", "audio", "face"),
    "label": ("real", "fake", ""),
    "video_label": ("real", "fake", ""),
    "audio_label": ("real", "fake", ""),
    "sync_label": ("real", "fake", ""),
}


@dataclass(frozen=True)
class Sample:
    """One row: a file, what it is, and whether its picture and its voice are genuine.

    ``person`` joins the identities in it with ``+`` (a swap holds two). ``root`` is the folder
    that a relative ``path`` starts from.
    """

    path: str
    kind: str
    split: str = ""
    label: str = ""
    video_label: str = ""
    audio_label: str = ""
    source: str = ""
    method: str = ""
    person: str = ""
    note: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    root: Path = Path()

    @property
    def file(self) -> Path:
        """Where the file lies."""
        return self.root / self.path

    @property
    def people(self) -> tuple[str, ...]:
        """The identities in the file; empty when nobody is named."""
        return tuple(name.strip() for name in self.person.split("+") if name.strip())

    @property
    def picture_truth(self) -> str:
        """``real``, ``fake``, or empty where the label of the picture is not known.

        Its own column decides. Else ``label`` does, unless it says fake and the voice is known to
        be the fake part: then nobody said anything about the picture.
        """
        if self.video_label or self.kind == "audio":
            return self.video_label
        return "" if self.label == "fake" and self.audio_label == "fake" else self.label

    @property
    def voice_truth(self) -> str:
        """``real``, ``fake``, or empty where the label of the voice is not known.

        A video that is called fake as a whole is taken for a fake picture, as in nearly every
        collection: its voice is unknown unless its own column says otherwise.
        """
        if self.audio_label or self.kind == "face":
            return self.audio_label
        return "" if self.label == "fake" and self.kind == "video" else self.label

    @property
    def sync_truth(self) -> str:
        """``real``, ``fake``, or empty where nobody said whether lips and sound belong together.

        The column ``sync_label`` decides, as `seamline forge` writes it. Without one a video that
        is real as a whole is real in this too.
        """
        if self.kind != "video":
            return ""
        told = self.extra.get("sync_label", "").strip()
        return told or ("real" if self.label == "real" else "")


def read_manifest(
    path: str | Path, root: str | Path | None = None, split: str | None = None
) -> list[Sample]:
    """Reads the samples of a manifest, all of them or those of one split.

    Relative paths start from ``root`` (default: the manifest's folder) and must stay inside it;
    absolute paths are taken as they are. Raises ``BadManifest`` naming line, column and value.
    """
    table = Path(path)
    base = table.parent if root is None else Path(root)
    samples: list[Sample] = []
    first_lines: dict[str, int] = {}
    for line, cells in _rows(table):
        where = f"{table}, line {line}"
        sample = _sample(cells, base, where)
        if sample.path in first_lines:
            raise BadManifest(
                f"{where}: column path repeats {sample.path!r} of line {first_lines[sample.path]}. "
                "Keep one row a file."
            )
        first_lines[sample.path] = line
        samples.append(sample)
    if split is None:
        return samples
    chosen = [sample for sample in samples if sample.split == split]
    if not chosen:
        known = ", ".join(sorted({sample.split for sample in samples} - {""})) or "none"
        raise BadManifest(f"{table} has no row of split {split!r}. Its splits: {known}.")
    return chosen


def write_manifest(path: str | Path, samples: Sequence[Sample]) -> None:
    """Writes samples as CSV, the promised columns first; the file appears whole or not at all."""
    further = list(dict.fromkeys(name for sample in samples for name in sample.extra))
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *further])
        for sample in samples:
            known = [getattr(sample, name) for name in COLUMNS]
            writer.writerow([*known, *(sample.extra.get(name, "") for name in further)])
    unfinished.replace(target)


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields each row's line number and cells, checked for shape only."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(table, header)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise BadManifest(
                        f"{table}, line {reader.line_num}: found {len(cells)} cells, but the "
                        f"header names {len(header)} columns. Quote cells that hold a comma."
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except OSError as error:
        raise BadManifest(f"Cannot open the manifest {table}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadManifest(f"{table} is not UTF-8 text ({error}). Save it as UTF-8 CSV.") from error
    except csv.Error as error:
        raise BadManifest(f"{table}, line {reader.line_num}: not valid CSV: {error}.") from error


def _check_header(table: Path, header: Iterable[str]) -> None:
    names = list(header)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        found = ", ".join(name for name in names if name) or "nothing"
        raise BadManifest(
            f"{table} lacks the column {' and '.join(missing)}. Its first line must name the "
            f"columns, at least {', '.join(REQUIRED)}; found: {found}."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadManifest(f"{table} names the column {', '.join(twice)} more than once.")


def _sample(cells: dict[str, str], root: Path, where: str) -> Sample:
    known = {name: cells.get(name, "").strip() for name in COLUMNS}
    known["path"] = cells["path"]  # a name may begin or end with a space
    for column, allowed in ALLOWED.items():
        found = cells.get(column, "").strip()
        if found not in allowed:
            choice = ", ".join(value or "(empty)" for value in allowed)
            raise BadManifest(f"{where}: column {column} holds {found!r}; allowed: {choice}.")
    if not known["path"].strip():
        raise BadManifest(f"{where}: column path is empty. Give the file's path.")
    inside = os.path.normpath(known["path"])
    if not os.path.isabs(inside) and inside.split(os.sep)[0] == os.pardir:
        raise BadManifest(
            f"{where}: column path holds {known['path']!r}, which leaves the root {root}. "
            "Give a path inside it, another --root, or an absolute path."
        )
    parts = ("video_label", "audio_label", "sync_label")
    fakes = [name for name in parts if cells.get(name, "").strip() == "fake"]
    if known["label"] == "real" and fakes:
        raise BadManifest(
            f"{where}: column label says real, but {' and '.join(fakes)} says fake. "
            "A file is real only when all of it is."
        )
    extra = {name: cell for name, cell in cells.items() if name and name not in COLUMNS}
    return Sample(**known, extra=extra, root=root)
