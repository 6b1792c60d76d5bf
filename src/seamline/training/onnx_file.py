"""Writes a network as an ONNX file: module and example in, graph with dynamic axes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 18
HALF_FROM = 1024  # smaller tensors stay float32: nothing to save, precision to lose


def save_onnx(
    graph: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: Sequence[Mapping[int, str]],
    halve: bool = True,
) -> None:
    """Export with the dynamic axes of each input; ``halve`` stores large weights as float16."""
    axes = tuple(
        {axis: torch.export.Dim(name, min=1, max=1 << 20) for axis, name in names.items()}
        for names in dynamic
    )
    program = torch.onnx.export(
        graph,
        example,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=axes,
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = without_traces(program.model_proto)
    onnx.save(halve_weights(model) if halve else model, path)


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter notes of the source: stack traces with this machine's folders."""
    graph = model.graph
    for part in (
        graph,
        *graph.node,
        *graph.initializer,
        *graph.value_info,
        *graph.input,
        *graph.output,
    ):
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store float32 weights as float16 behind a cast: half the size, arithmetic stays float32."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < HALF_FROM:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model
