"""`seamline export`: finished runs in, one bundle out (or the graph of what cannot judge)."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

LEAST_HELD_OUT = 10
"""Files of either class, below which a calibration is told to be worth little."""


def export(
    out: Annotated[Path, typer.Argument(help="Folder of the bundle to write.")],
    run: Annotated[list[Path], typer.Option(help="Run folder; one a branch. Repeatable.")],
    name: Annotated[str | None, typer.Option(help="Name of the bundle; default: OUT's.")] = None,
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "1",
    card: Annotated[Path | None, typer.Option(help="Model card, Markdown.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="YAML for lists and reports: line, trained_on, limits, figures."),
    ] = None,
    extra_calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Numbers fitted elsewhere, by branch: reference_calibration, splices and others.",
        ),
    ] = None,
    onto: Annotated[
        str | None,
        typer.Option(help="Add the branches to this model, name or folder; its own stay as is."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="With --onto: take the place of branches it has.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="BRANCH", help="With --onto: leave out a branch it has. Repeatable."),
    ] = None,
) -> None:
    """Export trained branches as a bundle that `scan --model OUT` takes.

    An autoencoder alone judges nothing: of it, OUT gets the graph and no bundle.
    """
    from seamline.errors import SeamlineError

    try:
        import yaml

        from seamline.training.add_calibration import add_calibration
        from seamline.training.export import Run, bundle_branch, export_bundle
        from seamline.training.extend import extend_bundle
        from seamline.training.finish import export_graph
        from seamline.zoo.bundle import Bundle
        from seamline.zoo.catalog import find_model
    except ImportError as error:
        raise typer.BadParameter(
            f"Exporting needs the extra `train` ({error.name} is missing). "
            "Install it with: pip install 'seamline[train]'"
        ) from error
    text = card.read_text(encoding="utf-8") if card is not None else f"# {name or out.name}\n"
    try:
        runs = [Run.read(folder) for folder in run]
        if len(runs) == 1 and bundle_branch(runs[0].config) is None:
            difference = export_graph(out, runs[0])
            print(
                f"{out / 'graph.onnx'}: {runs[0].config.name} codes and rebuilds, and judges "
                "nothing, so there is no bundle to scan with. "
                f"ONNX Runtime differs from torch by at most {difference:.1g}."
            )
            return
        told: dict[str, Any] = {
            "name": name or out.name,
            "version": version,
            "card": text,
            "summary": yaml.safe_load(summary.read_text(encoding="utf-8")) if summary else {},
        }
        if onto is None and (replace or without):
            raise ValueError("--replace and --without say what becomes of the branches of --onto.")
        if onto is None:
            bundle = export_bundle(out, runs, **told)
        else:
            base = Bundle.load(find_model(onto))
            bundle = extend_bundle(base, out, runs, **told, replace=replace, without=without or ())
        if extra_calibration is not None:
            bundle = add_calibration(out, extra_calibration)
    except (ValueError, TypeError, FileNotFoundError, SeamlineError) as error:
        raise typer.BadParameter(str(error)) from error
    for branch, settings in bundle.branches.items():
        print(
            f"{branch}: temperature {settings.calibration.temperature:.3f}, "
            f"bias {settings.calibration.bias:+.3f}, threshold {settings.threshold:.3f}"
        )
        if settings.reference_calibration is not None:
            relative = settings.reference_calibration
            print(
                f"  against a reference: temperature {relative.temperature:.3f}, "
                f"bias {relative.bias:+.3f}, threshold {settings.reference_threshold:.3f}"
            )
    for trained in runs:
        held = Counter(row["label"] for row in trained.scores["holdout"])
        if min(held[0], held[1]) < LEAST_HELD_OUT:
            print(
                f"seamline: {trained.folder} held out {held[0]} genuine and {held[1]} forged "
                "files: too few for a calibration and a threshold to mean much. "
                "Fewer `folds` hold out more.",
                file=sys.stderr,
            )
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{bundle.name} {bundle.version} in {out}: {size / 1e6:.1f} MB, golden replay passed.")
