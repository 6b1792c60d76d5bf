"""A bundle of a few bytes with known arithmetic, so that the runtime can be tested exactly.

The picture logit of a crop is (mean of red − 128) / 8; every mask logit is the same value. The
temporal branch takes that mean over all crops. The voice gives one logit per 16 log-mel columns: 4
when the band around 1.1 kHz is louder than the band around 3 kHz, −4 otherwise. The branch for both
senses gives (temporal + voice of the loudest column) / 2, the one and the other. The sync branch
turns a mouth's brightness and a sound's loudness, each against its mean, into angles. The motion
logit of a moment is the mean of its last map's absolute values, times 8, minus 2.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seamline.clips.contract import CropContract, MotionSettings, MouthSettings
from seamline.scoring.branch import Branch
from seamline.scoring.calibration import Calibration
from seamline.voice.logmel import mel_filters
from seamline.zoo.bundle import Bundle
from seamline.zoo.layout import write_bundle

CONTRACT = CropContract(margin=1.3, size_px=64)
REFERENCE_FIT = {
    "reference_calibration": Calibration(0.5, -1.0),
    "reference_threshold": 0.6,
    "reference_usual_logits": (-30.0, 30.0),
}
"""What a branch needs to take references, for `write_tiny_bundle`."""
LOW_HZ, HIGH_HZ = 1100.0, 3300.0
MELS = CONTRACT.mel.mels


def _band(hertz: float) -> int:
    """The mel band that hears a frequency best."""
    settings = CONTRACT.mel
    filters = mel_filters(settings)
    return int(filters[:, round(hertz * settings.fft_samples / settings.sample_rate_hz)].argmax())


LOW_BAND, HIGH_BAND = _band(LOW_HZ), _band(HIGH_HZ)


def write_tiny_bundle(
    folder: Path, *, branches: tuple[str, ...] = ("picture", "voice"), **branch: object
) -> Bundle:
    """Write the bundle and load it; ``branch`` overrides fields of every Branch."""
    folder.mkdir(parents=True, exist_ok=True)
    golden = {}
    settings: dict[str, object] = {
        "calibration": Calibration(), "pool_sharpness": 1.0, "threshold": 0.5, **branch,
    }  # fmt: skip
    made = {}
    if "picture" in branches:
        onnx.save(_picture(), folder / "picture.onnx")
        crops = np.zeros((2, 64, 64, 3), np.uint8)
        crops[1, ..., 0] = 200
        golden |= {
            "crops": crops,
            "picture_logit": np.array([-16.0, 9.0], np.float32),
            "picture_mask": np.array([-16.0, 9.0], np.float32)[:, None, None]
            * np.ones((1, 4, 4), np.float32),
        }
        made["picture"] = Branch("picture.onnx", **settings)  # type: ignore[arg-type]
    if "temporal" in branches:
        onnx.save(_temporal(), folder / "temporal.onnx")
        frames = np.full((2, 64, 64, 3), 144, np.uint8)
        golden |= {"frames": frames, "temporal_logit": np.array([2.0], np.float32)}
        made["temporal"] = Branch("temporal.onnx", **settings)  # type: ignore[arg-type]
    if "both" in branches:
        onnx.save(_both(), folder / "both.onnx")
        mel = np.zeros((MELS, 33), np.float32)
        mel[LOW_BAND] = 1.0
        golden |= {
            "frames": np.full((2, 64, 64, 3), 144, np.uint8),
            "log_mel": mel,
            "both_logit": np.array([3.0, 2.0, 4.0], np.float32),
        }
        made["both"] = Branch("both.onnx", **settings)  # type: ignore[arg-type]
    if "voice" in branches:
        onnx.save(_voice(), folder / "voice.onnx")
        mel = np.zeros((MELS, 33), np.float32)
        mel[LOW_BAND] = 1.0
        golden |= {"log_mel": mel, "voice_logit": np.full(3, 4.0, np.float32)}
        made["voice"] = Branch("voice.onnx", step_seconds=0.16, **settings)  # type: ignore[arg-type]
    contract = CONTRACT
    if "sync" in branches:
        onnx.save(_sync(), folder / "sync.onnx")
        contract = replace(CONTRACT, mouth=MouthSettings())
        mouths = np.zeros((2, 32, 32), np.uint8)
        mouths[1] = 20 * np.pi  # as far as half a turn lies apart, rounded
        turn = (62 / 20) * np.array([-0.5, 0.5])
        golden |= {
            "mouths": mouths,
            "sync_log_mel": np.zeros((MELS, 9), np.float32),
            "sync_mouth": np.stack([np.cos(turn), np.sin(turn)], axis=1),
            "sync_sound": np.array([[1.0, 0.0]] * 3),
        }
        made["sync"] = Branch("sync.onnx", step_seconds=0.04, **settings)  # type: ignore[arg-type]
    if "motion" in branches:
        onnx.save(_motion(), folder / "motion.onnx")
        contract = replace(contract, motion=MotionSettings(size_px=64))
        maps = np.zeros((2, 4, 64, 64), np.float32)
        maps[1, 3] = -0.5
        golden |= {"maps": maps, "motion_logit": np.array([-2.0, 2.0], np.float32)}
        made["motion"] = Branch("motion.onnx", **settings)  # type: ignore[arg-type]
    np.savez(folder / "golden.npz", **golden)
    (folder / "card.md").write_text("# tiny\n\nArithmetic, not a model.\n")
    write_bundle(
        folder,
        name="tiny",
        version="1",
        contract=contract,
        branches=made,
        summary={"line": "for tests"},
    )
    return Bundle.load(folder)


def _redness(name: str, axes: list[int]) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Arithmetic from pixels to ``redness``, averaged over ``axes``."""
    nodes = [
        helper.make_node("Cast", [name], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["f", "zero"], ["red"], axis=3),
        helper.make_node("ReduceMean", ["red", "axes"], ["mean"], keepdims=0),
        helper.make_node("Sub", ["mean", "middle"], ["centred"]),
        helper.make_node("Div", ["centred", "eight"], ["redness"]),
    ]
    constants = {
        "zero": np.array(0, np.int64),
        "axes": np.array(axes, np.int64),
        "middle": np.array(128, np.float32),
        "eight": np.array(8, np.float32),
    }
    return nodes, constants


