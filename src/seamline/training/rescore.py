"""Judges the held-out files of a finished run anew: a run folder in, another one out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from seamline.training.build import WEIGHTS, build_module
from seamline.training.config import TrainConfig, config_json, make_config
from seamline.training.fit import score_files
from seamline.training.picture_data import PictureData
from seamline.training.usual import measure_usual
from seamline.training.voice_data import VoiceData

JUDGING = ("pool_sharpness", "mask_share", "detail_weight")


def rescore(
    run: Path,
    out: Path,
    *,
    scan_size_px: int | None = None,
    **other: float | None,
) -> TrainConfig:
    """Score the held-out sets with a run's weights, at another size if asked.

    ``other`` are further keys of the config that only judging heeds: `pool_sharpness`,
    `mask_share`, `detail_weight`; None leaves one as it is.

    Also measures the usual faces of a picture run anew (`seamline.training.usual`).
    ``out`` may be the run itself, whose weights were made by other means than training. Raises
    `ValueError` for a run of another branch than the picture's and the voice's.
    """
    told = json.loads((run / "config.json").read_text())
    told["initial"] = str(run)  # its own weights, which it also ends with
    config = replace(make_config(told), name=out.name, out=str(out.parent))
    if config.branch not in ("picture", "voice"):
        raise ValueError(f"{run} trained branch {config.branch}; picture and voice are rescored.")
    if scan_size_px is not None:
        config = replace(config, scan_size_px=scan_size_px)
    if unknown := set(other) - set(JUDGING):
        raise ValueError(f"{', '.join(sorted(unknown))}: judging heeds {', '.join(JUDGING)}.")
    asked = {key: value for key, value in other.items() if value is not None}
    config = replace(config, **asked)  # type: ignore[arg-type]
    module = build_module(config)
    data = PictureData(config) if config.branch == "picture" else VoiceData(config)
    scores = {split: score_files(module, data.files(split)) for split in ("holdout", "val")}
    out.mkdir(parents=True, exist_ok=True)
    if out.resolve() != run.resolve():
        shutil.copyfile(run / WEIGHTS, out / WEIGHTS)
    (out / "config.json").write_text(json.dumps(config_json(config), indent=2) + "\n")
    (out / "scores.json").write_text(json.dumps(scores) + "\n")
    measure_usual(out)
    return config
