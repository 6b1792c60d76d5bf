"""Every layout by name: a name and a collection's folder in, its samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seamline.data.layouts.celeb_df import find_celeb_df
from seamline.data.layouts.dfdc import find_dfdc
from seamline.data.layouts.faceforensics import find_faceforensics
from seamline.data.layouts.fakeavceleb import find_fakeavceleb
from seamline.data.layouts.lav_df import find_lav_df
from seamline.data.manifest import Sample

LAYOUTS: dict[str, Callable[[Path], list[Sample]]] = {
    "dfdc": find_dfdc,
    "faceforensics": find_faceforensics,
    "celeb-df": find_celeb_df,
    "fakeavceleb": find_fakeavceleb,
    "lav-df": find_lav_df,
}


def find_samples(layout: str, root: str | Path) -> list[Sample]:
    """Find the samples of a collection whose layout is known by name."""
    if layout not in LAYOUTS:
        raise ValueError(f"Unknown layout {layout!r}. Known: {', '.join(LAYOUTS)}.")
    return LAYOUTS[layout](Path(root))
