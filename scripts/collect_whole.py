"""Collects FaceForensics++ clips at their whole length, where a manifest holds their beginnings.

In: a manifest whose FaceForensics++ files are cut short, and clones of the repositories that hold
them whole; out: those of the training split, as files and a manifest with the same labels, people
and methods, as `seamline prepare` takes it. Ten times the frames of the same people, so that
training meets other moments of them. Nobody of the other splits is collected.

    git clone --bare https://github.com/OWNER/NAME CLONES/OWNER+NAME       # for each of --list
    python scripts/collect_whole.py CLONES MANIFEST.csv --out whole
    seamline prepare whole/manifest.csv --out cache/whole --kind video --size-px 320
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from collect_genuine import LEAST_BYTES, find_clone, git
from seamline.data.manifest import Sample, read_manifest, write_manifest

FAMILY = "FaceForensics++"
REPOSITORIES = ("MoSahil147/DeepFake-datasets", "mudouble/FaceForensics-Detection_Website")
PATHS = re.compile(r"(?P<method>\w+)/(?P<coding>c\d\d)/videos/(?P<name>[\d_]+\.mp4)$")
ORIGINALS = "youtube"  # the folder of genuine clips; `actors` belongs to another set


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clones", type=Path, nargs="?", help="folder of clones named OWNER+NAME")
    parser.add_argument("manifest", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path("whole"))
    parser.add_argument("--list", action="store_true", help="name the repositories and stop")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(REPOSITORIES))
        return
    if arguments.clones is None or arguments.manifest is None:
        parser.error("name the folder of clones and the manifest, or --list the repositories")
    known = {
        key_of(sample): sample
        for sample in read_manifest(arguments.manifest)
        if sample.source.startswith(FAMILY) and sample.split == "train"
    }
    samples: list[Sample] = []
    for repository in REPOSITORIES:
        clone = find_clone(arguments.clones, repository)
        if clone is None:
            print(f"left out: no clone of {repository}", file=sys.stderr)
            continue
        found = list(collect(clone, repository, known, arguments.out))
        print(f"{len(found)} files of {repository}", flush=True)
        samples += found
    if not samples:
        parser.error(f"{arguments.clones} holds no whole clip of {arguments.manifest}'s")
    write_manifest(arguments.out / "manifest.csv", samples)
    print(f"{len(samples)} files, {arguments.out / 'manifest.csv'}")


def key_of(sample: Sample) -> tuple[str, str, str]:
    """Give method (that of genuine clips is a folder's name), coding and file name of a row."""
    return (sample.method or ORIGINALS, sample.source.split()[-1], Path(sample.path).name)


def collect(
    clone: Path, repository: str, known: dict[tuple[str, str, str], Sample], out: Path
) -> Iterator[Sample]:
    """Write the whole clips of the manifest's files that a clone has, and give a row for each."""
    listed = git(clone, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode(errors="replace")
    for path in sorted(listed.split("\0")):
        found = PATHS.search(path)
        sample = known.get((found["method"], found["coding"], found["name"])) if found else None
        if found is None or sample is None:
            continue
        data = git(clone, "show", f"HEAD:{path}")
        if len(data) < LEAST_BYTES:  # absent from the clone, or a pointer to a large file
            continue
        name = Path(repository.replace("/", "+")) / found["coding"] / found["method"]
        (out / name).mkdir(parents=True, exist_ok=True)
        (out / name / found["name"]).write_bytes(data)
        yield replace(sample, path=str(name / found["name"]), root=out, extra={})


if __name__ == "__main__":
    main()
