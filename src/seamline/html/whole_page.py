"""Templates and values go in; one HTML file comes out that needs nothing else.

The style is inside the file, it runs no script, and its Content-Security-Policy forbids it to ask
any host for anything. Every text is escaped, and characters that nobody would see are spelt out.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seamline.html.visible import visible


@cache
def environment(folder: str) -> Environment:
    """Gives the templates of one of Seamline's folders, and beside them the common style sheet."""
    loaders = [PackageLoader("seamline", folder), PackageLoader("seamline", "html")]
    return Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def style_sheet(folder: str, *further: str) -> Markup:
    """Gives the common style sheet and those that a page adds; all are our own text, as it is."""
    sheets = [environment(folder).get_template(name) for name in ("style.html", *further)]
    return Markup("".join(sheet.render() for sheet in sheets))


def policy(style: str) -> str:
    """Allows this very style sheet and pictures inside the file, and nothing else."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _shown(value: Any) -> Any:
    """Spells out unseen characters of every text on its way into the page."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def write_whole(path: Path, texts: Iterator[str]) -> None:
    """Writes beside the target and then takes its place, so that no half page is ever seen."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(texts)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
