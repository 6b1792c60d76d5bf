"""Writes MTCNN's three nets as ONNX from the arrays of the PyPI package ``mtcnn``.

Takes the installed package's ``assets/weights/{p,r,o}net.lz4`` (lists of NumPy arrays in Keras
order; TensorFlow is not needed to read them) and writes ``pnet.onnx``, ``rnet.onnx``,
``onet.onnx`` and the package's licence notice beside them. The same arrays give the same bytes.

Every graph takes ``pixels`` (uint8, batch height width 3, RGB) and gives ``face`` (probability)
and ``offsets``; O-net also ``landmarks``. The normalisation (x - 127.5) / 128 is folded into the
first convolution, which is exact since no convolution of MTCNN pads.

Run: python scripts/convert_mtcnn.py [OUT_FOLDER]
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE_VERSION = "1.0.0"
DEFAULT_OUT = Path(__file__).parents[1] / "src/seamline/faces/weights"
OPSET = 17
IR_VERSION = 8

Arrays = list[np.ndarray]


def package_arrays(net: str) -> Arrays:
    """Reads the arrays of ``pnet``, ``rnet`` or ``onet`` from the installed package."""
    spec = importlib.util.find_spec("mtcnn")  # found, never imported: importing asks for TensorFlow
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The package mtcnn is not installed. Try: pip install mtcnn==1.0.0")
    version = importlib.metadata.version("mtcnn")
    if version != PACKAGE_VERSION:
        raise SystemExit(f"Expected mtcnn {PACKAGE_VERSION}, found {version}.")
    path = Path(spec.submodule_search_locations[0]) / "assets" / "weights" / f"{net}.lz4"
    return joblib.load(path)


def package_licence() -> str:
    """Returns the package's licence text, whole."""
    for file in importlib.metadata.files("mtcnn") or []:
        if file.name == "LICENSE":
            return file.read_text()
    raise SystemExit("The installed package mtcnn carries no LICENSE file.")


