"""Collects speech, genuine and synthetic, of public repositories, labelled as a list says.

`benchmarks/speech_train.csv` names what the voice trains on: repository (`OWNER/NAME@BRANCH` for
another branch than a clone's own), pattern of paths (`*` matches `/` too; a repository's first row
that matches decides), label (`real`, `fake` or `skip`) and system. `benchmarks/speech_judge.csv`
names single files, on which thresholds are placed and nothing is trained. In: clones of the
repositories; out: pieces of at most 4.5 s (of files of one name at one place) and a manifest, whose
column `original` names the genuine recording of a synthetic one's name.

    python scripts/collect_speech.py --repositories > repositories.txt    # OWNER/NAME, one a line
    git clone --bare https://github.com/OWNER/NAME CLONES/OWNER+NAME
    python scripts/collect_speech.py CLONES --out speech
    python scripts/collect_speech.py CLONES --list benchmarks/speech_judge.csv --out judge
    seamline prepare speech/manifest.csv --out cache/voice-extra --kind audio

What a clone lacks, or what does not decode or is short, is counted and left out; a piece that is
there already stays. Of patterns' files that are the same to the byte the first is taken; files that
a list names are all taken, and whole.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from collect_genuine import find_clone, git
from seamline.data.manifest import Sample, write_manifest
from seamline.errors import SeamlineError
from seamline.media.audio import read_audio
from seamline.media.write import write_audio

LIST = Path(__file__).parents[1] / "benchmarks" / "speech_train.csv"
SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".opus", ".webm")
RATE_HZ = 16000
MOST_SECONDS, LEAST_SECONDS, LEAST_BYTES = 4.5, 1.0, 8000
OF_A_SYSTEM, OF_A_CORPUS = 16, 40
"""Files of one system, of one corpus of genuine speech, within a repository: varied, not many."""


@dataclass(frozen=True)
class Rule:
    """What the files are whose path matches."""

    pattern: str
    label: str
    system: str = ""
    person: str = ""
    is_path: bool = False

    def matches(self, path: str) -> bool:
        return path == self.pattern if self.is_path else fnmatchcase(path, self.pattern)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clones", type=Path, nargs="?", help="folder of clones named OWNER+NAME")
    parser.add_argument("--list", type=Path, default=LIST, help="table of patterns or of paths")
    parser.add_argument("--out", type=Path, default=Path("speech"))
    parser.add_argument("--split", default="train", help="split of the manifest's rows")
    parser.add_argument("--repositories", action="store_true", help="name them and stop")
    arguments = parser.parse_args()
    rules = read_rules(arguments.list)
    if arguments.repositories:
        print("\n".join(dict.fromkeys(name.partition("@")[0] for name in rules)))
        return
    if arguments.clones is None:
        parser.error("name the folder of clones, or name its --repositories to clone")
    samples: list[Sample] = []
    seen: set[str] = set()
    for repository, own in rules.items():
        name, _, branch = repository.partition("@")
        clone = find_clone(arguments.clones, name)
        if clone is None:
            print(f"left out: no clone of {name}", file=sys.stderr)
            continue
        blobs = list_sounds(clone, branch)
        paths = sorted(blobs) if own[0].is_path else without_twins(blobs, seen)
        named = list(choose(paths, own))
        found = [
            sample
            for path, rule in named
            if (sample := collect(clone, blobs[path], path, rule, name, arguments)) is not None
        ]
        count = Counter(sample.audio_label for sample in found)
        lost = f", {len(named) - len(found)} unusable" if len(found) < len(named) else ""
        print(f"{repository}: {count['real']} genuine, {count['fake']} synthetic{lost}", flush=True)
        samples += with_originals(found)
    if not samples:
        parser.error(f"{arguments.clones} holds none of the clones; --repositories names them")
    write_manifest(arguments.out / "manifest.csv", samples)
    print(f"{len(samples)} files, {arguments.out / 'manifest.csv'}")


def read_rules(path: Path) -> dict[str, list[Rule]]:
    """Give each repository's rules, in the order of the table."""
    rules: dict[str, list[Rule]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["label"] not in ("real", "fake", "skip"):
                raise ValueError(f"{path}: label must be real, fake or skip, got {row['label']!r}")
            is_path = "path" in row
            pattern = row["path"] if is_path else row["pattern"]
            system = row.get("system") or row.get("method") or ""
            rules[row["repository"]].append(
                Rule(pattern, row["label"], system, row.get("person") or "", is_path)
            )
    return dict(rules)


def list_sounds(clone: Path, branch: str) -> dict[str, str]:
    """Give the sound files of a clone's branch with what git calls their content."""
    places = (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}") if branch else ("HEAD",)
    listings = (git(clone, "ls-tree", "-r", "-z", place) for place in places)
    listed = next(filter(None, listings), b"").decode(errors="replace")
    rows = (row.partition("\t")[::2] for row in listed.split("\0") if row)
    return {path: head.split()[2] for head, path in rows if path.lower().endswith(SOUNDS)}


def without_twins(blobs: dict[str, str], seen: set[str]) -> list[str]:
    """Leave out what is the same to the byte as a file before it, of any repository."""
    firsts = []
    for path in sorted(blobs):
        if blobs[path] not in seen:
            seen.add(blobs[path])
            firsts.append(path)
    return firsts


def choose(paths: list[str], rules: list[Rule]) -> Iterator[tuple[str, Rule]]:
    """Pair paths with the first rule that matches; of many of one system take some at random."""
    alike: dict[tuple[str, str], list[tuple[str, Rule]]] = defaultdict(list)
    for path in paths:
        rule = next((rule for rule in rules if rule.matches(path)), None)
        if rule is not None and rule.label != "skip":
            alike[rule.label, rule.system].append((path, rule))
    for (label, _), found in alike.items():
        most = OF_A_SYSTEM if label == "fake" else OF_A_CORPUS
        if len(found) > most and not found[0][1].is_path:
            found = sorted(found, key=lambda pair: (draw_of(pair[0]), pair[0]))[:most]
        yield from found


def collect(
    clone: Path, blob: str, path: str, rule: Rule, repository: str, arguments: argparse.Namespace
) -> Sample | None:
    """Write a file's piece unless it is there, and give its row; None where it is of no use."""
    name = Path(repository.replace("/", "+")) / (re.sub(r"[^\w./-]", "_", path) + ".wav")
    target = arguments.out / name
    if not target.exists():
        samples = decode(git(clone, "cat-file", "blob", blob), target, Path(path).suffix)
        if samples is not None and not rule.is_path:
            samples = piece_of(samples, draw_of(path))
        if samples is None or len(samples) < LEAST_SECONDS * RATE_HZ or not np.any(samples):
            return None
        write_audio(target, samples, RATE_HZ)
    return Sample(
        str(name), "audio", arguments.split, rule.label, audio_label=rule.label, source=repository,
        method=rule.system if rule.label == "fake" else "", person=rule.person, root=arguments.out,
    )  # fmt: skip


def decode(data: bytes, beside: Path, ending: str) -> np.ndarray | None:
    """Give a file's sound; None where there is none, as where a clone holds but a pointer to it."""
    if len(data) < LEAST_BYTES:
        return None
    beside.parent.mkdir(parents=True, exist_ok=True)
    whole = beside.with_suffix(f".part{ending}")
    whole.write_bytes(data)
    try:
        return next(read_audio(whole, sample_rate_hz=RATE_HZ)).samples
    except (SeamlineError, ValueError):
        return None
    finally:
        whole.unlink()


def draw_of(path: str) -> float:
    """Draw a number in [0, 1) by a file's name: the same for a recording and its copies."""
    return float(np.random.default_rng(zlib.crc32(Path(path).stem.encode())).random())


def piece_of(sound: np.ndarray, place: float) -> np.ndarray:
    """Cut a piece out, from the beginning (0) to the end (1)."""
    most = round(MOST_SECONDS * RATE_HZ)
    start = round(place * max(0, len(sound) - most))
    return sound[start : start + most]


def with_originals(samples: list[Sample]) -> list[Sample]:
    """Name the genuine recording of a synthetic one's name, which it may say again."""
    genuine = {name_of(s.path): s.path for s in samples if s.audio_label == "real"}
    return [
        replace(sample, extra={"original": genuine.get(name_of(sample.path), "")})
        if sample.audio_label == "fake"
        else sample
        for sample in samples
    ]


def name_of(piece: str) -> str:
    return Path(Path(piece).stem).stem


if __name__ == "__main__":
    main()
