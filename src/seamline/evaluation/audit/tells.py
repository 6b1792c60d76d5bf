"""How far cues tell fakes from genuine files: cues and truths in, an AUC each out.

A cue's AUC is max(AUC, 1 - AUC), whichever way it points: 0.5 tells nothing, 1 everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from seamline.data.manifest import Sample
from seamline.data.splits import folds_by_identity
from seamline.evaluation.audit.cues import Cue, Cues, Measured
from seamline.evaluation.metrics import midranks, roc_auc

SENSES = ("picture", "voice")
LEAST_OF_A_CLASS = 3
LEAST_AUC, LEAST_ERRORS = 0.65, 3.0
FOLDS = 5
RIDGE = 1.0


@dataclass(frozen=True)
class Tells:
    """What the cues of one set tell; a set is a source's files of one kind in one split."""

    sense: str
    kind: str
    source: str | None
    """None: all sources of the split together."""
    split: str
    reals: int
    fakes: int
    cues: dict[str, float]
    """AUC of each cue by itself."""
    together: float | None
    """AUC of all cues, cross-validated over people; None where there are too few files."""

    @property
    def marked(self) -> list[str]:
        """The cues that tell, and by more than chance, the strongest first."""
        error = np.sqrt((self.fakes + self.reals + 1) / (12 * self.fakes * self.reals))
        least = max(LEAST_AUC, 0.5 + LEAST_ERRORS * float(error))
        told = [cue for cue, auc in self.cues.items() if auc >= least]
        return sorted(told, key=lambda cue: -self.cues[cue])


def tells_of(measured: Iterable[Measured]) -> list[Tells]:
    """Sum up each source and split, and each kind over all sources of a split."""
    sets: dict[tuple[str, str, str, str | None], list[tuple[Sample, Cues]]] = defaultdict(list)
    for one in measured:
        sample = one.sample
        for sense, cues in zip(SENSES, (one.picture, one.voice), strict=True):
            if cues is not None:
                sets[sense, sample.kind, sample.split, sample.source].append((sample, cues))
                whole = {**cues, "source": sample.source}
                sets[sense, sample.kind, sample.split, None].append((sample, whole))
    found = []
    for (sense, kind, split, source), members in sets.items():
        samples, cues_of = [m[0] for m in members], [m[1] for m in members]
        fake = np.array([_truth(sample, sense) == "fake" for sample in samples])
        fakes, reals = int(fake.sum()), int((~fake).sum())
        if min(fakes, reals) < LEAST_OF_A_CLASS:
            continue
        names = list(dict.fromkeys(name for cues in cues_of for name in cues))
        columns = {name: [cues.get(name) for cues in cues_of] for name in names}
        if source is None and len(set(columns["source"])) == 1:
            continue  # its own row says the same
        aucs = {name: cue_auc(column, fake) for name, column in columns.items()}
        aucs["person"] = person_auc([sample.people for sample in samples], fake)
        # Where a file is from is no property of it.
        own = [column for name, column in columns.items() if name != "source"]
        together = together_auc(own, fake, samples)
        found.append(Tells(sense, kind, source, split, reals, fakes, aucs, together))
    order = {sense: place for place, sense in enumerate(SENSES)}
    return sorted(
        found, key=lambda t: (order[t.sense], t.kind, t.source is not None, t.source or "", t.split)
    )


def _truth(sample: Sample, sense: str) -> str:
    return sample.picture_truth if sense == "picture" else sample.voice_truth


def cue_auc(cue: Sequence[Cue], fake: Bool[np.ndarray, " sample"]) -> float:
    """Give a cue's AUC, whichever way it points; what is missing is a value of its own.

    Words are ordered by their share of fakes among the other files, so that none tells itself.
    """
    if _is_words(cue):
        return person_auc([(str(value),) for value in cue], fake)
    values = _numbers(cue)
    known = values[~np.isnan(values)]
    below = float(known.min()) - 1.0 if len(known) else 0.0
    found = roc_auc(fake.astype(int), np.where(np.isnan(values), below, values))
    return max(found, 1 - found)


def person_auc(people: Sequence[Sequence[str]], fake: Bool[np.ndarray, " sample"]) -> float:
    """Give the AUC of who is in a file: of the share of fakes among the other files of its people.

    Where nobody is named, or has no other file, it is the share of all files.
    """
    files, fakes = Counter[str](), Counter[str]()
    for names, is_fake in zip(people, fake, strict=True):
        files.update(names)
        fakes.update(names if is_fake else ())
    usual = float(fake.mean())
    shares = [
        np.mean([(fakes[name] - is_fake + usual) / files[name] for name in names] or [usual])
        for names, is_fake in zip(people, fake, strict=True)
    ]
    return max(0.5, roc_auc(fake.astype(int), np.array(shares)))


def together_auc(
    columns: Sequence[Sequence[Cue]], fake: Bool[np.ndarray, " sample"], samples: Sequence[Sample]
) -> float | None:
    """Give the AUC of all cues, by a linear discriminant on their ranks and squared ranks.

    Cross-validated over people; None with fewer than ten files of a class, or too few people.
    """
    if min(fake.sum(), (~fake).sum()) < 2 * FOLDS:
        return None
    try:
        folds = np.array(folds_by_identity(samples, FOLDS, np.random.default_rng(0)))
    except ValueError:  # fewer people than folds
        return None
    design = np.concatenate([_design(column) for column in columns], axis=1)
    scores = np.zeros(len(fake))
    for fold in range(FOLDS):
        fit, held = folds != fold, folds == fold
        if len(set(fake[fit].tolist())) == 2:
            scores[held] = _discriminant(design[fit], fake[fit], design[held])
    return roc_auc(fake.astype(int), scores)


def _discriminant(
    design: Float[np.ndarray, "sample dim"],
    fake: Bool[np.ndarray, " sample"],
    asked: Float[np.ndarray, "other dim"],
) -> Float[np.ndarray, " other"]:
    """Regress ±1 by ridge with both classes weighing alike; the fit's values for ``asked``."""
    weights = np.where(fake, 0.5 / fake.mean(), 0.5 / (~fake).mean())
    whole = np.column_stack([design, np.ones(len(design))])
    weighted = whole * weights[:, None]
    penalty = RIDGE * np.eye(whole.shape[1])
    penalty[-1, -1] = 1e-9
    line = np.linalg.solve(weighted.T @ whole + penalty, weighted.T @ np.where(fake, 1.0, -1.0))
    values: np.ndarray = np.column_stack([asked, np.ones(len(asked))]) @ line
    return values


def _design(cue: Sequence[Cue]) -> Float[np.ndarray, "sample dim"]:
    """Ranks in -0.5..0.5, their squares and what is missing; of words a column each."""
    if _is_words(cue):
        words = sorted({str(value) for value in cue})
        return np.array([[str(value) == word for word in words] for value in cue], np.float64)
    values = _numbers(cue)
    missing = np.isnan(values)
    ranks = midranks(np.where(missing, 0.0, values)) / len(values) - 0.5
    ranks = np.where(missing, 0.0, ranks)
    return np.stack([ranks, ranks**2, missing.astype(np.float64)], axis=1)


def _is_words(cue: Sequence[Cue]) -> bool:
    return any(isinstance(value, str) for value in cue)


def _numbers(cue: Sequence[Cue]) -> Float[np.ndarray, " sample"]:
    return np.array([np.nan if value is None else float(value) for value in cue])
