from __future__ import annotations

import subprocess
import sys
import time

from typer.testing import CliRunner

from seamline import __version__
from seamline.cli.main import COMMANDS, app
from seamline.errors import BadBundle, BadManifest, UnknownModel, UnreadableMedia


def test_help_is_instant_and_loads_nothing_heavy():
    heavy = ("numpy", "cv2", "av", "onnxruntime", "torch", "rich", "jinja2", "pyarrow")
    code = (
        "import sys, runpy\n"
        "sys.argv = ['seamline', '--help']\n"
        "try:\n    from seamline.cli.main import app; app()\n"
        f"finally:\n    print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)\n"
    )
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
        )
        times.append(time.perf_counter() - start)
        assert run.returncode == 0
        assert run.stderr.strip() == "[]"
    assert min(times) < 0.5
    for name in COMMANDS:
        assert f"  {name} " in run.stdout


def test_importing_the_package_loads_neither_numpy_nor_onnxruntime():
    code = "import seamline, sys; print([m for m in ('numpy', 'onnxruntime') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_the_version_is_printed():
    found = CliRunner().invoke(app, ["--version"])
    assert found.stdout == f"seamline {__version__}\n"


def test_errors_are_a_line_on_stderr_with_their_status(monkeypatch):
    from seamline.zoo import catalog

    cases = [
        (UnknownModel("No model 'x'."), 2),
        (BadManifest("line 3"), 2),
        (BadBundle("altered"), 1),
        (UnreadableMedia("a.mp4", "empty"), 1),
        (PermissionError(13, "Permission denied", "bundle.json"), 1),
    ]
    for error, status in cases:

        def fail(error: Exception = error) -> list:
            raise error

        monkeypatch.setattr(catalog, "list_models", fail)
        found = CliRunner().invoke(app, ["models"])
        assert found.exit_code == status, error
        assert found.stdout == ""
        shown = "bundle.json: Permission denied" if isinstance(error, OSError) else str(error)
        assert found.stderr == f"seamline: {shown}\n"


def test_an_unknown_command_is_wrong_usage():
    assert CliRunner().invoke(app, ["scam"]).exit_code == 2
