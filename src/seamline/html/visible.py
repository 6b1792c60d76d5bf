"""A text from a stranger goes in; one that shows all of itself comes out."""

from __future__ import annotations

import re

# Control, direction and surrogate characters: they let a file name pose as another one.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Spells out characters that would be unseen, reorder the text, or not fit into UTF-8."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
