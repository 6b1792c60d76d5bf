"""Makes verdicts and evidence for report tests, all of it synthetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from seamline.report.page_data import (
    Look,
    ModelSummary,
    PersonEvidence,
    ReportPage,
    Spectrogram,
)
from seamline.scoring.verdict import (
    ModelId,
    Person,
    Segment,
    SenseScore,
    SyncScore,
    Timeline,
    Verdict,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}.mp4"
MODEL_ID = ModelId("seamline-test", "7", "ab" * 32)
MODEL = ModelSummary(
    "seamline-test",
    "7",
    "ab" * 32,
    ("A model for tests.",),
    ("synthetic faces",),
    ("knows nothing of singing",),
    (("Picture, AUC", "0.83"),),
)


def make_verdict(**changes: Any) -> Verdict:
    """A ten-second video with a manipulated picture from 2 s to 6 s; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "schema": 1,
        "path": "folder/talk.mp4",
        "sha256": "c0ffee00" * 8,
        "media": {
            "duration_seconds": 10.0,
            "video": {"codec": "h264", "width": 640, "height": 480, "frames_per_second": 25.0},
            "audio": {"codec": "aac", "sample_rate_hz": 44100},
        },
        "label": "fake_video",
        "fake_probability": 0.97,
        "video": SenseScore(0.97, 9.0, None),
        "audio": SenseScore(0.04, 9.5, None),
        "sync": SyncScore(None, None, "this model does not judge synchrony"),
        "people": (Person(0, 0.0, 10.0, 0.97, 212), Person(1, 8.0, 8.5, None, 50)),
        "segments": (Segment("video", 0, 2.0, 6.0, 0.99),),
        "timeline": Timeline(
            1.0,
            (0.1, 0.2, 0.9, 0.95, 0.97, 0.9, 0.2, 0.1, None, 0.1),
            (0.04,) * 9 + (None,),
            (None,) * 10,
        ),
        "warnings": ("heavy compression: scores are less certain",),
        "model": MODEL_ID,
        "seconds": {"total": 1.6},
    }
    return Verdict(**{**fields, **changes})


def make_look(seconds: float = 1.0, probability: float = 0.5, **changes: Any) -> Look:
    """A look at a face of even colour, hot in the lower right cell of 4 × 4."""
    heat = np.zeros((4, 4), np.float32)
    heat[3, 3] = probability
    fields: dict[str, Any] = {
        "seconds": seconds,
        "crop": np.full((64, 64, 3), (200, 150, 120), np.uint8),
        "heat": heat,
        "fake_probability": probability,
        "box": (320.0, 120.0, 480.0, 360.0),
        "frame": np.full((120, 160, 3), 90, np.uint8),
    }
    return Look(**{**fields, **changes})


def make_page(**changes: Any) -> ReportPage:
    """A page with every kind of evidence; ``changes`` go to the verdict."""
    looks = tuple(make_look(k / 2, 0.05 * k) for k in range(20))
    mel = np.random.default_rng(0).normal(size=(40, 500)).astype(np.float32)
    steps = [(float(k), k + 1.0, None if k == 9 else 0.04) for k in range(10)]
    return ReportPage(
        make_verdict(**changes),
        (PersonEvidence(0, looks),),
        Spectrogram(0.0, 10.0, mel, steps, 20.0, 7600.0),
        size_bytes=5_123_456,
    )
