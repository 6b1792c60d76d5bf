"""Makes verdicts whose scores the caller knows."""

from __future__ import annotations

import numpy as np

from seamline.data.manifest import Sample
from seamline.scoring.verdict import (
    SCHEMA,
    Label,
    ModelId,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
)

MODEL = ModelId("fake-detector", "1", "ab")


def verdict(
    path: str, picture: float | None, voice: float | None, *, sound: bool = True
) -> Verdict:
    fake_video, fake_audio = (p is not None and p >= 0.5 for p in (picture, voice))
    label: Label = "fake_video" if fake_video else "real"
    if fake_audio:
        label = "fake_both" if fake_video else "fake_audio"
    scores = [
        SenseScore(p, 2.0, None if p is not None else "nothing to examine")
        for p in (picture, voice)
    ]
    return Verdict(
        schema=SCHEMA, path=path, sha256="00", label=label, fake_probability=picture,
        media={"duration_seconds": 2.0, "video": None, "audio": {} if sound else None},
        video=scores[0], audio=scores[1], sync=SyncScore(None, None, "not judged"),
        people=(), segments=(), timeline=Timeline(), warnings=(), model=MODEL,
        seconds={"total": 0.5},
    )  # fmt: skip


def drawn_rows(count: int) -> tuple[list[Sample], list[Verdict]]:
    generator = np.random.default_rng(0)
    samples, verdicts = [], []
    for i in range(count):
        fake = i % 3 == 0
        chance = float(np.clip(generator.normal(0.6 if fake else 0.4, 0.2), 0, 1))
        seen = i % 11 != 5
        samples.append(
            Sample(f"{i}.mp4", "video", label="fake" if fake else "real", source=f"S{i % 2}",
                   video_label="fake" if fake else "real", audio_label="real",
                   method=f"M{i % 5}" if fake else "", person=f"p{i // 4}")
        )  # fmt: skip
        verdicts.append(verdict(f"{i}.mp4", chance if seen else None, 0.1))
    return samples, verdicts
