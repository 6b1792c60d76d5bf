"""Makes empty files that lie as a collection's do."""

from __future__ import annotations

from pathlib import Path


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root
