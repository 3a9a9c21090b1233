"""Something before mouth or eyes is seen, asked away, and never passes; a passing hand costs nobody a try."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from liveness.covering import SIDE, CoverJudge, describe, laid
from liveness.errors import CalibrationInvalid
from liveness.gatekeeping import QualityCue
from liveness.quality import GateLimits, gate, measure_quality
from liveness.simulation.covers import Cover, covered
from liveness.simulation.drawn import BOX, drawn_face, drawn_stream
from liveness.types import Hint, Look, Observation, PadStatus, Pixels, Presentation, Reason, Status

POINTS = np.array([[136, 104], [184, 104], [160, 130], [144, 154], [176, 154]], np.float32)
MOUTH, EYES = (slice(125, 185), slice(112, 208)), (slice(92, 118), slice(118, 202))
COLOURS = {"white": (235, 235, 235), "black": (25, 25, 25), "blue": (200, 160, 110), "green": (90, 170, 90)}
LIMIT = GateLimits().max_covered


def worn(picture: Pixels, place: tuple[slice, slice], colour: tuple[int, int, int]) -> Pixels:
    changed = picture.copy()
    changed[place] = colour
    return changed


def hidden(stream: list[Observation], place: tuple[slice, slice]) -> list[Observation]:
    return [replace(one, pixels=worn(one.pixels, place, COLOURS["white"])) for one in stream]


def passing(one: Observation, number: int) -> Observation:
    """A hand that comes in from the left, crosses the mouth, and is gone after half a second."""
    right = 26 * number
    if right - 80 > 320:
        return one
    place = (slice(128, 200), slice(max(0, right - 80), min(320, right)))
    return replace(one, pixels=worn(one.pixels, place, (150, 170, 215)))


def look(number: int, hint: Hint) -> Look:
    quality = measure_quality(drawn_face(), BOX, POINTS, mesh=None, motion_iod_per_s=None)
    return Look(33_000_000 * number, BOX, POINTS, None, None, 0.0, quality, hint, None, None, None)


def test_a_bare_face_is_not_covered() -> None:
    for one in drawn_stream(3):
        assert one.points is not None
        seen = CoverJudge().judge(one.pixels, one.points)
        assert seen is not None
        assert max(seen.mouth, seen.eyes) < LIMIT


@pytest.mark.parametrize("colour", COLOURS)
def test_a_mask_of_any_colour_is_seen(colour: str) -> None:
    seen = CoverJudge().judge(worn(drawn_face(), MOUTH, COLOURS[colour]), POINTS)
    assert seen is not None
    assert seen.mouth > LIMIT


def test_dark_glasses_are_seen() -> None:
    seen = CoverJudge().judge(worn(drawn_face(), EYES, COLOURS["black"]), POINTS)
    assert seen is not None
    assert seen.eyes > LIMIT


@pytest.mark.parametrize("shade", [0.25, 0.5, 0.8, 1.1])
def test_how_dark_a_skin_is_changes_no_answer(shade: float) -> None:
    darker = np.clip(drawn_face() * shade, 0, 255).astype(np.uint8)
    bare = CoverJudge().judge(darker, POINTS)
    assert bare is not None
    assert max(bare.mouth, bare.eyes) < LIMIT
    masked = CoverJudge().judge(worn(darker, MOUTH, COLOURS["white"]), POINTS)
    assert masked is not None
    assert masked.mouth > LIMIT


def test_a_grey_picture_and_a_large_one_are_judged_alike() -> None:
    for place, hides in ((None, False), (MOUTH, True)):
        picture = drawn_face() if place is None else worn(drawn_face(), place, COLOURS["white"])
        grey = np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
        large = np.asarray(np.kron(picture, np.ones((4, 4, 1))), dtype=np.uint8)
        for seen in (CoverJudge().judge(grey, POINTS), CoverJudge().judge(large, 4 * POINTS)):
            assert seen is not None
            assert (seen.mouth > LIMIT) is hides


@pytest.mark.parametrize(
    "points",
    [np.full((5, 2), np.nan), np.zeros((5, 2)), np.full((5, 2), 1e4), POINTS + 5000, POINTS * 1e-4],
)
def test_points_that_make_no_face_are_no_error(points: np.ndarray) -> None:
    seen = CoverJudge().judge(drawn_face(), points.astype(np.float32))
    assert seen is None or np.isfinite((seen.mouth, seen.eyes)).all()


def test_what_is_read_has_one_length() -> None:
    face = laid(drawn_face(), POINTS)
    assert face is not None
    assert face.shape == (SIDE, SIDE, 3)
    assert describe(face).shape == (2940,)
    assert np.isfinite(describe(np.zeros_like(face))).all()


@pytest.mark.parametrize("weights", [b"", b"nothing", b"PK\x03\x04"])
def test_damaged_weights_are_a_named_error(weights: bytes) -> None:
    with pytest.raises(CalibrationInvalid, match="covered faces"):
        CoverJudge(weights)


def test_a_covered_face_is_asked_to_uncover() -> None:
    bare = measure_quality(drawn_face(), BOX, POINTS, mesh=None, motion_iod_per_s=None)
    assert gate(bare, GateLimits()) is Hint.NONE
    for part in ({"mouth_cover": 0.9}, {"eyes_cover": 0.9}, {"mouth_cover": float("nan")}):
        assert gate(replace(bare, **part), GateLimits()) is Hint.UNCOVER


@pytest.mark.parametrize("place", [MOUTH, EYES], ids=["mask", "glasses"])
def test_a_face_that_stays_covered_is_a_non_response_with_its_reason(
    scene: Any, place: tuple[slice, slice]
) -> None:
    tried = scene.session()
    progress = scene.feed(tried, hidden(scene.stream(40), place))
    assert progress is not None
    assert progress.hint is Hint.UNCOVER
    result = tried.conclude()
    assert result.status is PadStatus.NON_RESPONSE
    assert Reason.COVERED in result.reasons
    assert result.level is None


def test_a_mask_that_the_gate_misses_now_and_then_does_not_pass() -> None:
    for often, status in ((3, Status.ABSTAIN), (1, Status.OK)):
        looks = [look(number, Hint.NONE if number % often == 0 else Hint.UNCOVER) for number in range(60)]
        result = QualityCue().assess(Presentation(tuple(looks)))
        assert result.status is status
        assert result.reasons == ((Reason.COVERED,) if status is Status.ABSTAIN else ())


def test_a_hand_that_passes_costs_nobody_the_try(scene: Any) -> None:
    tried = scene.session()
    stream = scene.stream(60)
    frames = [*stream[:6], *(passing(one, number) for number, one in enumerate(stream[6:]))]
    hints = [progress.hint for progress in scene.each(tried, frames)]
    assert Hint.UNCOVER in hints
    assert tried.conclude().status is PadStatus.ACCEPTED


def landmarks() -> np.ndarray:
    """As far as covers need them, on the drawn face."""
    points = np.full((478, 3), 160.0, np.float32)
    points[:, 1] = 130.0
    for column, indices in ((110, (234, 93, 132, 58)), (210, (454, 323, 361, 288))):
        points[list(indices), :2] = [(column, row) for row in (105, 120, 135, 150)]
    jaw = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
    for share, index in enumerate(jaw):
        angle = np.pi * (0.95 - 0.9 * share / 12)
        points[index, :2] = 160 + 52 * np.cos(angle), 140 + 50 * np.sin(angle)
    points[[6, 197, 195, 5, 2, 164], 1] = (108, 114, 120, 126, 138, 144)
    points[[13, 14, 0], 1] = (152, 156, 148)
    points[[33, 133, 159, 145], :2] = (129, 104), (143, 104), (136, 100), (136, 108)
    points[[263, 362, 386, 374], :2] = (191, 104), (177, 104), (184, 100), (184, 108)
    points[[50, 280], :2] = (130, 132), (190, 132)
    return points


@pytest.mark.parametrize("cover", Cover, ids=lambda cover: cover.value)
def test_painted_covers_are_repeatable_and_lie_where_they_should(cover: Cover) -> None:
    bare = drawn_face()
    for seed in (1, 2, 3):
        dressed = covered(bare, landmarks(), cover, seed=seed)
        assert (dressed == covered(bare, landmarks(), cover, seed=seed)).all()
        changed = np.abs(dressed.astype(int) - bare).max(axis=2)
        hidden, free = (slice(98, 110), slice(130, 190)), (slice(50, 66), slice(130, 190))
        if not cover.hides_eyes:
            hidden = (slice(150, 158), slice(150, 170))
        assert changed[hidden].mean() > 4
        assert changed[free].max() == 0
