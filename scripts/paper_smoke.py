"""Trains every config of configs/paper for two steps on made-up media, exports it and scans.

In: nothing but the configs. Out: one line a config with the largest difference between ONNX
Runtime and torch, and the verdict on a made-up clip where the run judges anything; the exit status
is 1 if a difference exceeds 0.001 or a verdict has no probability.

    python scripts/paper_smoke.py [FOLDER]
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from seamline.detector import Detector
from seamline.scoring.verdict import Verdict
from seamline.training.config import read_config
from seamline.training.export import Run, bundle_branch
from seamline.training.finish import finish
from seamline.training.fit import fit

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "configs" / "paper"
FIRST = ("02-autoencoder-faces", "11-frame-classifier")
LAST = ("07-fusion", "07-fusion-best")
"""The others build on the first; the last build on others."""
SIZE_PX = 32
JOBS = 2
"""Configs at a time: exporting, which takes most of it, uses one core."""


def ordered_configs() -> list[list[Path]]:
    """Group the configs so that each comes after those that it builds on."""
    names = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    middle = [name for name in names if name not in FIRST + LAST]
    return [[CONFIGS / f"{name}.yaml" for name in group] for group in (FIRST, middle, LAST)]


def make_media(folder: Path) -> Path:
    """Write a clip cache of made-up faces, one of tones, and videos with a manifest.

    Returns a clip of a face and something like a voice, to scan.
    """
    sys.path.insert(0, str(ROOT / "tests"))
    from cache_factory import write_cache
    from seamline.data.demo_clips import read_portrait
    from seamline.media.write import write_video

    write_cache(folder / "video")
    write_cache(folder / "audio", sound=True)
    generator = np.random.default_rng(0)
    lines = ["path,kind,split,label,video_label,audio_label,source,method,person,note"]
    for person in range(4):
        for label in ("real", "fake"):
            name = f"{person}-{label}.mp4"
            frames = [generator.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(10)]
            write_video(folder / name, frames, 10.0)
            split = "val" if person == 3 else "train"
            lines.append(f"{name},video,{split},{label},{label},,made up,,p{person},")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    portrait = cv2.resize(read_portrait(), (256, 256), interpolation=cv2.INTER_AREA)
    write_video(folder / "talk.mp4", [portrait] * 20, 10.0, samples=_buzz(2.0))
    return folder / "talk.mp4"


def _buzz(seconds: float) -> np.ndarray:
    """Harmonics of a gliding pitch in syllables: enough for speech activity."""
    time_axis = np.arange(int(seconds * 16000)) / 16000
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * time_axis)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    voiced = sum(np.sin(k * phase) / k for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_axis) + 0.3, 0, 1)
    return (0.2 * voiced * syllables).astype(np.float32)


@dataclass(frozen=True)
class Outcome:
    """What came of one config."""

    difference: float
    """Largest difference between ONNX Runtime and torch."""
    verdict: Verdict | None
    """None where the run judges nothing."""
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the graph is torch's, and a sense that can judge gave a probability."""
        return self.difference <= 1e-3 and (self.verdict is None or bool(self.chances))

    @property
    def chances(self) -> list[float]:
        """What the senses that were examined say."""
        senses = () if self.verdict is None else (self.verdict.video, self.verdict.audio)
        return [s.fake_probability for s in senses if s.fake_probability is not None]


def smoke_all(folder: Path) -> Iterator[tuple[str, Outcome]]:
    """Smoke every config, a few at a time; yields name and outcome."""
    clip = make_media(folder)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(JOBS, mp_context=context) as pool:
        for group in ordered_configs():
            made = pool.map(smoke, group, [folder] * len(group), [clip] * len(group))
            yield from zip([path.stem for path in group], made, strict=True)


def smoke(path: Path, folder: Path, clip: Path) -> Outcome:
    """Train one config for two steps, export it, and scan a clip with it."""
    warnings.filterwarnings("ignore")
    started = time.monotonic()
    run = Run.read(fit(read_config(path, _shrunk(path, folder))))
    difference = finish(run.folder).difference
    verdict = None
    if bundle_branch(run.config) is not None:
        verdict = Detector.load(run.folder / "bundle", threads=1).scan(clip)
    return Outcome(difference, verdict, time.monotonic() - started)


def _shrunk(path: Path, folder: Path) -> list[str]:
    """Overrides that make a config small and let it read the made-up media."""
    config = read_config(path)
    hears = config.branch in ("voice", "sound_autoencoder")
    small = {
        "cache": folder / ("audio" if hears else "video"),
        "audio_cache": folder / "audio",
        "manifest": folder / "manifest.csv",
        "out": folder / "runs",
        "epochs": 1,
        "steps_per_epoch": 2,
        "batch_size": 2 if config.model.frames == "whole" else 4,
        "validate_every_epochs": 1,
        "size_px": SIZE_PX,
        "folds": 3,
        "threads": 1,
        "accelerator": "cpu",
        "initial": "random",
        "genuine": "{}",
        "forged": "{}",
    }
    for key in ("encoder_run", "video_run", "audio_run"):
        if built_on := getattr(config, key):
            small[key] = folder / "runs" / Path(built_on).name
    return [f"{key}={value}" for key, value in small.items()]


def main(folder: Path) -> int:
    """Run all; returns the exit status."""
    bad = 0
    for name, made in smoke_all(folder):
        bad += not made.good
        told = "judges nothing"
        if made.verdict is not None:
            told = f"{made.verdict.label} at {', '.join(f'{p:.2f}' for p in made.chances)}"
        print(f"{name}: {made.difference:.1e}, {told}, in {made.seconds:.1f} s", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(Path(made)))
