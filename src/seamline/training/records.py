"""Plain values to frozen records: what YAML read goes in, a checked dataclass comes out."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_origin, get_type_hints


def make_record(kind: Any, values: Any, prefix: str = "") -> Any:
    """Build a dataclass, checking its keys' names and their values' types; raises `ValueError`."""
    if not isinstance(values, dict):
        raise ValueError(f"{prefix} takes `key: value` lines, got {values!r}.")
    hints = get_type_hints(kind)
    unknown = sorted(prefix + key for key in set(values) - set(hints))
    if unknown:
        known = ", ".join(prefix + key for key in hints)
        raise ValueError(f"Unknown key {', '.join(unknown)}. Known keys: {known}.")
    return kind(**{key: _cast(prefix + key, value, hints[key]) for key, value in values.items()})


def _cast(key: str, value: Any, hint: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return make_record(hint, value, f"{key}.")
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or len(value) != len(get_args(hint)):
            raise ValueError(f"{key} takes {len(get_args(hint))} numbers, got {value!r}.")
        return tuple(kind(v) for kind, v in zip(get_args(hint), value, strict=True))
    if get_origin(hint) is dict:
        return {str(k): float(v) for k, v in (value or {}).items()}
    if hint is float and isinstance(value, str):  # YAML reads 3e-4 as text
        value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint):
        raise ValueError(f"{key} takes {hint.__name__}, got {value!r}.")
    return value
