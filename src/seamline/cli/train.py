"""`seamline train`: a config in, a run folder with weights and held-out scores out."""

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
    """Train one branch and score its held-out files."""
    try:
        from seamline.training.config import read_config
        from seamline.training.fit import fit
    except ImportError as error:
        raise typer.BadParameter(
            f"Training needs the extra `train` ({error.name} is missing). "
            "Install it with: pip install 'seamline[train]'"
        ) from error
    try:
        folder = fit(read_config(config, set_), resume=resume)
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        raise typer.BadParameter(str(error)) from error
    print(f"Run in {folder}. Make a bundle of it with: seamline export OUT --run {folder}")
