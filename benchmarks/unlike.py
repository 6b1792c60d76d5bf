"""Tells what a scan says of faces that are no filmed people: prints a table.

    python benchmarks/unlike.py FOLDER [--model DIR] [--rows rows.json]

FOLDER has one folder a category (paintings, cartoons …) with pictures and clips;
`benchmarks/unlike.csv` names those that docs/results/unlike.md was measured on, by repository and
file. Of each file the face that is strangest counts, by what the model's picture graph says of its
crops; a file in which no face is found counts apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from seamline import Detector
from seamline.clips.extract import extract
from seamline.zoo.bundle import Bundle

FOUND = ("called fake", "called real", "not judged", "no face found")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--rows", type=Path, help="JSON file for each file's outcome")
    arguments = parser.parse_args()
    detector = Detector.load(arguments.model, threads=1)
    rows = []
    for path in sorted(p for p in arguments.folder.glob("*/*") if p.is_file()):
        verdict = detector.scan(path)
        strange = strangest(detector.bundle, path) if verdict.people else None
        if verdict.error or (not verdict.people and verdict.label == "inconclusive"):
            outcome = "no face found"
        elif verdict.video.fake_probability is None:
            outcome = "not judged" if verdict.people else "no face found"
        else:
            outcome = "called real" if verdict.label == "real" else "called fake"
        told = verdict.video.reason or "; ".join(verdict.warnings)
        rows.append(
            {"category": path.parent.name, "file": path.name, "outcome": outcome,
             "probability": verdict.fake_probability, "strangeness": strange, "told": told}
        )  # fmt: skip
    if arguments.rows:
        arguments.rows.write_text(json.dumps(rows, indent=1) + "\n")
    show(rows)


def strangest(bundle: Bundle, path: Path) -> float | None:
    """Give the highest mean strangeness of a file's faces; None where the model knows none."""
    found = defaultdict(list)
    for clip in extract(path, bundle.contract, threads=1):
        if clip.faces is not None:
            strange = bundle.score_faces(clip.faces.crops).strangeness
            if strange is not None:
                found[clip.faces.track].append(float(strange.mean()))
    return max((float(np.mean(each)) for each in found.values()), default=None)


def show(rows: list[dict[str, object]]) -> None:
    """Print a line a category."""
    categories = sorted({str(row["category"]) for row in rows})
    print(f"{'':12} {'files':>6} " + " ".join(f"{name:>14}" for name in FOUND) + "  strangeness")
    for category in [*categories, "all"]:
        mine = [row for row in rows if category in (row["category"], "all")]
        counts = Counter(row["outcome"] for row in mine)
        strange = [row["strangeness"] for row in mine if row["strangeness"] is not None]
        spread = np.quantile(strange, (0.1, 0.5, 0.9)).round(2).tolist() if strange else []
        cells = " ".join(f"{counts[name]:>14}" for name in FOUND)
        print(f"{category:12} {len(mine):>6} {cells}  {spread}")


if __name__ == "__main__":
    main()
