"""The shipped graphs against a plain NumPy pass over the arrays of the package ``mtcnn``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from seamline.faces import networks
from seamline.faces.networks import WEIGHTS, Networks

SCRIPT = Path(__file__).parents[2] / "scripts" / "convert_mtcnn.py"
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The conversion script as a module."""
    for needed in ("mtcnn", "joblib", "lz4", "onnx"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"the package {needed} is not installed (it comes with [test,train])")
    spec = importlib.util.spec_from_file_location("convert_mtcnn", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["convert_mtcnn"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nets() -> Networks:
    return Networks(threads=1)


def pixels(*shape: int) -> np.ndarray:
    """Noise over gradients: extremes, and the smooth stuff that pictures are made of."""
    rng = np.random.default_rng(sum(shape))
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    noise[:, : shape[1] // 2] = np.linspace(0, 255, shape[2], dtype=np.uint8)[None, None, :, None]
    return noise


class Plain:
    """Keras' layers on NHWC arrays, taking their weights in order."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self._left = [array.astype(np.float64) for array in arrays]

    def take(self) -> np.ndarray:
        return self._left.pop(0)

    def conv(self, x: np.ndarray) -> np.ndarray:
        kernel, bias = self.take(), self.take()
        height, width = kernel.shape[:2]
        rows, columns = x.shape[1] - height + 1, x.shape[2] - width + 1
        y = np.zeros((x.shape[0], rows, columns, kernel.shape[3])) + bias
        for i in range(height):
            for j in range(width):
                y += x[:, i : i + rows, j : j + columns] @ kernel[i, j]
        return y

    def prelu(self, x: np.ndarray) -> np.ndarray:
        slope = self.take()
        return np.where(x > 0, x, x * slope)

    def dense(self, x: np.ndarray) -> np.ndarray:
        weight, bias = self.take(), self.take()
        return x @ weight + bias

    def done(self) -> None:
        assert not self._left


def pool(x: np.ndarray, kernel: int, *, same: bool) -> np.ndarray:
    """Takes maxima with stride 2; same: ceil(size / 2) answers, the extra rim at the end."""
    batch, height, width, channels = x.shape
    if same:
        rows, columns = -(-height // 2), -(-width // 2)
    else:
        rows, columns = (height - kernel) // 2 + 1, (width - kernel) // 2 + 1
    y = np.empty((batch, rows, columns, channels))
    for i in range(rows):
        for j in range(columns):
            window = x[:, 2 * i : 2 * i + kernel, 2 * j : 2 * j + kernel]
            y[:, i, j] = window.max(axis=(1, 2))
    return y


def softmax(x: np.ndarray) -> np.ndarray:
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def normal(frames: np.ndarray) -> np.ndarray:
    return (frames.astype(np.float64) - 127.5) / 128


@pytest.mark.parametrize("size", [(24, 30), (37, 53), (12, 12)])
def test_pnet_answers_as_the_packages_arrays_do(
    script: ModuleType, nets: Networks, size: tuple[int, int]
) -> None:
    frames = pixels(2, *size)
    plain = Plain(script.package_arrays("pnet"))
    x = pool(plain.prelu(plain.conv(normal(frames))), 2, same=True)
    x = plain.prelu(plain.conv(x))
    x = plain.prelu(plain.conv(x))
    offsets, classes = plain.conv(x), softmax(plain.conv(x))
    plain.done()
    face, got = nets.propose(frames)
    np.testing.assert_allclose(face, classes[..., 1], atol=TOLERANCE)
    np.testing.assert_allclose(got, offsets.transpose(0, 3, 1, 2), atol=TOLERANCE)


def patch_features(plain: Plain, x: np.ndarray, pools: list[tuple[int, bool] | None]) -> np.ndarray:
    for shape in pools:
        x = plain.prelu(plain.conv(x))
        if shape is not None:
            x = pool(x, shape[0], same=shape[1])
    x = x.transpose(0, 2, 1, 3).reshape(len(x), -1)  # Permute((2, 1, 3)), then Flatten
    return plain.prelu(plain.dense(x))


def test_rnet_answers_as_the_packages_arrays_do(script: ModuleType, nets: Networks) -> None:
    patches = pixels(5, 24, 24)
    plain = Plain(script.package_arrays("rnet"))
    x = patch_features(plain, normal(patches), [(3, True), (3, False), None])
    offsets, classes = plain.dense(x), softmax(plain.dense(x))
    plain.done()
    face, got = nets.refine(patches)
    np.testing.assert_allclose(face, classes[:, 1], atol=TOLERANCE)
    np.testing.assert_allclose(got, offsets, atol=TOLERANCE)


def test_onet_answers_as_the_packages_arrays_do(script: ModuleType, nets: Networks) -> None:
    patches = pixels(5, 48, 48)
    plain = Plain(script.package_arrays("onet"))
    x = patch_features(plain, normal(patches), [(3, True), (3, False), (2, True), None])
    offsets, points, classes = plain.dense(x), plain.dense(x), softmax(plain.dense(x))
    plain.done()
    face, got, landmarks = nets.finish(patches)
    np.testing.assert_allclose(face, classes[:, 1], atol=TOLERANCE)
    np.testing.assert_allclose(got, offsets, atol=TOLERANCE)
    np.testing.assert_allclose(landmarks[..., 0], points[:, :5], atol=TOLERANCE)
    np.testing.assert_allclose(landmarks[..., 1], points[:, 5:], atol=TOLERANCE)


def test_the_script_writes_the_shipped_bytes(script: ModuleType, tmp_path: Path) -> None:
    script.main(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    # Beside them lies the descriptor of faces, which another script makes.
    assert {*names, "identity.npz"} == {path.name for path in WEIGHTS.iterdir()}
    assert names == ["MTCNN_LICENSE", "onet.onnx", "pnet.onnx", "rnet.onnx"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (WEIGHTS / name).read_bytes(), name


def test_the_licence_notice_is_kept_whole(script: ModuleType) -> None:
    shipped = (WEIGHTS / "MTCNN_LICENSE").read_text()
    assert script.package_licence() in shipped
    assert "mtcnn 1.0.0" in shipped


@pytest.mark.parametrize("at_once", [1, 900, 4000])
@pytest.mark.parametrize("size", [(34, 17), (61, 83), (60, 20)])
def test_strips_and_batches_answer_as_the_whole(
    monkeypatch: pytest.MonkeyPatch, nets: Networks, size: tuple[int, int], at_once: int
) -> None:
    frames = pixels(3, *size)
    whole = nets.propose(frames)
    monkeypatch.setattr(networks, "PIXELS_AT_ONCE", at_once)
    parts = nets.propose(frames)
    for expected, got in zip(whole, parts, strict=True):
        assert expected.shape == got.shape
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_crowd_of_patches_is_judged_in_order(
    monkeypatch: pytest.MonkeyPatch, nets: Networks
) -> None:
    patches = pixels(7, 24, 24)
    whole, _ = nets.refine(patches)
    monkeypatch.setattr(networks, "PATCHES_AT_ONCE", 3)
    np.testing.assert_allclose(nets.refine(patches)[0], whole, atol=1e-6)
