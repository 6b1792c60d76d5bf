"""`seamline scan`: files in; verdicts on stdout, in a file of results, in an HTML report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seamline.cli.engine import AddressOption, Engine, EngineOption, GpusOption, crew_of

if TYPE_CHECKING:
    from seamline.scale.examine import Outcome
    from seamline.scoring.verdict import Verdict


def scan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Videos, images and sounds; folders (searched to the bottom); quoted globs.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON verdict a line and nothing else.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write one self-contained page.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep verdicts in a .jsonl or .parquet file."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --out: unchanged files are not redone.")
    ] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Examine all of a long file, not spread samples.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="1; with --engine ray: every core",
            help="Processes that scan side by side.",
        ),
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    address: AddressOption = None,
    gpus: GpusOption = 0.0,
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A shipped model, or a bundle's folder.")
    ] = "seamline-small",
    min_face_px: Annotated[
        float, typer.Option(min=12, help="Smallest face examined, in pixels of the full frame.")
    ] = 48.0,
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="GENUINE",
            help="Genuine footage of a person in the files, to judge them against. Repeatable.",
            show_default=False,
        ),
    ] = None,
    proposals: Annotated[
        bool,
        typer.Option(
            "--proposals",
            help="In --json and --out, also list stretches that stand out too little to be called: "
            "to rank and to measure, not to accuse.",
        ),
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make a genuine and a forged clip in ./demo, scan both.")
    ] = False,
) -> None:
    """Judge videos, images and sounds.

    Tells who in them is genuine or not, when, by which sense and how sure.

    Exit status: 0 all done, 1 some files could not be read, 2 wrong usage.
    """
    from seamline.cli.inputs import find_inputs
    from seamline.cli.scan_run import Plan, check_plan, run, with_references
    from seamline.scale.examine import DetectorLoader, Settings
    from seamline.scale.workers import threads_per_job

    settings = Settings(
        thorough, min_face_px, keep_evidence=report is not None, proposals=proposals
    )
    inputs = find_inputs([*(paths or []), *(_demo() if demo else [])])
    if not inputs.files and not inputs.problems:
        raise typer.BadParameter("Nothing to scan: name a file, a folder or a glob, or use --demo.")
    crew = crew_of(engine, address, gpus, jobs)
    if crew is None:
        load = DetectorLoader(model, threads_per_job(jobs or 1))
    else:
        load = DetectorLoader(model, 1, crew.device)
    plan = Plan(inputs.files, load, settings, jobs or 1, crew,
                out=out, resume=resume, report=report)  # fmt: skip
    check_plan(plan)
    if reference and inputs.files:
        plan = with_references(plan, DetectorLoader(model), reference)
    for problem in inputs.problems:
        print(f"seamline: {problem}", file=sys.stderr)
    printer = _Printer(as_json, single=len(inputs.files) == 1, report=report)
    skipped = 0
    try:
        if inputs.files:
            skipped = run(plan, printer.take)
    except KeyboardInterrupt:
        kept = f" {out} keeps what is done; --resume goes on." if out else ""
        print(f"seamline: stopped.{kept}", file=sys.stderr)
        raise typer.Exit(130) from None
    printer.close(skipped, out)
    if report is not None and inputs.files:
        print(f"Report: {report}", file=sys.stderr)
    if inputs.problems or printer.unreadable:
        raise typer.Exit(1)


def _demo() -> list[str]:
    """Make the demo clips and say what they are."""
    from seamline.data.demo_clips import make_demo

    made = [str(path) for path in make_demo(Path("demo"))]
    print(
        "Demo from a NASA portrait: demo/genuine.mp4 is filmed as it is, in demo/self-blended.mp4 "
        "the face was pasted over itself.",
        file=sys.stderr,
    )
    return made


class _Printer:
    """Shows outcomes as they come, for a human or for a machine."""

    def __init__(self, as_json: bool, single: bool, report: Path | None) -> None:
        from collections import Counter

        from rich.console import Console

        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a sign
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._as_json, self._single = as_json, single
        self._report = str(report) if report else None
        self._labels: Counter[str | None] = Counter()
        self.unreadable = 0

    def take(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        if self._as_json:
            import json

            print(json.dumps(verdict.to_json(), allow_nan=False), flush=True)
        else:
            self._show(verdict)
        self._labels[verdict.label] += 1
        if verdict.error is not None:
            self.unreadable += 1
            if self._as_json:
                print(f"seamline: {verdict.path}: {verdict.error}", file=sys.stderr)

    def _show(self, verdict: Verdict) -> None:
        from seamline.cli.show import ROW_HEADER, print_full, print_row

        if self._single:
            print_full(self._console, verdict, report=self._report)
            return
        if not self._labels:
            self._console.print(ROW_HEADER, style="bold")
        print_row(self._console, verdict)

    def close(self, skipped: int, out: Path | None) -> None:
        from seamline.cli.show import summary

        if skipped:
            print(f"{skipped} unchanged files were in {out} already.", file=sys.stderr)
        if not self._as_json and not self._single and self._labels:
            self._console.print(f"\n{summary(self._labels)}")
