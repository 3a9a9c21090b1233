"""One integer matrix product on onnxruntime: rows of unsigned bytes times a few probes of signed bytes.

The rows are the left factor: the library rearranges the right one before every product, and rearranging a
whole gallery takes longer than multiplying it. Dot-product instructions are used where the processor has
them; without them the product is exact all the same, because a probe keeps to seven bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.inference import load_session

ROW_ZERO = 128
"""The byte that stands for zero in a row."""
PROBE_STEPS = 63
"""Largest magnitude in a probe.

Processors without a dot-product instruction add two products in signed 16 bits and saturate without a
word: 2 x 255 x 63 is below 32,768, twice 255 x 127 is not.
"""


class Int8Product:
    """`uint8[N, D]` times `int8[D, B]`, scaled by row: `float32[B, N]`, exact up to that scaling.

    The scores of one probe come in one piece, because whoever reads them goes through one probe at a time.
    """

    def __init__(self, threads: int = 1) -> None:
        self._session = load_session(_graph(), threads=threads)

    def run(
        self, rows: npt.NDArray[np.uint8], scales: npt.NDArray[np.float32], probes: npt.NDArray[np.int8]
    ) -> npt.NDArray[np.float32]:
        """Return `((rows - ROW_ZERO) @ probes).T * scales`; probes keep within `PROBE_STEPS`."""
        (product,) = self._session.run({"rows": rows, "scales": scales, "probes": probes})
        return np.asarray(product, np.float32)


def _graph() -> bytes:
    # The package onnx comes with insightface; it is slow to import and needed only here.
    from onnx import TensorProto, helper, numpy_helper

    inputs = [
        helper.make_tensor_value_info("rows", TensorProto.UINT8, ["n", "d"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, ["n"]),
        helper.make_tensor_value_info("probes", TensorProto.INT8, ["d", "b"]),
    ]
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["b", "n"])
    nodes = [
        helper.make_node("MatMulInteger", ["rows", "probes", "zero"], ["whole"]),
        helper.make_node("Transpose", ["whole"], ["turned"], perm=[1, 0]),
        # Whole numbers below 2^24, which every product of up to 2,000 dimensions is, fit a float32.
        helper.make_node("Cast", ["turned"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["real", "scales"], ["scores"]),
    ]
    zero = numpy_helper.from_array(np.array(ROW_ZERO, np.uint8), "zero")
    graph = helper.make_graph(nodes, "product", inputs, [output], [zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
