"""Where a model's graphs run: a device's name in, ONNX Runtime's providers out."""

from __future__ import annotations

from typing import Any

import onnxruntime as ort

from seamline.errors import WrongUsage

CUDA = "CUDAExecutionProvider"
DEVICES = ("cpu", "cuda")


def execution_providers(device: str) -> list[str | tuple[str, dict[str, Any]]]:
    """Give the providers in order of preference; refuses a device that is not there.

    Decoding and the face cascade stay on the CPU whatever the device: only a bundle's own graphs,
    which take crops of one size in batches, move.
    """
    if device not in DEVICES:
        raise ValueError(f"Unknown device {device!r}. Known: {', '.join(DEVICES)}.")
    if device == "cpu":
        return ["CPUExecutionProvider"]
    found = ort.get_available_providers()
    if CUDA not in found:
        raise WrongUsage(
            f"A GPU was asked for, but this ONNX Runtime has only {', '.join(found)}. Install "
            "onnxruntime-gpu in place of onnxruntime on the GPU machines, or ask for none."
        )
    # Windows hold different numbers of crops: no lengthy search for the best algorithm each time.
    return [(CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"]
