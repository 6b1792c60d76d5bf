"""An evaluation's run: scans a manifest's files, corrupts and scans them again, writes the figures.

What can be refused is refused before hours of work.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seamline.cli.scan_run import Plan, verdicts_of
from seamline.data.manifest import Sample
from seamline.errors import WrongUsage
from seamline.evaluation.corruptions import Corruption
from seamline.evaluation.evaluate import EvaluationResult, measure
from seamline.evaluation.moments import FrameScores, frame_scores
from seamline.evaluation.page import write_page
from seamline.evaluation.sweep import Sweep, run_sweep
from seamline.evaluation.table import result_json, result_markdown
from seamline.scale.examine import Outcome
from seamline.scoring.verdict import Verdict


@dataclass(frozen=True)
class Asked:
    """What to measure, and where the figures go."""

    manifest: Path
    split: str | None
    json_file: Path | None
    markdown: Path | None
    html: Path | None
    corruptions: Sequence[Corruption]
    seed: int


def check_asked(asked: Asked) -> None:
    """Refuses files that cannot be written; raises ``WrongUsage``."""
    for path in (asked.json_file, asked.markdown, asked.html):
        if path is not None and not path.parent.is_dir():
            raise WrongUsage(f"{path}: the folder {path.parent} does not exist.")
        if path is not None and path.is_dir():
            raise WrongUsage(f"{path} is a folder. Name a file in it.")


def measure_all(samples: Sequence[Sample], plan: Plan, asked: Asked) -> EvaluationResult:
    """Scans, measures, and where asked for measures again under each corruption."""
    verdicts, frames = _scanned(plan)
    told = str(asked.manifest)
    result = measure(samples, verdicts, frames=frames, manifest=told, split=asked.split)
    if not asked.corruptions:
        return result
    return replace(result, sweep=_swept(samples, verdicts, plan, asked))


def _scanned(plan: Plan) -> tuple[list[Verdict], list[FrameScores | None]]:
    """Gives the verdicts in order, and the frames of what was scanned now.

    Frames are not written down, so those of an earlier run's files are None.
    """
    frames: dict[str, FrameScores] = {}

    def see(outcome: Outcome) -> None:
        faces = [] if outcome.evidence is None else outcome.evidence.faces
        frames[outcome.verdict.path] = frame_scores(outcome.verdict, faces)

    verdicts = verdicts_of(plan, see)
    return verdicts, [frames.get(path) for path in plan.files]


def _swept(
    samples: Sequence[Sample], verdicts: Sequence[Verdict], plan: Plan, asked: Asked
) -> Sweep:
    settings = replace(plan.settings, keep_evidence=False)

    def scan(files: Sequence[str]) -> list[Verdict]:
        return verdicts_of(Plan(files, plan.load, settings, plan.jobs))

    def tell(corruption: Corruption) -> None:
        print(f"seamline: {corruption.name}: {corruption.title}", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="seamline-") as scratch:
        return run_sweep(
            samples, verdicts, asked.corruptions, scan,
            scratch=Path(scratch), seed=asked.seed, jobs=plan.jobs, started=tell,
        )  # fmt: skip


def write_files(result: EvaluationResult, asked: Asked) -> None:
    """Writes the figures into the files that were asked for."""
    if asked.json_file is not None:
        text = json.dumps(result_json(result), indent=2, allow_nan=False, ensure_ascii=False)
        asked.json_file.write_text(text + "\n", encoding="utf-8")
    if asked.markdown is not None:
        asked.markdown.write_text(result_markdown(result), encoding="utf-8")
    if asked.html is not None:
        write_page(asked.html, result)
