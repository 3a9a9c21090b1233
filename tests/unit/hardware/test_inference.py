from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import InferenceFailed, ModelUnreadable
from hardware.inference import load_session

pytest.importorskip("onnx")


def doubling_model(operator: str = "Add", *, opset: int = 17, ir_version: int = 8) -> bytes:
    from onnx import TensorProto, helper

    shape = ["n", 2]
    node = helper.make_node(operator, ["x", "x"], ["y"])
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "doubling",
        [value("x", TensorProto.FLOAT, shape)],
        [value("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    return model.SerializeToString()


def test_a_model_runs_by_the_names_of_its_inputs() -> None:
    session = load_session(doubling_model())
    assert session.input_names == ("x",)
    assert session.output_names == ("y",)
    (output,) = session.run({"x": np.ones((1, 2), np.float32)})
    assert output.tolist() == [[2.0, 2.0]]


def test_idle_threads_do_not_spin() -> None:
    options = load_session(doubling_model(), threads=2).ort.get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_wrong_input_is_an_error_of_this_package() -> None:
    with pytest.raises(InferenceFailed):
        load_session(doubling_model()).run({"x": np.ones((1, 3, 4), np.float32)})


def test_a_missing_or_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadable, match="facepay models install"):
        load_session(tmp_path / "absent.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(doubling_model()[:40])
    with pytest.raises(ModelUnreadable, match=r"damaged\.onnx"):
        load_session(damaged)
    with pytest.raises(ModelUnreadable, match="at least one thread"):
        load_session(doubling_model(), threads=0)


@pytest.mark.parametrize(
    "model",
    [doubling_model(opset=99), doubling_model(ir_version=99), doubling_model("OfTomorrow")],
    ids=["operator set", "format", "operator"],
)
def test_an_onnxruntime_that_is_too_old_is_named(model: bytes) -> None:
    with pytest.raises(
        ModelUnreadable, match=r"onnxruntime \d+\.\d+.* is too old .*pip install -U onnxruntime"
    ):
        load_session(model)


def test_the_library_leaves_no_number_of_this_machine_and_tells_nobody(tmp_path: Path) -> None:
    """In a process of its own, since the library reads the variable once, and without what marks a CI."""
    home = tmp_path / "home"
    home.mkdir()
    model = tmp_path / "model.onnx"
    model.write_bytes(doubling_model())
    program = (
        "import sys; from pathlib import Path; from hardware.inference import load_session; "
        "load_session(Path(sys.argv[1]).read_bytes())"
    )
    root = str(Path(__file__).resolve().parents[3])
    subprocess.run(
        [sys.executable, "-c", program, str(model)],
        env={"HOME": str(home), "PYTHONPATH": root, "ORT_DISABLE_TELEMETRY": "0"},
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    assert list(home.rglob("*")) == []
