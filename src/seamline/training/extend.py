"""Adds branches to a finished bundle or replaces them: the others stay as they are."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from seamline.scoring.branch import JUDGES
from seamline.training.export import Run, add_run, bundle_branch, replay, settle_motion
from seamline.zoo.bundle import Bundle
from seamline.zoo.layout import write_bundle


def extend_bundle(
    base: Bundle,
    folder: Path,
    runs: Sequence[Run],
    *,
    name: str,
    version: str,
    card: str,
    summary: dict[str, Any],
    halve: bool = True,
    replace: bool = False,
    without: Sequence[str] = (),
) -> Bundle:
    """Write ``base`` with the branches of further runs; ``folder`` may be the bundle's own.

    A branch that the base has already is refused, or with ``replace`` gives way to the run's.
    Branches of the base named in ``without`` are left out.
    """
    if unknown := set(without) - set(base.branches):
        raise ValueError(
            f"{base.name} has no branch {', '.join(sorted(unknown))} to leave out; it has: "
            f"{', '.join(base.branches)}."
        )
    base = _leave_out(base, without)
    given = {bundle_branch(run.config) for run in runs}
    if (taken := given & set(base.branches)) and not replace:
        raise ValueError(
            f"{base.name} has a branch {', '.join(sorted(map(str, taken)))} already; ask to "
            "replace it, extend a bundle without it, or export one from runs of every branch."
        )
    if "picture" in given and "motion" in base.branches and "motion" not in given:
        raise ValueError(
            f"{base.name} has a motion branch, whose evidence is in units of the picture's logits; "
            "give a run of it beside the picture's, or leave it out (`export --without motion`)."
        )
    kept = {name: branch for name, branch in base.branches.items() if name not in given}
    contract, branches = base.contract, dict(kept)
    framed = any(name in kept for name in JUDGES["video"])
    folder.mkdir(parents=True, exist_ok=True)
    # Made beside it and moved over whole: what fails leaves a bundle as it was.
    with TemporaryDirectory(dir=folder.parent) as name_of_part:
        part = Path(name_of_part)
        for branch in kept.values():
            shutil.copyfile(base.folder / branch.graph, part / branch.graph)
        with np.load(base.folder / "golden.npz", allow_pickle=False) as stored:
            gone = given | set(without)
            golden = {key: stored[key] for key in stored.files if not _belongs(key, gone)}
        for run in runs:
            contract = add_run(run, part, contract, branches, golden, halve=halve)
            if contract.mel != base.contract.mel or (
                framed and contract.size_px != base.contract.size_px
            ):
                raise ValueError(f"{run.folder} needs other crops than {base.name} was made for.")
        settle_motion(runs, branches)
        np.savez_compressed(part / "golden.npz", **golden)
        (part / "card.md").write_text(card, encoding="utf-8")
        write_bundle(
            part,
            name=name,
            version=version,
            contract=contract,
            branches=branches,
            summary=summary,
            quality=base.quality,
        )
        replay(part)
        for path in sorted(part.iterdir(), key=lambda path: path.name == "bundle.json"):
            path.replace(folder / path.name)
    return Bundle.load(folder)


def _leave_out(base: Bundle, names: Sequence[str]) -> Bundle:
    """The bundle without some branches and without the crops that only they need."""
    contract = base.contract
    if "motion" in names:
        contract = dataclasses.replace(contract, motion=None)
    if "sync" in names:
        contract = dataclasses.replace(contract, mouth=None)
    branches = {name: branch for name, branch in base.branches.items() if name not in names}
    return dataclasses.replace(base, contract=contract, branches=branches)


def _belongs(key: str, branches: set[str | None]) -> bool:
    """Tell whether a golden array is the output of one of the branches."""
    return any(key.startswith(f"{branch}_") for branch in branches)
