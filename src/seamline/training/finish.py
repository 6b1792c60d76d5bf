"""Exports a run that has just ended: its folder in, a bundle or a graph in it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from seamline.training.build import load_weights
from seamline.training.config import config_json
from seamline.training.export import Run, bundle_branch, export_bundle, write_graph
from seamline.training.graphs import Graph, largest_difference, make_graph
from seamline.training.usual import measure_usual

GRAPH_TOLERANCE = 1e-3
"""Largest difference between ONNX Runtime's outputs and torch's, of a graph with full weights."""


def export_graph(folder: Path, run: Run) -> float:
    """Write a run's graph alone; returns the largest difference from torch, which must be small."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "graph.onnx"
    graph = write_graph(load_weights(run.config, run.folder), run.config, path, halve=False)
    (folder / "config.json").write_text(json.dumps(config_json(run.config), indent=2) + "\n")
    return _close(graph, path, run)


def _close(graph: Graph, path: Path, run: Run) -> float:
    """Give the largest difference between ONNX Runtime and torch; a large one is refused."""
    largest = largest_difference(graph, path, threads=run.config.threads)
    if largest > GRAPH_TOLERANCE:
        raise ValueError(
            f"The exported graph of {run.config.name} differs from torch by {largest:.2g}, more "
            f"than {GRAPH_TOLERANCE:g}."
        )
    return largest


class Finished(NamedTuple):
    """What a run was exported as."""

    told: str
    difference: float
    """Largest difference between ONNX Runtime and torch."""


def finish(folder: Path) -> Finished:
    """Export a run that has just ended into its own folder, with its weights as they are."""
    run = Run.read(folder)
    usual = measure_usual(folder)
    branch, out = bundle_branch(run.config), folder / "bundle"
    if branch is None or branch == "motion":
        difference = export_graph(folder / "export", run)
        why = "It judges nothing" if branch is None else "It adds to a picture branch"
        told = f"{why}: its graph is {folder / 'export' / 'graph.onnx'}"
    else:
        name = run.config.name
        card = f"# {name}\n\nMade by `seamline train`; its config is `config.json` of the run.\n"
        export_bundle(out, [run], name=name, version="1", card=card, summary={}, halve=False)
        graph = make_graph(load_weights(run.config, run.folder), run.config, usual)
        difference = _close(graph, out / f"{branch}.onnx", run)
        told = f"Scan with it: seamline scan --model {out} FILE"
    return Finished(f"{told} (ONNX Runtime differs from torch by {difference:.1g})", difference)
