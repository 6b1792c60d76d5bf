"""Leaves whole families of speech generators out of the voice's training, and judges them.

Caches of sound in; for each fold of families a list for `leave_out` out: what is held out to be
judged (all speech on its pages) and what is dropped (its families' speech elsewhere, cleaned pieces
of unknown pages). So neither a judged page nor a recording on it was trained on, nor anything of
a family that is left out. A page belongs to the fold of the family that it shows most. After a run
for each list, its held-out files' AUC and equal error rate out, by family; what other families
say on the same pages stands beside it: as new a page, a known family.

    python benchmarks/voice_families.py lists cache/sound cache/voice-extra --out lists
    seamline train configs/small-voice-families.yaml --set leave_out=listed=lists/vocoders.csv
    python benchmarks/voice_families.py report runs/families-*

A system's family is read off its name, by the first rule of voice_families.csv that matches;
"other" is trained on in every fold. Where a page does not say which vocoder its acoustic model
spoke through, a vocoder of a family that is left out may have been heard under another name.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seamline.clips.cache import read_cache
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import equal_error_rate, roc_auc
from seamline.training.folds import sample_of

Row = dict[str, Any]

RULES = Path(__file__).with_suffix(".csv")
OTHER = "other"
FOLDS = {
    "vocoders": ("GAN vocoder", "autoregressive or flow vocoder"),
    "codecs": ("codec", "language model"),
    "conversion": ("voice conversion", "end-to-end variational", "diffusion"),
    "acoustic": ("acoustic model", "classical"),
}
"""Families that share parts are left out together: language models speak through codecs."""
MADE_HERE = {"acoustic": ("made:griffin-lim", "made:world")}
"""Copies that training makes itself by what a fold leaves out."""
CLEANED = "Cleaned"
"""How sources of pieces begin whose page of origin is not kept (`cleaned_speech.py`)."""
MANIFEST = "audio/"
"""How paths of the research manifest's sound begin."""


@dataclass(frozen=True)
class Piece:
    """One file of the caches."""

    path: str
    source: str
    family: str
    """Empty where it is genuine."""
    person: str


def read_rules(path: Path = RULES) -> list[tuple[re.Pattern[str], str]]:
    """Read the rules: a pattern of a system's name in small letters, and its family."""
    with path.open(newline="") as file:
        return [(re.compile(row["pattern"]), row["family"]) for row in csv.DictReader(file)]


