"""MTCNN's three nets as ONNX Runtime sessions, loaded when first used.

Take uint8 RGB pixels; give face probabilities, box offsets and, from O-net, landmarks.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32, UInt8

WEIGHTS = Path(__file__).parent / "weights"
CELL_PX = 12  # what one answer of P-net sees
PIXELS_AT_ONCE = 250_000  # these two bound the memory of large and of crowded frames
PATCHES_AT_ONCE = 64


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Opens a graph on the CPU; idle threads sleep instead of spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Networks:
    """P-net, R-net and O-net with ``threads`` threads each (0: one per core)."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads

    @cached_property
    def _pnet(self) -> onnxruntime.InferenceSession:
        return open_session(WEIGHTS / "pnet.onnx", self._threads)

    @cached_property
    def _rnet(self) -> onnxruntime.InferenceSession:
        return open_session(WEIGHTS / "rnet.onnx", self._threads)

    @cached_property
    def _onet(self) -> onnxruntime.InferenceSession:
        return open_session(WEIGHTS / "onet.onnx", self._threads)

    def propose(
        self, frames: UInt8[np.ndarray, "frame height width 3"]
    ) -> tuple[
        Float32[np.ndarray, "frame rows columns"], Float32[np.ndarray, "frame 4 rows columns"]
    ]:
        """Runs P-net: per 12×12 px cell (every 2 px) the face probability and box offsets."""
        _, height, width, _ = frames.shape
        at_once = max(1, PIXELS_AT_ONCE // (height * width))
        strip = max(2 * CELL_PX, PIXELS_AT_ONCE // (at_once * width) // 2 * 2)
        parts = [
            self._strips(frames[i : i + at_once], strip) for i in range(0, len(frames), at_once)
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([face for face, _ in parts]), np.concatenate([o for _, o in parts])

    def _strips(self, frames: np.ndarray, strip: int) -> tuple[np.ndarray, np.ndarray]:
        """Goes down the rows in strips that share what a cell spans beyond its stride."""
        shared = CELL_PX - 2
        starts = range(0, max(1, frames.shape[1] - shared), strip - shared)
        outputs = [
            tuple(self._pnet.run(["face", "offsets"], {"pixels": frames[:, y : y + strip]}))
            for y in starts
        ]
        if len(outputs) == 1:
            return outputs[0]
        face = np.concatenate([face for face, _ in outputs], axis=1)
        return face, np.concatenate([offsets for _, offsets in outputs], axis=2)

    def refine(
        self, patches: UInt8[np.ndarray, "patch 24 24 3"]
    ) -> tuple[Float32[np.ndarray, " patch"], Float32[np.ndarray, "patch 4"]]:
        """Runs R-net: face probability and box offsets of each patch."""
        face, offsets = _in_parts(self._rnet, ["face", "offsets"], patches)
        return face, offsets

    def finish(
        self, patches: UInt8[np.ndarray, "patch 48 48 3"]
    ) -> tuple[
        Float32[np.ndarray, " patch"],
        Float32[np.ndarray, "patch 4"],
        Float32[np.ndarray, "patch 5 2"],
    ]:
        """Runs O-net: face probability, box offsets, landmarks in units of the patch."""
        face, offsets, points = _in_parts(self._onet, ["face", "offsets", "landmarks"], patches)
        # The net answers x of all five points, then y of all five.
        return face, offsets, points.reshape(-1, 2, 5).transpose(0, 2, 1)


def _in_parts(
    session: onnxruntime.InferenceSession, names: list[str], patches: np.ndarray
) -> list[np.ndarray]:
    parts = [
        session.run(names, {"pixels": patches[i : i + PATCHES_AT_ONCE]})
        for i in range(0, len(patches), PATCHES_AT_ONCE)
    ]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
