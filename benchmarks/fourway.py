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

from forged_logits import BRANCHES, STEP_SECONDS, Scored, load, read_scored, table
from seamline.evaluation.four_way import TRUTHS
from seamline.scoring.branch import Branch
from seamline.scoring.decide import BESIDE_ANOTHER
from seamline.scoring.sense import sense_splices
from seamline.scoring.timeline import FineLogits
from segments import halves

SHARPNESSES = (0.0, 0.5, 1.0, 4.0)
THRESHOLDS = np.arange(-3.0, 6.1, 0.5)

Rule = dict[str, tuple[float, float, float]]
"""By sense: the sharpness, the logit from which it calls a fake, that from which it joins one."""
Splices = dict[str, Branch]
"""The branches of the senses whose stretches that stand out are judged."""


def told(file: Scored, rule: Rule, splices: Splices) -> str:
    """Give the label that a rule gives a file; a sense without a logit calls nothing."""
    called, joining = {}, {}
    for sense, (sharpness, threshold, joins) in rule.items():
        logit = file.pooled(sense, sharpness)
        found = sense in splices and any(
            sense_splices(
                FineLogits(lane.seconds, lane.logits, STEP_SECONDS[sense]), splices[sense]
            )
            for lane in file.lanes[sense]
        )
        called[sense] = found or (logit is not None and logit >= threshold)
        joining[sense] = found or (logit is not None and logit >= min(threshold, joins))
    if any(called.values()):
        called = joining
    names = {(True, True): "fake_both", (True, False): "fake_video", (False, True): "fake_audio"}
    return names.get((called.get("video", False), called.get("audio", False)), "real")


def confusion(
    files: Sequence[Scored], rule: Rule, splices: Splices | None = None
) -> Counter[tuple[str, str]]:
    """Count truths and what was told."""
    return Counter((file.four_way or "", told(file, rule, splices or {})) for file in files)


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
            logit_of(branch.threshold, branch),
            logit_of(BESIDE_ANOTHER, branch),
        )
        for sense, branch in branches.items()
    }


def logit_of(probability: float, branch: Branch) -> float:
    """Give the raw logit that a branch calibrates to a probability."""
    at = branch.calibration
    return at.temperature * (math.log(probability / (1 - probability)) - at.bias)


def best_rule(files: Sequence[Scored], branches: dict[str, Branch]) -> Rule:
    """Choose sharpness and threshold of each sense; senses join others as in the bundle."""
    joins = {sense: logit_of(BESIDE_ANOTHER, branch) for sense, branch in branches.items()}
    choices = [(r, float(t)) for r, t in itertools.product(SHARPNESSES, THRESHOLDS)]

    def merit(rule: Rule) -> tuple[float, float]:
        counts = confusion(files, rule)
        return -accused(counts), macro_f1(counts)

    video = max(
        choices,
        key=lambda choice: merit({"video": (*choice, joins["video"])}),
    )
    rule: Rule = {"video": (*video, joins["video"])}
    audio = max(choices, key=lambda choice: merit(rule | {"audio": (*choice, joins["audio"])}))
    return rule | {"audio": (*audio, joins["audio"])}


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
    splices = {sense: b for sense, b in branches.items() if b.splices is not None}
    print(show("As shipped", confusion(files, shipped_rule(branches), splices)))
    added: Counter[tuple[str, str]] = Counter()
    for chosen_on, told_on in itertools.permutations(halves(files)):
        rule = best_rule(chosen_on, branches)
        added += confusion(told_on, rule)
        words = ", ".join(f"{sense} r = {r:g} from {t:g}" for sense, (r, t, _) in rule.items())
        print(f"chosen: {words}\n")
    print(show("Chosen on the other half", added))


if __name__ == "__main__":
    main()
