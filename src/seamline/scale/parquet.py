"""Turns a journal of verdicts (JSONL) into one Parquet table, a row a file.

The table appears whole or not at all, and needs no more memory than some thousand rows.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from seamline.errors import WrongUsage

ROWS_AT_ONCE = 2000


def require_pyarrow() -> None:
    """Refuses at the start, not after hours of scanning."""
    if importlib.util.find_spec("pyarrow") is None:
        raise WrongUsage(
            "--out with .parquet needs pyarrow, which is not installed. "
            "Run `pip install pyarrow`, or name a .jsonl file."
        )


def write_parquet(journal: Path, target: Path) -> None:
    """Writes the rows of ``journal`` to ``target``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(pa)
    unfinished = target.with_name(f".{target.name}.part")
    with journal.open(encoding="utf-8") as lines, pq.ParquetWriter(unfinished, schema) as writer:
        rows: list[dict[str, Any]] = []
        for line in lines:
            rows.append(_row(json.loads(line)))
            if len(rows) == ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema))
    unfinished.replace(target)


def _row(found: dict[str, Any]) -> dict[str, Any]:
    path = found["path"].encode("utf-8", "backslashreplace").decode()  # names need not be UTF-8
    seconds = [{"stage": stage, "seconds": spent} for stage, spent in found["seconds"].items()]
    return {
        "error": None,
        "reference": None,
        "proposals": None,
        **found,
        "path": path,
        "seconds": seconds,
    }


def _schema(pa: Any) -> Any:
    """The columns; fixed, so that a table without fakes has the columns of one with fakes."""
    text, number, whole = pa.string(), pa.float64(), pa.int64()
    sense = {"fake_probability": number, "examined_seconds": number, "reason": text}
    stretch = {"start_seconds": number, "stop_seconds": number, "fake_probability": number}

    def record(**parts: Any) -> Any:
        return pa.struct(list(parts.items()))

    def rows(**parts: Any) -> Any:
        return pa.list_(record(**parts))

    columns = {
        "schema": whole,
        "path": text,
        "sha256": text,
        "media": record(
            duration_seconds=number,
            video=record(codec=text, width=whole, height=whole, frames_per_second=number),
            audio=record(codec=text, sample_rate_hz=whole),
        ),
        "label": text,
        "fake_probability": number,
        "video": record(**sense),
        "audio": record(**sense),
        "sync": record(fake_probability=number, offset_seconds=number, reason=text),
        "people": rows(track=whole, **stretch, face_px=whole),
        "segments": rows(modality=text, track=whole, **stretch),
        "timeline": record(
            step_seconds=number, **{s: pa.list_(number) for s in ("video", "audio", "sync")}
        ),
        "warnings": pa.list_(text),
        "model": record(name=text, version=text, sha256=text),
        "seconds": rows(stage=text, seconds=number),
        "reference": record(
            paths=pa.list_(text),
            sha256=pa.list_(text),
            people=rows(track=whole, reference=text, similarity=number),
        ),
        "proposals": rows(modality=text, track=whole, **stretch),
        "error": text,
    }
    return pa.schema(list(columns.items()))
