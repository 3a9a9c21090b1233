"""Model inference on onnxruntime: the one home of that library.

Threads are set on purpose. Several sessions whose idle threads spin starve each other on small
machines (on two cores a detector went from 8 to 22 ms), so spinning is off everywhere.

Nothing about the terminal is told to the library's makers: from 1.29 on its binaries keep a device's
number and upload events over HTTPS unless they are forbidden to before they start (ADR 0320).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.errors import InferenceFailed, ModelUnreadable

# Read once, while the library starts: it has to stand here before the import, whatever was set outside.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

# The builds for Windows know the call only.
onnxruntime.disable_telemetry_events()

Array = npt.NDArray[Any]
"""Inputs and outputs of a model; dtype and shape are the model's own, so nothing narrower is true."""


class InferenceSession:
    """One loaded model. Safe to run from several threads at once."""

    def __init__(self, ort: onnxruntime.InferenceSession, name: str) -> None:
        self._ort = ort
        self._name = name

    @property
    def ort(self) -> Any:
        """The raw onnxruntime session, untyped upstream; only for classes that demand one."""
        return self._ort

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs in the model's order."""
        return tuple(value.name for value in self._ort.get_inputs())

    @property
    def input_shapes(self) -> tuple[Sequence[int | str | None], ...]:
        """Shapes of the inputs; a word or None stands for a free dimension."""
        return tuple(value.shape for value in self._ort.get_inputs())

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs in the order `run` returns them."""
        return tuple(value.name for value in self._ort.get_outputs())

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Run the model once.

        Args:
            inputs: one array for each input name.

        Returns:
            The outputs in the order of `output_names`.

        Raises:
            InferenceFailed: the model refused the inputs or broke.
        """
        try:
            return [np.asarray(value) for value in self._ort.run(None, dict(inputs))]
        except Exception as error:  # onnxruntime raises a family that it does not export
            raise InferenceFailed(f"model {self._name} did not run: {error}") from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = threads
    made.inter_op_num_threads = 1
    made.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    made.add_session_config_entry("session.intra_op.allow_spinning", "0")
    made.add_session_config_entry("session.inter_op.allow_spinning", "0")
    made.log_severity_level = 3
    return made


def load_session(
    model: Path | bytes, *, threads: int = 1, providers: Sequence[str] = ("CPUExecutionProvider",)
) -> InferenceSession:
    """Load a model from a file or from its bytes.

    Args:
        model: path of an ONNX file, or its content.
        threads: threads for one operator, at least 1.
        providers: execution providers in order of preference.

    Raises:
        ModelUnreadable: it is missing, damaged, or needs a provider that is not there.
    """
    if threads < 1:
        raise ModelUnreadable(f"a session needs at least one thread, not {threads}")
    name = model.name if isinstance(model, Path) else "(in memory)"
    if isinstance(model, Path) and not model.is_file():
        raise ModelUnreadable(f"model file {model} is missing; `facepay models install` fetches its pack")
    source = str(model) if isinstance(model, Path) else model
    try:
        options = _options(threads)
        return InferenceSession(
            onnxruntime.InferenceSession(source, sess_options=options, providers=list(providers)), name
        )
    except Exception as error:  # onnxruntime raises a family that it does not export
        raise ModelUnreadable(f"model {name} cannot be loaded: {_reason(error)}") from error


_TOO_NEW = ("under development", "Unsupported model IR version", "No Op registered", "NOT_IMPLEMENTED")
"""What onnxruntime says of a model that was made for a later release of it."""


def _reason(error: Exception) -> str:
    if any(sign in str(error) for sign in _TOO_NEW):
        return (
            f"onnxruntime {onnxruntime.__version__} is too old for an operator or format in it; "
            f"install a newer one (pip install -U onnxruntime). It said: {error}"
        )
    return str(error)
