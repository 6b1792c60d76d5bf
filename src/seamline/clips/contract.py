"""The crop contract: every rule by which a file becomes a model's inputs, comparable and printable.

A bundle carries the contract that it was trained on; inputs cut by another one are refused.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from seamline.errors import ContractMismatch
from seamline.voice.logmel import LogMelSettings


@dataclass(frozen=True)
class MouthSettings:
    """How mouths are cut for the sync branch: grey squares on an even grid of time."""

    step_seconds: float = 0.04
    """Distance between crops; the grid counts from the file's start."""
    size_px: int = 32
    """Side of the crop in pixels."""
    margin: float = 1.0
    """Side of the crop over the square from the nose's tip to the chin."""


@dataclass(frozen=True)
class MotionSettings:
    """How faces are cut for the motion branch: grey squares of successive frames."""

    step_seconds: float = 0.04
    """Least distance between crops: of faster files some frames are left out."""
    size_px: int = 112
    """Side of the crop in pixels."""
    margin: float = 1.3
    """Side of the crop over the side of the tight face box."""


@dataclass(frozen=True)
class CropContract:
    """How faces are cropped and sound is cut; two contracts are compatible only if equal."""

    detector: str = "mtcnn-1.0.0"
    """Face detector whose boxes and landmarks place the crop."""
    alignment: str = "similarity-5-points"
    """How landmarks place the crop."""
    margin: float = 1.3
    """Side of the crop over the side of the tight face box."""
    size_px: int = 160
    """Side of the crop in pixels."""
    frame_step_seconds: float = 0.25
    """Distance between examined frames."""
    window_seconds: float = 2.0
    """Length of one clip: crops and sound of the same seconds."""
    mel: LogMelSettings = field(default_factory=LogMelSettings)
    """Log-mel settings of the voice branch."""
    mouth: MouthSettings | None = None
    """How mouths are cut; None (also where a file says nothing of it) cuts none."""
    motion: MotionSettings | None = None
    """How faces of successive frames are cut; None, or nothing said of it, cuts none."""

    def __post_init__(self) -> None:
        if self.mouth and self.motion and self.mouth.step_seconds != self.motion.step_seconds:
            raise ValueError(
                f"Mouths every {self.mouth.step_seconds:g} s and motion every "
                f"{self.motion.step_seconds:g} s: both are cut from one grid of frames."
            )

    @property
    def dense_step_seconds(self) -> float | None:
        """Distance between the grey frames that mouths and motion are cut from; None: neither."""
        dense = self.mouth or self.motion
        return dense.step_seconds if dense else None

    def to_json(self) -> dict[str, Any]:
        """Return the contract as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CropContract:
        """Read a contract that `to_json` wrote; unknown or missing fields are a mismatch.

        Only ``mouth`` and ``motion`` may be missing: contracts were written before there were
        branches that read them.
        """
        known = {f.name for f in fields(cls)}
        values = {"mouth": None, "motion": None, **values}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise ContractMismatch(
                f"The crop contract has other fields than this version knows ({odd}). "
                "Use the Seamline version that wrote the bundle, or export it again."
            )
        mouth = values["mouth"] and MouthSettings(**values["mouth"])
        motion = values["motion"] and MotionSettings(**values["motion"])
        mel = LogMelSettings(**values["mel"])
        return cls(**{**values, "mel": mel, "mouth": mouth, "motion": motion})

    def require(self, other: CropContract, *, mine: str, theirs: str) -> None:
        """Raise `ContractMismatch` naming both sides of each difference; return if equal."""
        a, b = self.to_json(), other.to_json()
        differences = [f"{key}: {a[key]} here, {b[key]} there" for key in a if a[key] != b[key]]
        if differences:
            raise ContractMismatch(
                f"{mine} and {theirs} were cut by different contracts: "
                + "; ".join(differences)
                + ". Extract the inputs again with the bundle's own contract."
            )
