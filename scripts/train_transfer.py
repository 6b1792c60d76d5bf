"""Trains picture and motion branches from manifests, also without each method and source in turn.

One command from the table of clips to the runs that `seamline export` bundles; what is there
already is kept, so that it goes on where it stopped. A GPU is used where there is one.

    python scripts/train_transfer.py MANIFEST.csv --genuine GENUINE.csv
    python scripts/train_transfer.py MANIFEST.csv --genuine GENUINE.csv --leave-one-out --folds 5
    python scripts/train_transfer.py MANIFEST.csv --genuine GENUINE.csv --branch motion --folds 5

The second also trains a run without each method and source that has forged files, and one a fold
of people; `benchmarks/leave_one_out.py` tells their figures.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from seamline.data.manifest import Sample, read_manifest

CACHES = {
    "picture": (Path("cache/research"), Path("cache/genuine")),
    "motion": (Path("cache/motion"), Path("cache/motion-genuine")),
}
CONFIGS = Path(__file__).parents[1] / "configs"
FAMILY = "FaceForensics++"  # has several methods over the same people: each is left out by itself
CUT = {  # motion keeps faces of every frame apart; its colour crops are not read
    "picture": ("--size-px", "320"),
    "motion": ("--size-px", "64", "--motion", "--max-windows", "4"),
}


def seamline(*words: str) -> None:
    """Run the command beside this Python; a failure ends the script with its status."""
    program = shutil.which("seamline", path=str(Path(sys.executable).parent)) or "seamline"
    print("$ seamline", *words, flush=True)
    done = subprocess.run([program, *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def prepare(manifest: Path, cache: Path, *more: str) -> None:
    """Cut the faces of a manifest's videos and photographs into a cache."""
    kinds = ("--kind", "video", "--kind", "face")
    seamline("prepare", str(manifest), "--out", str(cache), *kinds, *more)


def train(config: str, name: str, *settings: str) -> None:
    """Train one run unless it is finished; one that was broken off goes on."""
    run = Path("runs") / name
    if (run / "scores.json").exists():
        return
    words = ["train", str(CONFIGS / config), "--set", f"name={name}"]
    for setting in settings:
        words += ["--set", setting]
    resume = ["--resume"] if (run / "checkpoints").exists() else []
    seamline(*words, *resume)


def left_out(samples: list[Sample]) -> Iterator[tuple[str, str]]:
    """Name each method of the family, and each other source with forged files, and its rule."""
    fakes = [sample for sample in samples if sample.picture_truth == "fake"]
    family = [sample for sample in fakes if sample.source.startswith(FAMILY)]
    for method in sorted({sample.method for sample in family}):
        yield f"without-{method}", f"method={method}"
    for source in sorted({s.source for s in fakes if not s.source.startswith(FAMILY)}):
        yield f"without-{source.split()[0]}", f"source={source}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--genuine", type=Path, help="manifest of further genuine media")
    parser.add_argument("--branch", choices=["picture", "motion"], action="append")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--folds", type=int, default=0, help="runs of a cross-validation by people")
    parser.add_argument("--set", action="append", default=[], help="key=value for every run")
    parser.add_argument(
        "--short", action="append", default=[], help="key=value for the runs that only measure"
    )
    arguments = parser.parse_args()
    for branch in arguments.branch or list(CACHES):
        cache, extra = CACHES[branch]
        prepare(arguments.manifest, cache, *CUT[branch])
        settings = [f"cache={cache}", *arguments.set]
        if arguments.genuine:
            prepare(arguments.genuine, extra, *CUT[branch])
            settings.append(f"extra_cache={extra}")
        else:
            settings.append("extra_cache=")
        if branch == "picture":
            train("transfer-base.yaml", "transfer-base", *settings)
            measure("transfer.yaml", "", [*settings, "initial=runs/transfer-base"], arguments)
            train("transfer.yaml", "transfer", *settings, "initial=runs/transfer-base")
            train("transfer-2.yaml", "transfer-2", *settings, "initial=runs/transfer")
        else:
            measure("motion.yaml", "motion-", settings, arguments)
            train("motion.yaml", "motion", *settings)


def measure(config: str, prefix: str, settings: list[str], arguments: argparse.Namespace) -> None:
    """Train the runs that only measure: each leaves something out."""
    if arguments.leave_one_out:
        samples = read_manifest(arguments.manifest)
        if config.startswith("motion"):  # photographs have none
            samples = [sample for sample in samples if sample.kind == "video"]
        for name, rule in left_out(samples):
            train(config, prefix + name, *settings, f"leave_out={rule}", *arguments.short)
    for fold in range(arguments.folds):
        rule = ("join_val=true", f"folds={arguments.folds}", f"holdout_fold={fold}")
        train(config, f"{prefix}fold-{fold}", *settings, *rule, *arguments.short)


if __name__ == "__main__":
    main()