def family_of(system: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """Return the family of a system by its name."""
    name = system.lower()
    return next((family for pattern, family in rules if pattern.search(name)), OTHER)


def read_pieces(caches: Iterable[Path]) -> list[Piece]:
    """Read the train split of caches of sound: files with a truth for the voice."""
    rules, found = read_rules(), {}
    for cache in caches:
        for clip in read_cache(cache):
            sample = sample_of(clip)
            if clip.error is not None or not sample.voice_truth or sample.split == "val":
                continue
            fake = sample.voice_truth == "fake"
            family = family_of(sample.method, rules) if fake else ""
            found[sample.path] = Piece(sample.path, sample.source, family, sample.person)
    return list(found.values())


def pages_of(pieces: Sequence[Piece]) -> dict[str, str]:
    """Deal each page that shows synthetic speech of a known family to a fold."""
    fold_of = {family: fold for fold, families in FOLDS.items() for family in families}
    shown: dict[str, Counter[str]] = {}
    for piece in pieces:
        if piece.family in fold_of and not piece.source.startswith(CLEANED):
            shown.setdefault(piece.source, Counter())[fold_of[piece.family]] += 1
    return {page: counts.most_common(1)[0][0] for page, counts in shown.items()}


def uses_of(pieces: Sequence[Piece], fold: str) -> dict[str, str]:
    """Tell what a fold holds out and what it drops, by path."""
    pages, families, uses = pages_of(pieces), FOLDS[fold], {}
    for piece in pieces:
        on_page = pages.get(piece.source) == fold
        of_unknown_page = piece.source.startswith(CLEANED) and not piece.person
        if on_page:
            uses[piece.path] = "holdout"
        elif piece.family in families or of_unknown_page:
            uses[piece.path] = "drop"
    return uses | dict.fromkeys(MADE_HERE.get(fold, ()), "drop")


def write_lists(caches: Sequence[Path], out: Path) -> None:
    """Write a list for each fold, and print what is in it."""
    pieces = read_pieces(caches)
    out.mkdir(parents=True, exist_ok=True)
    for fold in FOLDS:
        uses = uses_of(pieces, fold)
        with (out / f"{fold}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "use"))
            writer.writerows(uses.items())
        held = [piece for piece in pieces if uses.get(piece.path) == "holdout"]
        left = [piece for piece in pieces if piece.path not in uses]
        print(
            f"{fold}: judged {_counted(held)} on {len({p.source for p in held})} pages; "
            f"trained on {_counted(left)} of {_counted(pieces)}"
        )


def _counted(pieces: Sequence[Piece]) -> str:
    fake = sum(bool(piece.family) for piece in pieces)
    return f"{len(pieces) - fake} genuine and {fake} synthetic"


def figures(rows: Sequence[Row]) -> tuple[float, float, str]:
    """AUC, equal error rate, and both as a table's cells with a bootstrap over pages."""
    labels, logits = (np.array([row[key] for row in rows]) for key in ("label", "logit"))
    pages = [row["source"] for row in rows]
    value, rate = roc_auc(labels, logits), equal_error_rate(labels, logits)
    interval = bootstrap_auc(labels, logits, np.random.default_rng(0), groups=pages)
    ends = "" if interval is None else f" ({interval.low:.3f}–{interval.high:.3f})"
    return value, rate, f"{value:.3f}{ends} | {rate:.1%}"


def print_report(runs: Sequence[Path], start: str) -> None:
    """Print each family's figures against the genuine speech of its own fold's pages."""
    rules, found = read_rules(), []
    print("| family | pages | genuine | synthetic | AUC (95 %, over pages) | EER |")
    print("|---|---:|---:|---:|---|---:|")
    for run in runs:
        scores = run / "scores.json"
        if not scores.is_file():
            raise SystemExit(
                f"{scores} is not there: {run} is no finished run. Train it to its end."
            )
        held = json.loads(scores.read_text())["holdout"]
        rows = [row for row in held if row["path"].startswith(start)]
        _require_both(rows, run, start)
        genuine = [row for row in rows if not row["label"]]
        fakes: dict[str, list[Row]] = {}
        for row in rows:
            if row["label"]:
                fakes.setdefault(family_of(row["method"], rules), []).append(row)
        fold = fold_of_run(run)
        for family in sorted(fakes.keys() & set(FOLDS[fold])):
            print_row(family, genuine, fakes[family])
        left = [row for family in FOLDS[fold] for row in fakes.get(family, [])]
        found.append(print_row(f"**{fold}: left out**", genuine, left))
        known = [r for name, some in fakes.items() if name not in FOLDS[fold] for r in some]
        if known:
            print_row("… known families, on the same pages", genuine, known)
    auc, rate = np.mean(found, axis=0)
    print(f"\nMean of {len(runs)} folds, left out: AUC {auc:.3f}, EER {rate:.1%}")


def fold_of_run(run: Path) -> str:
    """Tell the fold of a run by the list that it left out."""
    listed = json.loads((run / "config.json").read_text())["leave_out"]
    fold = Path(listed.partition("=")[2]).stem
    if fold not in FOLDS:
        raise SystemExit(
            f"{run} should have left out a list of `lists` ({', '.join(FOLDS)}), found {listed!r}."
        )
    return fold


def print_row(name: str, genuine: Sequence[Row], fakes: Sequence[Row]) -> tuple[float, float]:
    """Print a row of the table; gives its AUC and equal error rate."""
    auc, rate, cells = figures([*genuine, *fakes])
    pages = len({row["source"] for row in fakes})
    print(f"| {name} | {pages} | {len(genuine)} | {len(fakes)} | {cells} |")
    return auc, rate


def _require_both(rows: Sequence[Row], run: Path, start: str) -> None:
    labels = {row["label"] for row in rows}
    if len(labels) < 2:
        raise SystemExit(
            f"{run} should hold out genuine and synthetic speech (paths from {start!r} on), found "
            f"{len(rows)} files of {len(labels)} classes. Train it with a list of `lists`."
        )


def main() -> None:
    """Write the folds' lists, or tell what the runs made of what they left out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    lists = commands.add_parser("lists", help="write what each fold leaves out")
    lists.add_argument("caches", nargs="+", type=Path)
    lists.add_argument("--out", type=Path, required=True)
    report = commands.add_parser("report", help="figures of runs that left a list out")
    report.add_argument("runs", nargs="+", type=Path)
    report.add_argument(
        "--manifest-only", action="store_true", help="only files of the research manifest"
    )
    asked = parser.parse_args()
    if asked.command == "lists":
        write_lists(asked.caches, asked.out)
    else:
        print_report(asked.runs, MANIFEST if asked.manifest_only else "")


if __name__ == "__main__":
    main()
