"""Trains every config of configs/paper for two steps on made-up media, exports it, compares.

In: nothing but the configs. Out: one line a config with the largest difference between ONNX
Runtime and torch; the exit status is 1 if any exceeds 0.001.

    python scripts/paper_smoke.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "configs" / "paper"
FIRST = ("02-autoencoder-faces", "11-frame-classifier")
LAST = ("07-fusion", "07-fusion-best")
"""The others build on the first; the last build on others."""
SIZE_PX = 32


def ordered_configs() -> list[Path]:
    """List the configs so that each comes after those that it builds on."""
    names = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    middle = [name for name in names if name not in FIRST + LAST]
    return [CONFIGS / f"{name}.yaml" for name in [*FIRST, *middle, *LAST] if name in names]


def make_media(folder: Path) -> None:
    """Write a clip cache of made-up faces, one of tones, and videos with a manifest."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cache_factory import write_cache
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


def smoke(path: Path, folder: Path) -> float:
    """Train one config for two steps and export it; returns the largest difference."""
    from seamline.training.config import read_config
    from seamline.training.export import Run
    from seamline.training.fit import fit

    small = {
        "cache": folder / ("audio" if "audio" in path.stem or "lstm" in path.stem else "video"),
        "audio_cache": folder / "audio",
        "manifest": folder / "manifest.csv",
        "out": folder / "runs",
        "epochs": 1,
        "steps_per_epoch": 2,
        "batch_size": 4,
        "validate_every_epochs": 1,
        "size_px": SIZE_PX,
        "folds": 3,
        "threads": 1,
        "accelerator": "cpu",
        "initial": "random",
        "genuine": "{}",
        "forged": "{}",
    }
    if "cross" in path.stem:
        small["cache"] = folder / "video"
    if "frames" in path.stem:
        small["batch_size"] = 2
    for key, value in _runs_of(path).items():
        small[key] = folder / "runs" / Path(value).name
    run = Run.read(fit(read_config(path, [f"{key}={value}" for key, value in small.items()])))
    return export(run, folder / "exports" / path.stem)


def export(run: object, out: Path) -> float:
    """Export a run as a bundle if it can be one, else as a graph; returns the difference."""
    from seamline.training.export import Run, bundle_branch, export_bundle
    from seamline.training.export_graph import export_graph

    assert isinstance(run, Run)
    if bundle_branch(run.config) is None:
        return export_graph(out, run)
    bundle = export_bundle(
        out, [run], name=out.name, version="1", card="# smoke\n", summary={}, halve=False
    )
    return max(check.largest_difference for check in bundle.replay_golden())


def _runs_of(path: Path) -> dict[str, str]:
    from seamline.training.config import read_config

    config = read_config(path)
    keys = ("encoder_run", "video_run", "audio_run")
    return {key: getattr(config, key) for key in keys if getattr(config, key)}


def main(folder: Path) -> int:
    """Run all; returns the exit status."""
    warnings.filterwarnings("ignore")
    make_media(folder)
    worst = 0.0
    for path in ordered_configs():
        start = time.monotonic()
        difference = smoke(path, folder)
        worst = max(worst, difference)
        print(f"{path.stem}: {difference:.1e} in {time.monotonic() - start:.1f} s", flush=True)
    return int(worst > 1e-3)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(Path(made)))
