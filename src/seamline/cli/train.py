"""`seamline train`: a config in; a run folder with weights, held-out scores and a bundle out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(help="YAML config, see configs/.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override one key: key=value. Repeatable.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train one branch, score its held-out files and export it."""
    try:
        from lightning.pytorch.utilities import rank_zero_only

        from seamline.training.config import read_config
        from seamline.training.finish import finish
        from seamline.training.fit import fit
    except ImportError as error:
        raise typer.BadParameter(
            f"Training needs the extra `train` ({error.name} is missing). "
            "Install it with: pip install 'seamline[train]'"
        ) from error
    try:
        folder = fit(read_config(config, set_), resume=resume)
        told = finish(folder).told if getattr(rank_zero_only, "rank", 0) == 0 else ""
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        raise typer.BadParameter(str(error)) from error
    if told:
        print(f"Run in {folder}. {told}")
