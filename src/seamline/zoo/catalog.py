"""Which bundles there are: the shipped ones by name, any other by folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from seamline.errors import BadBundle, UnknownModel

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "seamline-small"


@dataclass(frozen=True)
class ModelEntry:
    """A line of `seamline models`."""

    name: str
    version: str
    folder: Path
    size_bytes: int
    summary: str


def list_models(root: Path = WEIGHTS) -> list[ModelEntry]:
    """List the shipped bundles by name."""
    return [_entry(path.parent) for path in sorted(root.glob("*/bundle.json"))]


def find_model(model: str | Path, root: Path = WEIGHTS) -> Path:
    """Return the folder of a shipped name or of a bundle folder; `UnknownModel` names what is."""
    folder = Path(model)
    if (folder / "bundle.json").is_file():
        return folder
    if (root / str(model) / "bundle.json").is_file() and Path(model).name == str(model):
        return root / str(model)
    known = ", ".join(entry.name for entry in list_models(root)) or "none"
    raise UnknownModel(
        f"No model {str(model)!r}. Shipped models: {known}. "
        "A folder works too, if it holds a bundle.json."
    )


def is_model(model: str | Path) -> bool:
    """Tell whether `find_model` finds it."""
    try:
        return bool(find_model(model))
    except UnknownModel:
        return False


def _entry(folder: Path) -> ModelEntry:
    try:
        values = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        return ModelEntry(
            name=values["name"],
            version=values["version"],
            folder=folder,
            size_bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
            summary=values.get("summary", {}).get("line", ""),
        )
    except (json.JSONDecodeError, KeyError) as error:
        raise BadBundle(f"{folder / 'bundle.json'} cannot be read: {error}") from error
