"""One integer matrix product on onnxruntime: a probe of unsigned bytes times columns of signed bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.inference import load_session


class Int8Product:
    """`uint8[D] x int8[D, N] -> int32[N]`, exact for probes of seven bits."""

    def __init__(self, threads: int = 1) -> None:
        self._session = load_session(_graph(), threads=threads)

    def run(self, probe: npt.NDArray[np.uint8], columns: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """Return the product of the probe with every column."""
        (product,) = self._session.run({"probe": probe[None], "rows": columns})
        return np.asarray(product[0], dtype=np.int32)


def _graph() -> bytes:
    # The package onnx comes with insightface; it is slow to import and needed only here.
    from onnx import TensorProto, helper

    inputs = [
        helper.make_tensor_value_info("probe", TensorProto.UINT8, [1, "d"]),
        helper.make_tensor_value_info("rows", TensorProto.INT8, ["d", "n"]),
    ]
    output = helper.make_tensor_value_info("product", TensorProto.INT32, [1, "n"])
    node = helper.make_node("MatMulInteger", ["probe", "rows"], ["product"])
    graph = helper.make_graph([node], "product", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
