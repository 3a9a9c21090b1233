"""Depth drivers load their vendor's package only when opened, and say what is missing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from hardware.depth import DEPTH_DRIVERS, load_depth_camera, to_millimetres
from hardware.errors import CameraGone, CameraNotFound, LibraryMissing

PACKAGES = {"realsense": "pyrealsense2", "orbbec": "pyorbbecsdk"}


@pytest.mark.parametrize("name", DEPTH_DRIVERS)
def test_driver_is_built_without_its_package_and_names_it_when_opened(name: str) -> None:
    camera = load_depth_camera(name)
    with pytest.raises(CameraGone):
        camera.read(0.1)
    if importlib.util.find_spec(PACKAGES[name]) is None:
        with pytest.raises(LibraryMissing, match="pip install"):
            camera.__enter__()


def test_unknown_driver_names_the_known_ones() -> None:
    with pytest.raises(CameraNotFound, match="realsense, orbbec"):
        load_depth_camera("kinect")


def test_raw_units_become_millimetres() -> None:
    depth = to_millimetres(np.array([[0, 1000, 65535]], np.uint16), scale_mm=0.1)
    assert depth.dtype == np.float32
    assert depth.tolist() == [[0.0, 100.0, pytest.approx(6553.5)]]
