"""Seamline tells whether the faces and the voice in a video are genuine.

>>> from seamline import Detector
>>> verdict = Detector.load().scan("talk.mp4")        # doctest: +SKIP
>>> verdict.label, verdict.fake_probability           # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seamline.detector import Detector as Detector
    from seamline.scoring.verdict import Verdict as Verdict
    from seamline.server.client import Client as Client

__version__ = "0.1.0"
__all__ = ["Client", "Detector", "Verdict", "__version__"]

_WHERE = {
    "Client": "seamline.server.client",
    "Detector": "seamline.detector",
    "Verdict": "seamline.scoring.verdict",
}


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that ``import seamline`` stays instant."""
    if name not in _WHERE:
        raise AttributeError(f"module 'seamline' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
