"""What import-linter cannot see: lengths, imports of packages, and what a plain import loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "seamline").rglob("*.py"))
PACKAGES = {path.parent.name for path in SOURCES if path.name == "__init__.py"} - {"seamline"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_a_module_is_short_and_imports_names_where_they_are_defined(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text)), "a module says what goes in and what comes out"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("seamline."):
            parts = node.module.split(".")
            # `from seamline.faces import …` would go through the package's __init__.
            assert len(parts) > 2 or parts[1] not in PACKAGES, f"line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except hides bugs"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import seamline", ["torch", "onnxruntime", "cv2", "av", "numpy"]),
        ("import seamline.detector, seamline.evaluation.evaluate, seamline.report.html", ["torch"]),
        ("import seamline.cli.main", ["torch", "onnxruntime", "cv2", "av", "numpy", "rich"]),
    ],
)
def test_an_import_loads_no_more_than_it_needs(code: str, absent: list[str]) -> None:
    check = f"{code}; import sys; print([n for n in {absent!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def test_no_research_data_is_tracked() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so there is nothing tracked to check")
    media = [
        name
        for name in listed.stdout.splitlines()
        if name.endswith((".mp4", ".mpg", ".flac", ".wav", ".jpg", ".png", ".parquet"))
    ]
    assert set(media) <= {"src/seamline/demo/astronaut.jpg", "docs/page.png", "docs/report.png"}