@dataclass
class Graph:
    """Collects nodes and weights; ``top`` is the name of the last output."""

    arrays: Arrays
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)
    top: str = "pixels"

    def take(self) -> np.ndarray:
        return self.arrays.pop(0)

    def weight(self, name: str, array: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, op: str, name: str, *weights: str, **attributes: object) -> None:
        inputs = [self.top, *weights]
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.top = name

    def conv(self, name: str, *, first: bool = False) -> None:
        kernel = self.take().transpose(3, 2, 0, 1).astype(np.float64)  # HWIO to OIHW
        bias = self.take().astype(np.float64)
        if first:  # w·(x - 127.5)/128 + b  =  (w/128)·x + (b - 127.5/128·Σw)
            bias = bias - 127.5 / 128 * kernel.sum(axis=(1, 2, 3))
            kernel = kernel / 128
        inputs = (
            self.weight(f"{name}.weight", kernel.astype(np.float32)),
            self.weight(f"{name}.bias", bias.astype(np.float32)),
        )
        self.node("Conv", name, *inputs, kernel_shape=list(kernel.shape[2:]))

    def prelu(self, name: str) -> None:
        slope = self.take()
        if slope.ndim == 3:  # Keras shares the slope over height and width: (1, 1, channel)
            slope = slope.reshape(-1, 1, 1)
        self.node("PRelu", name, self.weight(f"{name}.slope", slope))

    def pool(self, name: str, kernel_px: int, *, same: bool) -> None:
        pad = "SAME_UPPER" if same else "VALID"
        self.node("MaxPool", name, kernel_shape=[kernel_px] * 2, strides=[2, 2], auto_pad=pad)

    def dense(self, name: str, *, top: str | None = None) -> None:
        self.top = top or self.top
        inputs = (
            self.weight(f"{name}.weight", self.take()),
            self.weight(f"{name}.bias", self.take()),
        )
        self.node("Gemm", name, *inputs)

    def enter(self) -> None:
        """Brings uint8 rows of RGB pixels into the layout of convolutions."""
        self.node("Transpose", "channels_first", perm=[0, 3, 1, 2])
        self.node("Cast", "floats", to=TensorProto.FLOAT)

    def face_probability(self, *, axis: int) -> None:
        """Keeps the second of (not a face, face) after the softmax."""
        self.node("Softmax", "classes", axis=axis)
        self.node("Gather", "face", self.weight("face.class", np.array(1)), axis=axis)

    def model(self, name: str, pixels: list, outputs: dict[str, list]) -> onnx.ModelProto:
        assert not self.arrays, f"{len(self.arrays)} arrays of {name} were not used"
        inputs = [helper.make_tensor_value_info("pixels", TensorProto.UINT8, pixels)]
        values = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
            for key, shape in outputs.items()
        ]
        graph = helper.make_graph(self.nodes, name, inputs, values, self.weights)
        model = helper.make_model(
            graph,
            producer_name="seamline scripts/convert_mtcnn.py",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            doc_string=f"MTCNN {name}, numbers of the PyPI package mtcnn {PACKAGE_VERSION} (MIT)",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def build_pnet(arrays: Arrays) -> onnx.ModelProto:
    """Builds the proposal net: fully convolutional, one answer per 12×12 px cell, stride 2."""
    graph = Graph(list(arrays))
    graph.enter()
    graph.conv("conv1", first=True)
    graph.prelu("prelu1")
    graph.pool("pool1", 2, same=True)
    for i in (2, 3):
        graph.conv(f"conv{i}")
        graph.prelu(f"prelu{i}")
    features = graph.top
    graph.conv("offsets")
    graph.top = features
    graph.conv("logits")
    graph.face_probability(axis=1)
    cells = ["batch", "rows", "columns"]
    outputs = {"face": cells, "offsets": ["batch", 4, *cells[1:]]}
    return graph.model("pnet", ["batch", "height", "width", 3], outputs)


def build_patch_net(
    name: str, arrays: Arrays, *, patch_px: int, pools: list[tuple[int, bool] | None]
) -> onnx.ModelProto:
    """Builds R-net or O-net; ``pools`` gives each convolution's pooling (kernel, same padding)."""
    graph = Graph(list(arrays))
    graph.enter()
    for i, pool in enumerate(pools, start=1):
        graph.conv(f"conv{i}", first=i == 1)
        graph.prelu(f"prelu{i}")
        if pool is not None:
            graph.pool(f"pool{i}", pool[0], same=pool[1])
    # The Caffe original flattens (channel, width, height); the Keras port keeps that order of the
    # dense weights by flattening (width, height, channel).
    graph.node("Transpose", "width_height_channel", perm=[0, 3, 2, 1])
    graph.node("Flatten", "flat")
    graph.dense("dense")
    graph.prelu("dense_prelu")
    features = graph.top
    graph.dense("offsets")
    outputs: dict[str, list] = {"face": ["batch"], "offsets": ["batch", 4]}
    if name == "onet":
        graph.dense("landmarks", top=features)
        outputs["landmarks"] = ["batch", 10]
    graph.dense("logits", top=features)
    graph.face_probability(axis=1)
    return graph.model(name, ["batch", patch_px, patch_px, 3], outputs)


def build_all() -> dict[str, onnx.ModelProto]:
    """Builds the three nets from the installed package."""
    rnet_pools: list[tuple[int, bool] | None] = [(3, True), (3, False), None]
    onet_pools: list[tuple[int, bool] | None] = [(3, True), (3, False), (2, True), None]
    return {
        "pnet": build_pnet(package_arrays("pnet")),
        "rnet": build_patch_net("rnet", package_arrays("rnet"), patch_px=24, pools=rnet_pools),
        "onet": build_patch_net("onet", package_arrays("onet"), patch_px=48, pools=onet_pools),
    }


def main(out: Path) -> None:
    """Writes the three graphs and the licence notice into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for name, model in build_all().items():
        (out / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        print(f"{name}.onnx: {(out / f'{name}.onnx').stat().st_size:,} bytes")
    origin = (
        f"pnet.onnx, rnet.onnx and onet.onnx hold the numbers of the PyPI package mtcnn "
        f"{PACKAGE_VERSION}\n(https://github.com/ipazc/mtcnn), converted by "
        "scripts/convert_mtcnn.py. Its licence follows, whole.\n\n"
    )
    (out / "MTCNN_LICENSE").write_text(origin + package_licence())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT)
