"""Depth on synthetic frames: a head passes, sheets and wrong sizes do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liveness.depth import DepthCue
from liveness.types import CueResult, DepthView, Presentation, Reason, Status

FOCAL = 600.0


def view(*, relief: float = 1.0, tilt: float = 0.0, distance: float = 500.0, curve: float = 0.0) -> DepthView:
    """A half ellipsoid with a nose, 150 x 200 mm, at a distance; `relief` 0 makes it flat."""
    height, width = 400, 400
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    mm = distance / FOCAL
    u, v = (x - 200) * mm, (y - 200) * mm
    inside = np.clip(1 - (u / 80) ** 2 - (v / 110) ** 2, 0, 1)
    nose = 22 * np.exp(-((u / 14) ** 2) - (v / 22) ** 2)
    depth = distance - relief * (70 * np.sqrt(inside) + nose) + tilt * u + curve * (u / 80) ** 2
    depth += np.random.default_rng(0).normal(0, 1.0, depth.shape)
    half = (75 / mm, 100 / mm)
    eye = 31.5 / mm
    return DepthView(
        depth_mm=depth.astype(np.float32),
        infrared=None,
        box=(200 - half[0], 200 - half[1], 200 + half[0], 200 + half[1]),
        eyes=((200 - eye, 180.0), (200 + eye, 180.0)),
        focal_px=FOCAL,
        captured_at_ns=0,
    )


def assess(one: DepthView, count: int = 3) -> CueResult:
    return DepthCue().assess(Presentation((), depth=(one,) * count))


@pytest.mark.parametrize("distance", [350.0, 500.0, 800.0])
def test_head_is_ok(distance: float) -> None:
    result = assess(view(distance=distance))
    assert result.status is Status.OK, result


@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.6])
def test_sheet_is_a_plane_however_it_is_tilted(tilt: float) -> None:
    assert assess(view(relief=0.0, tilt=tilt)).reasons == (Reason.PLANE,)


def test_bent_sheet_does_not_pass() -> None:
    assert assess(view(relief=0.0, curve=25.0)).status is not Status.OK


def test_doll_sized_face_is_refused() -> None:
    small = view()
    (ax, ay), (bx, by) = small.eyes
    middle = (ax + bx) / 2
    eyes = ((middle + (ax - middle) * 0.5, ay), (middle + (bx - middle) * 0.5, by))
    assert assess(replace(small, eyes=eyes)).reasons == (Reason.NOT_FACE_SIZED,)


def test_face_that_infrared_does_not_see_is_refused() -> None:
    dark = np.full((400, 400), 3, np.uint8)
    assert assess(replace(view(), infrared=dark)).reasons == (Reason.NO_INFRARED_FACE,)


def test_absent_camera_is_cannot_tell() -> None:
    assert DepthCue().assess(Presentation(())).reasons == (Reason.NOT_MEASURED,)


def test_holes_and_nonsense_are_cannot_tell() -> None:
    assert assess(replace(view(), depth_mm=np.zeros((400, 400), np.float32))).status is Status.ABSTAIN
    broken = view().depth_mm.copy()
    broken[190:210, 190:210] = np.nan
    assert assess(replace(view(), depth_mm=broken)).status is Status.ABSTAIN
    assert assess(view(), count=1).status is Status.ABSTAIN
