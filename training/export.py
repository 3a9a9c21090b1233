"""From a trained student to the file in the wheel: ONNX, weights as 8-bit integers.

Each output channel of a large weight has a scale of its own; the graph multiplies it back, which
onnxruntime does once when it loads the file. So the files are small and the arithmetic stays float32.
Only operators of opset 13 are used, so that any onnxruntime the product allows can run them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 13
_LARGE = 1_024
_LIMIT = 127.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What goes in and out of a file: an example, names, and which dimensions are free."""

    example: tuple[int, ...]
    outputs: tuple[str, ...]
    free: tuple[int, ...] = ()


def export(student: nn.Module, shape: Shape, path: Path) -> float:
    """Write a student; return the least cosine between its answers before and after, over its outputs."""
    student = student.eval()
    example = torch.rand(shape.example)
    buffer = io.BytesIO()
    torch.onnx.export(
        student,
        (example,),
        buffer,
        input_names=["input"],
        output_names=list(shape.outputs),
        dynamic_axes=_free(shape),
        opset_version=OPSET,
        do_constant_folding=True,
        dynamo=False,
    )
    model = onnx.load_from_string(buffer.getvalue())
    _shrink(model.graph)
    model.producer_name, model.producer_version, model.doc_string = "facepay training", "", ""
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    with torch.no_grad():
        wanted = student(example)
    return _least_cosine(path, example, wanted if isinstance(wanted, tuple) else (wanted,))


def _free(shape: Shape) -> dict[str, dict[int, str]]:
    if not shape.free:
        return {}
    axes = {axis: f"d{axis}" for axis in shape.free}
    return {
        "input": axes,
        **{name: {axis: f"{name}_{axis}" for axis in shape.free} for name in shape.outputs},
    }


def _shrink(graph: onnx.GraphProto) -> None:
    """Replace large float weights by integers, a cast and a multiplication."""
    kept, front = [], []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LARGE or values.ndim < 2:
            kept.append(weight)
            continue
        whole, scale = _integers(values)
        name = weight.name
        kept += [numpy_helper.from_array(whole, f"{name}.q"), numpy_helper.from_array(scale, f"{name}.s")]
        front += [
            helper.make_node("Cast", [f"{name}.q"], [f"{name}.f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.f", f"{name}.s"], [name]),
        ]
    nodes = [*front, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def _integers(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """`int8` of the same shape, and one scale for each first index."""
    rows = values.reshape(len(values), -1)
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-12) / _LIMIT
    whole = np.rint(rows / scale[:, None]).astype(np.int8).reshape(values.shape)
    return whole, scale.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))


def _least_cosine(path: Path, example: torch.Tensor, wanted: Sequence[torch.Tensor]) -> float:
    made = onnxruntime.InferenceSession(str(path)).run(None, {"input": example.numpy()})
    pairs = [(np.ravel(a).astype(np.float64), b.numpy().ravel()) for a, b in zip(made, wanted, strict=True)]
    return float(min(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12) for a, b in pairs))
