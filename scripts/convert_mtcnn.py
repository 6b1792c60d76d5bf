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

# A slope of 1 or more cannot be written as in Graph.rectify; such a channel is made of two others.
STEEPEST, STAND_IN = 0.95, 0.9
BLOCK = 16  # channels in a block of the runtime's layout (AVX-512); others are filled with zeros


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
    """Collects nodes and weights; ``top`` is the name of the last output.

    ``mix`` tells how the next layer's input channels come from the top's channels.
    """

    arrays: Arrays
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)
    top: str = "pixels"
    mix: np.ndarray = field(default_factory=lambda: np.eye(3))

    def take(self) -> np.ndarray:
        return self.arrays.pop(0).astype(np.float64)

    def weight(self, name: str, array: np.ndarray) -> str:
        kind = np.int64 if array.dtype.kind == "i" else np.float32
        self.weights.append(numpy_helper.from_array(np.asarray(array, kind, order="C"), name))
        return name

    def node(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        """Adds a node on top, or on the named inputs where the first of them is a node."""
        self.nodes.append(
            helper.make_node(op, [self.top, *inputs], [name], name=name, **attributes)
        )
        self.top = name
        return name

    def enter(self) -> None:
        """Brings uint8 rows of RGB pixels into the layout of convolutions."""
        self.node("Transpose", "channels_first", perm=[0, 3, 1, 2])
        self.node("Cast", "floats", to=TensorProto.FLOAT)

    def kernel(self) -> tuple[np.ndarray, np.ndarray]:
        """Takes a convolution's kernel (out, in, height, width) and bias."""
        kernel, bias = self.take().transpose(3, 2, 0, 1), self.take()
        if self.top == "floats":  # w·(x - 127.5)/128 + b  =  (w/128)·x + (b - 127.5/128·Σw)
            bias = bias - 127.5 / 128 * kernel.sum(axis=(1, 2, 3))
            kernel = kernel / 128
        return np.einsum("oihw,ij->ojhw", kernel, self.mix), bias

    def conv(self, name: str, kernel: np.ndarray, bias: np.ndarray, group: int = 1) -> str:
        inputs = self.weight(f"{name}.weight", kernel), self.weight(f"{name}.bias", bias)
        return self.node("Conv", name, *inputs, kernel_shape=list(kernel.shape[2:]), group=group)

    def conv_prelu(self, name: str) -> None:
        """Adds a convolution and its PReLU, written so that ONNX Runtime is quick at it.

        The runtime's PRelu node breaks its blocked layout of convolutions and costs more than
        they do (P-net at 480×270: 4.9 of 14.6 ms for the first one alone). With s = 1 - a > 0 the
        convolution gives u = s·x, and relu(u) + (a/s)·u is x for x > 0 and a·x below: a ReLU
        and a 1×1 convolution per channel, which stay in that layout.
        """
        kernel, bias = self.kernel()
        slope = self.take().ravel()
        steep = np.nonzero(slope > STEEPEST)[0]
        # Where a is too steep, prelu_a = (1 - a/c)·relu + (a/c)·prelu_c with c = STAND_IN. All
        # three rise, so the sum may also be taken after a maximum pooling.
        used = len(slope) + len(steep)
        mix = np.eye(len(slope), -(-used // BLOCK) * BLOCK)
        for column, row in enumerate(steep, start=len(slope)):
            mix[row, row], mix[row, column] = slope[row] / STAND_IN, 1 - slope[row] / STAND_IN
        copied = np.concatenate([np.arange(len(slope)), steep])
        kernel, bias = _grown(kernel[copied], mix.shape[1]), _grown(bias[copied], mix.shape[1])
        slope = _grown(np.where(slope > STEEPEST, STAND_IN, slope), mix.shape[1])
        scale = 1 - slope
        linear = self.conv(name, kernel * scale[:, None, None, None], bias * scale)
        rising = self.node("Relu", f"{name}.relu")
        self.top = linear
        below = (slope / scale)[:, None, None, None]
        self.conv(f"{name}.below", below, np.zeros(len(slope)), group=len(slope))
        self.node("Add", f"{name}.prelu", rising)
        self.mix = mix

    def pool(self, name: str, kernel_px: int, *, same: bool) -> None:
        pad = "SAME_UPPER" if same else "VALID"
        self.node("MaxPool", name, kernel_shape=[kernel_px] * 2, strides=[2, 2], auto_pad=pad)

    def dense(self, name: str, *, top: str | None = None) -> str:
        self.top = top or self.top
        inputs = (
            self.weight(f"{name}.weight", self.take()),
            self.weight(f"{name}.bias", self.take()),
        )
        return self.node("Gemm", name, *inputs)

    def flatten(self) -> None:
        """Makes rows of features.

        The Caffe original flattens (channel, width, height); the Keras port keeps that order of
        the dense weights by flattening (width, height, channel).
        """
        assert (self.mix == np.eye(len(self.mix))).all(), "a steep slope before a dense layer"
        self.node("Transpose", "width_height_channel", perm=[0, 3, 2, 1])
        self.node("Flatten", "flat")

    def face(self) -> None:
        """Turns the difference of the logits (face - not a face) into the face probability.

        The softmax of two logits is the sigmoid of their difference.
        """
        self.node("Sigmoid", "face.sigmoid")
        self.node("Squeeze", "face", self.weight("face.axis", np.array([1])))

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


def _grown(array: np.ndarray, length: int) -> np.ndarray:
    """Appends zeros along the first axis."""
    return np.concatenate([array, np.zeros((length - len(array), *array.shape[1:]))])


def difference(kernel_or_bias: np.ndarray) -> np.ndarray:
    """Reduces the last axis, (not a face, face), to face - not a face."""
    return kernel_or_bias[..., 1:] - kernel_or_bias[..., :1]


def build_pnet(arrays: Arrays) -> onnx.ModelProto:
    """Builds the proposal net: fully convolutional, one answer per 12×12 px cell, stride 2."""
    graph = Graph(list(arrays))
    graph.enter()
    graph.conv_prelu("conv1")
    graph.pool("pool1", 2, same=True)
    graph.conv_prelu("conv2")
    graph.conv_prelu("conv3")
    offsets, offsets_bias, logits, logits_bias = graph.arrays
    graph.arrays = [
        np.concatenate([difference(logits), offsets], axis=-1),
        np.concatenate([difference(logits_bias), offsets_bias]),
    ]
    answers = graph.conv("answers", *graph.kernel())
    cut = graph.weight("answers.cut", np.array([1, 4]))
    graph.nodes.append(helper.make_node("Split", [answers, cut], ["logit", "offsets"], axis=1))
    graph.top = "logit"
    graph.face()
    cells = ["batch", "rows", "columns"]
    outputs = {"face": cells, "offsets": ["batch", 4, *cells[1:]]}
    return graph.model("pnet", ["batch", "height", "width", 3], outputs)


def build_patch_net(
    name: str, arrays: Arrays, *, patch_px: int, pools: list[tuple[int, bool] | None]
) -> onnx.ModelProto:
    """Builds R-net or O-net; ``pools`` gives each convolution's pooling (kernel, same padding)."""
    graph = Graph([*arrays[:-2], *map(difference, arrays[-2:])])
    graph.enter()
    for i, pool in enumerate(pools, start=1):
        graph.conv_prelu(f"conv{i}")
        if pool is not None:
            graph.pool(f"pool{i}", pool[0], same=pool[1])
    graph.flatten()
    graph.dense("dense")
    features = graph.node("PRelu", "dense.prelu", graph.weight("dense.slope", graph.take()))
    graph.dense("offsets")
    outputs: dict[str, list] = {"face": ["batch"], "offsets": ["batch", 4]}
    if name == "onet":
        graph.dense("landmarks", top=features)
        outputs["landmarks"] = ["batch", 10]
    graph.dense("logit", top=features)
    graph.face()
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
