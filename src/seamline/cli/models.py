"""`seamline models`: lists the shipped models, or prints the card of one."""

from __future__ import annotations

from typing import Annotated

import typer


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|DIR]", help="Print this model's card.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the models, or print one's card.

    A card tells the data, the measured numbers and the limits.
    """
    import json

    from seamline.zoo.catalog import find_model, list_models

    if name is not None:
        print((find_model(name) / "card.md").read_text(encoding="utf-8").rstrip())
        return
    entries = list_models()
    if as_json:
        for entry in entries:
            row = {"name": entry.name, "version": entry.version, "size_bytes": entry.size_bytes,
                   "summary": entry.summary, "folder": str(entry.folder)}  # fmt: skip
            print(json.dumps(row, ensure_ascii=False))
        return
    for entry in entries:
        size = f"{entry.size_bytes / 1e6:.1f} MB"
        print(f"{entry.name}  version {entry.version}  {size}\n    {entry.summary}")
    if not entries:
        print("No model is installed. `seamline scan --model DIR` takes a bundle's folder.")
