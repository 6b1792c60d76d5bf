"""Asks where in the spectrum synthesis shows: a sound cache in, a probe's AUC on val out.

    python scripts/paper_sound_probe.py cache/audio

A logistic regression reads the mean and the spread of each log-mel band over a file: of all bands,
or only of those below 500 Hz, which is all that one amplitude a millisecond can carry. Levels are
relative to the file's own. The strength of the penalty is chosen on the held-out fold, not on val.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from seamline.data.manifest import Sample
from seamline.data.splits import identity_groups
from seamline.evaluation.intervals import bootstrap_auc
from seamline.evaluation.metrics import roc_auc
from seamline.training.config import TrainConfig
from seamline.training.voice_data import VoiceData
from seamline.training.voice_entries import VoiceEntry
from seamline.voice.logmel import LogMelSettings, log_mel

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
LOW_HZ = 500.0


def describe(entries: list[VoiceEntry], mel: LogMelSettings, bands: int) -> np.ndarray:
    """Mean and spread of the first bands of each file, less the mean level of those bands."""
    rows = []
    for entry in entries:
        part = log_mel(entry.samples, mel)[:bands]
        part = part - part.mean()
        rows.append(np.concatenate([part.mean(axis=1), part.std(axis=1)]))
    return np.stack(rows)


def main(cache: Path) -> None:
    """Print a Markdown table."""
    data = VoiceData(TrainConfig(branch="voice", cache=str(cache)))
    mel = data.contract.mel
    low = int(np.ceil(mel.mels * (LOW_HZ - mel.low_hz) / (mel.high_hz - mel.low_hz)))
    sets = {"train": data.train, "holdout": data.holdout, "val": data.val}
    labels = {name: np.array([e.fake for e in part], int) for name, part in sets.items()}
    people = identity_groups([Sample(e.path, "audio", person=e.person) for e in data.val])
    print("| bands | train AUC | holdout AUC | val AUC | 95 % |\n|---|---|---|---|---|")
    for name, bands in ((f"below {LOW_HZ:g} Hz", low), ("all", mel.mels)):
        found = {k: describe(part, mel, bands) for k, part in sets.items()}
        scaler = StandardScaler().fit(found["train"])
        found = {k: scaler.transform(rows) for k, rows in found.items()}
        models = [
            LogisticRegression(C=c, class_weight="balanced", max_iter=2000).fit(
                found["train"], labels["train"]
            )
            for c in STRENGTHS
        ]
        held = [roc_auc(labels["holdout"], m.decision_function(found["holdout"])) for m in models]
        best = models[int(np.argmax(held))]
        scores = {k: best.decision_function(rows) for k, rows in found.items()}
        span = bootstrap_auc(
            labels["val"], scores["val"], np.random.default_rng(20240607), groups=people
        )
        cells = [f"{roc_auc(labels[k], scores[k]):.3f}" for k in ("train", "holdout", "val")]
        print(f"| {name} | {' | '.join(cells)} | {span.low:.2f}–{span.high:.2f} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
