"""A whole scan: checks what can be checked before hours of work, then scans, keeps and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from seamline.cli.progress import Progress
from seamline.errors import WrongUsage
from seamline.scale.examine import Loader, Outcome, Settings
from seamline.scale.parquet import require_pyarrow, write_parquet
from seamline.scale.ray_cluster import Crew, require_ray
from seamline.scale.ray_scan import scan_with_ray
from seamline.scale.results import Results
from seamline.scale.workers import in_order, scan_files
from seamline.scoring.reference import distinct
from seamline.scoring.verdict import Verdict

FEW_FILES = 20
"""Up to so many, progress tells the share of each; more tell enough by their number."""


@dataclass(frozen=True)
class Plan:
    """What to scan, how, and where the verdicts go."""

    files: Sequence[str]
    load: Loader
    settings: Settings
    jobs: int = 1
    crew: Crew | None = None
    """Workers on a Ray cluster instead of ``jobs`` here."""
    out: Path | None = None
    resume: bool = False
    report: Path | None = None

    @property
    def journal(self) -> Path | None:
        """The JSONL file that is written line by line; beside a Parquet table, its source."""
        if self.out is None or self.out.suffix == ".jsonl":
            return self.out
        return self.out.with_name(self.out.name + ".jsonl")


def check_plan(plan: Plan) -> None:
    """Refuses options that contradict each other or the disk; raises ``WrongUsage``."""
    if plan.crew is not None:
        require_ray()
    if plan.resume and plan.out is None:
        raise WrongUsage("--resume goes on with a file of results: name it with --out.")
    if plan.resume and plan.report is not None:
        raise WrongUsage(
            "--report shows files as they are scanned, and --resume skips those that were: "
            "use one of the two."
        )
    for option, path in (("--out", plan.out), ("--report", plan.report)):
        if path is not None and path.is_dir():
            raise WrongUsage(f"{option} {path} is a folder. Name a file.")
        if path is not None and not path.parent.is_dir():
            raise WrongUsage(f"{option} {path}: the folder {path.parent} does not exist.")
    if plan.out is None:
        return
    if plan.out.suffix not in (".jsonl", ".parquet"):
        raise WrongUsage(f"--out must end in .jsonl or .parquet, found {plan.out.name}.")
    if plan.out.suffix == ".parquet":
        require_pyarrow()
    journal = plan.journal
    assert journal is not None
    if not plan.resume and plan.out.exists() and plan.out.stat().st_size:
        raise WrongUsage(
            f"{plan.out} exists already. Add --resume to go on with it, or name another --out."
        )
    if plan.out.exists() and not journal.exists():
        raise WrongUsage(
            f"{plan.out} has no {journal.name} beside it to go on from. Name another --out."
        )


def with_references(plan: Plan, load: Loader, paths: Sequence[Path]) -> Plan:
    """Measures genuine footage once, before any file; raises ``BadReference`` on what is none."""
    scanner = load()
    measured = distinct(
        scanner.read_reference(
            path, thorough=plan.settings.thorough, min_face_px=plan.settings.min_face_px
        )
        for path in dict.fromkeys(paths)
    )
    return replace(plan, settings=replace(plan.settings, reference=measured))


def run(plan: Plan, take: Callable[[Outcome], None]) -> int:
    """Scans, and hands each outcome on in the files' order; returns how many were done before."""
    with ExitStack() as stack:
        results = None
        if plan.journal is not None:
            results = stack.enter_context(
                Results(
                    plan.journal,
                    plan.load.identify(),
                    plan.settings,
                    resume=plan.resume,
                    asked=plan.files,
                )
            )
        todo = [path for path in plan.files if results is None or path not in results]
        progress = Progress(len(todo))
        pages: list[Outcome] = []
        for outcome in in_order(_kept(_scanned(plan, todo, progress), results)):
            progress.clear()
            take(outcome)
            if plan.report is not None:
                pages.append(outcome)
        progress.clear()
    if plan.report is not None and pages:
        _write_report(plan, pages)
    if plan.out is not None and plan.journal is not None and plan.out != plan.journal:
        write_parquet(plan.journal, plan.out)
    return len(plan.files) - len(todo)


def _scanned(plan: Plan, todo: Sequence[str], progress: Progress) -> Iterator[tuple[int, Outcome]]:
    if not todo:
        return
    if plan.crew is not None:
        outcomes = scan_with_ray(todo, plan.load, plan.settings, plan.crew)
    else:
        part = progress.part if plan.jobs == 1 and len(todo) <= FEW_FILES else None
        outcomes = scan_files(todo, plan.load, plan.settings, jobs=plan.jobs, progress=part)
    for found in outcomes:
        progress.file_done()
        yield found


def _kept(
    found: Iterator[tuple[int, Outcome]], results: Results | None
) -> Iterator[tuple[int, Outcome]]:
    """Writes each outcome down before anything else is done with it."""
    for place, outcome in found:
        if results is not None:
            results.append(outcome)
        yield place, outcome


def verdicts_of(plan: Plan, see: Callable[[Outcome], None] = lambda outcome: None) -> list[Verdict]:
    """Scans and gives the verdicts of all files in order, those of an earlier run included.

    ``see`` is shown each outcome of this run.
    """
    found: dict[str, Verdict] = {}

    def take(outcome: Outcome) -> None:
        found[outcome.verdict.path] = outcome.verdict
        see(outcome)

    check_plan(plan)
    run(plan, take)
    missing = [path for path in plan.files if path not in found]
    if missing and plan.journal is not None:
        with Results(plan.journal, plan.load.identify(), plan.settings, resume=True) as results:
            found.update({path: results[path] for path in missing})
    return [found[path] for path in plan.files]


def _write_report(plan: Plan, outcomes: Sequence[Outcome]) -> None:
    from seamline.report.html import write_report
    from seamline.report.pages import model_summary, report_page

    assert plan.report is not None
    pages = [report_page(outcome.verdict, outcome.evidence) for outcome in outcomes]
    summary = plan.load.summary()
    write_report(plan.report, pages, model=model_summary(outcomes[0].verdict.model, summary))
