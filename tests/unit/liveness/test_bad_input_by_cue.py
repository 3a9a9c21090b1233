"""Every bad input that is named anywhere, against every cue: a reason, never an exception, never a pass.

One try for the second tier is run over each input, with everything asked for and shown, and each cue's
answer in it is looked at. Landmarks are left out here; the networks have their own tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from liveness.engine import LivenessEngine, LivenessModels, LivenessOptions, Scene
from liveness.policy import LivenessPolicy
from liveness.simulation.drawn import SteadyExpert
from liveness.types import (
    Box,
    CueName,
    CueResult,
    DepthView,
    Floats,
    Observation,
    Origin,
    PadResult,
    PadStatus,
    Status,
    Tier,
)

Stream = list[Observation]
Spoil = Callable[[Stream], Stream]


class HollowDepth:
    """A depth camera that measures nothing but holes."""

    def view(self, *, near_ns: int, box: Box, points: Floats) -> DepthView | None:
        nothing = np.zeros((120, 100), np.float32)
        return DepthView(
            nothing, None, (0.0, 0.0, 100.0, 120.0), ((30.0, 40.0), (70.0, 40.0)), 500.0, near_ns
        )


def pixels(change: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    return lambda stream: [replace(one, pixels=np.ascontiguousarray(change(one.pixels))) for one in stream]


def covered(rows: slice, columns: slice) -> Spoil:
    def cover(picture: np.ndarray) -> np.ndarray:
        changed = picture.copy()
        changed[rows, columns] = 20
        return changed

    return pixels(cover)


def at_the_border(stream: Stream) -> Stream:
    aside = np.array([128, 0], np.float32)
    box = (220.0, 55.0, 330.0, 190.0)
    return [replace(one, points=one.points + aside, box=box) for one in stream if one.points is not None]


def no_number(stream: Stream) -> Stream:
    return [replace(one, points=np.full((5, 2), math.nan, np.float32)) for one in stream]


def several(stream: Stream) -> Stream:
    return [replace(one, others=((1.0, 1.0, 90.0, 120.0),)) for one in stream]


def set_back(stream: Stream) -> Stream:
    return [*stream[:8], *(replace(one, captured_at_ns=one.captured_at_ns - 10**9) for one in stream[8:])]


BAD: dict[str, Spoil] = {
    "odd size": pixels(lambda picture: picture[:239, :317]),
    "grey": pixels(lambda picture: picture[:, :, 0]),
    "16 bit": pixels(lambda picture: picture.astype(np.uint16)),
    "rotated": pixels(np.rot90),
    "no frame": lambda stream: [],
    "one frame": lambda stream: stream[:1],
    "landmarks that are no number": no_number,
    "face at the border": at_the_border,
    "glasses": covered(slice(94, 116), slice(118, 202)),
    "mask": covered(slice(125, 180), slice(118, 202)),
    "several faces": several,
    "display without refresh": lambda stream: stream,
    "clock set back": set_back,
}
# Usable pictures of somebody who is there: these cues may find nothing wrong with them.
HARMLESS = {"odd size", "rotated", "display without refresh"}
CALM = {CueName.QUALITY, CueName.PASSIVE, CueName.INTEGRITY, CueName.SPECTRUM}
# What is wrong with a stream is for the stream's own cue to say, and what cannot be seen for the others.
STREAM_ONLY = {"grey", "16 bit", "clock set back"}
UNSEEN = {
    "landmarks that are no number",
    "face at the border",
    "several faces",
    "no frame",
    "glasses",
    "mask",
}


@cache
def tried(scene: Any, bad: str) -> PadResult:
    engine = LivenessEngine(
        LivenessModels(None, (SteadyExpert(),)),
        LivenessPolicy(),
        secret=scene.SECRET,
        options=LivenessOptions(pulse=True),
        depth=HollowDepth(),
    )
    session = engine.open(Tier.TWO, scene.sale(), Scene(Origin.REPLAY))
    refresh = None if bad == "display without refresh" else 60.0
    for one in BAD[bad](scene.stream(60)):
        session.observe(one)
        session.shown(one.captured_at_ns + 1_000_000, refresh_hz=refresh)
    return session.conclude()


def said(scene: Any, bad: str, cue: CueName) -> CueResult:
    return next(result for result in tried(scene, bad).cues if result.cue is cue)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("cue", CueName, ids=lambda cue: cue.value)
def test_no_cue_passes_bad_input_and_each_says_why(scene: Any, cue: CueName, bad: str) -> None:
    result = said(scene, bad, cue)
    if result.status is Status.OK:
        assert cue in CALM
        assert bad in HARMLESS | STREAM_ONLY | (UNSEEN if cue is CueName.INTEGRITY else set())
    else:
        assert result.reasons


@pytest.mark.parametrize("bad", BAD)
def test_no_try_is_accepted_on_bad_input(scene: Any, bad: str) -> None:
    result = tried(scene, bad)
    assert result.status is not PadStatus.ACCEPTED
    assert result.reasons


@pytest.mark.parametrize("bad", sorted(STREAM_ONLY))
def test_a_stream_that_no_camera_delivers_is_refused(scene: Any, bad: str) -> None:
    assert said(scene, bad, CueName.INTEGRITY).status is Status.REFUSE
    assert tried(scene, bad).status is PadStatus.REFUSED


@pytest.mark.parametrize("bad", sorted(UNSEEN | {"one frame"}))
def test_a_face_that_cannot_be_judged_is_nobodys_attack(scene: Any, bad: str) -> None:
    assert tried(scene, bad).status is PadStatus.NON_RESPONSE
    assert said(scene, bad, CueName.PASSIVE).status is Status.ABSTAIN
    assert tried(scene, bad).level is None
