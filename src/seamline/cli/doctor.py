"""`seamline doctor`: checks that the installation works, and says what to try where it does not."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from seamline.zoo.catalog import ModelEntry

PACKAGES = (
    "numpy", "av", "opencv-python-headless", "onnxruntime", "typer", "rich", "jinja2", "jaxtyping",
)  # fmt: skip
_REINSTALL = "Install again: pip install --force-reinstall seamline"


@dataclass(frozen=True)
class Check:
    """One line of the doctor: what was looked at, whether it is well, what to try if not."""

    name: str
    passed: bool
    found: str
    advice: str = ""


def doctor() -> None:
    """Check that the installation works.

    Looks at the packages, the face detector, and every model's stored outputs.
    """
    failed = 0
    for check in run_checks():
        print(f"{'ok' if check.passed else 'FAILED':<8}{check.name}: {check.found}", flush=True)
        if not check.passed:
            failed += 1
            print(f"        {check.advice}")
    print("All is well." if not failed else f"{failed} of the checks failed.")
    if failed:
        raise typer.Exit(1)


def run_checks() -> Iterator[Check]:
    """Runs one check after another; a failure does not stop the next."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Check("system", True, system)
    for package in PACKAGES:
        yield _package(package)
    yield _guarded("threads", _threads, "Set OMP_NUM_THREADS, or leave it unset.")
    yield _guarded("face detector", _face_detector, _REINSTALL)
    from seamline.zoo.catalog import list_models

    entries: list[ModelEntry] = []
    yield _guarded("models", lambda: _list(entries, list_models), _REINSTALL)
    for entry in entries:
        yield _guarded(f"model {entry.name}", lambda entry=entry: _replay(entry), _REINSTALL)


def _guarded(name: str, look: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, look())
    except Exception as error:  # whatever is broken, the doctor must tell it, not die of it
        return Check(name, False, f"{type(error).__name__}: {error}", advice)


def _package(name: str) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed", f"Install it: pip install {name}")


def _threads() -> str:
    import os

    import cv2

    return f"{os.cpu_count()} cores; OpenCV uses {cv2.getNumThreads()}"


def _face_detector() -> str:
    import numpy as np

    from seamline.faces.mtcnn import FaceDetector

    found = FaceDetector(threads=1).detect([np.zeros((96, 96, 3), np.uint8)])
    if found != [[]]:
        raise ValueError("it sees a face in a black picture")
    return "loads and runs"


def _list(entries: list[ModelEntry], list_models: Callable[[], list[ModelEntry]]) -> str:
    entries += list_models()
    if not entries:
        raise ValueError("none is installed")
    return ", ".join(f"{entry.name} {entry.version}" for entry in entries)


def _replay(entry: ModelEntry) -> str:
    from seamline.zoo.bundle import Bundle

    checks = Bundle.load(entry.folder, threads=1).replay_golden()
    bad = [check for check in checks if not check.passed]
    if bad:
        raise ValueError(
            "stored inputs no longer give the stored outputs: "
            + "; ".join(f"{c.name} off by {c.largest_difference:.2g}" for c in bad)
        )
    worst = max((check.largest_difference for check in checks), default=0.0)
    return f"{len(checks)} stored outputs repeat within {worst:.1e}"
