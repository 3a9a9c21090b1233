"""The grid detector's decoding, on maps that are written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from facepay.errors import ModelMismatch
from facepay.recognition.grid import NUMBERS, STRIDES, GridDetector, decode, without_overlaps

Floats = npt.NDArray[np.float32]


def _maps(height: int, width: int) -> list[Floats]:
    maps = [np.zeros((NUMBERS, height // stride, width // stride), np.float32) for stride in STRIDES]
    for made in maps:
        made[0] = -9.0
    return maps


def _write(made: Floats, stride: int, cell: tuple[int, int], box: tuple[float, ...], logit: float) -> None:
    """Let a cell (row, column) tell of a box x1, y1, x2, y2 whose five points lie in its middle."""
    row, column = cell
    x, y = (box[0] + box[2]) / 2 / stride, (box[1] + box[3]) / 2 / stride
    made[0, row, column] = logit
    made[1:3, row, column] = x - column - 0.5, y - row - 0.5
    made[3:5, row, column] = math.log((box[2] - box[0]) / stride), math.log((box[3] - box[1]) / stride)
    made[5:, row, column] = [x - column - 0.5, y - row - 0.5] * 5


@pytest.mark.parametrize("level", range(3))
def test_a_cell_of_every_grid_is_decoded_to_pixels(level: int) -> None:
    maps = _maps(192, 320)
    _write(maps[level], STRIDES[level], (2, 3), (40.0, 30.0, 100.0, 110.0), 2.0)
    (row,) = decode(maps, 0.5)
    assert row[0] == pytest.approx(1 / (1 + math.exp(-2.0)), abs=1e-5)
    np.testing.assert_allclose(row[1:5], (40, 30, 100, 110), atol=1e-3)
    np.testing.assert_allclose(row[5:].reshape(5, 2), [(70, 70)] * 5, atol=1e-3)


def test_cells_below_the_score_are_silent() -> None:
    maps = _maps(64, 64)
    _write(maps[0], 8, (1, 1), (0.0, 0.0, 20.0, 20.0), -0.1)
    assert len(decode(maps, 0.5)) == 0


def test_of_two_cells_on_one_face_the_surer_one_speaks() -> None:
    maps = _maps(192, 320)
    _write(maps[0], 8, (5, 5), (20.0, 20.0, 60.0, 60.0), 1.0)
    _write(maps[0], 8, (5, 6), (22.0, 20.0, 62.0, 60.0), 3.0)
    _write(maps[2], 32, (4, 8), (200.0, 80.0, 310.0, 190.0), 2.0)
    rows = without_overlaps(decode(maps, 0.5), 0.3)
    assert [round(float(row[1])) for row in rows] == [22, 200]


def test_absurd_sizes_do_not_overflow() -> None:
    maps = _maps(64, 64)
    maps[0][0, 0, 0], maps[0][3:5, 0, 0] = 5.0, 900.0
    assert np.isfinite(decode(maps, 0.5)).all()


class OneFace:
    """A network that sees one face at the middle of the picture, 64 pixels wide and high."""

    input_names = ("input",)

    def __init__(self, numbers: int = NUMBERS) -> None:
        self._numbers = numbers

    def run(self, inputs: Mapping[str, Floats]) -> list[Floats]:
        """Three maps for `float32[1, 3, H, W]`."""
        height, width = inputs["input"].shape[2:]
        maps = _maps(height, width)
        x, y = width // 2, height // 2
        _write(maps[1], 16, (y // 16, x // 16), (x - 32.0, y - 32.0, x + 32.0, y + 32.0), 4.0)
        return [made[None, : self._numbers] for made in maps]


def test_a_large_picture_is_scaled_down_and_the_answer_up() -> None:
    detector = GridDetector(OneFace(), 320, 0.5, 0.3)  # type: ignore[arg-type]
    (face,) = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    # 320 x 180 pixels are padded to 320 x 192, of which the middle is at 160, 96.
    np.testing.assert_allclose(face.box, (512, 256, 768, 512), atol=0.01)
    assert face.points.shape == (5, 2)


def test_a_small_picture_is_not_scaled_up() -> None:
    detector = GridDetector(OneFace(), 320, 0.5, 0.3)  # type: ignore[arg-type]
    (face,) = detector.detect(np.zeros((96, 96, 3), np.uint8))
    np.testing.assert_allclose(face.box, (16, 16, 80, 80), atol=0.01)


def test_a_network_of_another_shape_is_refused() -> None:
    with pytest.raises(ModelMismatch, match="detector answers"):
        GridDetector(OneFace(numbers=9), 320, 0.5, 0.3)  # type: ignore[arg-type]
