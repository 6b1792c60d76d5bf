"""Which of these files should a person look at first, and where in them?

    python examples/triage.py FOLDER [--least 0.5]

Scans every media file below a folder and prints the suspicious ones, the most suspicious first,
each with the stretch to look at; what could not be judged comes last, with its reason. For
thousands of files `seamline scan FOLDER --out results.jsonl --resume --jobs N` keeps the verdicts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seamline import Detector
from seamline.errors import UnreadableMedia
from seamline.scoring.verdict import Verdict

ENDINGS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".wav", ".mp3", ".m4a", ".flac", ".jpg", ".png"}

MOST_TOLD = 0.99  # nothing is certain


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=float, default=0.5, help="least probability to be listed")
    arguments = parser.parse_args()
    detector = Detector.load()
    verdicts: list[Verdict] = []
    unread: list[str] = []
    for path in sorted(arguments.folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            try:
                verdicts.append(detector.scan(path))
            except UnreadableMedia as error:
                unread.append(f"not read    {path}: {error.reason}")
    judged = [(v.fake_probability, v) for v in verdicts if v.fake_probability is not None]
    listed = sorted((one for one in judged if one[0] >= arguments.least), key=lambda one: -one[0])
    for chance, verdict in listed:
        print(f"{min(chance, MOST_TOLD):4.0%}  {verdict.label:12}  {verdict.path}{place(verdict)}")
    quiet = len(judged) - len(listed)
    print(f"{quiet} files below {arguments.least:.0%}: little or nothing found, which is no proof")
    for verdict in verdicts:
        if verdict.fake_probability is None:
            print(f"not judged  {verdict.path}: {verdict.video.reason or verdict.audio.reason}")
    print("\n".join(unread), end="\n" if unread else "")


def place(verdict: Verdict) -> str:
    """Name the most suspicious stretch and its sense."""
    if not verdict.segments:
        return ""
    worst = max(verdict.segments, key=lambda segment: segment.fake_probability)
    sense = {"video": "picture", "audio": "voice", "sync": "synchrony"}[worst.modality]
    return f"  look at {worst.start_seconds:.1f}-{worst.stop_seconds:.1f} s ({sense})"


if __name__ == "__main__":
    main()
