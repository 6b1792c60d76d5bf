"""How well picture and voice are told apart on forged clips, and what other thresholds would give.

    python benchmarks/fourway.py MANIFEST.csv... [--model NAME|DIR] [--rows FILE.json]

The manifests are those of `seamline forge`; only what is genuine, or forged from end to end, is
used. Prints Markdown: the confusion with the shipped thresholds and pooling, and with those that
are best on other clips: the originals are halved by name, sharpness and threshold of each sense are
chosen on one half (the highest macro-F1 at which no genuine clip is called fake, else the fewest)
and reported on the other, both halves added up. ``--rows`` keeps the logits.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forged_logits import BRANCHES, Scored, load, read_scored, table
from seamline.evaluation.four_way import TRUTHS
from seamline.scoring.branch import Branch
from segments import halves

SHARPNESSES = (0.0, 0.5, 1.0, 4.0)
THRESHOLDS = np.arange(-3.0, 6.1, 0.5)

Rule = dict[str, tuple[float, float]]
"""By sense: the sharpness, and the logit from which it calls a fake."""


def told(file: Scored, rule: Rule) -> str:
    """Give the label that a rule gives a file; a sense without a logit calls nothing."""
    called = {}
    for sense, (sharpness, threshold) in rule.items():
        logit = file.pooled(sense, sharpness)
        called[sense] = logit is not None and logit >= threshold
    both = {(True, True): "fake_both", (True, False): "fake_video", (False, True): "fake_audio"}
    return both.get((called["video"], called["audio"]), "real")


def confusion(files: Sequence[Scored], rule: Rule) -> Counter[tuple[str, str]]:
    """Count truths and what was told."""
    return Counter((file.four_way or "", told(file, rule)) for file in files)


def macro_f1(counts: Counter[tuple[str, str]]) -> float:
    """Give the mean F1 of the four labels."""
    scores = []
    for label in TRUTHS:
        true = sum(n for (truth, _), n in counts.items() if truth == label)
        called = sum(n for (_, answer), n in counts.items() if answer == label)
        scores.append(2 * counts[label, label] / max(1, true + called))
    return sum(scores) / len(scores)


def accused(counts: Counter[tuple[str, str]]) -> float:
    """Give the share of genuine clips called fake."""
    genuine = sum(n for (truth, _), n in counts.items() if truth == "real")
    return 1 - counts["real", "real"] / max(1, genuine)


def shipped_rule(branches: dict[str, Branch]) -> Rule:
    """Give the rule of the bundle."""
    return {
        sense: (
            branch.pool_sharpness,
            branch.calibration.temperature
            * (math.log(branch.threshold / (1 - branch.threshold)) - branch.calibration.bias),
        )
        for sense, branch in branches.items()
    }


def best_rule(files: Sequence[Scored]) -> Rule:
    """Choose sharpness and threshold of each sense."""
    choices = [(r, float(t)) for r, t in itertools.product(SHARPNESSES, THRESHOLDS)]

    def merit(rule: Rule) -> tuple[float, float]:
        counts = confusion(files, rule)
        return -accused(counts), macro_f1(counts)

    video = max(
        choices,
        key=lambda choice: merit({"video": choice, "audio": (0.0, math.inf)}),
    )
    return {
        "video": video,
        "audio": max(choices, key=lambda choice: merit({"video": video, "audio": choice})),
    }


def show(title: str, counts: Counter[tuple[str, str]]) -> str:
    """Give a confusion as Markdown."""
    rows = [[truth, *(str(counts[truth, label]) for label in TRUTHS)] for truth in TRUTHS]
    return (
        f"{title}: macro-F1 {macro_f1(counts):.2f}, genuine called fake "
        f"{100 * accused(counts):.0f} %\n\n{table(['truth', *TRUTHS], rows)}"
    )


def main() -> None:
    """Score, choose, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="seamline-small")
    parser.add_argument("--rows", type=Path)
    asked = parser.parse_args()
    bundle, branches = load(asked.model)
    if set(branches) != set(BRANCHES):
        raise SystemExit(f"{asked.model} lacks a sense; this needs {' and '.join(BRANCHES)}")
    files = [
        file
        for file in read_scored(asked.manifests, bundle, asked.rows)
        if file.four_way and "splice" not in file.forgery
    ]
    print(show("As shipped", confusion(files, shipped_rule(branches))))
    added: Counter[tuple[str, str]] = Counter()
    for chosen_on, told_on in itertools.permutations(halves(files)):
        rule = best_rule(chosen_on)
        added += confusion(told_on, rule)
        words = ", ".join(f"{sense} r = {r:g} from {t:g}" for sense, (r, t) in rule.items())
        print(f"chosen: {words}\n")
    print(show("Chosen on the other half", added))


if __name__ == "__main__":
    main()
