"""Leaves out of a manifest what repeats speech on which the voice is judged.

A vocoder's copy of a judged sentence, or the sentence itself from another page, would teach the
very words. Each file's spectrogram is slid along the judged ones: band levels every 40 ms, less
their mean, over 1.9 s, or over 1 s where either is shorter; a file whose highest correlation is at
least ``--most`` (over 1 s: ``--most-short``) is left out. Other speech seldom correlates by more
than 0.9 (0.95); the same recording behind another system by 0.9 to 1.

    python scripts/repeated_speech.py speech/manifest.csv --of MANIFEST.csv --split val \\
        --of judge/manifest.csv --out speech/apart.csv

Of a judged manifest rows of kind audio are read, and those of ``--split`` where it has any.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.media.audio import read_audio
from seamline.voice.logmel import LogMelSettings, log_mel

MEL = LogMelSettings()
COLUMN_SECONDS, BANDS_JOINED = 0.04, 8
BANDS = MEL.mels // BANDS_JOINED
LONG, SHORT = 48, 24
"""Columns of a window; the short one where a piece, or what is judged, has no more."""
JUDGED_STEPS = 8
"""How often windows of judged speech begin within their length; others begin at every column."""
LEAST_NORM = 1e-6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--of", type=Path, action="append", required=True, help="judged manifest")
    parser.add_argument("--split", default="val", help="of judged manifests that have it")
    parser.add_argument("--most", type=float, default=0.88, help="correlation from which one goes")
    parser.add_argument("--most-short", type=float, default=0.95, help="the same over 1 s")
    parser.add_argument("--out", type=Path, required=True, help="manifest without the repeated")
    arguments = parser.parse_args()
    judged = [sample for path in arguments.of for sample in judged_rows(path, arguments.split)]
    bands = [levels(sample.file) for sample in judged]
    long, short = stacked(bands, LONG), stacked(bands, SHORT)
    brief = stacked([one for one in bands if one.shape[1] < LONG], SHORT)
    print(f"{len(judged)} judged files, {len(long)} windows of {LONG * COLUMN_SECONDS:.1f} s")
    kept = []
    for sample in read_manifest(arguments.manifest):
        own = levels(sample.file)
        whole = highest(own, long, LONG)
        part = highest(own, short if own.shape[1] < LONG else brief, SHORT)
        if whole < arguments.most and part < arguments.most_short:
            kept.append(sample)
        else:
            print(f"{max(whole, part):.3f} {sample.path}", flush=True)
    write_manifest(arguments.out, kept)
    print(f"{len(kept)} files, {arguments.out}")


def judged_rows(manifest: Path, split: str) -> list[Sample]:
    rows = [sample for sample in read_manifest(manifest) if sample.kind == "audio"]
    return [sample for sample in rows if sample.split == split] or rows


def stacked(bands: list[np.ndarray], columns: int) -> np.ndarray:
    """Give all windows of judged files, one a row."""
    cut = [windows(one, columns, columns // JUDGED_STEPS) for one in bands]
    return np.concatenate([np.zeros((0, BANDS * columns), np.float32), *cut])


def highest(own: np.ndarray, known: np.ndarray, columns: int) -> float:
    """Give a file's highest correlation with any of the windows; 0 where there is none."""
    found = windows(own, columns, 1) @ known.T
    return float(found.max()) if found.size else 0.0


def levels(path: Path) -> np.ndarray:
    """Read a file's band levels, bands by columns."""
    samples = next(read_audio(path, sample_rate_hz=MEL.sample_rate_hz)).samples
    mel = log_mel(samples, MEL)
    joined = round(COLUMN_SECONDS * MEL.sample_rate_hz / MEL.hop_samples)
    columns = mel.shape[1] // joined
    cut = mel[:, : columns * joined].reshape(-1, BANDS_JOINED, columns, joined)
    return cut.mean(axis=(1, 3))


def windows(bands: np.ndarray, columns: int, step: int) -> np.ndarray:
    """Cut windows, each band's mean taken off, of length one."""
    if bands.shape[1] < columns:
        return np.zeros((0, columns * len(bands)), np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(bands, columns, axis=1)[:, ::step]
    cut = cut - cut.mean(axis=2, keepdims=True)
    flat = cut.transpose(1, 0, 2).reshape(cut.shape[1], -1).astype(np.float32)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), LEAST_NORM)


if __name__ == "__main__":
    main()
