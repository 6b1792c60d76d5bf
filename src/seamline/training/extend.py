"""Adds a branch to a finished bundle: what the bundle holds stays as it is, byte by byte."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seamline.training.export import Run, add_run, bundle_branch, replay
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
) -> Bundle:
    """Write ``base`` with the branches of further runs; ``folder`` may be the bundle's own."""
    for run in runs:
        if (taken := bundle_branch(run.config)) in base.branches:
            raise ValueError(
                f"{base.name} has a branch {taken} already; extend a bundle without it, or export "
                "one from runs of every branch."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for branch in base.branches.values():
        if folder.resolve() != base.folder.resolve():
            shutil.copyfile(base.folder / branch.graph, folder / branch.graph)
    with np.load(base.folder / "golden.npz", allow_pickle=False) as stored:
        golden = {key: stored[key] for key in stored.files}
    contract, branches = base.contract, dict(base.branches)
    for run in runs:
        contract = add_run(run, folder, contract, branches, golden, halve=halve)
        if contract.mel != base.contract.mel or contract.size_px != base.contract.size_px:
            raise ValueError(f"{run.folder} needs other crops than {base.name} was made for.")
    np.savez_compressed(folder / "golden.npz", **golden)
    (folder / "card.md").write_text(card, encoding="utf-8")
    write_bundle(
        folder, name=name, version=version, contract=contract, branches=branches, summary=summary
    )
    return replay(folder)