def _temporal() -> onnx.ModelProto:
    nodes, constants = _redness("frames", [0, 1, 2])
    nodes.append(helper.make_node("Reshape", ["redness", "one"], ["logit"]))
    constants["one"] = np.array([1], np.int64)
    graph = helper.make_graph(
        nodes,
        "temporal",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, [None, 64, 64, 3])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _both() -> onnx.ModelProto:
    nodes, constants = _redness("frames", [0, 1, 2])
    nodes += [
        helper.make_node("ReduceMax", ["log_mel", "last"], ["loudest"], keepdims=0),
        helper.make_node("Gather", ["loudest", "low"], ["a"], axis=1),
        helper.make_node("Gather", ["loudest", "high"], ["b"], axis=1),
        helper.make_node("Sub", ["a", "b"], ["difference"]),
        helper.make_node("Sign", ["difference"], ["sign"]),
        helper.make_node("Mul", ["sign", "four"], ["voice"]),
        helper.make_node("Reshape", ["redness", "one"], ["picture"]),
        helper.make_node("Mean", ["picture", "voice"], ["together"]),
        helper.make_node("Concat", ["together", "picture", "voice"], ["logit"], axis=0),
    ]
    constants |= {
        "one": np.array([1], np.int64),
        "last": np.array([2], np.int64),
        "low": np.array(LOW_BAND, np.int64),
        "high": np.array(HIGH_BAND, np.int64),
        "four": np.array(4, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "both",
        [
            helper.make_tensor_value_info("frames", TensorProto.UINT8, [None, 64, 64, 3]),
            helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, [None, MELS, None]),
        ],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _picture() -> onnx.ModelProto:
    shape = [TensorProto.FLOAT, [None]]
    nodes, constants = _redness("crops", [1, 2])
    nodes += [
        helper.make_node("Identity", ["redness"], ["logit"]),
        helper.make_node("Reshape", ["logit", "column"], ["tall"]),
        helper.make_node("Mul", ["tall", "ones"], ["mask_logit"]),
    ]
    constants |= {
        "column": np.array([-1, 1, 1], np.int64),
        "ones": np.ones((1, 4, 4), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "picture",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, [None, 64, 64, 3])],
        [
            helper.make_tensor_value_info("logit", *shape),
            helper.make_tensor_value_info("mask_logit", TensorProto.FLOAT, [None, 4, 4]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _motion() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["maps", "last"], ["change"], axis=1),
        helper.make_node("Abs", ["change"], ["size"]),
        helper.make_node("ReduceMean", ["size", "space"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "eight"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "two"], ["logit"]),
    ]
    constants = {
        "last": np.array(3, np.int64),
        "space": np.array([1, 2], np.int64),
        "eight": np.array(8, np.float32),
        "two": np.array(2, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "motion",
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, [None, 4, 64, 64])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _sync() -> onnx.ModelProto:
    """Angles of brightness over 20 levels and of loudness over 1.5 nats, from their means."""
    nodes = [
        helper.make_node("Cast", ["mouths"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f", "picture"], ["light"], keepdims=0),
        helper.make_node("ReduceMean", ["log_mel", "first_two"], ["loud"], keepdims=0),
        helper.make_node("Slice", ["loud", "zero", "end", "zero", "four"], ["steps"]),
    ]
    for name, value, unit in (("mouth", "light", "levels"), ("sound", "steps", "nats")):
        nodes += [
            helper.make_node("ReduceMean", [value, "zero"], [f"{name}_mean"]),
            helper.make_node("Sub", [value, f"{name}_mean"], [f"{name}_centred"]),
            helper.make_node("Div", [f"{name}_centred", unit], [f"{name}_angle"]),
            helper.make_node("Cos", [f"{name}_angle"], [f"{name}_cos"]),
            helper.make_node("Sin", [f"{name}_angle"], [f"{name}_sin"]),
            helper.make_node("Unsqueeze", [f"{name}_cos", "one"], [f"{name}_x"]),
            helper.make_node("Unsqueeze", [f"{name}_sin", "one"], [f"{name}_y"]),
            helper.make_node("Concat", [f"{name}_x", f"{name}_y"], [name], axis=1),
        ]
    constants = {
        "picture": np.array([1, 2], np.int64),
        "first_two": np.array([0, 1], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "end": np.array([1 << 40], np.int64),
        "four": np.array([4], np.int64),
        "levels": np.array(20, np.float32),
        "nats": np.array(1.5, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "sync",
        [
            helper.make_tensor_value_info("mouths", TensorProto.UINT8, [None, 32, 32]),
            helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, [1, MELS, None]),
        ],
        [
            helper.make_tensor_value_info("mouth", TensorProto.FLOAT, [None, 2]),
            helper.make_tensor_value_info("sound", TensorProto.FLOAT, [None, 2]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _voice() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["log_mel", "low"], ["a"], axis=1),
        helper.make_node("Gather", ["log_mel", "high"], ["b"], axis=1),
        helper.make_node("Sub", ["a", "b"], ["difference"]),
        helper.make_node("Sign", ["difference"], ["sign"]),
        helper.make_node("Mul", ["sign", "four"], ["each"]),
        helper.make_node("Slice", ["each", "start", "stop", "axis", "step"], ["logit"]),
    ]
    constants = {
        "low": np.array(LOW_BAND, np.int64),
        "high": np.array(HIGH_BAND, np.int64),
        "four": np.array(4, np.float32),
        "start": np.array([0], np.int64),
        "stop": np.array([1 << 40], np.int64),
        "axis": np.array([1], np.int64),
        "step": np.array([16], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "voice",
        [helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, [None, MELS, None])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [None, None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return _model(graph)


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
